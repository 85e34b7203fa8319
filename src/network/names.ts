/** Every id of one network holds its name, so that two networks never meet on one. */
export interface ProtocolNames {
  readonly requestsTopic: string;
  readonly advertsTopic: string;
  readonly request: string;
  readonly negotiation: string;
  readonly contract: string;
  readonly serving: string;
  readonly content: string;
  readonly logs: string;
}

export function protocolNames(network: string): ProtocolNames {
  return {
    requestsTopic: `/bidmesh/${network}/requests/1`,
    advertsTopic: `/bidmesh/${network}/adverts/1`,
    request: `/bidmesh/${network}/request/1`,
    negotiation: `/bidmesh/${network}/negotiation/1`,
    contract: `/bidmesh/${network}/contract/1`,
    serving: `/bidmesh/${network}/serving/1`,
    content: `/bidmesh/${network}/content/1`,
    logs: `/bidmesh/${network}/logs/1`,
  };
}

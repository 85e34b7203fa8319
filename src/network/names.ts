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
    requestsTopic: `/bidmesh/${network}/requests/2`,
    advertsTopic: `/bidmesh/${network}/adverts/2`,
    request: `/bidmesh/${network}/request/2`,
    negotiation: `/bidmesh/${network}/negotiation/2`,
    contract: `/bidmesh/${network}/contract/2`,
    serving: `/bidmesh/${network}/serving/2`,
    content: `/bidmesh/${network}/content/2`,
    logs: `/bidmesh/${network}/logs/2`,
  };
}

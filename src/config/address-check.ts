import { PEER_ID } from '../domain/units/peer-id.ts';

export type AddressUse = 'listen' | 'announce' | 'bootstrap';

const HIGHEST_PORT = 65_535;
const IP4_PART = String.raw`(25[0-5]|2[0-4]\d|1?\d?\d)`;
const IP4 = new RegExp(`^${IP4_PART}(\\.${IP4_PART}){3}$`);
const NAME =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?$/;
const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

const EXAMPLE: Readonly<Record<AddressUse, string>> = {
  listen: 'expected a multiaddr such as /ip4/0.0.0.0/tcp/4001, or /ip6/::/tcp/4001',
  announce: 'expected a multiaddr such as /ip4/203.0.113.7/tcp/4001, or /dns4/node.example.org/tcp/4001',
  bootstrap: 'expected a multiaddr such as /ip4/203.0.113.7/tcp/4001/p2p/12D3KooW...',
};

/** Why a node can do nothing with a multiaddr, as a sentence; undefined where it can. Only TCP is spoken. */
export function addressProblem(text: string, use: AddressUse): string | undefined {
  const [start, kind = '', host = '', ...rest] = text.split('/');
  if (start !== '' || !isHost(kind, host, use)) return EXAMPLE[use];
  const [transport, port = '', ...behind] = kind === 'dnsaddr' ? ['tcp', '1', ...rest] : rest;
  if (transport !== 'tcp') return `${EXAMPLE[use]}: only tcp is spoken`;
  if (!/^\d{1,5}$/.test(port) || Number(port) > HIGHEST_PORT) return `expected a port up to ${HIGHEST_PORT}`;
  if (use !== 'listen' && Number(port) === 0) return 'expected the port that others are to use, and not 0';
  if (use !== 'listen' && EVERYWHERE.has(host)) return 'expected the address that others are to use';
  return isPeerPart(behind, use) ? undefined : EXAMPLE[use];
}

function isHost(kind: string, host: string, use: AddressUse): boolean {
  switch (kind) {
    case 'ip4':
      return IP4.test(host);
    case 'ip6':
      return /^[0-9a-fA-F:.]+$/.test(host) && URL.canParse(`http://[${host}]`);
    case 'dns':
    case 'dns4':
    case 'dns6':
      return use !== 'listen' && NAME.test(host);
    case 'dnsaddr':
      return use === 'bootstrap' && NAME.test(host);
    default:
      return false;
  }
}

function isPeerPart([kind, peer = '', ...more]: readonly string[], use: AddressUse): boolean {
  if (kind === undefined) return true;
  return use !== 'listen' && kind === 'p2p' && PEER_ID.test(peer) && more.length === 0;
}

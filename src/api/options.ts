/** How the HTTP interface listens and what it puts up with. */
export interface ApiOptions {
  /** `HOST:PORT`; port 0 takes a free one. */
  readonly listen: string;
  /** Asked of every request but the health checks. Needed off loopback. */
  readonly token?: string;
  /** One job description. Blobs are bounded by the content quota instead. */
  readonly maxBodyBytes: number;
  /** A longer document is read in a thread of its own, so that other work goes on. */
  readonly jsonAtOnceBytes: number;
  readonly yamlAtOnceBytes: number;
  /** What takes longer to read in that thread is refused. */
  readonly longestReadMs: number;
  /** Documents that wait for that thread. */
  readonly maxWaitingReads: number;
  /** After this time without work that thread ends. */
  readonly idleReaderMs: number;
  readonly maxHeaderBytes: number;
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to its last: the longest upload. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How often requests are looked at that take too long: each is ended at most so much later than its time. */
  readonly timeoutCheckMs: number;
  readonly maxConnections: number;
  /** Of one connection, each way, before it is read or written on. */
  readonly connectionBufferBytes: number;
  /** How long requests are read and begun in one turn of the event loop, before other work has its turn. */
  readonly turnMs: number;
  /** After so many requests have been read in one turn, no connection is read on in it. */
  readonly parsedPerTurn: number;
  /** No connection that sends ahead is read on while so many requests wait. */
  readonly maxWaitingRequests: number;
  /** A body of a declared length up to this is read at once. */
  readonly smallBodyBytes: number;
  /** All larger bodies together, from their first byte until they have been dealt with. */
  readonly openBodiesBytes: number;
  /** What of that one upload counts for: it is written as it comes. */
  readonly uploadBytes: number;
  /** So many bodies wait for room; the next is refused at once, and not read. */
  readonly maxWaitingBodies: number;
  /** After this time a connection is closed whose body was refused for want of room. */
  readonly refusedLingerMs: number;
  /** For so long a body waits until there is room for it. */
  readonly bodyWaitMs: number;
  /** While others wait, a body that comes more slowly than this makes room. */
  readonly leastBytesPerSecond: number;
  /** A job description has to be there after this time. */
  readonly bodyTimeoutMs: number;
  /** Event and log streams that are open at once. */
  readonly maxStreams: number;
  readonly sseHeartbeatMs: number;
  /** How long a following log stream waits for an early refusal before it answers 200. */
  readonly earlyRefusalMs: number;
  /** After this time `stop` cuts the connections that are still busy. */
  readonly stopGraceMs: number;
}

export const apiDefaults: ApiOptions = {
  listen: '127.0.0.1:9999',
  maxBodyBytes: 4 * 1024 * 1024,
  jsonAtOnceBytes: 128 * 1024,
  yamlAtOnceBytes: 1024,
  longestReadMs: 5000,
  maxWaitingReads: 32,
  idleReaderMs: 30_000,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 600_000,
  keepAliveTimeoutMs: 30_000,
  timeoutCheckMs: 1000,
  maxConnections: 1024,
  connectionBufferBytes: 16 * 1024,
  turnMs: 5,
  parsedPerTurn: 64,
  maxWaitingRequests: 64,
  smallBodyBytes: 16 * 1024,
  openBodiesBytes: 8 * 1024 * 1024,
  uploadBytes: 1280 * 1024,
  maxWaitingBodies: 64,
  refusedLingerMs: 500,
  bodyWaitMs: 5000,
  leastBytesPerSecond: 64 * 1024,
  bodyTimeoutMs: 60_000,
  maxStreams: 256,
  sseHeartbeatMs: 15_000,
  earlyRefusalMs: 100,
  stopGraceMs: 2000,
};

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const LISTEN_PATTERN = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/;
const HIGHEST_PORT = 65_535;

/** `127.0.0.1:9999` or `[::1]:9999` in parts; undefined for anything else. */
export function parseListen(text: string): ListenAddress | undefined {
  const groups = LISTEN_PATTERN.exec(text)?.groups;
  const host = groups?.['v6'] ?? groups?.['host'];
  const port = Number(groups?.['port']);
  if (host === undefined || port > HIGHEST_PORT) return undefined;
  return isHost(host, groups?.['v6'] !== undefined) ? { host, port } : undefined;
}

/** Digits that are no address in full, such as 127.1 or 10.0.0.256, are no name either. */
function isHost(host: string, isV6: boolean): boolean {
  if (isV6) return URL.canParse(`http://[${host}]`);
  if (/^\d[\d.]*$/.test(host)) return URL.parse(`http://${host}`)?.hostname === host;
  return !/(^|\.)(-|\.|$)/.test(host.replace(/\.$/, '')) && URL.canParse(`http://${host}`);
}

/** True when only programs on this machine can reach `host`. */
export function isLoopbackHost(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

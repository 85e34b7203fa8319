import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';

/**
 * Everything that goes wrong with a request on this side of it, and nowhere else: what cannot be sent at all, and what
 * the system, TLS or a proxy say instead of the node. `API_UNREACHABLE` may be another the next time; all other codes
 * stay what they are until something is changed.
 */

export const DEFAULT_API = 'http://127.0.0.1:9999';

/** What the environment says of proxies and of TLS, as far as failures have to do with it. */
export type RequestSurroundings = Readonly<Record<string, string | undefined>>;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

/** The address of a node as people give it. Throws `USAGE`. */
export function parseApiUrl(text: string): URL {
  const given = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase();
  const port = /^:?(\d{1,5})$/.exec(given)?.[1];
  if (port !== undefined) {
    throw usage(
      `${JSON.stringify(given)} is a port and no machine: give a URL such as http://127.0.0.1:${port}.`,
    );
  }
  const url = URL.parse(scheme === undefined ? `http://${given}` : given);
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw usage(`A node speaks HTTP and not ${scheme}: give a URL such as ${DEFAULT_API}.`);
  }
  if (url === null || given === '') {
    throw usage(`${JSON.stringify(text)} is no address of a node: give a URL such as ${DEFAULT_API}.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw usage(
      `The address of a node has no user and password in it: give ${url.origin}, and the token of the node in BIDMESH__API__TOKEN.`,
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw usage(
      `The address of a node ends behind its port, as ${url.origin} does; nothing of ${JSON.stringify(`${url.pathname}${url.search}${url.hash}`)} would be used.`,
    );
  }
  if (url.port === '0') throw usage('Nothing can be asked at port 0: give the port that "start" printed.');
  return url;
}

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const LONGEST_KEY = 255;

/** The token as it is sent; an empty one is none. Throws `USAGE` for one that no header takes. */
export function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || token === '' || VISIBLE_ASCII.test(token))
    return token === '' ? undefined : token;
  throw usage(
    'The token in BIDMESH__API__TOKEN holds a space, a line end or another letter that cannot be sent: tokens are visible ASCII characters. Set it to the api.token of the node.',
  );
}

/** Throws `USAGE` for a key that no header takes, before anything is uploaded. */
export function checkedIdempotencyKey(key: string): string {
  if (key.length <= LONGEST_KEY && VISIBLE_ASCII.test(key)) return key;
  throw usage(
    `--idempotency-key ${JSON.stringify(key.slice(0, 64))} cannot be sent: it takes 1 to ${LONGEST_KEY} visible ASCII characters.`,
  );
}

/** Why a request came to nothing, with the next step. What has a code of this program's already is left as it is. */
export function requestFailure(base: URL, cause: unknown, env: RequestSurroundings): unknown {
  const chain = chainOf(cause);
  const own = chain.find((error) => error instanceof CodedError);
  if (own !== undefined) return own;
  const codes = chain.flatMap((error) => codeOf(error) ?? []);
  const code = codes.at(-1) ?? codes[0];
  const reason = chain.map(messageOf).at(-1) ?? '';
  const failed =
    unsendable(base, chain) ??
    viaProxy(base, code, reason, env) ??
    tlsFailure(base, code, chain) ??
    notReached(base, code, reason) ??
    notReached(base, reasonCode(reason), reason);
  const [name, sentence] = failed ?? [
    'API_REQUEST_FAILED',
    `The request to ${base.origin} could not be made: ${reason}. Look at --api, BIDMESH_API and BIDMESH__API__TOKEN.`,
  ];
  const hint = name === 'API_UNREACHABLE' ? unusedProxy(base, env) : '';
  return new CodedError(name, `${sentence}${hint}`, { cause });
}

type Failure = readonly [code: string, sentence: string];

function usage(sentence: string): CodedError {
  return new CodedError('USAGE', sentence);
}

/** An error and what caused it, outermost first; of several attempts to connect the last. */
function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let next = error; next instanceof Error && chain.length < 8; ) {
    chain.push(next);
    next = next instanceof AggregateError ? (next.errors.at(-1) ?? next.cause) : next.cause;
  }
  return chain.length === 0 ? [error] : chain;
}

function unsendable(base: URL, chain: readonly unknown[]): Failure | undefined {
  const reasons = chain.map(messageOf);
  if (reasons.includes('bad port')) {
    return [
      'API_PORT_BLOCKED',
      `Nothing was asked: port ${base.port} belongs to another protocol, and no web client talks to it. Give the node another port (npx bidmesh start --api 127.0.0.1:9999) and name it with --api.`,
    ];
  }
  if (reasons.some((text) => /ByteString|invalid header value/i.test(text))) {
    return [
      'API_HEADER_INVALID',
      'Nothing was asked: a header would hold a letter that cannot be sent. The token and the idempotency key are visible ASCII characters.',
    ];
  }
  return undefined;
}

const WRONG_CERTIFICATE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_TLS_CERT_|INVALID_CA)/;
const NO_TLS_THERE: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'EPROTO',
]);
/** The first bytes of a TLS alert, which is how a TLS server answers plain HTTP. */
const TLS_ALERT = '\u0015\u0003';

function tlsFailure(base: URL, code: string | undefined, chain: readonly unknown[]): Failure | undefined {
  if (code !== undefined && NO_TLS_THERE.has(code)) {
    return [
      'API_TLS_FAILED',
      `What listens at ${base.host} speaks no TLS: ask it with http://${base.host} instead of https.`,
    ];
  }
  if (code !== undefined && WRONG_CERTIFICATE.test(code)) {
    return [
      'API_TLS_FAILED',
      `The certificate of ${base.host} is not one that this machine trusts (${code}). Name the file of its authority in NODE_EXTRA_CA_CERTS, or give the name that the certificate is for.`,
    ];
  }
  if (code?.startsWith('ERR_SSL_') === true || code?.startsWith('ERR_TLS_') === true) {
    return ['API_TLS_FAILED', `No TLS connection with ${base.host} came about (${code}).`];
  }
  const parser = chain.find((error) => error instanceof Error && error.name === 'HTTPParserError');
  if (parser === undefined) return undefined;
  const data = parser instanceof Error && 'data' in parser ? String(parser.data) : '';
  return data.startsWith(TLS_ALERT)
    ? ['API_TLS_FAILED', `What listens at ${base.host} speaks TLS: ask it with https://${base.host}.`]
    : [
        'API_UNEXPECTED',
        `What listens at ${base.host} does not speak HTTP, so it is no Bidmesh node. Name the node with --api URL.`,
      ];
}

/** Undici has codes of its own for a few of these, and words alone for others. */
function reasonCode(reason: string): string | undefined {
  if (/other side closed|terminated|premature close|aborted/i.test(reason)) return 'UND_ERR_SOCKET';
  return undefined;
}

function notReached(base: URL, code: string | undefined, reason: string): Failure | undefined {
  const sentence = unreachable(base, code, reason);
  return sentence === undefined ? undefined : ['API_UNREACHABLE', sentence];
}

function unreachable({ origin, hostname, host, protocol }: URL, code: string | undefined, reason: string) {
  switch (code ?? '') {
    case 'ECONNREFUSED':
      return `No node answers at ${origin}. Start one with "npx bidmesh start", or name another with --api URL.`;
    case 'ENOTFOUND':
    case 'EAI_NONAME':
      return `There is no machine of the name ${hostname}. Look at --api and BIDMESH_API.`;
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return `The name ${hostname} cannot be looked up now (${code}). Try again, or give the address in numbers.`;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${host} did not answer in time: a firewall may stand before it, or the machine is off. Look at --api, and at api.listen of the node.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return `There is no way to ${host} from this machine (${code}). Look at --api, and at the network.`;
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return `The node at ${origin} took the request and then was silent for too long. Look at its log, and try again.`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_ABORTED':
      return `The connection to ${origin} ended in the middle of the request: the node may have stopped.${protocol === 'http:' ? ` If it speaks TLS, ask https://${host}.` : ''} Look at its log, and try again.`;
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'EPERM':
    case 'EACCES':
      return `This machine does not let a connection to ${host} be opened: ${reason}.`;
    default:
      return undefined;
  }
}

const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const;

function isLoopback(base: URL): boolean {
  return LOOPBACK.test(base.hostname);
}

/** The variable that names a proxy for this address; the rest of the proxies' rules is their library's. */
function proxyFor(base: URL, env: RequestSurroundings): (typeof PROXIES)[number] | undefined {
  const names = base.protocol === 'https:' ? PROXIES.slice(0, 2) : PROXIES.slice(2);
  return isLoopback(base) ? undefined : names.find((name) => (env[name] ?? '') !== '');
}

function proxiesAreUsed(env: RequestSurroundings): boolean {
  return env['NODE_USE_ENV_PROXY'] === '1' || (env['NODE_OPTIONS'] ?? '').includes('--use-env-proxy');
}

function viaProxy(
  base: URL,
  code: string | undefined,
  reason: string,
  env: RequestSurroundings,
): Failure | undefined {
  const variable = proxyFor(base, env);
  if (variable === undefined || !proxiesAreUsed(env)) return undefined;
  return [
    'API_PROXY_FAILED',
    `${base.host} was asked for through the proxy in ${variable}, and that failed: ${reason || (code ?? 'no reason given')}. Mend ${variable}, or put ${base.hostname} into NO_PROXY.`,
  ];
}

function unusedProxy(base: URL, env: RequestSurroundings): string {
  const variable = proxyFor(base, env);
  if (variable === undefined || proxiesAreUsed(env)) return '';
  return ` ${variable} was not used: set NODE_USE_ENV_PROXY=1 where the node is behind that proxy.`;
}

import { createHash, timingSafeEqual } from 'node:crypto';
import { CodedError } from '../lib/coded-error.ts';
import { type ApiOptions, isLoopbackHost, parseListen } from './options.ts';

/** Addresses of this machine, and the one name for them: no other name can be told from one that was rebound. */
const HOST_PATTERN = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
const OPEN_PATHS: ReadonlySet<string> = new Set(['/health/live', '/health/ready']);

export interface AccessRequest {
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`: how browsers say which page a request comes from. */
  readonly fetchSite: string | undefined;
  readonly authorization: string | undefined;
}

/** Throws `HOST_FORBIDDEN`, `ORIGIN_FORBIDDEN` or `UNAUTHORIZED`. */
export type AccessCheck = (request: AccessRequest) => void;

/**
 * Who may talk to this node. On loopback no web page may: not one of another origin, and not one whose name was
 * rebound to 127.0.0.1; browsers say of reading requests too where they come from. Off loopback, and wherever a token is set, the token decides.
 * Throws `API_TOKEN_REQUIRED` where the API would be open to the network.
 */
export function createAccessCheck(options: Pick<ApiOptions, 'listen' | 'token'>): AccessCheck {
  const address = parseListen(options.listen);
  if (address === undefined) {
    throw new CodedError('API_LISTEN_INVALID', `api.listen must be HOST:PORT, not ${options.listen}.`);
  }
  const loopback = isLoopbackHost(address.host);
  if (!loopback && options.token === undefined) {
    throw new CodedError(
      'API_TOKEN_REQUIRED',
      `The API would be open to everybody on ${options.listen}. Set api.token, or listen on 127.0.0.1.`,
    );
  }
  const tokenDigest = options.token === undefined ? undefined : digestOf(options.token);
  return (request) => {
    checkFetchSite(request.fetchSite);
    if (loopback) checkNoWebPage(request);
    if (tokenDigest !== undefined && !OPEN_PATHS.has(request.path)) {
      checkToken(tokenDigest, request.authorization);
    }
  };
}

/** Only pages of this node itself, and what a person types; reading requests come without an origin. */
const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none']);

function checkFetchSite(fetchSite: string | undefined): void {
  if (fetchSite === undefined || OWN_SITES.has(fetchSite.toLowerCase())) return;
  throw new CodedError('ORIGIN_FORBIDDEN', 'Web pages of other origins may not use this node.');
}

function checkNoWebPage({ host, origin }: AccessRequest): void {
  if (host === undefined || !HOST_PATTERN.test(host)) {
    throw new CodedError('HOST_FORBIDDEN', 'Address this node as localhost, 127.0.0.1 or [::1].');
  }
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new CodedError('ORIGIN_FORBIDDEN', 'Web pages of other origins may not use this node.');
  }
}

/** Digests have one length, so the comparison takes the same time whatever was sent. */
function checkToken(tokenDigest: Buffer, authorization: string | undefined): void {
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  if (timingSafeEqual(digestOf(given), tokenDigest)) return;
  throw new CodedError(
    'UNAUTHORIZED',
    given === ''
      ? 'Send the token of this node as "Authorization: Bearer TOKEN".'
      : 'The token that was sent is not the api.token of this node.',
  );
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

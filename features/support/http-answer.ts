import type { z } from 'zod';
import { BidmeshClient } from '../../src/client/index.ts';
import { problemShape } from '../../src/openapi/shapes/problem.ts';

/** Where a node listens now: one that is started again listens elsewhere. */
export type Address = () => string;

/** A node as its user's program sees it, until the scenario is over. */
export function clientOf(url: Address, over: AbortSignal): BidmeshClient {
  return new BidmeshClient({
    url,
    fetch: (address, init) => {
      const signal = AbortSignal.any([over, ...(init.signal instanceof AbortSignal ? [init.signal] : [])]);
      return fetch(address, { ...init, signal });
    },
  });
}

/** One answer of a node as it came over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** Asks a node what no client would, or looks at an answer as it is. */
export async function ask(
  url: Address,
  method: 'GET' | 'POST',
  path: string,
  request: { readonly body?: string; readonly headers?: Record<string, string> } = {},
): Promise<HttpAnswer> {
  const response = await fetch(new URL(path, url()), { method, ...request });
  return {
    status: response.status,
    location: response.headers.get('location') ?? undefined,
    contentType: response.headers.get('content-type') ?? undefined,
    body: await response.text(),
  };
}

/** The problem document that an answer is. */
export function problemOf(answer: HttpAnswer): z.output<typeof problemShape> {
  return problemShape.parse(JSON.parse(answer.body));
}

import { afterThisTurn } from '../../lib/clock.ts';
import { exampleJobDescription } from '../../openapi/examples/job-examples.ts';
import type { Body, Operation, Tag } from '../../openapi/operation.ts';
import { operations } from '../../openapi/operations.ts';
import { parametersOf } from './parameters.ts';
import { responsesOf, usualResponses } from './responses.ts';
import { JOB_DESCRIPTION, type Json, namedSchemas, pointerTo } from './schemas.ts';

const TAGS: Readonly<Record<Tag, string>> = {
  jobs: 'Post jobs, look at them, and end them.',
  output: 'What happens to a job, what its program prints, and its result files.',
  node: 'The node, its machine and its peers.',
  content: 'Bytes by content id: programs, inputs and results.',
  health: 'For what watches over the node.',
};

const HEAD = {
  openapi: '3.1.0',
  info: {
    title: 'Bidmesh',
    version: '1',
    summary: 'A node of a peer-to-peer compute marketplace.',
    description:
      'Post a job to your own node, and another one runs it under a signed contract. Times are ISO 8601 text in UTC, money is decimal text, and every refusal is a problem document with a code that never changes its meaning.',
    license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    contact: { name: 'Bidmesh' },
  },
  servers: [{ url: '/', description: 'The node that serves this document.' }],
  tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  // A node on loopback without a token takes requests without one.
  security: [{ token: [] }, {}],
} as const;

const SECURITY_SCHEMES = {
  token: { type: 'http', scheme: 'bearer', description: 'The api.token of the node, where it has one.' },
} as const;

const BODIES: Readonly<Record<Body, Json>> = {
  job: {
    required: true,
    description: 'A job description.',
    content: Object.fromEntries(
      ['application/json', 'application/yaml'].map((type) => [
        type,
        { schema: { $ref: pointerTo(JOB_DESCRIPTION) }, example: exampleJobDescription },
      ]),
    ),
  },
  bytes: {
    required: true,
    description: 'The bytes, of any type.',
    content: { 'application/octet-stream': { schema: {} } },
  },
};

export interface OpenApiDocument extends Json {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

/**
 * The OpenAPI document of all operations. In a cold process most of its time goes into what schemas make when they are
 * first looked at; so each operation is looked at in a turn of its own.
 */
export async function openApiDocument(): Promise<OpenApiDocument> {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of Object.values<Operation>(operations)) {
    const path = (paths[operation.path] ??= {});
    path[operation.method] = entryOf(operation);
    await new Promise<void>((resolve) => afterThisTurn(resolve));
  }
  const components = {
    schemas: namedSchemas(),
    responses: usualResponses(),
    securitySchemes: SECURITY_SCHEMES,
  };
  return { ...HEAD, paths, components };
}

function entryOf(operation: Operation): Json {
  const { id, tag, summary, description, body, open } = operation;
  const parameters = parametersOf(operation);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...(open === true ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: BODIES[body] }),
    responses: responsesOf(operation),
  };
}

import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type OpenApiDocument, openApiDocument } from '../../../../src/api/openapi/document.ts';
import { type Operation, refusalsOf } from '../../../../src/openapi/operation.ts';
import { operations } from '../../../../src/openapi/operations.ts';
import { type ProblemCode, problemCodes } from '../../../../src/openapi/problem-codes.ts';
import { inProcess, scriptedNode } from '../scripted-node.ts';

let document: OpenApiDocument;
let entries: readonly (readonly [string, unknown])[];

beforeAll(async () => {
  document = await openApiDocument();
  entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, entry]) => [`${method} ${path}`, entry] as const),
  );
});

const content = z.record(
  z.string(),
  z.strictObject({
    schema: z.record(z.string(), z.unknown()),
    example: z.unknown().optional(),
    examples: z.record(z.string(), z.strictObject({ summary: z.string(), value: z.unknown() })).optional(),
  }),
);
const response = z.union([
  z.strictObject({ $ref: z.string().startsWith('#/components/responses/') }),
  z.object({ description: z.string().min(1), content: content.optional() }),
]);
/** What the public linters ask of an operation. */
const entry = z.object({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  tags: z.array(z.string()).length(1),
  summary: z.string().min(1),
  description: z.string().min(1),
  requestBody: z.object({ description: z.string(), content }).optional(),
  parameters: z.array(z.object({ name: z.string(), in: z.string(), description: z.string() })).optional(),
  responses: z.record(z.string().regex(/^\d{3}$/), response),
});
const tags = z.array(z.object({ name: z.string(), description: z.string().min(1) }));

describe('the OpenAPI document', () => {
  it('is of every route there is, and no other', () => {
    const { app } = inProcess(scriptedNode());
    const served = app.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/openapi.json')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`);
    expect(new Set(entries.map(([name]) => name))).toEqual(new Set(served));
  });

  it('says who made it, under which licence, where it is served and who may ask', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: {
        description: expect.any(String),
        license: { identifier: 'Apache-2.0' },
        contact: { name: 'Bidmesh' },
      },
      servers: [{ url: '/' }],
      security: [{ token: [] }, {}],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    });
  });

  it('has of every operation an id of its own, a tag that is told of, words and both kinds of answers', () => {
    const known = new Set(tags.parse(document['tags']).map(({ name }) => name));
    const ids = entries.map(([name, value]) => {
      const { operationId, tags: own, responses } = entry.parse(value, { error: () => name });
      const statuses = Object.keys(responses).map((status) => status[0]);
      expect({ name, statuses: new Set(statuses), known: known.has(own[0] ?? '') }).toEqual({
        name,
        statuses: new Set(['2', '4', '5']),
        known: true,
      });
      return operationId;
    });
    expect(new Set(ids).size).toBe(entries.length);
  });

  it('refers to nothing that is not in it, and has nothing that is not referred to', () => {
    const text = JSON.stringify(document);
    const components = z
      .object({ schemas: z.looseObject({}), responses: z.looseObject({}) })
      .parse(document['components']);
    const present = (['schemas', 'responses'] as const).flatMap((kind) =>
      Object.keys(components[kind]).map((name) => `#/components/${kind}/${name}`),
    );
    const used = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, pointer]) => pointer);
    expect(new Set(used)).toEqual(new Set(present));
  });

  it('has every code that a node refuses with, where a route can', () => {
    const documented = new Set(Object.values<Operation>(operations).flatMap(refusalsOf));
    const missing = Object.keys(problemCodes).filter((code) => !documented.has(code as ProblemCode));
    // What is no route has no entry, and who has left gets no answer.
    expect(new Set(missing)).toEqual(new Set(['ROUTE_NOT_FOUND', 'REQUEST_ABORTED']));
  });

  it('has an example for every answer in JSON, and none that its own schema refuses', () => {
    const bodies = entries.flatMap(([name, value]) => {
      const { requestBody, responses } = entry.parse(value);
      const own = Object.values(responses).flatMap((one) => ('content' in one ? [one.content] : []));
      return [requestBody?.content, ...own].flatMap((one) =>
        Object.entries(one ?? {}).map(([type, body]) => ({ name, type, ...body })),
      );
    });
    const shared = z
      .record(z.string(), response)
      .parse(z.looseObject({ responses: z.unknown() }).parse(document['components']).responses);
    const usual = Object.entries(shared).flatMap(([name, one]) =>
      Object.entries('content' in one ? (one.content ?? {}) : {}).map(([type, body]) => ({
        name,
        type,
        ...body,
      })),
    );
    const wrong = [...bodies, ...usual].flatMap(({ name, type, schema, example, examples = {} }) => {
      const values = [example, ...Object.values(examples).map(({ value }) => value)].filter(
        (value) => value !== undefined,
      );
      const missing = values.length === 0 && /json|yaml/.test(type) ? ['no example'] : [];
      const faults = [...missing, ...values.flatMap((value) => faultsOf(schema, value))];
      return faults.length === 0 ? [] : [{ name, type, faults }];
    });
    expect(bodies.length).toBeGreaterThan(entries.length);
    expect(wrong).toEqual([]);
  });
});

/** What a schema of the document has against a value. */
function faultsOf(schema: object, value: unknown): readonly unknown[] {
  const { schemas } = z.object({ schemas: z.looseObject({}) }).parse(document['components']);
  const whole = JSON.stringify({ ...schema, $defs: schemas }).replaceAll('#/components/schemas/', '#/$defs/');
  const parsed = z.fromJSONSchema(JSON.parse(whole)).safeParse(value);
  return parsed.success ? [] : parsed.error.issues;
}

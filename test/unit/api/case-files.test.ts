import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseJobFile } from '../../../src/cli/job-file.ts';
import { codeOf, messageOf } from '../../../src/lib/coded-error.ts';
import { inProcess, scriptedNode } from './scripted-node.ts';

const CASES = fileURLToPath(new URL('../../fixtures/cases/', import.meta.url));

/** What a node answers to the file as it is, posted as what its name says it is. */
async function posted(name: string): Promise<{ readonly status: number; readonly text: string }> {
  const type = name.endsWith('.json') ? 'application/json' : 'application/yaml';
  const { request } = inProcess(scriptedNode());
  const body = new Uint8Array(readFileSync(`${CASES}${name}`));
  const headers = { 'content-type': type };
  const response = await request('/orchestrator/postJob', { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

/** What the command line says of the file before it asks anybody, with its code. */
function read(name: string): string {
  try {
    parseJobFile(readFileSync(`${CASES}${name}`), name);
    return 'taken';
  } catch (error) {
    return `${codeOf(error)}: ${messageOf(error)}`;
  }
}

describe('a job file that is no text or no document', () => {
  it.each([
    ['latin1.yaml', /latin1\.yaml.*line 6.*UTF-8/s, /line 6/],
    ['surrogate-arg.json', /surrogate-arg\.json.*line 1.*half of a character/s, /half of a character/],
    ['alias-undefined.yaml', /alias-undefined\.yaml.*line 1.*alias/s, /alias/],
    ['merge.yaml', /merge\.yaml.*line 7.*merge keys/s, /merge keys/],
  ])(
    'is refused by the command line and by the node, with place and reason: %s',
    async (name, told, answered) => {
      expect(read(name)).toMatch(told);
      expect(read(name)).toMatch(/^JOB_FILE_INVALID/);
      const { status, text } = await posted(name);
      expect(status).toBe(400);
      expect(text).toContain('MALFORMED_BODY');
      expect(text).toMatch(answered);
    },
  );
});

describe('a job that could only fail later', () => {
  it.each([
    ['dup-target.yaml', 'inputs.1.target', /same path/],
    ['below-target.yaml', 'inputs.1.target', /below/],
    ['output-job.yaml', 'outputs.0.path', /\/job/],
    ['input-longname.yaml', 'inputs.0.target', /400 bytes/],
    ['nul-arg.json', 'engine.params.args.0', /NUL/],
    ['price-0.10.yaml', 'budget.maxPrice', /quotes/],
  ])('is refused at the post, by its field: %s', async (name, field, reason) => {
    expect(read(name)).toBe('taken');
    const { status, text } = await posted(name);
    expect(status).toBe(400);
    const { code, errors } = JSON.parse(text) as {
      readonly code: string;
      readonly errors: readonly { readonly path: string; readonly message: string }[];
    };
    expect(code).toBe('INVALID_JOB');
    expect(errors.map(({ path }) => path)).toEqual([field]);
    expect(errors[0]?.message).toMatch(reason);
  });
});

describe('a job that was refused for nothing', () => {
  it.each(['output-slash.yaml', 'flaky.yaml'])('is taken: %s', async (name) => {
    expect(read(name)).toBe('taken');
    expect((await posted(name)).status).toBe(202);
  });
});

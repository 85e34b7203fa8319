import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jobDescription } from '../../../src/domain/job/job-description.ts';
import { helpOf, invocationsIn } from './command-line.ts';
import { codeBlocks, readPages } from './markdown.ts';

const readme = readFileSync('README.md', 'utf8');
const { scripts, engines } = z
  .object({ scripts: z.record(z.string(), z.string()), engines: z.object({ node: z.string() }) })
  .parse(JSON.parse(readFileSync('package.json', 'utf8')));

/** Pages that tell people what to type. */
const pages = [...readPages()].filter(([path]) => !path.startsWith('test/'));

describe('what people are told to type', () => {
  it.each(pages)('%s names only npm scripts that exist', (_, text) => {
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  const invocations = pages.flatMap(([path, text]) =>
    invocationsIn(text).map((invocation) => ({ path, ...invocation })),
  );

  it.each(invocations)('$path: $text', async ({ command, flags }) => {
    const help = await helpOf(command);
    expect(help, `the command ${command.join(' ')}`).toBeDefined();
    expect(flags.filter((flag) => !new RegExp(`${flag}\\b`).test(help ?? ''))).toEqual([]);
  });

  it('finds a command that is not there', async () => {
    const [unknown] = invocationsIn('`npx bidmesh job undo --now ID`');
    expect(unknown).toMatchObject({ command: ['job', 'undo'], flags: ['--now'] });
    expect(await helpOf(['job', 'undo'])).toBeUndefined();
    expect(await helpOf(['job', 'run'])).toContain('--out');
  });
});

describe('README.md', () => {
  it('is short', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(121);
  });

  it('asks for the Node.js that the package installs with, and that the program runs with', () => {
    const [, installs] = /Needed are Node\.js (\d+) or later/.exec(readme) ?? [];
    const [, runs] = /your own must be (\d+\.\d+) or later/.exec(readme) ?? [];
    expect(engines.node).toBe(`>=${installs}`);
    for (const entry of ['src/bidmesh.js', 'src/index.ts']) {
      expect(readFileSync(entry, 'utf8')).toContain(`OLDEST_NODE = [${runs?.replace('.', ', ')}]`);
    }
  });

  it('posts a job that the node accepts', () => {
    const bodies = codeBlocks(readme, 'sh').flatMap((block) => {
      const body = / -d '([^']*)'/.exec(block)?.[1];
      return body === undefined ? [] : [body];
    });
    expect(bodies).toHaveLength(1);
    for (const body of bodies) expect(jobDescription.safeParse(JSON.parse(body)).success).toBe(true);
  });
});

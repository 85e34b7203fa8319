import { describe, expect, it } from 'vitest';
import { checkJob } from '../../../src/api/job-body.ts';
import { jobLimits } from '../../../src/domain/job/job-limits.ts';
import { codeOf } from '../../../src/lib/coded-error.ts';
import { readDocument } from '../../../src/lib/documents/read-document.ts';

const script = { text: "print('ok')" };

function errorsOf(
  job: Record<string, unknown>,
): readonly { readonly path: string; readonly message: string }[] {
  try {
    checkJob(job);
    return [];
  } catch (error) {
    if (codeOf(error) !== 'INVALID_JOB') throw error;
    return Object(error).data.errors;
  }
}

const python = (params: Record<string, unknown>, rest: Record<string, unknown> = {}) => ({
  engine: { type: 'python', params: { script, ...params } },
  ...rest,
});
const inputs = (...targets: readonly string[]) =>
  python({}, { inputs: targets.map((target) => ({ target, source: { text: 'x' } })) });
const outputs = (...paths: readonly string[]) =>
  python({}, { outputs: paths.map((path, index) => ({ name: `o${index}`, path })) });
const both = (target: string, path: string) => ({ ...inputs(target), outputs: [{ name: 'a', path }] });
const variables = (count: number, length: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`V${index}`, 'x'.repeat(length)]));

describe('a post that could only fail later is refused', () => {
  it.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      'two inputs at one place',
      inputs('/in/a', '/in/a'),
      'inputs.1.target',
      /same path as inputs\.0\.target/,
    ],
    ['two inputs at one place but for slashes', inputs('/in/a', '//in///a/'), 'inputs.1.target', /same path/],
    ['an input below another', inputs('/in/a', '/in/a/b'), 'inputs.1.target', /below inputs\.0\.target/],
    ['an input above another', inputs('/in/a/b', '/in/a'), 'inputs.0.target', /below inputs\.1\.target/],
    ['two outputs at one place', outputs('/o', '/o/'), 'outputs.1.path', /same path as outputs\.0\.path/],
    ['an output where an input is', both('/a', '/a/'), 'outputs.0.path', /same path as inputs\.0\.target/],
    ['an output below an input', both('/a', '/a/b'), 'outputs.0.path', /below inputs\.0\.target/],
    ['an output over the script', outputs('/job'), 'outputs.0.path', /\/job holds the script/],
    ['an output below the script', outputs('/job/x/'), 'outputs.0.path', /\/job holds the script/],
    ['an input over the script', inputs('/job/main.py'), 'inputs.0.target', /\/job holds the script/],
    ['an input over the temporary files', inputs('/tmp'), 'inputs.0.target', /temporary/],
    ['the root', outputs('/'), 'outputs.0.path', /root/],
    ['nothing but slashes', outputs('///'), 'outputs.0.path', /root/],
    ['no path', outputs(''), 'outputs.0.path', /absolute path/],
    ['a relative path', outputs('out'), 'outputs.0.path', /absolute path/],
    ['a way up', inputs('/a/../b'), 'inputs.0.target', /must not contain/],
    ['a dot', inputs('/a/.'), 'inputs.0.target', /must not contain/],
    ['a NUL in a path', inputs('/a\0b'), 'inputs.0.target', /NUL/],
    ['half a character in a path', inputs('/a\ud800'), 'inputs.0.target', /half of a character/],
    [
      'a long name',
      inputs(`/in/${'é'.repeat(128)}`),
      'inputs.0.target',
      /256 bytes, and a name may have 255/,
    ],
    ['a long name among others', inputs(`/${'x'.repeat(256)}/a`), 'inputs.0.target', /256 bytes/],
    ['a long path', inputs(`/${'x/'.repeat(300)}`), 'inputs.0.target', /longer than 512/],
    ['a deep path', inputs(`${'/x'.repeat(65)}`), 'inputs.0.target', /deeper than 64/],
    ['a NUL in an argument', python({ args: ['a', 'a\0b'] }), 'engine.params.args.1', /NUL/],
    ['half a character in an argument', python({ args: ['caf\udce9.csv'] }), 'engine.params.args.0', /half/],
    ['a NUL in a variable', python({ env: { A: 'a\0' } }), 'engine.params.env.A', /NUL/],
    ['half a character in a variable', python({ env: { A: '\udc00\ud800' } }), 'engine.params.env.A', /half/],
    [
      'an equals sign in a variable name',
      python({ env: { 'A=B': '1' } }),
      'engine.params.env.A=B',
      /letters/,
    ],
    ['half a character in standard input', python({ stdin: 'x\ud800' }), 'engine.params.stdin', /half/],
    ['half a character in a label', python({}, { labels: { a: '\ud800' } }), 'labels.a', /half/],
    ['half a character in a label key', python({}, { labels: { '\ud800': 'a' } }), 'labels.\ud800', /half/],
    [
      'half a character in the script',
      { engine: { type: 'python', params: { script: { text: '\ud800' } } } },
      'engine.params.script.text',
      /half/,
    ],
    [
      'two outputs of one name',
      python(
        {},
        {
          outputs: [
            { name: 'a', path: '/a' },
            { name: 'a', path: '/b' },
          ],
        },
      ),
      'outputs.1.name',
      /outputs\.0 has it/,
    ],
    [
      '64 variables of 32 768',
      python({ env: variables(64, 32_768) }),
      'engine.params.env',
      /may take 1835008/,
    ],
    [
      '256 arguments of 8 KiB',
      python({ args: Array(jobLimits.args).fill('x'.repeat(8192)) }),
      'engine.params.args',
      /2097\d{3} bytes together, and may take 1835008/,
    ],
    [
      'a sum of everything',
      python({ args: Array(128).fill('x'.repeat(8192)), env: variables(128, 8000) }),
      'engine.params.args',
      /may take 1835008/,
    ],
  ])('%s', (_, job, path, message) => {
    const errors = errorsOf(job);
    expect(errors).toMatchObject([{ path, message: expect.stringMatching(message) }]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a slash at the end', outputs('/outputs/')],
    ['two slashes', both('//inputs//a', '/outputs//')],
    ['an input in an output folder', both('/outputs/seed', '/outputs')],
    ['an output in another one', outputs('/o/a', '/o')],
    ['names that only look alike', inputs('/in/\u00e9', '/in/e\u0301')],
    ['names with one beginning', inputs('/in/a', '/in/ab')],
    ['temporary files as an output', outputs('/tmp', '/tmp/deeper')],
    ['the name of the script folder in another place', outputs('/jobs', '/x/job')],
  ])('and not %s', (_, job) => {
    expect(errorsOf(job)).toEqual([]);
  });

  it('tidies the paths that it takes', () => {
    expect(checkJob(outputs('//outputs///a/')).outputs).toEqual([{ name: 'o0', path: '/outputs/a' }]);
  });
});

describe('an amount of money', () => {
  it.each(['0.10', '1', '.5', '-1', '1e3'])(
    'written as the number %s is said to need quotes, once',
    (number) => {
      const yaml = `engine: { type: python, params: { script: { text: x } } }\nbudget: { maxPrice: ${number} }`;
      const read = (): unknown => checkJob(readDocument(new TextEncoder().encode(yaml), 'yaml').value);
      expect(read).toThrow(
        /^The job description was not accepted: budget\.maxPrice: expected a decimal amount in quotes such as "0\.10"/,
      );
      expect(read).not.toThrow(/received/);
    },
  );
});

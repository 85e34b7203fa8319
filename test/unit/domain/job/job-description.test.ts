import { describe, expect, it } from 'vitest';
import { jobDescription } from '../../../../src/domain/job/job-description.ts';
import { jobLimits } from '../../../../src/domain/job/job-limits.ts';
import { rawContentIdOf } from '../../../../src/lib/canonical.ts';

const cid = rawContentIdOf(new TextEncoder().encode('module'));
const engine = { type: 'wasm', params: { module: { cid } } };

function parse(changes: Record<string, unknown> = {}) {
  return jobDescription.parse({ engine, ...changes });
}

/** Paths of what was refused, with the unknown keys themselves. */
function refused(changes: Record<string, unknown>): string[] {
  const { error } = jobDescription.safeParse({ engine, ...changes });
  return (error?.issues ?? []).map((issue) =>
    issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys].join('.') : issue.path.join('.'),
  );
}

describe('a job description', () => {
  it('needs an engine and nothing else', () => {
    expect(parse()).toMatchObject({
      name: 'job',
      type: 'batch',
      count: 1,
      priority: 50,
      resources: { cpu: 500, memory: 256 * 2 ** 20, gpus: [] },
      constraints: { hard: [], soft: [] },
      prefer: 'balanced',
      timeouts: { execution: 600_000, total: 3_600_000 },
      retry: { attempts: 3, backoff: 1000, on: ['lost', 'internal'] },
      inputs: [],
      outputs: [],
    });
    expect(jobDescription.safeParse({}).success).toBe(false);
  });

  it.each([
    ['text', 'line', true],
    ['a mebibyte of text', 'x'.repeat(jobLimits.inlineBytes), true],
    ['more than that', 'x'.repeat(jobLimits.inlineBytes + 1), false],
    ['a mebibyte of characters of two bytes', 'ü'.repeat(jobLimits.inlineBytes), false],
    ['text as content', { text: 'line' }, true],
    ['bytes', { base64: '//4A' }, true],
    ['something uploaded', { cid }, true],
    ['a number', 1, false],
    ['what is not base64', { base64: '?' }, false],
    ['two at once', { base64: '//4A', text: 'x' }, false],
  ])('takes standard input as %s', (_, stdin, taken) => {
    const given = { engine: { ...engine, params: { ...engine.params, stdin } } };
    const paths = refused(given).map((path) => path.slice(0, 'engine.params.stdin'.length));
    expect([...new Set(paths)]).toEqual(taken ? [] : ['engine.params.stdin']);
  });

  it('reads quantities once, with their units', () => {
    expect(
      parse({ resources: { cpu: '2', memory: '1GiB', gpus: [{ vram: '40GiB' }] } }).resources,
    ).toMatchObject({
      cpu: 2000,
      memory: 2 ** 30,
      gpus: [{ count: 1, vram: 40 * 2 ** 30 }],
    });
    expect(parse({ timeouts: { search: '2s' } }).timeouts.search).toBe(2000);
  });

  it.each(['nvidia', 'NVIDIA', 'Nvidia', 'nVIDIA'])(
    'takes the GPU vendor %s, whatever its case',
    (vendor) => {
      expect(parse({ resources: { gpus: [{ vendor }] } }).resources.gpus).toEqual([
        { count: 1, vendor: 'nvidia' },
      ]);
    },
  );

  it.each(['NVIDIA Corporation', 'unknown', '', null, 7])('refuses the GPU vendor %j', (vendor) => {
    expect(refused({ resources: { gpus: [{ vendor }] } })).toEqual(['resources.gpus.0.vendor']);
  });

  it.each([
    [{ colour: 'red' }, 'colour'],
    [{ resources: { gpu: 1 } }, 'resources.gpu'],
    [{ engine: { type: 'wasm', params: { module: { cid }, argv: [] } } }, 'engine.params.argv'],
    [{ timeouts: { run: '5s' } }, 'timeouts.run'],
  ])('names the unknown key in %j', (changes, path) => {
    expect(refused(changes)).toContain(path);
  });

  it.each<[string, string, string]>([
    ['wasm', '1', '64 KiB'],
    ['python', '16000000', '16 MiB'],
  ])('names the least that a %s program needs', (type, memory, least) => {
    const params = type === 'wasm' ? { module: { cid } } : { script: { cid } };
    const given = { engine: { type, params }, resources: { cpu: '1m', memory } };
    const { issues = [] } = jobDescription.safeParse(given).error ?? {};
    expect(issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
      ['resources.memory', expect.stringContaining(`expected ${least} or more`)],
      ['resources.cpu', expect.stringContaining('expected 10m or more')],
    ]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ type: 'service' }, 'type'],
    [{ count: 0 }, 'count'],
    [{ count: jobLimits.partitions + 1 }, 'count'],
    [{ priority: 101 }, 'priority'],
    [{ name: '../x' }, 'name'],
    [{ engine: { type: 'cobol', params: {} } }, 'engine.type'],
    [{ budget: { maxPrice: 0.1 } }, 'budget.maxPrice'],
    [{ inputs: [{ target: 'relative', source: { cid } }] }, 'inputs.0.target'],
    [{ inputs: [{ target: '/a/../b', source: { cid } }] }, 'inputs.0.target'],
    [{ outputs: [{ name: 'a', path: '/a/./b' }] }, 'outputs.0.path'],
    [
      {
        outputs: [
          { name: 'a', path: '/a' },
          { name: 'a', path: '/b' },
        ],
      },
      'outputs.1.name',
    ],
    [{ constraints: { hard: [{ key: 'cpu.colour', operator: 'Exists' }] } }, 'constraints.hard.0.key'],
    [{ constraints: { hard: [{ key: 'cpu.cores', operator: 'Gt' }] } }, 'constraints.hard.0.values'],
    [
      { constraints: { soft: [{ key: 'cpu.cores', operator: 'Exists', weight: 0 }] } },
      'constraints.soft.0.weight',
    ],
  ])('refuses %j', (changes, path) => {
    expect(refused(changes)).toContain(path);
  });

  it('takes no path: only the command line tool can read one', () => {
    const { error } = jobDescription.safeParse({
      engine: { type: 'wasm', params: { module: './hello.wasm' } },
    });
    expect(error?.message).toContain('command line');
  });

  it('takes the neutral value of a key that has no meaning yet, and names any other', () => {
    expect(refused({ dependsOn: [], keepOnFailure: false, network: { type: 'none', ports: [] } })).toEqual(
      [],
    );
    expect(refused({ dependsOn: ['other'] })).toEqual(['dependsOn']);
    expect(refused({ publish: { type: 's3' } })).toEqual(['publish']);
  });

  it('bounds what is inline', () => {
    const text = 'x'.repeat(jobLimits.inlineBytes);
    const script = (value: string) => ({ engine: { type: 'python', params: { script: { text: value } } } });
    expect(refused(script(text))).toEqual([]);
    expect(refused(script(`${text}x`))).not.toEqual([]);
    expect(refused(script('ü'.repeat(jobLimits.inlineBytes / 2 + 1)))).not.toEqual([]);
  });

  it.each([[{}], [{ price: 0 }], [{ price: 0, speed: 0 }]])(
    'refuses the weights %j: nothing would be preferred',
    (prefer) => {
      expect(refused({ prefer })).toEqual(['prefer']);
      expect(parse({ prefer: { ...prefer, fit: 0.5 } }).prefer).toMatchObject({ fit: 0.5 });
    },
  );

  it.each(['0.0000000001', '1234567890123', '-1', '.5', '1,5'])(
    'says how many digits a price may have, of %j',
    (maxPrice) => {
      const { error } = jobDescription.safeParse({ engine, budget: { maxPrice } });
      expect(error?.issues).toMatchObject([
        { path: ['budget', 'maxPrice'], message: expect.stringMatching(/12 digits before .* 9 behind/) },
      ]);
    },
  );

  it.each(['search', 'lock', 'contract', 'start', 'execution', 'total'])(
    'gives %s more than no time at all',
    (name) => {
      expect(refused({ timeouts: { [name]: '0s' } })).toEqual([`timeouts.${name}`]);
      expect(refused({ timeouts: { [name]: '1ms' } })).toEqual([]);
    },
  );

  it('takes a price of the most digits', () => {
    expect(parse({ budget: { maxPrice: '999999999999.999999999' } }).budget?.maxPrice).toHaveLength(22);
  });
});

it.each([
  [
    { inputs: [{ target: '/in', source: { text: 'x'.repeat(jobLimits.inlineBytes + 1) } }] },
    /longer than 1 MiB: /,
  ],
  [
    { labels: Object.fromEntries(Array.from({ length: jobLimits.labels + 1 }, (_, key) => [`k${key}`, ''])) },
    new RegExp(`at most ${jobLimits.labels} labels`),
  ],
])('says of a bound once what it is', (changes, words) => {
  const { error } = jobDescription.safeParse({ engine, ...changes });
  expect(error?.issues.map(({ message }) => message)).toEqual([expect.stringMatching(words)]);
});

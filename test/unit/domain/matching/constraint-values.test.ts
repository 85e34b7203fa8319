import { describe, expect, it } from 'vitest';
import type { ConstraintOperator } from '../../../../src/domain/matching/constraint.ts';
import { jobDescription } from '../../../../src/domain/job/job-description.ts';
import { rawContentIdOf } from '../../../../src/lib/canonical.ts';

const cid = rawContentIdOf(new TextEncoder().encode('module'));
const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

type Row = readonly [key: string, operator: ConstraintOperator, ...values: string[]];

function problems(changes: Record<string, unknown>): readonly (readonly [string, string])[] {
  const engine = { type: 'wasm', params: { module: { cid } } };
  const { error } = jobDescription.safeParse({ engine, ...changes });
  return (error?.issues ?? []).map(({ path, message }) => [path.join('.'), message] as const);
}

function ofConstraint(list: 'hard' | 'soft', [key, operator, ...values]: Row) {
  return problems({ constraints: { [list]: [{ key, operator, values }] } });
}

describe('a constraint', () => {
  it.each<readonly [row: Row, path: string, message: RegExp]>([
    [
      ['location.country', 'Gt', '5'],
      'operator',
      /^location\.country takes In, NotIn, Exists, DoesNotExist$/,
    ],
    [['location.asn', 'Semver', '>=5'], 'operator', /takes In/],
    [['cpu.model', 'Lt', '5'], 'operator', /takes In/],
    [['cpu.cores', 'Semver', '>=4'], 'operator', /takes In, NotIn, Exists, DoesNotExist, Gt, Lt$/],
    [['runtime.python', 'Gt', '3'], 'operator', /takes In, NotIn, Exists, DoesNotExist, Semver$/],
    [['cpu.cores', 'In', '4', 'abc'], 'values.1', /^expected a whole number/],
    [['gpu.count', 'NotIn', '2.5'], 'values.0', /^expected a whole number/],
    [['memory.total', 'In', 'banana'], 'values.0', /^expected a size/],
    [['gpu.vram', 'NotIn', '1e9'], 'values.0', /^expected a size/],
    [['memory.total', 'Gt', '1e9'], 'values', /size such as 8GiB/],
    [['gpu.vram', 'Lt', 'large'], 'values', /size such as 8GiB/],
    [['cpu.cores', 'Gt', 'many'], 'values', /one number/],
    [['label.size', 'Gt', 'many'], 'values', /one number/],
    [['engine.wasm', 'In', 'banana'], 'values.0', /^expected a version/],
    [['runtime.python', 'Semver', 'banana'], 'values.0', /^expected a version range such as/],
    [['node.version', 'Semver', '>2 <1'], 'values.0', /^no version is in this range/],
    [['label.cuda', 'Semver', '>=x'], 'values.0', /^expected a version range such as/],
    [['gpu.vendor', 'In', 'voodoo'], 'values.0', /nvidia, amd, intel/],
    [['node.id', 'In', PEER, 'bob'], 'values.1', /peer id/],
    [['gpu.model', 'In', ''], 'values.0', /not empty/],
    [['label.zone', 'NotIn', ''], 'values.0', /not empty/],
    [['cpu.cores', 'DoesNotExist'], 'operator', /never met/],
    [['node.id', 'DoesNotExist'], 'operator', /never met/],
    [['gpu.count', 'Lt', '0'], 'values.0', /less than none/],
    [['gpu.vram', 'Lt', '0'], 'values.0', /less than none/],
    [['engine.wasm', 'DoesNotExist'], 'operator', /^the job runs on wasm/],
  ])('%j is refused where it stands, hard or soft', (row, path, message) => {
    for (const list of ['hard', 'soft'] as const) {
      expect(ofConstraint(list, row)).toEqual([
        [`constraints.${list}.0.${path}`, expect.stringMatching(message)],
      ]);
    }
  });

  it.each<readonly [Row]>([
    [['location.country', 'In', 'DE', 'FR']],
    [['cpu.cores', 'NotIn', '2', '0']],
    [['cpu.cores', 'Gt', '1.5']],
    [['memory.total', 'Gt', '1000000000']],
    [['memory.total', 'Gt', '8GiB']],
    [['gpu.vram', 'In', '24GiB', '80GiB']],
    [['gpu.vram', 'DoesNotExist']],
    [['gpu.vendor', 'In', 'NVIDIA']],
    [['gpu.model', 'In', 'H100']],
    [['engine.python', 'DoesNotExist']],
    [['engine.wasm', 'In', '1.0.0']],
    [['engine.wasm', 'Exists']],
    [['runtime.python', 'Semver', '>=3.11 <4']],
    [['label.cuda', 'Semver', '>=12.06']],
    [['label.rank', 'Lt', '-1']],
    [['label.disk', 'Gt', '1e9']],
    [['node.id', 'NotIn', PEER]],
  ])('%j is taken', (row) => {
    expect(ofConstraint('hard', row)).toEqual([]);
    expect(ofConstraint('soft', row)).toEqual([]);
  });

  it('with an unknown key is refused for that alone', () => {
    expect(ofConstraint('hard', ['cpu.flavour', 'Gt', '5']).map(([path]) => path)).toEqual([
      'constraints.hard.0.key',
    ]);
  });
});

describe('the versions of a device', () => {
  it.each(['driver', 'computeCapability'])('%s takes ranges that a version can be in', (property) => {
    const refused = (range: string) => problems({ resources: { gpus: [{}, { [property]: range }] } });
    for (const range of ['>=535.104.05', '8.x', '^8.6 || >=9.0']) expect(refused(range)).toEqual([]);
    for (const range of ['banana', '>=x', '']) {
      expect(refused(range)).toEqual([
        [`resources.gpus.1.${property}`, expect.stringMatching(/^expected a version range/)],
      ]);
    }
    expect(refused('>600 <500')).toEqual([
      [`resources.gpus.1.${property}`, expect.stringMatching(/^no version is in this range/)],
    ]);
  });
});

describe('the providers a job names', () => {
  it.each(['preferredProviders', 'excludedProviders'])('%s takes peer ids alone', (list) => {
    expect(problems({ [list]: [PEER] })).toEqual([]);
    const wrong = [
      `did:key:z6Mk${'a'.repeat(44)}`,
      'bob',
      PEER.slice(0, -1),
      `${PEER}a`,
      PEER.replace('p', '0'),
      '',
    ];
    for (const id of wrong) {
      expect(problems({ [list]: [PEER, id] })).toEqual([[`${list}.1`, expect.stringContaining('12D3KooW')]]);
    }
  });
});

describe('the constraints of a job', () => {
  const values = Array.from({ length: 32 }, (_, at) => `${at}${'ü'.repeat(120)}`);
  const long = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ key: `label.l${at}`, operator: 'NotIn', values }));

  it('are refused at the list that makes them too long for a bid request', () => {
    expect(problems({ constraints: { hard: long(1), soft: long(1) } })).toEqual([]);
    const message = expect.stringMatching(/\d+ bytes .* may take 24576/);
    expect(problems({ constraints: { hard: long(4), soft: long(1) } })).toEqual([
      ['constraints.hard', message],
    ]);
    expect(problems({ constraints: { soft: long(32) } })).toEqual([['constraints.soft', message]]);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apiDefaults } from '../../../src/api/options.ts';
import { defaultContentLimits } from '../../../src/content/options.ts';
import { jobLimits } from '../../../src/domain/job/job-limits.ts';
import { advertMessage } from '../../../src/messages/advert.ts';
import { bidMessage } from '../../../src/messages/bid.ts';
import { bidRequestMessage } from '../../../src/messages/bid-request.ts';
import { contractNeverMessage } from '../../../src/messages/contract-never.ts';
import { contractTermsMessage } from '../../../src/messages/contract-terms.ts';
import { declineMessage } from '../../../src/messages/decline.ts';
import { jobRequestMessage } from '../../../src/messages/job-request.ts';
import { searchClosedMessage } from '../../../src/messages/search-closed.ts';
import { servingAnswerMessage, servingListMessage } from '../../../src/messages/serving.ts';
import { defaultLibp2pLimits } from '../../../src/network/libp2p/options.ts';
import { defaultNetworkLimits } from '../../../src/network/options.ts';
import { defaultBrokerOptions } from '../../../src/orchestrator/evaluations/broker-options.ts';
import { defaultOrchestratorLimits } from '../../../src/orchestrator/options.ts';
import { defaultWorkerOptions } from '../../../src/orchestrator/workers/worker-options.ts';
import { defaultProviderLimits } from '../../../src/provider/options.ts';
import { defaultRegistryLimits } from '../../../src/registry/options.ts';
import { defaultRetention, defaultStoreLimits } from '../../../src/store/options.ts';
import {
  constantOf,
  constantsIn,
  type LimitValues,
  numbersIn,
  parseValue,
  statedIn,
} from './limit-values.ts';
import { sectionOf, type Table, tablesOf } from './markdown.ts';

const PATH = 'specs/limits.md';
const page = readFileSync(PATH, 'utf8');

const messages = [
  bidRequestMessage,
  searchClosedMessage,
  advertMessage,
  bidMessage,
  declineMessage,
  jobRequestMessage,
  contractTermsMessage,
  contractNeverMessage,
  servingListMessage,
  servingAnswerMessage,
];

const SECTIONS: readonly (readonly [title: string, limits: LimitValues])[] = [
  ['Job description', jobLimits],
  ['HTTP interface', numbersIn(apiDefaults)],
  ['Requester', numbersIn(defaultOrchestratorLimits)],
  ['Evaluation broker', numbersIn(defaultBrokerOptions)],
  ['Evaluation worker', numbersIn(defaultWorkerOptions)],
  ['Provider', numbersIn(defaultProviderLimits)],
  ['Network', numbersIn(defaultNetworkLimits)],
  ['Registry', numbersIn(defaultRegistryLimits)],
  ['libp2p', numbersIn(defaultLibp2pLimits)],
  ['Content', numbersIn(defaultContentLimits)],
  ['Store', numbersIn(defaultStoreLimits)],
  ['Retention', numbersIn(defaultRetention)],
];

const isOfConstants = (table: Table): boolean => table.header[1] === 'where';

function statedUnder(title: string): LimitValues {
  const tables = tablesOf(sectionOf(page, title)).filter((table) => !isOfConstants(table));
  return Object.assign({}, ...tables.map(statedIn));
}

describe('specs/limits.md', () => {
  it.each(SECTIONS)('states every limit of the section "%s" with its value', (title, limits) => {
    expect(statedUnder(title)).toEqual(limits);
  });

  it('states how large the payload of each message may be', () => {
    const tables = tablesOf(sectionOf(page, 'Messages')).filter((table) => !isOfConstants(table));
    const stated = tables.flatMap(({ rows }) =>
      rows.map(([name = '', value = '']) => [name.replaceAll('`', ''), parseValue('maxPayloadBytes', value)]),
    );
    expect(stated).toEqual(messages.map(({ type, maxPayloadBytes }) => [type, maxPayloadBytes]));
  });

  const constants = tablesOf(page)
    .filter(isOfConstants)
    .flatMap((table) => constantsIn(table, PATH));

  it.each(constants)('has the value of $name in $path', ({ name, path, value }) => {
    expect(value).toBe(constantOf(path, name));
  });
});

describe('the reader of limits', () => {
  it('takes counts, times and sizes, and sums of sizes', () => {
    expect(parseValue('maxJobs', '65 536')).toBe(65_536);
    expect(parseValue('waitMs', '10 min')).toBe(600_000);
    expect(parseValue('maxFrameBytes', '2 MiB + 4 KiB')).toBe(2 * 2 ** 20 + 4096);
  });

  it.each([
    ['waitMs', '500'],
    ['maxFrameBytes', '4096'],
    ['maxJobs', '5 s'],
    ['waitMs', 'a while'],
  ])('refuses for %s the value %s', (name, text) => {
    expect(() => parseValue(name, text)).toThrow(RangeError);
  });

  it('reads tables of one value to a row and of one to a cell', () => {
    const tables = tablesOf(
      '\n| limit | value |\n|---|---|\n| `a` | 1 |\n\ntext\n\n| `p` | `x` | `yMs` |\n|---|---|---|\n| `q` | 2 | 3 s |\n',
    );
    expect(tables.map(statedIn)).toEqual([{ a: 1 }, { 'p.q.x': 2, 'p.q.yMs': 3000 }]);
  });
});

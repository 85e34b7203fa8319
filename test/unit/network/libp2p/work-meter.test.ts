import { describe, expect, it } from 'vitest';
import { afterThisTurn } from '../../../../src/lib/clock.ts';
import {
  MOST_CHUNK_MS,
  newSource,
  WorkMeter,
  type WorkSource,
} from '../../../../src/network/libp2p/work-meter.ts';

const turn = (): Promise<void> => new Promise(afterThisTurn);
/** What each chunk is charged beside the work. */
const CHUNK_MS = 0.02;

function scene(): {
  readonly meter: WorkMeter;
  readonly told: (readonly [string | undefined, number])[];
  readonly work: (ms: number) => void;
} {
  let nowMs = 0;
  const told: (readonly [string | undefined, number])[] = [];
  return {
    meter: new WorkMeter({ monotonicMs: () => nowMs }, ({ peer }, workMs) => told.push([peer, workMs])),
    told,
    work: (ms) => {
      nowMs += ms;
    },
  };
}

const source = (peer: string): WorkSource => ({ ...newSource(), peer });

describe('work meter', () => {
  it('charges what follows from a chunk, its promises too, and nothing after them', async () => {
    const { meter, told, work } = scene();
    meter.begin(source('a'));
    work(2);
    void Promise.resolve()
      .then(() => work(3))
      .then(() => work(1));
    await turn();
    work(50);
    await turn();
    expect(told).toHaveLength(1);
    expect(told[0]?.[0]).toBe('a');
    expect(told[0]?.[1]).toBeCloseTo(6, 1);
  });

  it('does not charge what other events of the same turn do', async () => {
    const { meter, told, work } = scene();
    afterThisTurn(() => {
      meter.begin(source('a'));
      work(1);
    });
    afterThisTurn(() => work(5));
    await turn();
    await turn();
    expect(told[0]?.[1]).toBeLessThanOrEqual(1 + CHUNK_MS);
  });

  it('ends one chunk where the next one begins, and tells each peer once a turn', async () => {
    const { meter, told, work } = scene();
    const [a, b] = [source('a'), source('b')];
    meter.begin(a);
    work(1);
    meter.begin(b);
    work(2);
    meter.begin(a);
    work(4);
    await turn();
    await turn();
    expect(told).toHaveLength(2);
    expect(Object.fromEntries(told)['a']).toBeCloseTo(5, 1);
    expect(Object.fromEntries(told)['b']).toBeCloseTo(2, 1);
  });

  it('charges nobody for a pause of the machine', async () => {
    const { meter, told, work } = scene();
    meter.begin(source('a'));
    work(1000);
    await turn();
    await turn();
    expect(told[0]?.[1]).toBeLessThanOrEqual(MOST_CHUNK_MS + CHUNK_MS);
  });
});

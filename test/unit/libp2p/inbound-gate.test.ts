import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/lib/logger.ts';
import { InboundGate } from '../../../src/network/libp2p/inbound-gate.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';

const HERE = multiaddr('/ip4/198.51.100.7/tcp/4001');
const ELSEWHERE = multiaddr('/ip4/203.0.113.7/tcp/4001');

function gate(burst: number, letGoCost: number) {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const logger = { warn: (_message: string, fields: unknown) => told.push(fields) } as unknown as Logger;
  const limits = {
    inboundInTotal: { burst: 100, perSecond: 1 },
    inboundPerPrefix: { burst, perSecond: 1 },
    letGoCost,
  };
  return { clock, told, gate: new InboundGate(limits, clock, logger) };
}

describe('the inbound gate', () => {
  it('denies a network what is beyond its budget, and no other one', () => {
    const { gate: inbound } = gate(2, 1);
    expect([1, 2, 3].map(() => inbound.denies(HERE))).toEqual([false, false, true]);
    expect(inbound.denies(ELSEWHERE)).toBe(false);
  });

  it('lets in fewer from where somebody was let go of', () => {
    const { gate: inbound } = gate(8, 3);
    inbound.letGo(HERE);
    inbound.letGo(HERE);
    expect([1, 2, 3].map(() => inbound.denies(HERE))).toEqual([false, false, true]);
    expect(inbound.denies(ELSEWHERE)).toBe(false);
  });

  it('tells the user once a minute, with how many it was', async () => {
    const { gate: inbound, told, clock } = gate(1, 1);
    for (let index = 0; index < 5; index += 1) inbound.denies(HERE);
    expect(told).toEqual([{ address: HERE.toString(), refused: 1 }]);
    await clock.advanceBy(59_000);
    for (let index = 0; index < 5; index += 1) inbound.denies(HERE);
    expect(told).toHaveLength(1);
    await clock.advanceBy(1000);
    for (let index = 0; index < 2; index += 1) inbound.denies(HERE);
    expect(told[1]).toEqual({ address: HERE.toString(), refused: 8 });
  });
});

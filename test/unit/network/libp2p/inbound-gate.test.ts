import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../../src/lib/logger.ts';
import { InboundGate } from '../../../../src/network/libp2p/inbound-gate.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

/** A connection that somebody opened: its end can be told. */
function line(ip: string, port = 4001) {
  return Object.assign(new EventTarget(), { remoteAddr: multiaddr(`/ip4/${ip}/tcp/${port}`) });
}

const HERE = line('198.51.100.7');
const ELSEWHERE = line('203.0.113.7');

function gate(burst: number, letGoCost = 1, pendingPerPrefix = 100) {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const logger = { warn: (_message: string, fields: unknown) => told.push(fields) } as unknown as Logger;
  const limits = {
    inboundInTotal: { burst: 100, perSecond: 1 },
    inboundPerPrefix: { burst, perSecond: 1 },
    letGoCost,
    pendingPerPrefix,
  };
  return { clock, told, gate: new InboundGate(limits, clock, logger) };
}

/** What libp2p takes for a connection has more to it. */
function denies(inbound: InboundGate, connection: unknown): boolean {
  return inbound.denies(connection as Parameters<InboundGate['denies']>[0]);
}

describe('the inbound gate', () => {
  it('denies a network what is beyond its budget, and no other one', () => {
    const { gate: inbound } = gate(2);
    expect([1, 2, 3].map(() => denies(inbound, HERE))).toEqual([false, false, true]);
    expect(denies(inbound, ELSEWHERE)).toBe(false);
  });

  it('lets in fewer from where somebody was let go of', () => {
    const { gate: inbound } = gate(8, 3);
    inbound.letGo(HERE.remoteAddr);
    inbound.letGo(HERE.remoteAddr);
    expect([1, 2, 3].map(() => denies(inbound, HERE))).toEqual([false, false, true]);
    expect(denies(inbound, ELSEWHERE)).toBe(false);
  });

  it('tells the user once a minute, with how many it was', async () => {
    const { gate: inbound, told, clock } = gate(1);
    for (let index = 0; index < 5; index += 1) denies(inbound, HERE);
    expect(told).toEqual([{ address: HERE.remoteAddr.toString(), refused: 1 }]);
    await clock.advanceBy(59_000);
    for (let index = 0; index < 5; index += 1) denies(inbound, HERE);
    expect(told).toHaveLength(1);
    await clock.advanceBy(1000);
    for (let index = 0; index < 2; index += 1) denies(inbound, HERE);
    expect(told[1]).toEqual({ address: HERE.remoteAddr.toString(), refused: 8 });
  });

  it('gives no network more than its share of the places before a handshake', () => {
    const { gate: inbound } = gate(100, 1, 2);
    const [first, second, third] = [1, 2, 3].map((port) => line('198.51.100.7', port));
    expect([first, second, third].map((one) => denies(inbound, one))).toEqual([false, false, true]);
    expect(denies(inbound, ELSEWHERE)).toBe(false);
    inbound.shookHands(first!.remoteAddr);
    first!.dispatchEvent(new Event('close'));
    expect(denies(inbound, third)).toBe(false);
    expect(denies(inbound, line('198.51.100.7', 4))).toBe(true);
    second!.dispatchEvent(new Event('close'));
    expect(denies(inbound, line('198.51.100.7', 4))).toBe(false);
  });
});

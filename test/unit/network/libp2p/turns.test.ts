import { describe, expect, it } from 'vitest';
import { afterThisTurn } from '../../../../src/lib/clock.ts';
import { Reading } from '../../../../src/network/libp2p/reading.ts';
import { Turns } from '../../../../src/network/libp2p/turns.ts';
import { newSource } from '../../../../src/network/libp2p/work-meter.ts';

const turn = (): Promise<void> => new Promise(afterThisTurn);

describe('turns', () => {
  it('have no time left once enough was worked in them, and all of it in the next one', async () => {
    const turns = new Turns();
    turns.spend(4);
    expect(turns.hasTime).toBe(true);
    turns.spend(2);
    expect(turns.hasTime).toBe(false);
    await turn();
    expect(turns.hasTime).toBe(true);
  });

  it('let those come first who made least work lately, one in each', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const wait = (name: string, recentMs: number): void =>
      turns.later({ ...newSource(), recentMs }, () => order.push(name));
    wait('much', 500);
    wait('least', 1);
    wait('more', 50);
    await turn();
    expect(order).toEqual(['least']);
    await turn();
    await turn();
    expect(order).toEqual(['least', 'more', 'much']);
  });
});

describe('reading', () => {
  function socket(): { readonly status: string; reads: boolean; sendPause(): void; sendResume(): void } {
    return {
      status: 'open',
      reads: true,
      sendPause() {
        this.reads = false;
      },
      sendResume() {
        this.reads = true;
      },
    };
  }

  it('goes on when all that stopped it is over', () => {
    const [reading, transport] = [new Reading(), socket()];
    reading.stop(transport, 'held');
    reading.stop(transport, 'behind');
    reading.goOn(transport, 'held');
    expect(transport.reads).toBe(false);
    reading.goOn(transport, 'behind');
    expect(transport.reads).toBe(true);
  });

  it('works on nothing of who is held, until it is free', () => {
    const [reading, transport] = [new Reading(), socket()];
    let worked = 0;
    reading.stop(transport, 'behind');
    expect(reading.isHeld(transport)).toBe(false);
    reading.stop(transport, 'held');
    reading.whenFree(transport, () => {
      worked += 1;
    });
    expect(worked).toBe(0);
    reading.goOn(transport, 'held');
    expect(worked).toBe(1);
  });
});

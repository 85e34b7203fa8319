import { describe, expect, it } from 'vitest';
import { type Sender, UnsentBytes } from '../../../../src/network/libp2p/unsent-bytes.ts';

class Line implements Sender {
  unsentBytes = 0;
  error: Error | undefined;

  abort(error: Error): void {
    this.error = error;
    this.unsentBytes = 0;
  }
}

function scene(): { readonly unsent: UnsentBytes<Line>; readonly ended: Line[] } {
  const ended: Line[] = [];
  const limits = { unsentPerConnectionBytes: 40, unsentInTotalBytes: 100 };
  return { ended, unsent: new UnsentBytes<Line>(limits, (line) => ended.push(line)) };
}

function wait(unsent: UnsentBytes<Line>, bytes: number): Line {
  const line = new Line();
  line.unsentBytes = bytes;
  unsent.changed(line);
  return line;
}

describe('unsent bytes', () => {
  it('end a connection that does not read what it asked for', () => {
    const { unsent, ended } = scene();
    const line = wait(unsent, 40);
    expect(ended).toEqual([]);
    line.unsentBytes = 41;
    unsent.changed(line);
    expect(ended).toEqual([line]);
    expect(line.error).toMatchObject({ code: 'UNSENT_TOO_MUCH' });
    expect(unsent.total).toBe(0);
  });

  it('end the connection with most of them where all together have too much', () => {
    const { unsent, ended } = scene();
    const [, large] = [wait(unsent, 30), wait(unsent, 36), wait(unsent, 30)];
    expect(ended).toEqual([]);
    wait(unsent, 5);
    expect(ended).toEqual([large]);
    expect(unsent.total).toBe(65);
  });

  it('are forgotten once they are sent', () => {
    const { unsent, ended } = scene();
    const line = wait(unsent, 40);
    line.unsentBytes = 0;
    unsent.changed(line);
    for (let count = 0; count < 2; count += 1) wait(unsent, 40);
    expect([ended, unsent.total]).toEqual([[], 80]);
  });
});

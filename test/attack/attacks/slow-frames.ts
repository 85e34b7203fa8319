import { lingeringAttack } from '../lingering.ts';
import { pause } from '../persistence.ts';

const BETWEEN_BYTES_MS = 100;

export const slowFrames = lingeringAttack(
  {
    name: 'slow-frames',
    about: 'well-formed frames, ten bytes a second, on all the streams that four peers get',
    protocol: 'all protocols of streams',
  },
  async (stream, road, { notary }, signal) => {
    for (const byte of road.opening(notary)) {
      if (signal.aborted || stream.status !== 'open') return;
      stream.send(Uint8Array.of(byte));
      await pause(BETWEEN_BYTES_MS, signal);
    }
  },
);

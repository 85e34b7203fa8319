import { lingeringAttack, untilClosed } from '../lingering.ts';

const QUESTIONS = 64;

/** What is answered and not read waits at the node. */
export const deafPeers = lingeringAttack(
  {
    name: 'deaf-peers',
    about: 'four peers ask on all the streams that they get, again and again, and read no answer',
    protocol: 'all protocols of streams',
  },
  async (stream, road, { notary }, signal) => {
    stream.pause();
    for (let index = 0; index < QUESTIONS && stream.status === 'open'; index += 1)
      stream.send(road.opening(notary));
    await untilClosed(stream, signal);
  },
);

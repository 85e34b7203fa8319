import { lingeringAttack, untilClosed } from '../lingering.ts';

export const silentStreams = lingeringAttack(
  {
    name: 'silent-streams',
    about: 'four peers open all the streams that they get and never say a word on them',
    protocol: 'all protocols of streams',
  },
  (stream, _road, _host, signal) => untilClosed(stream, signal),
);

import type { Attack } from '../attack.ts';
import { emptyFrames } from './empty-frames.ts';
import { fakeProviders } from './fake-providers.ts';
import { contractNeverStarts } from './contract-never-starts.ts';
import { deniedContent, madeUpContracts, malformedRequests, pings, unknownBids } from './free-errors.ts';
import { nobody } from './nobody.ts';
import { servingFromNobody } from './serving-from-nobody.ts';
import { unfinishedFrames } from './unfinished-frames.ts';

/** In the order in which they are run. */
export const ATTACKS: readonly Attack[] = [
  nobody,
  fakeProviders,
  unfinishedFrames,
  emptyFrames,
  servingFromNobody,
  contractNeverStarts,
  malformedRequests,
  unknownBids,
  deniedContent,
  madeUpContracts,
  pings,
];

import type { Attack } from '../attack.ts';
import { alteredTerms } from './altered-terms.ts';
import { contractNeverStarts } from './contract-never-starts.ts';
import { deafPeers } from './deaf-peers.ts';
import { dialAmplification } from './dial-amplification.ts';
import { emptyFrames } from './empty-frames.ts';
import { fakeProviders } from './fake-providers.ts';
import { forgedGossip } from './forged-gossip.ts';
import { deniedContent, madeUpContracts, malformedRequests, pings, unknownBids } from './free-errors.ts';
import { gossipControl } from './gossip-control.ts';
import { halfOpen } from './half-open.ts';
import { hostileResults } from './hostile-results.ts';
import { identifyQuestions } from './identify-questions.ts';
import { malformedFrames } from './malformed-frames.ts';
import { manyAddresses } from './many-addresses.ts';
import { manyIdentities } from './many-identities.ts';
import { multiplexerFrames } from './multiplexer-frames.ts';
import { nobody } from './nobody.ts';
import { oversizedFrames } from './oversized-frames.ts';
import { protocolChoice } from './protocol-choice.ts';
import { repeatedFrames } from './repeated-frames.ts';
import { servingFromNobody } from './serving-from-nobody.ts';
import { silentStreams } from './silent-streams.ts';
import { silentWinner } from './silent-winner.ts';
import { slowFrames } from './slow-frames.ts';
import { streamChurn } from './stream-churn.ts';
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
  malformedFrames,
  oversizedFrames,
  slowFrames,
  silentStreams,
  repeatedFrames,
  deafPeers,
  streamChurn,
  manyIdentities,
  manyAddresses,
  halfOpen,
  multiplexerFrames,
  protocolChoice,
  identifyQuestions,
  gossipControl,
  forgedGossip,
  dialAmplification,
  alteredTerms,
  hostileResults,
  silentWinner,
];

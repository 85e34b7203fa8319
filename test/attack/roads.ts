import { randomBytes } from 'node:crypto';
import type { Notary } from '../../src/domain/market/evidence.ts';
import { envelopeOf } from '../../src/messages/envelope.ts';
import { requestOf } from '../bench/requests.ts';
import type { Scene, Target } from './attack.ts';
import { bid, contentId, framed, servingList } from './made-up.ts';

export type RoadName = 'request' | 'negotiation' | 'contract' | 'serving' | 'content' | 'logs';

/** One way into one node: a protocol of streams that it serves, and what an honest conversation on it begins with. */
export interface Road {
  readonly name: RoadName;
  readonly target: Target;
  readonly protocol: string;
  /** A well-formed first frame of this sender with its length, about nothing that the node knows. */
  opening(notary: Notary): Uint8Array;
}

const SMALL_LIST = 16;

const OPENINGS: Readonly<Record<RoadName, (notary: Notary) => Uint8Array>> = {
  request: (notary) =>
    framed('bid-request', envelopeOf(notary.sign('bid-request', requestOf({ hard: [] }, randomBytes(220))))),
  negotiation: (notary) => framed('bid', envelopeOf(notary.sign('bid', bid()))),
  contract: () => framed('contract-query', { contractId: contentId() }),
  serving: (notary) =>
    framed('serving-list', envelopeOf(notary.sign('serving-list', servingList(1, SMALL_LIST)))),
  content: () => framed('content-request', { cid: contentId(), contractId: contentId() }),
  logs: () => framed('logs-request', { contractId: contentId(), stream: 'stdout', offset: 0, follow: true }),
};

/** All of them; bid requests are only heard by the provider. */
export function roads(
  scene: Scene,
  names: readonly RoadName[] = Object.keys(OPENINGS) as RoadName[],
): Road[] {
  return names.flatMap((name) =>
    scene.targets
      .filter((target) => name !== 'request' || target === scene.provider)
      .map((target) => ({ name, target, protocol: scene.names[name], opening: OPENINGS[name] })),
  );
}

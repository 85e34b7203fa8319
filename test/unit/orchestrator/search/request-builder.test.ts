import { describe, expect, it } from 'vitest';
import { isInvited } from '../../../../src/domain/market/answer-share.ts';
import { isPartial } from '../../../../src/domain/ranking/answering.ts';
import type { BidRequest } from '../../../../src/domain/market/bid.ts';
import type { Strangers } from '../../../../src/domain/trust/stranger-turnout.ts';
import { defaultOrchestratorLimits } from '../../../../src/orchestrator/options.ts';
import { buildBidRequest } from '../../../../src/orchestrator/search/request-builder.ts';
import { jobOf, roundOf } from '../../fakes/market.ts';

const OPTIONS = { wantedBids: 5, weights: {}, limits: defaultOrchestratorLimits };

function requestTo(networkSize: number, strangers: Partial<Strangers>): BidRequest {
  return buildBidRequest(
    jobOf(),
    roundOf([]),
    {
      networkSize,
      audience: ['known'],
      peerRecord: new Uint8Array(),
      seenFits: () => ({ compared: 61, fits: Array.from({ length: 61 }, () => 500) }),
      indirect: () => ({ fitting: [], mayBeMore: false }),
      acquaintance: {
        acquainted: () => ['known'],
        strangers: () => ({ claimed: 60, known: 1, rate: 1, standing: 'untried', ...strangers }),
      },
    },
    OPTIONS,
  );
}

describe('a bid request on a network that looks large', () => {
  it('asks those it knows by name where strangers may be many', () => {
    const request = requestTo(61, { rate: 1 });
    expect(isPartial(request)).toBe(true);
    expect(isInvited(request, 'known')).toBe(true);
  });

  it('asks them by name as well where so few answer that everybody is asked: nobody else is waited for', () => {
    const request = requestTo(61, { rate: 1 / 15 });
    expect(request.answerAlways).toBe(false);
    expect(isPartial(request)).toBe(false);
    expect(isInvited(request, 'known')).toBe(true);
  });

  it('names nobody where everybody answers', () => {
    expect(requestTo(8, { claimed: 7 }).invited).toBeUndefined();
  });
});

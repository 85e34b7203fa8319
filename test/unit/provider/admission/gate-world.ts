import { defaultAdmissionLimits, type AdmissionLimits } from '../../../../src/provider/admission/limits.ts';
import { RequesterGate } from '../../../../src/provider/admission/requester-gate.ts';
import { FakeClock } from '../../orchestrator/evaluations/fake-clock.ts';

export const SELF = 'provider';

/** Small numbers, so that tests can use them up. */
export const LIMITS: AdmissionLimits = {
  ...defaultAdmissionLimits,
  requestsPerRequester: { burst: 3, perSecond: 1 },
  requestsPerEstablished: { burst: 3, perSecond: 1 },
  answersPerStranger: { burst: 100, perSecond: 1 },
  requestsInTotal: { burst: 5, perSecond: 2 },
  requestsOfEstablished: { burst: 4, perSecond: 2 },
  refusalsPerRequester: { burst: 1, perSecond: 0.5 },
  refusalsInTotal: { burst: 3, perSecond: 0.5 },
  strangersApartMs: 0,
  strangersWaiting: 2,
  negotiations: 4,
  negotiationsPerRequester: 2,
  negotiationsOfEstablished: 1,
  rememberedRequesters: 8,
  rememberedEstablished: 2,
};

/** A gate on a clock that stands still. */
export class GateWorld {
  readonly clock = new FakeClock();
  readonly reputations = new Map<string, number>();
  readonly denied = new Set<string>();
  readonly gate: RequesterGate;

  constructor(limits: Partial<AdmissionLimits> = {}) {
    this.gate = new RequesterGate(
      { ...LIMITS, ...limits },
      {
        self: SELF,
        clock: this.clock,
        isServed: (requester) => !this.denied.has(requester),
        reputation: { of: (peer) => this.reputations.get(peer) ?? 1000 },
      },
    );
  }

  /** One signed request, up to the decision whether it is looked into. */
  ask(requester: string): ReturnType<RequesterGate['admit']> {
    return this.gate.admit(requester, this.gate.counts(requester));
  }
}

import { describe, expect, it } from 'vitest';
import type { JobSpec } from '../../../../src/domain/job/job.ts';
import { mostAsked, type SearchTargets, targetsOf } from '../../../../src/orchestrator/search/targets.ts';
import type { PeerTable, RequestTarget } from '../../../../src/orchestrator/ports.ts';
import { jobOf, REQUESTER } from '../../fakes/market.ts';

const WANTED_BIDS = 3;
const RECORD = Uint8Array.of(7);

/** A table of peers in the order of merit. */
function tableOf(...peers: readonly string[]): PeerTable & { readonly limits: number[] } {
  const limits: number[] = [];
  return {
    limits,
    sizeEstimate: () => peers.length,
    candidates: (_spec, limit): readonly RequestTarget[] => {
      limits.push(limit);
      return peers.slice(0, limit).map((peer) => ({ peer, peerRecord: RECORD }));
    },
    fits: () => ({ compared: 0, fits: [] }),
    indirect: () => ({ fitting: [], mayBeMore: false }),
    recordOf: (peer) => (peers.includes(peer) ? RECORD : undefined),
    explain: () => ({ known: peers.length, fitting: peers.length, busy: 0 }),
  };
}

function targets(
  spec: Partial<JobSpec>,
  table: PeerTable,
  exclude: readonly string[] = spec.excludedProviders ?? [],
): SearchTargets {
  return targetsOf(jobOf({ spec }), exclude, { self: REQUESTER }, table, WANTED_BIDS);
}

const names = (chosen: SearchTargets): readonly string[] | undefined => chosen?.map(({ peer }) => peer);

describe('whom a search asks', () => {
  it('is everybody by pull, whatever is preferred', () => {
    expect(targets({ orchestrationType: 'pull' }, tableOf('a'))).toBeUndefined();
    expect(targets({ orchestrationType: 'pull', preferredProviders: ['a'] }, tableOf('a'))).toBeUndefined();
  });

  it('is by push the best of the table, twice as many as bids are wanted', () => {
    const peers = Array.from({ length: 20 }, (_, index) => `p${index}`);
    const table = tableOf(...peers);
    expect(targets({ orchestrationType: 'push' }, table)).toEqual(
      peers.slice(0, 2 * WANTED_BIDS).map((peer) => ({ peer, peerRecord: RECORD })),
    );
    expect(names(targets({ orchestrationType: 'push', count: 8 }, table))).toHaveLength(16);
  });

  it('tells how many of those that fit it asks at most', () => {
    const most = (spec: Partial<JobSpec>) => mostAsked(jobOf({ spec }).spec, WANTED_BIDS).mostAsked;
    expect(most({ orchestrationType: 'pull', preferredProviders: ['a'] })).toBeUndefined();
    expect(most({ orchestrationType: 'push', preferredProviders: ['a'] })).toBe(0);
    expect(most({ orchestrationType: 'push' })).toBe(6);
    expect(most({ orchestrationType: 'push', count: 8 })).toBe(16);
  });

  it('is by push those the user prefers, and nobody else, in the order given', () => {
    const chosen = targets(
      { orchestrationType: 'push', preferredProviders: ['stranger', 'b'] },
      tableOf('a', 'b', 'c'),
    );
    expect(chosen).toEqual([{ peer: 'stranger' }, { peer: 'b', peerRecord: RECORD }]);
  });

  it('is never an excluded provider', () => {
    const excludedProviders = ['a', 'c'];
    expect(names(targets({ orchestrationType: 'push', excludedProviders }, tableOf('a', 'b', 'c')))).toEqual([
      'b',
    ]);
    const both = { orchestrationType: 'push', excludedProviders, preferredProviders: ['a', 'b'] } as const;
    expect(names(targets(both, tableOf('a', 'b', 'c')))).toEqual(['b']);
    expect(targets({ ...both, preferredProviders: ['a'] }, tableOf('b'))).toEqual([]);
  });

  it('is nobody that an earlier round ruled out, this node included', () => {
    const push = { orchestrationType: 'push' } as const;
    expect(names(targets(push, tableOf('a', 'b', 'c'), ['a', 'c']))).toEqual(['b']);
    const preferred = { ...push, preferredProviders: ['a', 'b'] } as const;
    expect(names(targets(preferred, tableOf('a', 'b'), ['a']))).toEqual(['b']);
    expect(targets(push, tableOf('a'), ['a', REQUESTER])).toEqual([]);
  });

  it('is this node where the table has nobody', () => {
    expect(targets({ orchestrationType: 'push' }, tableOf())).toEqual([{ peer: REQUESTER }]);
  });
});

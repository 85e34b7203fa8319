import type { Advert } from '../../src/domain/market/advert.ts';
import type { Evidence, EvidenceType, Notary } from '../../src/domain/market/evidence.ts';
import type { ServingList } from '../../src/domain/market/serving.ts';

/** What no release knows, of every shape. */
const UNHEARD_OF = { colour: 'ultraviolet \u{1f308}', depth: { of: ['it', 1.5, null, new Uint8Array([1])] } };

function laterAdvert(advert: Advert): object {
  return {
    ...advert,
    engines: { ...advert.engines, quantum: '1.0.0' },
    runtimeMemory: { ...advert.runtimeMemory, quantum: 1 },
    features: [...(advert.features ?? []), 'job.service'],
    cpu: { ...advert.cpu, qubits: 7 },
  };
}

function laterList({ number, items }: ServingList): object {
  return {
    number,
    items: items.map((item) => ({
      ...item,
      mood: UNHEARD_OF,
      ...(item.exitReason === 'trap' ? { exitReason: 'decohered' } : {}),
    })),
  };
}

function inLaterWords(type: EvidenceType, value: unknown): object {
  if (typeof value !== 'object' || value === null) throw new Error('every message is a map');
  if (type === 'advert') return laterAdvert(value as Advert);
  return type === 'serving-list' ? laterList(value as ServingList) : value;
}

/**
 * Signs as a node of a later release does: every message has a key that this one does not know and an `ext`, an advert
 * has another engine, and what trapped `decohered`.
 */
export function laterNotary(notary: Notary): Notary {
  return {
    self: notary.self,
    countersign: (evidence) => notary.countersign(evidence),
    sign: <Value>(type: EvidenceType, value: Value): Evidence<Value> => {
      const said = {
        ...inLaterWords(type, value),
        laterKey: UNHEARD_OF,
        ext: { 'org.example/note': UNHEARD_OF },
      };
      return { ...notary.sign(type, said), value };
    },
  };
}

import { assert } from '../lib/assert.ts';
import type { BidAnswer } from '../provider/ports.ts';
import { buckets, isKey, keyOf, timeKey } from './buckets.ts';
import type { Database, Operation } from './database.ts';
import type { StoreLimits } from './options.ts';
import { KeySet, lastPartOf, Repository } from './records.ts';

/** Old answers go faster than new ones come, and no commit has much to do for it. */
const EXPIRED_PER_CHANGE = 8;

export interface AnswerChange {
  readonly operations: readonly Operation[];
  apply(): void;
}

/** What this provider answered, for a while: at most so many, none too old, the oldest dropped first. */
export class AnswerLog {
  readonly #limits: Pick<StoreLimits, 'answers' | 'answerAgeMs'>;
  readonly #answers: Repository<BidAnswer>;
  readonly #ages: KeySet;
  /** When each was answered, the oldest first. */
  readonly #answeredAt = new Map<string, number>();

  constructor(limits: Pick<StoreLimits, 'answers' | 'answerAgeMs'>, database: Database) {
    this.#limits = limits;
    this.#answers = new Repository(database, buckets.answer, (answer) => keyOf(answer.requestId));
    this.#ages = new KeySet(database, buckets.answerAge);
  }

  async load(): Promise<void> {
    this.#answeredAt.clear();
    for await (const key of this.#ages.keys()) {
      this.#answeredAt.set(lastPartOf(key), Number(key.slice(0, key.indexOf('/'))));
    }
  }

  async get(requestId: string, now: number): Promise<BidAnswer | undefined> {
    // Every answer that is kept is in memory by its age, so a request that is new costs no read.
    if (!isKey(requestId) || !this.#answeredAt.has(requestId)) return undefined;
    const answer = await this.#answers.get(requestId);
    return answer !== undefined && now - answer.answeredAt <= this.#limits.answerAgeMs ? answer : undefined;
  }

  /** Nothing has changed before `apply` is called, which belongs right behind the commit of the operations. */
  change(forgotten: readonly string[], answers: readonly BidAnswer[], now: number): AnswerChange {
    const added = new Map(
      answers.slice(-this.#limits.answers).map((answer) => [answer.requestId, answer] as const),
    );
    const gone = this.#gone([...forgotten, ...added.keys()], added.size, now);
    const operations: Operation[] = [];
    for (const [requestId, answeredAt] of gone) {
      operations.push(this.#answers.remove(requestId), this.#ages.remove(ageKey({ requestId, answeredAt })));
    }
    for (const answer of added.values()) {
      operations.push(this.#answers.put(answer), this.#ages.put(ageKey(answer)));
    }
    const apply = (): void => {
      for (const requestId of gone.keys()) this.#answeredAt.delete(requestId);
      for (const answer of added.values()) this.#answeredAt.set(answer.requestId, answer.answeredAt);
      assert(this.#answeredAt.size <= this.#limits.answers, 'more answers are kept than allowed');
    };
    return { operations, apply };
  }

  /** What goes: the named ones, those beyond the bound, and a few of those that are too old. */
  #gone(named: readonly string[], adding: number, now: number): ReadonlyMap<string, number> {
    const gone = new Map<string, number>();
    for (const requestId of named) {
      const answeredAt = this.#answeredAt.get(requestId);
      if (answeredAt !== undefined) gone.set(requestId, answeredAt);
    }
    let expired = 0;
    for (const [requestId, answeredAt] of this.#answeredAt) {
      if (gone.has(requestId)) continue;
      const surplus = this.#answeredAt.size - gone.size + adding > this.#limits.answers;
      const old = now - answeredAt > this.#limits.answerAgeMs && expired < EXPIRED_PER_CHANGE;
      if (!surplus && !old) break;
      gone.set(requestId, answeredAt);
      expired += 1;
    }
    return gone;
  }
}

function ageKey(answer: Pick<BidAnswer, 'requestId' | 'answeredAt'>): string {
  return keyOf(timeKey(answer.answeredAt), answer.requestId);
}

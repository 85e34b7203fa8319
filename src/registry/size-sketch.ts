/** What the sketch knows of one provider. */
interface Sighting {
  readonly hash: number;
  readonly deadlineMs: number;
  /** How often it tells of itself, by its own word. */
  readonly intervalMs: number;
  /** Heard more than once, or known from before: it was sure to be heard. */
  readonly certain: boolean;
  readonly heardAtMs: number;
}

export interface Sighted {
  readonly peer: string;
  /** In [0, 1), uniform over peers. */
  readonly hash: number;
  readonly deadlineMs: number;
  readonly intervalMs: number;
  /** Known from before this node began to listen. */
  readonly fromBefore: boolean;
}

/** How many providers were heard of, as they say themselves. */
export interface HeardSize {
  /** Those that this node has been in touch with. */
  readonly seen: number;
  /** The others, those that stand for others of their kind included. */
  readonly unseen: number;
}

/** Below this the time of listening says nothing. */
const SHORTEST_LISTENING_MS = 2000;

/** A provider that claims to speak more seldom than others by this is not believed to stand for more of them. */
const MOST_OVER_MEDIAN = 2;

/**
 * How many providers there are, from the smallest hashes of those that were heard: a sample whose share of the hash
 * space is known. Who was heard once only stands for the others of its kind that were not heard yet, so a node that
 * joins a large network, whose members speak seldom, knows its size after seconds. Memory is bounded by `capacity`.
 */
export class SizeSketch {
  readonly #capacity: number;
  readonly #baseIntervalMs: number;
  readonly #rememberedMs: number;
  readonly #seen = new Map<string, Sighting>();
  /** Only hashes below are taken in. */
  #bound = 1;
  /** Only hashes below are counted: smaller than the bound while that was raised lately and its room fills. */
  #counted = 1;
  #countedUntilMs = 0;
  #listeningSinceMs: number | undefined;

  /** `rememberedMs`: so long everybody is remembered at least, however seldom it speaks. */
  constructor(capacity: number, baseIntervalMs: number, rememberedMs = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity;
    this.#baseIntervalMs = baseIntervalMs;
    this.#rememberedMs = rememberedMs;
  }

  add(sighted: Sighted, nowMs: number): void {
    const { peer, hash, deadlineMs, intervalMs, fromBefore } = sighted;
    if (!fromBefore) this.#listeningSinceMs ??= nowMs;
    if (hash >= this.#bound) return;
    const certain = fromBefore || (this.#seen.get(peer)?.deadlineMs ?? nowMs) > nowMs;
    this.#seen.set(peer, { hash, deadlineMs, intervalMs, certain, heardAtMs: nowMs });
    while (this.#seen.size > this.#capacity) this.#halve();
  }

  remove(peer: string): void {
    this.#seen.delete(peer);
  }

  /** Removes what is believed no longer, and makes room for more of the network when it has become small. */
  expire(nowMs: number): void {
    for (const [peer, { deadlineMs }] of this.#seen) if (deadlineMs <= nowMs) this.#seen.delete(peer);
    if (nowMs >= this.#countedUntilMs) this.#counted = this.#bound;
    if (this.#counted < this.#bound || this.#bound >= 1 || this.#seen.size >= this.#capacity / 4) return;
    this.#bound = Math.min(1, this.#bound * 2);
    // Those who were turned away speak again within their interval.
    this.#countedUntilMs = nowMs + Math.max(this.#baseIntervalMs, this.#medianIntervalMs());
  }

  estimate(nowMs: number): number {
    const { seen, unseen } = this.heard(nowMs, () => true);
    return Math.round(seen + unseen);
  }

  /** Those that were heard, by whether this node has been in touch with them. */
  heard(nowMs: number, isSeen: (peer: string) => boolean): HeardSize {
    const listenedMs = Math.max(SHORTEST_LISTENING_MS, nowMs - (this.#listeningSinceMs ?? nowMs));
    // Members of one network speak about as often, so those that are there tell how often the others do.
    const longestMs = MOST_OVER_MEDIAN * (this.#medianIntervalMs(isSeen) || this.#medianIntervalMs());
    const windowMs = Math.min(listenedMs, this.#rememberedMs);
    // Who was heard again is known for sure, until all have been listened to for as long as anybody is remembered.
    const trustsTwice = listenedMs < this.#rememberedMs;
    let live = 0;
    let total = 0;
    let seen = 0;
    for (const [peer, { hash, deadlineMs, certain, intervalMs, heardAtMs }] of this.#seen) {
      if (hash >= this.#counted || deadlineMs <= nowMs) continue;
      live += 1;
      if (isSeen(peer)) seen += 1;
      const believedMs = Math.min(intervalMs, longestMs);
      const isSure = (certain && trustsTwice) || believedMs <= Math.max(this.#baseIntervalMs, windowMs);
      // Those of the last while stand for all that speak as seldom, and so for those remembered from before it too.
      if (isSure) total += 1;
      else if (nowMs - heardAtMs <= windowMs) total += believedMs / windowMs;
    }
    return { seen: seen / this.#counted, unseen: (Math.max(live, total) - seen) / this.#counted };
  }

  #medianIntervalMs(counts: (peer: string) => boolean = () => true): number {
    const counted = [...this.#seen].filter(([peer]) => counts(peer));
    const intervals = counted.map(([, { intervalMs }]) => intervalMs).sort((a, b) => a - b);
    return intervals[Math.floor((intervals.length - 1) / 2)] ?? 0;
  }

  #halve(): void {
    this.#bound /= 2;
    this.#counted = Math.min(this.#counted, this.#bound);
    for (const [peer, { hash }] of this.#seen) if (hash >= this.#bound) this.#seen.delete(peer);
  }
}

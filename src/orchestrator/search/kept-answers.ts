interface Kept<Answer> {
  readonly answer: Answer;
  readonly asked: boolean;
}

/**
 * A bounded number of answers. When it is full, the answer of a peer that was asked takes the place of a stranger's:
 * names cost nothing, and whoever makes up many of them is not to be all that is on record.
 */
export class KeptAnswers<Answer> {
  readonly #most: number;
  readonly #wasAsked: (peer: string) => boolean;
  readonly #byKey = new Map<string, Kept<Answer>>();

  constructor(most: number, wasAsked: (peer: string) => boolean) {
    this.#most = most;
    this.#wasAsked = wasAsked;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** One answer for each key, the newest; with one key for each peer that is the peer itself. */
  keep(peer: string, answer: Answer, key = peer): void {
    const asked = this.#wasAsked(peer);
    if (this.#byKey.size >= this.#most && !this.#byKey.has(key)) {
      if (!asked || !this.#makeRoom()) return;
    }
    this.#byKey.set(key, { answer, asked });
  }

  answers(): readonly Answer[] {
    return [...this.#byKey.values()].map(({ answer }) => answer);
  }

  #makeRoom(): boolean {
    const stranger = [...this.#byKey].find(([, { asked }]) => !asked);
    return stranger !== undefined && this.#byKey.delete(stranger[0]);
  }
}

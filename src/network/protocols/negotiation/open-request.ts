import type { BidRequest } from '../../../domain/market/bid.ts';
import type { Evidence } from '../../../domain/market/evidence.ts';
import type { OpenRequest, SearchListener } from '../../../orchestrator/ports.ts';

export interface OpenRequestNeeds {
  /** Sends the request straight to one peer; rejects when that fails. */
  send(peer: string): Promise<void>;
  /** `silently`: nobody waits to hear of it. */
  closed(silently: boolean): void;
  readonly mostDirectSends: number;
  /** Who is asked was chosen: nobody joins later. */
  readonly fixed: boolean;
}

/** One request on the air, and who has had it. */
export class LiveRequest implements OpenRequest {
  readonly request: Evidence<BidRequest>;
  readonly listener: SearchListener;
  readonly #needs: OpenRequestNeeds;
  readonly #audience: Set<string>;
  #directSends = 0;
  #open = true;

  constructor(
    request: Evidence<BidRequest>,
    listener: SearchListener,
    audience: readonly string[],
    needs: OpenRequestNeeds,
  ) {
    this.request = request;
    this.listener = listener;
    this.#audience = new Set(audience);
    this.#needs = needs;
  }

  audience(): ReadonlySet<string> {
    return new Set(this.#audience);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    // Where everybody answers, everybody learns of the end on the stream of the answer.
    this.#needs.closed(this.#needs.fixed || this.request.value.answerAlways);
  }

  /** Gossip forgets late joiners and carries nothing large, so who is new here is sent the request itself. */
  audienceIs(peers: readonly string[]): void {
    if (!this.#open || this.#needs.fixed) return;
    const present = new Set(peers);
    const gone = [...this.#audience].filter((peer) => !present.has(peer));
    for (const peer of gone) this.#audience.delete(peer);
    for (const peer of peers) if (!this.#audience.has(peer)) this.#sendTo(peer);
    if (gone.length > 0) this.listener.audienceChanged();
  }

  /** Sends the request to each of them. */
  ask(peers: readonly string[]): void {
    for (const peer of peers) this.#sendTo(peer);
  }

  #sendTo(peer: string): void {
    if (this.#directSends >= this.#needs.mostDirectSends) return;
    this.#directSends += 1;
    this.#audience.add(peer);
    this.#needs.send(peer).then(
      () => {
        if (this.#open) this.listener.audienceChanged();
      },
      () => {
        this.#audience.delete(peer);
        if (this.#open) this.listener.audienceChanged();
      },
    );
  }
}

/** Why a connection is not read: each has its own end. */
export type StopReason = 'held' | 'for good' | 'turn' | 'behind';

interface Stops {
  readonly reasons: Set<StopReason>;
  /** Run when it is read again, or at least may be. */
  resumed: (() => void) | undefined;
}

/** Which transport connections are not read. One that is stopped for two reasons is read again when both are over. */
export class Reading {
  readonly #stops = new WeakMap<object, Stops>();

  stop(transport: object, reason: StopReason): void {
    const stops = this.#stops.get(transport) ?? { reasons: new Set<StopReason>(), resumed: undefined };
    this.#stops.set(transport, stops);
    if (stops.reasons.size === 0) change(transport, 'sendPause');
    stops.reasons.add(reason);
  }

  goOn(transport: object, reason: StopReason): void {
    const stops = this.#stops.get(transport);
    if (stops === undefined || !stops.reasons.delete(reason)) return;
    const { resumed } = stops;
    if (resumed !== undefined && !this.isHeld(transport)) {
      stops.resumed = undefined;
      resumed();
    }
    if (stops.reasons.size === 0) change(transport, 'sendResume');
  }

  isStopped(transport: object): boolean {
    return (this.#stops.get(transport)?.reasons.size ?? 0) > 0;
  }

  /** True while nothing of it is worked on, not even what was read already. */
  isHeld(transport: object): boolean {
    const reasons = this.#stops.get(transport)?.reasons;
    return reasons !== undefined && (reasons.has('held') || reasons.has('for good'));
  }

  /** Runs `resume` once it is not held any more. */
  whenFree(transport: object, resume: () => void): void {
    const stops = this.#stops.get(transport);
    if (stops === undefined) resume();
    else stops.resumed = resume;
  }
}

/** The socket alone: what was read already goes its way, and what waits for it does so here. */
function change(transport: object, how: 'sendPause' | 'sendResume'): void {
  const method: unknown = Reflect.get(transport, how);
  if (typeof method !== 'function' || Reflect.get(transport, 'status') !== 'open') return;
  try {
    Reflect.apply(method, transport, []);
  } catch {
    // It is closing: there is nothing to read any more.
  }
}

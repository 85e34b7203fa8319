/** Lived time as wall time: for people, and for those who may only be told the time. */
export interface Calendar {
  wallMs(livedMs: number): number;
  /** ISO 8601. */
  isoTime(livedMs: number): string;
}

/** From `livedMs` on, the wall clock showed `offsetMs` more than lived time. */
export interface CalendarEntry {
  readonly livedMs: number;
  readonly offsetMs: number;
}

/** The wall clock is corrected all the time, by less than this. */
const JUMP_MS = 1000;

/**
 * The entries with what the wall clock shows now, or the same ones where it goes on as it did; the oldest first. What
 * came before the oldest is shown as if its clock had been that one's.
 */
export function seenNow(
  entries: readonly CalendarEntry[],
  livedMs: number,
  wallMs: number,
  atMost: number,
): readonly CalendarEntry[] {
  const offsetMs = wallMs - livedMs;
  const last = entries.at(-1);
  if (last !== undefined && Math.abs(last.offsetMs - offsetMs) <= JUMP_MS) return entries;
  const kept = entries.filter((entry) => entry.livedMs < livedMs);
  return [...kept, { livedMs, offsetMs }].slice(-atMost);
}

/**
 * The wall time of a moment of lived time. A clock that was put back was wrong before: what it showed by then is
 * told as no later than the moment it was put right, so that times keep the order of what happened.
 */
export function wallTimeOf(entries: readonly CalendarEntry[], livedMs: number): number {
  let latestMs = Number.POSITIVE_INFINITY;
  for (const entry of entries.toReversed()) {
    if (entry.livedMs <= livedMs) return Math.min(livedMs + entry.offsetMs, latestMs);
    latestMs = Math.min(latestMs, entry.livedMs + entry.offsetMs);
  }
  return Math.min(livedMs + (entries[0]?.offsetMs ?? 0), latestMs);
}

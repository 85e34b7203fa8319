import type { Calendar } from '../../../src/lib/calendar.ts';
import { isoTime } from '../../../src/lib/clock.ts';

/** A machine whose clock was never set, on a node that was never down. */
export const plainCalendar: Calendar = { wallMs: (livedMs) => livedMs, isoTime };

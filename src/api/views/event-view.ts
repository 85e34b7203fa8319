import { partitionOf } from '../../domain/market/execution.ts';
import type { JobEvent } from '../../domain/job/job-event.ts';
import type { Calendar } from '../../lib/calendar.ts';
import type { JobEvent as JobEventView } from '../../openapi/shapes/event.ts';
import { eventSentence } from '../../words/event-words.ts';
import { plainJson } from './plain-json.ts';
import { viewWhy } from './why-view.ts';

export function eventView(event: JobEvent, calendar: Calendar): JobEventView {
  const { seq, at, type, data, executionId, provider, code, why } = event;
  const partition = executionId === undefined ? undefined : partitionOf(executionId);
  return {
    seq,
    at: calendar.isoTime(at),
    type,
    ...(executionId === undefined ? {} : { executionId }),
    ...(partition === undefined ? {} : { partition }),
    ...(provider === undefined ? {} : { provider }),
    ...(code === undefined ? {} : { code }),
    ...(why === undefined ? {} : { message: eventSentence(why), why: viewWhy(why) }),
    ...(data === undefined ? {} : { data: plainJson(data) }),
  };
}

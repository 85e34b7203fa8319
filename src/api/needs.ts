import type { ContentStore } from '../content/index.ts';
import type { Calendar } from '../lib/calendar.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orchestrator } from '../orchestrator/index.ts';
import type { RequestBodies } from './body.ts';
import type { ApiCounters } from './counters.ts';
import type { DocumentReader } from './document-reader.ts';
import type { MetricsView, NodeView } from './node-view.ts';
import type { ApiOptions } from './options.ts';
import type { OpenStreams } from './streams.ts';

export interface ApiNeeds {
  readonly orchestrator: Orchestrator;
  readonly content: ContentStore;
  readonly node: NodeView;
  readonly metrics: MetricsView;
  readonly clock: Clock;
  /** What the requester and the provider call a time is lived time. */
  readonly calendar: Calendar;
  readonly logger: Logger;
}

/** What every route gets. */
export interface RouteContext extends ApiNeeds {
  readonly options: ApiOptions;
  readonly streams: OpenStreams;
  readonly documents: DocumentReader;
  readonly bodies: RequestBodies;
  readonly counters: ApiCounters;
}

import { expect, it } from 'vitest';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import * as make from './market-records.ts';
import { memoryFixture } from './store-fixtures.ts';

it('keeps the events of a job in the order of their times, over restarts too', async () => {
  const fixture = await memoryFixture();
  let store = await fixture.open(defaultStoreLimits);
  const { job } = make.created('j');
  await store.jobs.commit({
    jobId: 'j',
    revision: 0,
    ...(job === undefined ? {} : { job }),
    events: [
      { type: 'search.closed', at: 50 },
      { type: 'job.posted', at: 10 },
      { type: 'bid.received', at: 30 },
    ],
  });
  await store.stop();
  store = await fixture.open(defaultStoreLimits);
  await store.jobs.commit({
    jobId: 'j',
    revision: 1,
    events: [
      { type: 'job.queued', at: 60 },
      { type: 'bid.received', at: 40 },
    ],
  });
  const events = await store.jobs.events('j', 0, 10);
  expect(events.map(({ seq, type, at }) => [seq, type, at])).toEqual([
    [1, 'job.posted', 10],
    [2, 'bid.received', 30],
    [3, 'search.closed', 50],
    [4, 'bid.received', 50],
    [5, 'job.queued', 60],
  ]);
  await store.stop();
});

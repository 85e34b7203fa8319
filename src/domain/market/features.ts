/** One thing that a node can do and not every one does, as it tells others. */
export const FEATURE = /^[a-z][a-z0-9.-]{0,31}$/;
export const MOST_FEATURES = 16;

/**
 * What this release tells of itself in its adverts and bid requests, so that later ones know what they may use with it:
 * `job.batch`: jobs that run to their end; `logs.follow`: output can be read while it is made.
 */
export const NODE_FEATURES: readonly string[] = ['job.batch', 'logs.follow'];

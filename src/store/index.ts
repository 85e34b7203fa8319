import { join } from 'node:path';
import type { BlockFiles } from '../content/ports.ts';
import type { Calendar } from '../lib/calendar.ts';
import { afterThisTurn, type Clock } from '../lib/clock.ts';
import { type CodedError, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { LevelAdvertStore } from './advert-store.ts';
import { Census, type CensusCounts } from './census.ts';
import { BlockFolder } from './block-folder.ts';
import { CommitQueue } from './commit-queue.ts';
import { LevelContentRecords } from './content-records.ts';
import { DamageLog, type DamageReport } from './damage-log.ts';
import type { Database } from './database.ts';
import { bringUpToDate } from './format.ts';
import { LevelJobStore } from './job-store.ts';
import { openLevelDatabase } from './level-database.ts';
import { LivedTime } from './lived-time.ts';
import { createMetaStore, type MetaStore } from './meta-store.ts';
import type { StoreOptions } from './options.ts';
import { LevelProviderStore } from './provider-store.ts';
import { LevelStrikeStore } from './strike-store.ts';
import { WatchedDatabase } from './watched-database.ts';

export interface StoreNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  /** In place of the LevelDB in `options.folder`; the store closes it when it stops. */
  readonly database?: Database;
  /** Called once when the disk refuses: nothing can be stored any more, so the node must stop. */
  readonly onFailure?: (error: CodedError) => void;
}

/** The durable state of one node. Nothing is acknowledged by it before it is on disk. */
export interface Store {
  readonly jobs: LevelJobStore;
  readonly provider: LevelProviderStore;
  readonly adverts: LevelAdvertStore;
  readonly strikes: {
    readonly againstProviders: LevelStrikeStore;
    readonly againstRequesters: LevelStrikeStore;
  };
  readonly content: LevelContentRecords;
  readonly blocks: BlockFiles;
  readonly meta: MetaStore;
  /** How many jobs, ended executions and contracts there are, for operators. */
  census(): CensusCounts;
  /** What of it could not be read, so far. */
  damage(): DamageReport;
  /** The clock it was given, with the lived time that is carried on here. */
  readonly clock: Clock;
  readonly calendar: Calendar;
  /** Takes no more commits, waits for those that were taken, closes the database. */
  stop(): Promise<void>;
}

/** Throws `DATABASE_LOCKED`, `DATABASE_NEWER`, `DATABASE_UNREADABLE`, `STORE_FAILED`. */
export async function openStore(options: StoreOptions, needs: StoreNeeds): Promise<Store> {
  const logger = needs.logger.child('store');
  const damage = new DamageLog(logger);
  const opened = needs.database ?? (await openLevelDatabase(options.folder, damage));
  const database = new WatchedDatabase(opened, damage);
  const wasDamaged = damage.report().count > 0;
  try {
    const contentFolder = needs.database === undefined ? options.contentFolder : undefined;
    await bringUpToDate(options.folder, { database, contentFolder, logger });
    const lived = await LivedTime.resume(options.limits, database, needs.clock, logger);
    const store = assemble(options, { ...needs, logger }, database, lived);
    if (wasDamaged) await store.jobs.restoreIndexes();
    await store.jobs.load();
    await store.provider.prepare();
    await store.content.load();
    if (wasDamaged) await store.content.dropBroken();
    return store;
  } catch (error) {
    await database.close();
    throw error;
  }
}

function assemble(
  options: StoreOptions,
  needs: StoreNeeds,
  database: WatchedDatabase,
  lived: LivedTime,
): Store {
  const { limits } = options;
  const { clock, calendar } = lived;
  const { logger } = needs;
  const queue = new CommitQueue(limits, {
    database,
    alongside: () => lived.operations(),
    // A sync is worth waiting a turn for; a database that was handed in is memory, and as good as written.
    gather: needs.database === undefined ? afterThisTurn : queueMicrotask,
    onFailure: (error) => {
      logger.error('the store cannot write any more', { code: error.code, error: messageOf(error) });
      needs.onFailure?.(error);
    },
  });
  const census = new Census();
  const keeping = lived.keep(queue);
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    keeping.cancel();
    await lived.write(queue);
    await queue.close();
    await database.close();
  };
  const content = new LevelContentRecords(database, queue);
  return {
    content,
    blocks: new BlockFolder(join(options.contentFolder, 'blocks')),
    jobs: new LevelJobStore(limits, { database, queue, clock, logger, census, content }),
    provider: new LevelProviderStore(limits, { database, queue, clock, census }),
    adverts: new LevelAdvertStore(database, queue),
    strikes: {
      againstProviders: new LevelStrikeStore(database, queue, 'provider'),
      againstRequesters: new LevelStrikeStore(database, queue, 'requester'),
    },
    meta: createMetaStore(database, queue, limits.metaBytes),
    census: () => census.read(),
    damage: () => database.damage.report(),
    clock,
    calendar,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

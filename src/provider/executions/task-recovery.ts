import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { AttemptFolder, AttemptFolders, ProviderExecution, TaskHandle } from '../ports.ts';
import type { TaskDriver } from '../task-driver.ts';
import type { ResumedTask } from './supervisor.ts';

export interface TaskRecoveryNeeds {
  readonly logger: Logger;
  readonly folders: Pick<AttemptFolders, 'reopen'>;
  readonly drivers: readonly TaskDriver[];
}

/** The tasks that outlived the node, by execution. What cannot be recovered does not hold up the start. */
export async function recoverTasks(
  executions: readonly ProviderExecution[],
  { logger, folders, drivers }: TaskRecoveryNeeds,
): Promise<Map<string, ResumedTask>> {
  const recovered = new Map<string, ResumedTask>();
  for (const { item, task: handle, settled } of executions) {
    const driver = drivers.find(({ engine }) => engine === handle?.engine);
    if (driver === undefined || handle === undefined || settled || item.state !== 'Running') continue;
    const { executionId } = item;
    try {
      // What it prints is written on where it stopped, so the folder is opened for those alone that go on.
      let opened: Promise<AttemptFolder> | undefined;
      const folder = (): Promise<AttemptFolder> => (opened ??= folders.reopen(executionId));
      const answer = await driver.recover(handle, async (stream, bytes) => {
        await (await folder()).append(stream, bytes);
      });
      if (answer.state === 'running') {
        recovered.set(executionId, { task: answer.task, folder: await folder() });
      }
    } catch (error) {
      logger.warn('a task was not recovered', { executionId, reason: messageOf(error) });
    }
  }
  return recovered;
}

/** Ends a task that went on and may not: what it takes here is taken by others now. */
export async function giveUp({ task, folder }: ResumedTask, drivers: readonly TaskDriver[]): Promise<void> {
  task.stop(0);
  await drivers.find(({ engine }) => engine === task.handle.engine)?.destroy(task.handle);
  await folder.end();
}

/** Ends what is left of tasks that do not go on. */
export async function endLeftovers(
  executions: readonly ProviderExecution[],
  recovered: ReadonlyMap<string, ResumedTask>,
  { logger, drivers }: TaskRecoveryNeeds,
): Promise<void> {
  const handles = executions.flatMap(({ item, task }) =>
    task === undefined || recovered.has(item.executionId) ? [] : [task],
  );
  for (const driver of drivers) {
    try {
      const left = await driver.leftovers(handles.filter(({ engine }) => engine === driver.engine));
      for (const handle of left) await driver.destroy(handle);
    } catch (error) {
      logger.warn('what an earlier life left running was not ended', {
        engine: driver.engine,
        reason: messageOf(error),
      });
    }
  }
  const orphaned = handles.filter((handle) => !isDriven(handle, drivers));
  for (const { engine } of orphaned) {
    logger.warn('a task of an engine that is not here any more may still run: end it by hand', { engine });
  }
}

function isDriven({ engine: type }: TaskHandle, drivers: readonly TaskDriver[]): boolean {
  return drivers.some(({ engine }) => engine === type);
}

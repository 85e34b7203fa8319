import { contentRecords } from './0002-content-records.ts';
import { namespaces } from './0003-namespaces.ts';
import { reasons } from './0004-reasons.ts';
import { taskHandles } from './0005-task-handles.ts';
import type { Migration } from './migration.ts';

export type { Migration, MigrationNeeds } from './migration.ts';

/** In the order of their formats, without gaps. Format 1 is that of version 0.1.0. */
export const migrations: readonly Migration[] = [contentRecords, namespaces, reasons, taskHandles];

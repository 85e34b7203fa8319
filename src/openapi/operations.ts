import type { Operation } from './operation.ts';
import {
  cancelJob,
  explainJob,
  getJob,
  listBids,
  listContracts,
  listJobs,
  postJob,
} from './operations/job-operations.ts';
import {
  downloadBlob,
  drain,
  getLiveness,
  getMetrics,
  getReadiness,
  getResources,
  getStatus,
  listPeers,
  undrain,
  uploadBlob,
} from './operations/node-operations.ts';
import { getResultFile, jobEvents, jobLogs, listResults } from './operations/output-operations.ts';

/** All that can be asked of a node, by id. */
export const operations = {
  postJob,
  listJobs,
  getJob,
  listBids,
  explainJob,
  listContracts,
  cancelJob,
  jobEvents,
  jobLogs,
  listResults,
  getResultFile,
  getStatus,
  getResources,
  listPeers,
  drain,
  undrain,
  uploadBlob,
  downloadBlob,
  getLiveness,
  getReadiness,
  getMetrics,
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationId = keyof typeof operations;

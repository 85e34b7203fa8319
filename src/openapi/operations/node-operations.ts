import { z } from 'zod';
import { examplePeer, exampleResources, exampleStatus } from '../examples/node-examples.ts';
import { EXAMPLE_CID } from '../examples/job-examples.ts';
import type { Operation } from '../operation.ts';
import { flag } from '../query.ts';
import { drainedShape, livenessShape, readinessShape, statusShape } from '../shapes/node.ts';
import { peerPageShape } from '../shapes/peer.ts';
import { resourcesShape } from '../shapes/resources.ts';
import { storedBlobShape } from '../shapes/result.ts';

export const getStatus = {
  id: 'getStatus',
  method: 'get',
  path: '/dms/status',
  tag: 'node',
  summary: 'Who this node is',
  description: 'Its identity and network, whom it is connected with, and what is wrong with it.',
  answers: { 200: { description: 'The node.', json: statusShape, example: exampleStatus } },
  refusals: [],
} as const satisfies Operation;

export const getResources = {
  id: 'getResources',
  method: 'get',
  path: '/dms/resources',
  tag: 'node',
  summary: 'What the machine has',
  description: 'What of it is offered, and what is free. Cores are in thousandths.',
  answers: {
    200: {
      description: 'The pools and the leases that take from them.',
      json: resourcesShape,
      example: exampleResources,
    },
  },
  refusals: [],
} as const satisfies Operation;

export const listPeers = {
  id: 'listPeers',
  method: 'get',
  path: '/dms/peers',
  tag: 'node',
  summary: 'The peer table',
  description: 'The peers this node knows, with what their newest advert said, and those that are connected.',
  answers: {
    200: { description: 'All of them.', json: peerPageShape, example: { items: [examplePeer] } },
  },
  refusals: [],
} as const satisfies Operation;

export const drain = {
  id: 'drain',
  method: 'post',
  path: '/dms/drain',
  tag: 'node',
  summary: 'Takes no new work',
  description: 'Also after a restart; what runs and what is locked goes on. Again is the same.',
  answers: { 200: { description: 'It is on disk.', json: drainedShape, example: { draining: true } } },
  refusals: ['OFFERS_NOTHING', 'STORE_BUSY', 'STORE_FAILED', 'DISK_FULL'],
} as const satisfies Operation;

export const undrain = {
  id: 'undrain',
  method: 'post',
  path: '/dms/undrain',
  tag: 'node',
  summary: 'Takes new work again',
  description: 'Again is the same.',
  answers: { 200: { description: 'It is on disk.', json: drainedShape, example: { draining: false } } },
  refusals: ['OFFERS_NOTHING', 'STORE_BUSY', 'STORE_FAILED', 'DISK_FULL'],
} as const satisfies Operation;

export const uploadBlob = {
  id: 'uploadBlob',
  method: 'post',
  path: '/dms/blobs',
  tag: 'content',
  summary: 'Stores bytes',
  description: 'They get a content id; with public=true any peer may have them.',
  query: z.strictObject({ public: flag.describe('Any peer may have them.') }),
  body: 'bytes',
  answers: {
    201: {
      description: 'Stored, on disk.',
      json: storedBlobShape,
      example: { cid: EXAMPLE_CID, size: 12 },
      headers: { Location: '/dms/blobs/{cid}' },
    },
  },
  refusals: ['CONTENT_TOO_LARGE', 'BODIES_FULL', 'STORE_FAILED', 'DISK_FULL', 'QUOTA_EXCEEDED'],
} as const satisfies Operation;

export const downloadBlob = {
  id: 'downloadBlob',
  method: 'get',
  path: '/dms/blobs/{cid}',
  tag: 'content',
  summary: 'The bytes of a content id',
  description: 'Of a file that is on this node.',
  answers: { 200: { description: 'The bytes.', media: ['application/octet-stream'] } },
  refusals: ['CONTENT_NOT_FOUND', 'CONTENT_UNAVAILABLE', 'CONTENT_INVALID', 'TOO_MANY_STREAMS'],
} as const satisfies Operation;

export const getLiveness = {
  id: 'getLiveness',
  method: 'get',
  path: '/health/live',
  tag: 'health',
  summary: 'Whether the process works',
  description: 'Answers while it does.',
  answers: { 200: { description: 'Alive.', json: livenessShape, example: { ok: true } } },
  refusals: [],
  open: true,
} as const satisfies Operation;

export const getReadiness = {
  id: 'getReadiness',
  method: 'get',
  path: '/health/ready',
  tag: 'health',
  summary: 'Whether the node can take jobs',
  description: 'Both answers say it; the status is for those that look at nothing else.',
  answers: {
    200: { description: 'Ready.', json: readinessShape, example: { ok: true, reasons: [] } },
    503: {
      description: 'Not yet, and why.',
      json: readinessShape,
      example: { ok: false, reasons: ['No node of the network was met yet.'] },
    },
  },
  refusals: [],
  open: true,
} as const satisfies Operation;

export const getMetrics = {
  id: 'getMetrics',
  method: 'get',
  path: '/metrics',
  tag: 'health',
  summary: 'Metrics for Prometheus',
  description: 'Counters begin at 0 with each start.',
  answers: { 200: { description: 'Prometheus text format.', media: ['text/plain'] } },
  refusals: [],
} as const satisfies Operation;

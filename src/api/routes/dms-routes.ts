import { z } from '@hono/zod-openapi';
import { isContentId } from '../../lib/canonical.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { admittedBodyOf } from '../body-admission.ts';
import type { RouteContext } from '../needs.ts';
import { bodyOf } from '../streams.ts';
import {
  peerView,
  resourcesView,
  statusView,
  viewPeer,
  viewResources,
  viewStatus,
} from '../views/node-views.ts';
import { flag, invalidQuery, jsonAnswer, listOf, noQuery, parameter, queryOf, type Route } from './route.ts';

const uploadQuery = z.strictObject({ public: flag });
const BYTES = { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } };

export function dmsRoutes(context: RouteContext): readonly Route[] {
  const { node, calendar } = context;
  return [
    {
      method: 'get',
      path: '/dms/status',
      summary: 'Who this node is.',
      responses: { 200: jsonAnswer('The node.', statusView) },
      handle: (c) => {
        noQuery(c);
        return c.json(viewStatus(node.status()));
      },
    },
    {
      method: 'get',
      path: '/dms/resources',
      summary: 'What the machine has, what of it is offered, and what is free.',
      responses: { 200: jsonAnswer('The pools and the leases that take from them.', resourcesView) },
      handle: (c) => {
        noQuery(c);
        return c.json(viewResources(node.resources(), calendar));
      },
    },
    {
      method: 'get',
      path: '/dms/peers',
      summary: 'The peer table.',
      responses: { 200: jsonAnswer('The peers this node knows.', listOf(peerView)) },
      handle: (c) => {
        noQuery(c);
        return c.json({ items: node.peers().map((peer) => viewPeer(peer, calendar)) });
      },
    },
    drainRoute(context, true),
    drainRoute(context, false),
    uploadRoute(context),
    downloadRoute(context),
  ];
}

function drainRoute({ node }: RouteContext, draining: boolean): Route {
  return {
    method: 'post',
    path: draining ? '/dms/drain' : '/dms/undrain',
    summary: draining
      ? 'Takes no new work, also after a restart; what runs and what is locked goes on. Again is the same.'
      : 'Takes new work again. Again is the same.',
    responses: { 200: jsonAnswer('It is on disk.', z.object({ draining: z.boolean() })) },
    handle: async (c) => {
      noQuery(c);
      await node.setDraining(draining);
      return c.json({ draining });
    },
  };
}

function uploadRoute({ content, bodies }: RouteContext): Route {
  return {
    method: 'post',
    path: '/dms/blobs',
    summary: 'Stores bytes and gives them a content id; with public=true any peer may have them.',
    query: uploadQuery,
    request: { body: { required: true, content: BYTES } },
    responses: { 201: jsonAnswer('Stored, on disk.', z.object({ cid: z.string(), size: z.number().int() })) },
    handle: async (c) => {
      const options = queryOf(c, uploadQuery);
      const { cid, size } = await bodies.streamed(
        c.req.raw,
        (chunks) => content.put(chunks, { public: options.public }),
        admittedBodyOf(c),
      );
      return c.json({ cid, size }, 201, { Location: `/dms/blobs/${cid}` });
    },
  };
}

function downloadRoute({ content, streams }: RouteContext): Route {
  return {
    method: 'get',
    path: '/dms/blobs/{cid}',
    summary: 'The bytes of a content id that is on this node.',
    responses: { 200: { description: 'The bytes.', content: BYTES } },
    handle: async (c) => {
      noQuery(c);
      const cid = parameter(c, 'cid');
      if (!isContentId(cid)) {
        throw invalidQuery([
          { path: 'cid', code: 'invalid_format', message: 'expected a content id (CIDv1)' },
        ]);
      }
      const file = await content.open(cid);
      if (file === undefined) {
        throw new CodedError(
          'CONTENT_NOT_FOUND',
          `This node does not have ${cid}. POST /dms/blobs stores it.`,
        );
      }
      const controller = streams.open(c.req.raw.signal);
      return c.body(bodyOf(c, file.bytes, controller), 200, {
        'Content-Type': 'application/octet-stream',
        'Content-Length': String(file.size),
        ETag: `"${cid}"`,
      });
    },
  };
}

import { isContentId } from '../../lib/canonical.ts';
import { CodedError } from '../../lib/coded-error.ts';
import {
  downloadBlob,
  drain,
  getResources,
  getStatus,
  listPeers,
  undrain,
  uploadBlob,
} from '../../openapi/operations/node-operations.ts';
import { admittedBodyOf } from '../body-admission.ts';
import type { RouteContext } from '../needs.ts';
import { bodyOf } from '../streams.ts';
import { viewPeer, viewResources, viewStatus } from '../views/node-views.ts';
import { invalidQuery, noQuery, parameter, queryOf, type Route } from './route.ts';

export function dmsRoutes(context: RouteContext): readonly Route[] {
  const { node, calendar } = context;
  return [
    {
      operation: getStatus,
      handle: (c) => {
        noQuery(c);
        return c.json(viewStatus(node.status()));
      },
    },
    {
      operation: getResources,
      handle: (c) => {
        noQuery(c);
        return c.json(viewResources(node.resources(), calendar));
      },
    },
    {
      operation: listPeers,
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
    operation: draining ? drain : undrain,
    handle: async (c) => {
      noQuery(c);
      await node.setDraining(draining);
      return c.json({ draining });
    },
  };
}

function uploadRoute({ content, bodies }: RouteContext): Route {
  return {
    operation: uploadBlob,
    handle: async (c) => {
      const options = queryOf(c, uploadBlob.query);
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
    operation: downloadBlob,
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

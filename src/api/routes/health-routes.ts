import { z } from '@hono/zod-openapi';
import type { RouteContext } from '../needs.ts';
import { readinessView } from '../views/node-views.ts';
import { jsonAnswer, type Route } from './route.ts';

export function healthRoutes({ node, metrics }: RouteContext): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/health/live',
      summary: 'Answers while the process works.',
      responses: { 200: jsonAnswer('Alive.', z.object({ ok: z.literal(true) })) },
      handle: (c) => c.json({ ok: true }),
    },
    {
      method: 'get',
      path: '/health/ready',
      summary: 'Whether the node can take jobs.',
      responses: {
        200: jsonAnswer('Ready.', readinessView),
        503: jsonAnswer('Not yet, and why.', readinessView),
      },
      handle: (c) => {
        const { ok, reasons } = node.ready();
        return c.json({ ok, reasons }, ok ? 200 : 503);
      },
    },
    {
      method: 'get',
      path: '/metrics',
      summary: 'Metrics for Prometheus.',
      responses: {
        200: { description: 'Prometheus text format.', content: { 'text/plain': { schema: z.string() } } },
      },
      handle: async (c) => c.body(await metrics.metrics(), 200, { 'Content-Type': metrics.contentType }),
    },
  ];
}

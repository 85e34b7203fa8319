import { getLiveness, getMetrics, getReadiness } from '../../openapi/operations/node-operations.ts';
import type { RouteContext } from '../needs.ts';
import type { Route } from './route.ts';

export function healthRoutes({ node, metrics }: RouteContext): readonly Route[] {
  return [
    { operation: getLiveness, handle: (c) => c.json({ ok: true }) },
    {
      operation: getReadiness,
      handle: (c) => {
        const { ok, reasons } = node.ready();
        return c.json({ ok, reasons }, ok ? 200 : 503);
      },
    },
    {
      operation: getMetrics,
      handle: async (c) => c.body(await metrics.metrics(), 200, { 'Content-Type': metrics.contentType }),
    },
  ];
}

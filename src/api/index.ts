export type { ApiNeeds } from './needs.ts';
export type {
  MetricsView,
  NodeStatus,
  NodeView,
  PeerLine,
  StoreDamageReport,
} from './node-view.ts';
export { type Api, createApi } from './server.ts';

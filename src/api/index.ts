export type { ApiNeeds } from './needs.ts';
export type { MetricsView, NodeResources, NodeStatus, NodeView, PeerLine, Readiness } from './node-view.ts';
export { type Api, createApi } from './server.ts';

export type { Layer } from './layers.ts';
export { type ConfigRequest, loadConfig } from './load.ts';
export { nodeOptionsOf } from './node-options-of.ts';
export type { NodeOptions } from './node-options.ts';
export type { NodeSettings } from './schema.ts';

import type { ComponentLogger } from '@libp2p/interface';
import { format } from 'node:util';
import type { Logger } from '../../lib/logger.ts';

type Libp2pLogger = ReturnType<ComponentLogger['forComponent']>;

const ignore = (): void => {};

function bridged(name: string, write: ((text: string, component: string) => void) | undefined): Libp2pLogger {
  const line =
    write === undefined
      ? ignore
      : (template: unknown, ...values: unknown[]) => write(format(template, ...values), name);
  return Object.assign((template: unknown, ...values: unknown[]) => line(template, ...values), {
    error: line,
    trace: ignore,
    enabled: write !== undefined,
    newScope: (scope: string) => bridged(`${name}:${scope}`, write),
  });
}

/** libp2p's log on ours, at `debug`: much of it is about what peers did. Without a logger it is dropped unformatted. */
export function bridgeLogs(logger: Logger | undefined): ComponentLogger {
  const write =
    logger === undefined
      ? undefined
      : (text: string, component: string): void => logger.debug('libp2p', { component, text });
  return { forComponent: (name) => bridged(name, write) };
}

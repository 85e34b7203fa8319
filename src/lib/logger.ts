import { pino } from 'pino';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured logging: a fixed message and fields, never formatted text.
 * Nothing a peer sent is logged above `debug`.
 */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  child(module: string): Logger;
}

/** Writes JSON lines to standard error, so that standard output stays free for results. */
export function createLogger(level: LogLevel): Logger {
  const root = pino(
    { level, base: null, redact: ['*.token', '*.privateKey', '*.secret'] },
    pino.destination({ fd: 2, sync: true }),
  );
  const wrap = (target: typeof root): Logger => ({
    error: (message, fields) => target.error(fields ?? {}, message),
    warn: (message, fields) => target.warn(fields ?? {}, message),
    info: (message, fields) => target.info(fields ?? {}, message),
    debug: (message, fields) => target.debug(fields ?? {}, message),
    child: (module) => wrap(target.child({ module })),
  });
  return wrap(root);
}

export const silentLogger: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => silentLogger,
};

/** A long-lived object. Nothing starts in a constructor; `stop` undoes `start` and may be called more than once. */
export interface Startable {
  start(): Promise<void>;
  stop(): Promise<void>;
}

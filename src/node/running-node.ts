/** A node that is up, as whoever started it sees it. */
export interface RunningNode {
  readonly peerId: string;
  /** Where its HTTP interface answers; empty where it has none. */
  readonly apiUrl: string;
  /** Where other nodes reach it. */
  multiaddrs(): readonly string[];
  /** Tells requesters and providers, ends what runs here and closes what is on disk. */
  stop(): Promise<void>;
}

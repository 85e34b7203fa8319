import type { NodeOptions } from '../config/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { LocalNetwork } from '../launcher/local-network.ts';
import type { CodedError } from '../lib/coded-error.ts';
import type { RunningNode } from '../node/running-node.ts';

/** One of the two output streams of a process. */
export interface OutputStream {
  readonly isTTY: boolean;
  /** Of a terminal, as wide as it is now. */
  columns?(): number;
  /** Resolves when the reader took it; rejects with the system's error, `EPIPE` where the reader has left. */
  write(chunk: string | Uint8Array): Promise<void>;
}

/** What is piped into a process, or typed. */
export interface InputStream {
  readonly isTTY: boolean;
  /** Begins to read. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** Everything of the process that the command line uses; nothing here touches the process itself. */
export interface CliEnvironment {
  /** What was typed behind the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly clock: Clock;
  /** Calls `listener` once when the user or the system asks the process to end. The returned function ends that. */
  onStop(listener: () => void): () => void;
  /** Starts a node in this process; `onFatal` is called when it cannot go on. */
  startNode(options: NodeOptions, onFatal: (error: CodedError) => void): Promise<RunningNode>;
  /** A private network of node processes on this machine, under a name that nobody else uses. */
  localNetwork(): Promise<LocalNetwork>;
}

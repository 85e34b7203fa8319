import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { DocumentFault } from '../lib/documents/document-fault.ts';
import { type DocumentFormat, readDocument } from '../lib/documents/read-document.ts';
import type { DocumentAnswer, DocumentQuestion } from './document-thread.ts';
import type { ApiOptions } from './options.ts';

/** Beside this file: TypeScript in a checkout, JavaScript in the package. */
const THREAD = new URL(`document-thread${extname(import.meta.url)}`, import.meta.url);
/** More than the largest good document needs; what needs more is refused as one that takes too long. */
const HEAP_MEBIBYTES = 44;
const YOUNG_MEBIBYTES = 4;

type ReaderOptions = Pick<
  ApiOptions,
  'jsonAtOnceBytes' | 'yamlAtOnceBytes' | 'longestReadMs' | 'maxWaitingReads' | 'idleReaderMs'
>;

/**
 * Reads posted documents without holding the node up: short ones at once, longer ones in a thread that has a deadline
 * and a heap of its own, one after the other. YAML takes up to a microsecond a character, and of some texts the square of them.
 */
export class DocumentReader {
  readonly #clock: Clock;
  readonly #options: ReaderOptions;
  #thread: Worker | undefined;
  #idle: Timer | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(clock: Clock, options: ReaderOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /**
   * The value of a document. The bytes are given away. Throws what {@link readDocument} throws, or `READER_BUSY`.
   */
  async read(bytes: Uint8Array, format: DocumentFormat): Promise<unknown> {
    const atOnce = format === 'json' ? this.#options.jsonAtOnceBytes : this.#options.yamlAtOnceBytes;
    if (bytes.length <= atOnce) return readDocument(bytes, format).value;
    if (this.#waiting >= this.#options.maxWaitingReads) {
      throw new CodedError(
        'READER_BUSY',
        'Too many large job descriptions are being read. Try again, or upload large parts with POST /dms/blobs.',
      );
    }
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#ask({ bytes, format }));
    this.#last = turn
      .catch(() => {})
      .finally(() => {
        this.#waiting -= 1;
      });
    return turn;
  }

  async stop(): Promise<void> {
    this.#idle?.cancel();
    await this.#thread?.terminate();
  }

  #ask(question: DocumentQuestion): Promise<unknown> {
    this.#idle?.cancel();
    const thread = this.#thread ?? this.#started();
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        deadline.cancel();
        thread.removeAllListeners('message');
        thread.removeAllListeners('error');
        thread.removeAllListeners('exit');
        outcome();
      };
      const giveUp = (): void => {
        this.#thread = undefined;
        void thread.terminate();
        reject(new DocumentFault('too-long', undefined));
      };
      const deadline = this.#clock.after(this.#options.longestReadMs, () => settle(giveUp));
      thread.on('message', (answer: DocumentAnswer) => {
        settle(() => {
          this.#idle = this.#clock.after(this.#options.idleReaderMs, () => this.#rest());
          if ('value' in answer) resolve(answer.value);
          else reject(new DocumentFault(answer.fault.kind, answer.fault.place, answer.fault));
        });
      });
      // Out of memory, most likely: that is the document's.
      thread.on('error', () => settle(giveUp));
      thread.on('exit', () => settle(giveUp));
      const { buffer } = question.bytes;
      const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === question.bytes.byteLength;
      thread.postMessage(question, isWhole ? [buffer] : []);
    });
  }

  #started(): Worker {
    const thread = new Worker(THREAD, {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEBIBYTES, maxYoungGenerationSizeMb: YOUNG_MEBIBYTES },
    });
    thread.unref();
    this.#thread = thread;
    return thread;
  }

  #rest(): void {
    void this.#thread?.terminate();
    this.#thread = undefined;
  }
}

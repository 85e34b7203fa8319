import { CodedError } from '../../lib/coded-error.ts';
import { ByteQueue } from './byte-queue.ts';
import { StreamMeasure } from './stream-costs.ts';

const HEADER_BYTES = 12;
const VERSION = 0;
const DATA = 0;
const SYN = 1;
const ACK = 2;
const FIN = 4;
const RST = 8;
/** What is worked off at once, in units of about 25 us. */
const UNITS_AT_ONCE = 64;
const UNITS_PER_STREAM = 16;
const UNITS_PER_FRAME = 1;
const BYTES_SKIPPED_PER_UNIT = 4096;
/** A part of a chunk of this size is not copied. */
const LARGE_BYTES = 8192;

export interface MuxHeader {
  readonly type: number;
  readonly flag: number;
  readonly streamID: number;
  readonly length: number;
}

export interface MuxFrame {
  readonly header: MuxHeader;
  readonly data?: Uint8Array;
}

/** A stream as its multiplexer has it. */
export interface MuxStream {
  readonly protocol: string;
  /** The bytes that it still takes. */
  readonly recvWindowCapacity: number;
  readonly writableNeedsDrain: boolean;
  abort(error: Error): void;
}

export interface MuxReaderNeeds {
  readonly maxWindowBytes: number;
  stream(id: number): MuxStream | undefined;
  handle(frame: MuxFrame): void;
  /** The stream is ended, for what the other side did. */
  faulted(code: string): void;
}

/**
 * Reads the frames of yamux in pieces that are worked off at once. 64 KiB can be five thousand frames or one, and hold
 * ten thousand messages or a part of one; the multiplexer takes all of it in one go. A frame of data is handed on as it
 * comes and never kept until it is whole.
 */
export class MuxReader {
  readonly #needs: MuxReaderNeeds;
  readonly #rest = new ByteQueue();
  readonly #measures = new WeakMap<MuxStream, StreamMeasure>();
  #header: MuxHeader | undefined;
  #left = 0;
  #isFirst = false;
  #isOfRest = false;

  constructor(needs: MuxReaderNeeds) {
    this.#needs = needs;
  }

  get heldBytes(): number {
    return this.#rest.heldBytes;
  }

  /** Keeps the bytes for later. */
  postpone(bytes: Uint8Array): void {
    this.#rest.append(bytes);
  }

  /**
   * Works off about as much as should run at once, of what arrived before and now. True when there is more to do. Throws
   * on what no multiplexer says; the connection is of no use afterwards.
   */
  read(bytes?: Uint8Array): boolean {
    if (bytes === undefined || this.#rest.byteLength > 0) {
      if (bytes !== undefined) this.#rest.append(bytes);
      this.#isOfRest = true;
      const { offset, isOut } = this.#work(this.#rest.bytes);
      this.#rest.consume(offset);
      return isOut && this.#rest.byteLength > 0;
    }
    this.#isOfRest = false;
    const { offset, isOut } = this.#work(bytes);
    // A copy: what is handed on below is one too where it is small, so nothing keeps the chunk.
    if (offset < bytes.byteLength) this.#rest.append(bytes.subarray(offset));
    return isOut && this.#rest.byteLength > 0;
  }

  /** Works until it is enough, or there is nothing left that can be worked on. */
  #work(bytes: Uint8Array): { readonly offset: number; readonly isOut: boolean } {
    let offset = 0;
    let units = UNITS_AT_ONCE;
    while (units > 0) {
      const rest = bytes.subarray(offset);
      if (this.#header === undefined) {
        if (rest.byteLength < HEADER_BYTES) return { offset, isOut: false };
        offset += HEADER_BYTES;
        units -= this.#begin(rest);
      } else {
        if (rest.byteLength === 0) return { offset, isOut: false };
        const piece = this.#cut(rest.subarray(0, this.#left), units);
        offset += piece.bytes;
        units -= piece.units;
      }
    }
    return { offset, isOut: true };
  }

  #begin(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
    if (view.getUint8(0) !== VERSION)
      throw new CodedError('MUX_MALFORMED', 'Not a frame of the multiplexer.');
    const header: MuxHeader = {
      type: view.getUint8(1),
      flag: view.getUint16(2),
      streamID: view.getUint32(4),
      length: view.getUint32(8),
    };
    const opens = (header.flag & SYN) === 0 || header.streamID === 0 ? 0 : UNITS_PER_STREAM;
    if (header.type !== DATA || header.length === 0) {
      if ((header.flag & (FIN | RST)) !== 0) this.#release(header);
      this.#needs.handle(header.type === DATA ? { header, data: new Uint8Array() } : { header });
      return UNITS_PER_FRAME + opens;
    }
    const window = this.#needs.stream(header.streamID)?.recvWindowCapacity ?? this.#needs.maxWindowBytes;
    if (header.streamID === 0 || header.length > window) {
      throw new CodedError('MUX_WINDOW_EXCEEDED', 'A frame of the multiplexer is larger than its window.');
    }
    this.#header = header;
    this.#left = header.length;
    this.#isFirst = true;
    return UNITS_PER_FRAME + opens;
  }

  #cut(bytes: Uint8Array, units: number): { readonly bytes: number; readonly units: number } {
    const header = this.#header;
    if (header === undefined) return { bytes: 0, units: 0 };
    const stream = this.#needs.stream(header.streamID);
    const opens = this.#isFirst && (header.flag & SYN) !== 0;
    if (stream === undefined && !opens) return this.#skip(bytes);
    const measure = (stream && this.#measures.get(stream)) ?? new StreamMeasure();
    const cut = measure.cut(stream?.protocol ?? '', bytes, units);
    this.#hand(header, bytes.subarray(0, cut.bytes), measure);
    const opened = stream ?? this.#needs.stream(header.streamID);
    if (opened === undefined) return cut;
    this.#measures.set(opened, measure);
    if (measure.isTooMuch(cut.bytes, !opened.writableNeedsDrain)) {
      this.#needs.faulted('STREAM_TOO_LONG');
      opened.abort(new CodedError('STREAM_TOO_LONG', 'More than anybody says there.'));
    }
    return cut;
  }

  /** Data that was under way when its stream ended. */
  #skip(bytes: Uint8Array): { readonly bytes: number; readonly units: number } {
    this.#left -= bytes.byteLength;
    if (this.#left === 0) this.#header = undefined;
    return { bytes: bytes.byteLength, units: bytes.byteLength / BYTES_SKIPPED_PER_UNIT };
  }

  #hand(whole: MuxHeader, bytes: Uint8Array, measure: StreamMeasure): void {
    const isFirst = this.#isFirst;
    this.#left -= bytes.byteLength;
    this.#isFirst = false;
    if (this.#left === 0) this.#header = undefined;
    const flag = (isFirst ? whole.flag & (SYN | ACK) : 0) | (this.#left === 0 ? whole.flag & (FIN | RST) : 0);
    const { gathered } = measure;
    const waits = flag === 0 && measure.gathers(gathered.byteLength + bytes.byteLength);
    if (waits || gathered.byteLength > 0) gathered.append(bytes);
    if (waits) return;
    const data = gathered.byteLength > 0 ? taken(gathered) : this.#own(bytes);
    this.#pass(whole, flag, data);
  }

  /** A small part would keep the whole chunk, and the rest is written over. */
  #own(bytes: Uint8Array): Uint8Array {
    return this.#isOfRest || bytes.byteLength < LARGE_BYTES ? bytes.slice() : bytes;
  }

  /** What was gathered comes before the end. */
  #release(header: MuxHeader): void {
    const stream = this.#needs.stream(header.streamID);
    const gathered = stream && this.#measures.get(stream)?.gathered;
    if (gathered !== undefined && gathered.byteLength > 0) this.#pass(header, 0, taken(gathered));
  }

  #pass({ streamID }: MuxHeader, flag: number, data: Uint8Array): void {
    this.#needs.handle({ header: { type: DATA, streamID, flag, length: data.byteLength }, data });
  }
}

function taken(gathered: ByteQueue): Uint8Array {
  const data = gathered.bytes.slice();
  gathered.consume(data.byteLength);
  return data;
}

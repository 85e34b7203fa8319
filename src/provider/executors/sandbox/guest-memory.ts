import { ERRNO, WasiError } from './wasi-values.ts';

/** The most buffers one read or write may name. */
const MAX_BUFFERS = 1024;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The program's linear memory. Every address comes from the program: one outside gives `fault`. Growing the memory
 * replaces its buffer, so what is kept of it is looked at before each use.
 */
export class GuestMemory {
  #memory: { readonly buffer: ArrayBuffer } | undefined;
  #whole = new DataView(new ArrayBuffer(0));

  attach(memory: { readonly buffer: ArrayBuffer }): void {
    this.#memory = memory;
  }

  get sizeBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  bytes(address: number, length: number): Uint8Array {
    const start = address >>> 0;
    const size = length >>> 0;
    const { buffer, byteLength } = this.#view();
    if (start + size > byteLength) throw new WasiError(ERRNO.fault);
    return new Uint8Array(buffer, start, size);
  }

  view(address: number, length: number): DataView {
    const bytes = this.bytes(address, length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  text(address: number, length: number): string {
    try {
      return decoder.decode(this.bytes(address, length));
    } catch (error) {
      throw error instanceof WasiError ? error : new WasiError(ERRNO.ilseq);
    }
  }

  /** Outside the memory these two throw a `RangeError`, which becomes `fault` as well. */
  setU32(address: number, value: number): void {
    this.#view().setUint32(address >>> 0, value, true);
  }

  setU64(address: number, value: bigint): void {
    this.#view().setBigUint64(address >>> 0, value, true);
  }

  /** The buffers of a scattered read or gathered write. */
  buffers(address: number, count: number): Uint8Array[] {
    const total = count >>> 0;
    if (total > MAX_BUFFERS) throw new WasiError(ERRNO.inval);
    const list = this.#view();
    const start = address >>> 0;
    const buffers: Uint8Array[] = [];
    for (let at = start; at < start + total * 8; at += 8) {
      buffers.push(this.bytes(list.getUint32(at, true), list.getUint32(at + 4, true)));
    }
    return buffers;
  }

  #view(): DataView<ArrayBuffer> {
    // A buffer that was replaced is detached, and has no length any more.
    if (this.#whole.buffer.byteLength === 0) this.#whole = new DataView(this.#buffer());
    return this.#whole;
  }

  #buffer(): ArrayBuffer {
    if (this.#memory === undefined) throw new WasiError(ERRNO.fault);
    return this.#memory.buffer;
  }
}

import { ERRNO, WasiError } from './wasi-values.ts';

/** The most buffers one read or write may name. */
const MAX_BUFFERS = 1024;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The program's linear memory. Every address comes from the program: one outside gives `fault`. Growing the memory
 * replaces its buffer, so what is kept of it is looked at before each use. Programs come here hundreds of thousands
 * of times a second: what is kept saves an object for each.
 */
export class GuestMemory {
  #memory: { readonly buffer: ArrayBuffer } | undefined;
  #all = new Uint8Array(new ArrayBuffer(0));
  #numbers = new DataView(this.#all.buffer);

  attach(memory: { readonly buffer: ArrayBuffer }): void {
    this.#memory = memory;
  }

  get sizeBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  bytes(address: number, length: number): Uint8Array {
    const start = address >>> 0;
    const size = length >>> 0;
    return new Uint8Array(this.around(start, size).buffer, start, size);
  }

  /** All of the memory, in which that part lies: for who reads it now, in place. */
  around(address: number, length: number): Uint8Array<ArrayBuffer> {
    const all = this.#current();
    if ((address >>> 0) + (length >>> 0) > all.length) throw new WasiError(ERRNO.fault);
    return all;
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

  /** Outside the memory these four throw a `RangeError`, which becomes `fault` as well. */
  u32(address: number): number {
    return this.#view().getUint32(address >>> 0, true);
  }

  setU32(address: number, value: number): void {
    this.#view().setUint32(address >>> 0, value, true);
  }

  setU64(address: number, value: bigint): void {
    this.#view().setBigUint64(address >>> 0, value, true);
  }

  setBytes(address: number, bytes: Uint8Array): void {
    this.#current().set(bytes, address >>> 0);
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
    this.#current();
    return this.#numbers;
  }

  #current(): Uint8Array<ArrayBuffer> {
    // A buffer that was replaced is detached, and has no length any more.
    if (this.#all.length === 0) {
      this.#all = new Uint8Array(this.#buffer());
      this.#numbers = new DataView(this.#all.buffer);
    }
    return this.#all;
  }

  #buffer(): ArrayBuffer {
    if (this.#memory === undefined) throw new WasiError(ERRNO.fault);
    return this.#memory.buffer;
  }
}

import { ERRNO, WasiError } from './wasi-values.ts';

/** The most buffers one read or write may name. */
const MAX_BUFFERS = 1024;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The program's linear memory. Every address comes from the program: one outside gives `fault`. Views are made
 * for each use, because growing the memory replaces its buffer.
 */
export class GuestMemory {
  #memory: { readonly buffer: ArrayBuffer } | undefined;

  attach(memory: { readonly buffer: ArrayBuffer }): void {
    this.#memory = memory;
  }

  get sizeBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  bytes(address: number, length: number): Uint8Array {
    const start = address >>> 0;
    const size = length >>> 0;
    const buffer = this.#buffer();
    if (start + size > buffer.byteLength) throw new WasiError(ERRNO.fault);
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

  setU32(address: number, value: number): void {
    this.view(address, 4).setUint32(0, value, true);
  }

  setU64(address: number, value: bigint): void {
    this.view(address, 8).setBigUint64(0, value, true);
  }

  /** The buffers of a scattered read or gathered write. */
  buffers(address: number, count: number): Uint8Array[] {
    const total = count >>> 0;
    if (total > MAX_BUFFERS) throw new WasiError(ERRNO.inval);
    const list = this.view(address, total * 8);
    return Array.from({ length: total }, (_, index) =>
      this.bytes(list.getUint32(index * 8, true), list.getUint32(index * 8 + 4, true)),
    );
  }

  #buffer(): ArrayBuffer {
    if (this.#memory === undefined) throw new WasiError(ERRNO.fault);
    return this.#memory.buffer;
  }
}

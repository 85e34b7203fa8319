import type { KeyRange, Operation } from '../../src/store/database.ts';

const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/** Negative, zero or positive, as the UTF-8 bytes of `a` come before, with or after those of `b`. */
function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return byteRank(left) - byteRank(right);
  }
  return a.length - b.length;
}

/** UTF-16 sorts the characters beyond U+FFFF before U+E000 and up, UTF-8 behind them. */
function byteRank(unit: number): number {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE ? unit + 0x10000 : unit;
}

/** An ordered map in memory. */
export class SortedEntries {
  readonly #keys: string[] = [];
  readonly #values = new Map<string, Uint8Array>();

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)?.slice();
  }

  apply(operations: readonly Operation[]): void {
    for (const operation of operations) {
      const { key } = operation;
      if (operation.type === 'put') {
        if (!this.#values.has(key)) this.#keys.splice(this.#position(key), 0, key);
        this.#values.set(key, operation.value);
      } else if (this.#values.delete(key)) {
        this.#keys.splice(this.#position(key), 1);
      }
    }
  }

  slice(range: KeyRange): (readonly [string, Uint8Array])[] {
    const limit = range.limit ?? Number.POSITIVE_INFINITY;
    const first = this.#position(range.gte);
    const end = Math.max(first, this.#position(range.lt));
    const keys =
      range.reverse === true
        ? this.#keys.slice(Math.max(first, end - limit), end).toReversed()
        : this.#keys.slice(first, Math.min(end, first + limit));
    return keys.map((key) => [key, this.get(key) ?? new Uint8Array()] as const);
  }

  /** How many keys come before `key`. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

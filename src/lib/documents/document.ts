import { DocumentFault, type FaultDetail, type FaultKind, type Place, placeAt } from './document-fault.ts';
import { MOST_VALUES } from './bounds.ts';

/** A text that was read. */
export interface ReadDocument {
  readonly value: unknown;
  /** Where the value at a path such as `inputs.0.source` stands; undefined where there is none. */
  readonly placeOf: (path: string) => Place | undefined;
}

/** Collects the values of a document and where they stand, up to a bound. */
export class DocumentParts {
  readonly #text: string;
  readonly #offsets = new WeakMap<object, Map<string, number>>();
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** To be told of each value before it is made. Throws `too-many`. */
  count(offset: number, values = 1): void {
    this.#values += values;
    if (this.#values > MOST_VALUES) throw this.fault('too-many', offset);
  }

  get counted(): number {
    return this.#values;
  }

  /** What `target` has under `key`, whatever the key means to JavaScript. */
  set(target: object, key: string, value: unknown, offset: number): void {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
    const offsets = this.#offsets.get(target) ?? new Map<string, number>();
    this.#offsets.set(target, offsets.set(key, offset));
  }

  fault(kind: FaultKind, offset: number, detail?: FaultDetail): DocumentFault {
    return new DocumentFault(kind, placeAt(this.#text, offset), detail);
  }

  document(value: unknown, start: number): ReadDocument {
    return {
      value,
      placeOf: (path) => {
        const offset = path === '' ? start : this.#offsetOf(value, path);
        return offset === undefined ? undefined : placeAt(this.#text, offset);
      },
    };
  }

  /** Keys may have points in them: the longest one that fits is taken. */
  #offsetOf(value: unknown, path: string): number | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const offsets = this.#offsets.get(value);
    if (offsets === undefined) return undefined;
    for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
      const key = path.slice(0, end);
      const offset = offsets.get(key);
      if (offset === undefined) continue;
      if (end === path.length) return offset;
      const inner: unknown = Reflect.get(value, key);
      return this.#offsetOf(inner, path.slice(end + 1)) ?? offset;
    }
    return undefined;
  }
}

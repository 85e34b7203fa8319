/** One place a value of the configuration came from. */
export interface Layer {
  /** For people: a file name, `environment variable X` or `flag --x`. */
  readonly source: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Values by key, and where each came from. Later layers win; objects are merged, lists are replaced. */
export class MergedLayers {
  readonly tree: Tree = { __proto__: null };
  readonly #sources = new Map<string, string>();

  add({ source, path, value }: Layer): void {
    if (isTree(value)) {
      this.#branch(path, source);
      for (const [key, inner] of Object.entries(value))
        this.add({ source, path: [...path, key], value: inner });
      return;
    }
    const last = path.at(-1);
    if (last === undefined) return;
    this.#branch(path.slice(0, -1), source)[last] = value;
    this.#sources.set(path.join('.'), source);
  }

  /** Who set the value at `path`, or else the nearest value around it. */
  sourceOf(path: readonly PropertyKey[]): string {
    for (let length = path.length; length >= 0; length -= 1) {
      const source = this.#sources.get(path.slice(0, length).join('.'));
      if (source !== undefined) return source;
    }
    return 'the defaults';
  }

  #branch(path: readonly string[], source: string): Tree {
    let branch = this.tree;
    for (const [depth, key] of path.entries()) {
      const next = branch[key];
      if (isTree(next)) {
        branch = next;
      } else {
        const made: Tree = { __proto__: null };
        branch[key] = made;
        branch = made;
        this.#sources.set(path.slice(0, depth + 1).join('.'), source);
      }
    }
    return branch;
  }
}

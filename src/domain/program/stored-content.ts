/** Content that is here in full: the id of its root, the bytes of its files, and its blocks in serving order. */
export interface StoredObject {
  readonly cid: string;
  readonly bytes: number;
  readonly isPublic: boolean;
  /** Lived time of the last storing. */
  readonly storedAt: number;
  readonly blocks: readonly (readonly [cid: string, size: number])[];
  /** Those of its blocks whose bytes are in the database; each of the others is a file. */
  readonly inline: readonly string[];
}

/** An object comes to be. Those of its blocks that are files must be durable by now. */
export interface ContentAddition {
  readonly op: 'add';
  readonly object: StoredObject;
  /** Bytes of those inline blocks that come with the object. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** One change of what content is here, and of who keeps it. */
export type ContentChange =
  | ContentAddition
  | { readonly op: 'touch'; readonly cid: string; readonly storedAt: number }
  | { readonly op: 'publish'; readonly cid: string }
  /** Only of an object of which no block is in a change that is not durable yet. */
  | { readonly op: 'drop'; readonly cid: string }
  | { readonly op: 'pin'; readonly cid: string; readonly owner: string }
  | { readonly op: 'unpin'; readonly owner: string };

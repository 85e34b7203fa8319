import { CodedError } from '../lib/coded-error.ts';

/** Where a node notes what it must not forget. */
export interface OwnerNotes {
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, value: Uint8Array): Promise<void>;
}

const NAME = 'owner';

/**
 * Notes whose store this is, the first time. Throws `IDENTITY_CHANGED` where it is that of a node with another key: its
 * contracts are in a name that this one cannot sign for.
 */
export async function claimStore(notes: OwnerNotes, peerId: string, dataDir: string): Promise<void> {
  const stored = await notes.get(NAME);
  if (stored === undefined) {
    await notes.put(NAME, new TextEncoder().encode(peerId));
    return;
  }
  const owner = new TextDecoder().decode(stored);
  if (owner === peerId) return;
  throw new CodedError(
    'IDENTITY_CHANGED',
    `The data directory ${dataDir} belongs to the node ${owner}, and its key is that of ${peerId}. Put the key of ${owner} back, or choose another directory with --data-dir DIR.`,
    { data: { dataDir, owner, peerId } },
  );
}

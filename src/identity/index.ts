/** The node's key, the names that follow from it, and signing and checking with it. */
export { loadIdentity } from './key-file.ts';
export { claimStore } from './ownership.ts';
export { type Identity, identityOf } from './key-pair.ts';
export { createNotary, createVerifier } from './notary.ts';

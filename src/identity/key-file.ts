import { link, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CodedError, codeOf } from '../lib/coded-error.ts';
import type { Random } from '../lib/random.ts';
import { checkDataDir, prepareDataDir } from './data-dir.ts';
import { type Identity, identityOf, SEED_BYTES } from './key-pair.ts';

const KEY_FILE = 'identity.json';
const OWNER_ONLY = 0o600;
const OTHERS_MASK = 0o077;

const keyFile = z.strictObject({
  type: z.literal('Ed25519'),
  seed: z.base64(),
  peerId: z.string(),
});

function parseKeyFile(path: string, text: string): Identity {
  const invalid = (cause?: unknown): CodedError<'IDENTITY_INVALID'> =>
    new CodedError(
      'IDENTITY_INVALID',
      `The identity file ${path} is damaged. Put back a copy of it, or move it away to start as a new node.`,
      { cause },
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(cause);
  }
  const parsed = keyFile.safeParse(json);
  if (!parsed.success) throw invalid(parsed.error);
  const seed = new Uint8Array(Buffer.from(parsed.data.seed, 'base64'));
  if (seed.length !== SEED_BYTES) throw invalid();
  const identity = identityOf(seed);
  if (identity.peerId !== parsed.data.peerId) throw invalid();
  return identity;
}

async function readKeyFile(path: string): Promise<Identity | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new CodedError('IDENTITY_UNREADABLE', `The identity file ${path} cannot be read.`, {
      cause: error,
    });
  }
  const { mode } = await stat(path);
  if ((mode & OTHERS_MASK) !== 0) {
    throw new CodedError(
      'IDENTITY_EXPOSED',
      `Other users can read the identity file ${path}. Run "chmod 600" on it, or start with a new data directory.`,
    );
  }
  return parseKeyFile(path, text);
}

/** Writes all of the file or nothing, and never over one that is there. */
async function writeKeyFile(path: string, identity: Identity, random: Random): Promise<void> {
  const temporary = `${path}.${Buffer.from(random.bytes(8)).toString('hex')}`;
  const file = await open(temporary, 'wx', OWNER_ONLY);
  try {
    const seed = Buffer.from(identity.privateKeyRaw.subarray(0, SEED_BYTES)).toString('base64');
    await file.writeFile(`${JSON.stringify({ type: 'Ed25519', seed, peerId: identity.peerId })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(temporary);
  }
}

/**
 * The identity kept in `dataDir`; made there the first time, and never in place of one that is gone.
 * Throws `IDENTITY_INVALID`, `IDENTITY_EXPOSED`, `IDENTITY_UNREADABLE`, `IDENTITY_MISSING` or `DATA_DIR_EXPOSED`.
 */
export async function loadIdentity(dataDir: string, random: Random): Promise<Identity> {
  const path = join(dataDir, KEY_FILE);
  const present = await readKeyFile(path);
  if (present !== undefined) {
    await checkDataDir(dataDir);
    return present;
  }
  await prepareDataDir(dataDir, path);
  await writeKeyFile(path, identityOf(random.bytes(SEED_BYTES)), random);
  const made = await readKeyFile(path);
  if (made === undefined) {
    throw new CodedError('IDENTITY_UNREADABLE', `The identity file ${path} vanished while it was made.`);
  }
  return made;
}

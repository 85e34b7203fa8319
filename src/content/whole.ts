import type { CID } from 'multiformats/cid';
import { isLeaf } from './content-id.ts';
import type { DagBounds, DagTotals } from './dag-check.ts';
import type { Intake } from './staging.ts';
import { measure } from './unixfs-reader.ts';

/** What an import has made of something. */
interface Whole {
  readonly root: CID;
  readonly totals: DagTotals;
}

/** Waits for an import to end, and until all that it wrote as files is durable. */
export async function wholeOf(imported: Promise<CID>, intake: Intake, bounds: DagBounds): Promise<Whole> {
  const root = await imported;
  await intake.settle();
  return { root, totals: await totalsOf(root, intake, bounds) };
}

async function totalsOf(root: CID, intake: Intake, bounds: DagBounds): Promise<DagTotals> {
  const key = root.toString();
  const bytes = isLeaf(root) ? intake.sizeOf(key) : undefined;
  return bytes === undefined ? await measure(root, intake, bounds) : { bytes, blocks: [[key, bytes]] };
}

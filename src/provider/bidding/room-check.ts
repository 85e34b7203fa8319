import type { BidRequest, Refusal } from '../../domain/market/bid.ts';
import type { Pools } from '../../domain/matching/capability.ts';
import { bytesAsked, bytesThere } from '../../domain/matching/field-text.ts';
import type { RoomSeen } from '../resources/room.ts';

/** Of the disk, left for the records of this node: without them it can neither end nor report what it runs. */
const DISK_RESERVE_BYTES = 16 * 1024 * 1024;

/** Of the content store, left for what a program gives back at the least. */
const LEAST_RESULT_BYTES = 256 * 1024;

/** Inputs lie in the content store, and beside the program that reads them. */
const COPIES_OF_INPUTS = 2;

interface RoomNeed {
  /** What the job may write. */
  readonly diskBytes: number;
  /** Of its program and inputs, what is not here and is not on its way here. */
  readonly inputBytes: number;
  /** Set aside for others; what of it is written already is not free either, so this is on the safe side. */
  readonly leasedBytes: number;
}

/** What a request needs of the disk and of the content store. */
export function roomNeedOf(
  { requirements, inputBytes = 0 }: Pick<BidRequest, 'requirements' | 'inputBytes'>,
  { locked, allocated }: Pick<Pools, 'locked' | 'allocated'>,
  holdsInputs: boolean,
): RoomNeed {
  return {
    diskBytes: requirements.resources.diskBytes,
    inputBytes: holdsInputs ? 0 : inputBytes,
    leasedBytes: locked.diskBytes + allocated.diskBytes,
  };
}

/** How often the job fits on the disk as it is; any number of times where nobody knows. */
export function placesOnDisk(room: RoomSeen, need: RoomNeed): number {
  if (room.diskBytes === undefined) return Number.POSITIVE_INFINITY;
  const inputBytes = COPIES_OF_INPUTS * (room.expectedBytes + need.inputBytes);
  const spareBytes = room.diskBytes - DISK_RESERVE_BYTES - need.leasedBytes - inputBytes;
  if (spareBytes < need.diskBytes) return 0;
  return need.diskBytes === 0 ? Number.POSITIVE_INFINITY : Math.floor(spareBytes / need.diskBytes);
}

/** Why there is no room on the disk or in the content store, by the name of the setting; undefined where there is. */
export function refusalForRoom(room: RoomSeen, need: RoomNeed): Refusal | undefined {
  if (room.refusal !== undefined) {
    return full('dataDir', `The disk of this node takes no writes (dataDir: ${room.refusal}).`);
  }
  const wantedBytes = need.inputBytes + LEAST_RESULT_BYTES;
  if (wantedBytes > room.contentQuotaBytes && need.inputBytes > 0) {
    const required = bytesAsked(need.inputBytes);
    const available = bytesThere(room.contentQuotaBytes, need.inputBytes);
    const message = `The inputs have ${required}, and the content store of this node takes ${available} in all (limits.contentQuotaBytes).`;
    return {
      ...full('limits.contentQuotaBytes', message),
      required,
      available,
      retryable: false,
    };
  }
  if (room.expectedBytes + wantedBytes > room.contentBytes) {
    const free = bytesThere(Math.max(0, room.contentBytes - room.expectedBytes), wantedBytes);
    const message = `The content store of this node is full (limits.contentQuotaBytes): ${bytesAsked(wantedBytes)} needed, ${free} free.`;
    return full('limits.contentQuotaBytes', message);
  }
  if (placesOnDisk(room, need) > 0) return undefined;
  const free = bytesThere(room.diskBytes ?? 0, need.diskBytes);
  const message = `The disk of this node is full (dataDir): ${free} free, some of it spoken for, and the job may write ${bytesAsked(need.diskBytes)}.`;
  return full('dataDir', message);
}

function full(field: string, message: string): Refusal {
  return { code: 'INSUFFICIENT_RESOURCES', message, field, retryable: true };
}

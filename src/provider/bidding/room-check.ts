import type { BidRequest, Refusal } from '../../domain/market/bid.ts';
import type { RefusalReason } from '../../domain/market/refusal-reason.ts';
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
    return full('dataDir', { code: 'disk-takes-no-writes', data: { error: room.refusal } });
  }
  const wantedBytes = need.inputBytes + LEAST_RESULT_BYTES;
  if (wantedBytes > room.contentQuotaBytes && need.inputBytes > 0) {
    const required = bytesAsked(need.inputBytes);
    const available = bytesThere(room.contentQuotaBytes, need.inputBytes);
    const why = { code: 'inputs-over-quota', data: { required, available } } as const;
    return {
      ...full('limits.contentQuotaBytes', why),
      required,
      available,
      retryable: false,
    };
  }
  if (room.expectedBytes + wantedBytes > room.contentBytes) {
    const available = bytesThere(Math.max(0, room.contentBytes - room.expectedBytes), wantedBytes);
    const data = { required: bytesAsked(wantedBytes), available };
    return full('limits.contentQuotaBytes', { code: 'content-full', data });
  }
  if (placesOnDisk(room, need) > 0) return undefined;
  const available = bytesThere(room.diskBytes ?? 0, need.diskBytes);
  const data = { required: bytesAsked(need.diskBytes), available };
  return full('dataDir', { code: 'disk-full', data });
}

function full(field: string, why: RefusalReason): Refusal {
  return { code: 'INSUFFICIENT_RESOURCES', why, field, retryable: true };
}

/** Numbers of WASI preview 1, by their names there. */
export const ERRNO = {
  success: 0,
  again: 6,
  badf: 8,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  io: 29,
  isdir: 31,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  perm: 63,
  rofs: 69,
  spipe: 70,
  notcapable: 76,
} as const;

export type Errno = (typeof ERRNO)[keyof typeof ERRNO];

/** The standard streams are `unknown`, as pipes are: a character device would be taken for a terminal. */
export const FILETYPE = { unknown: 0, directory: 3, regularFile: 4 } as const;

export const RIGHT_FD_READ = 1n << 1n;
export const RIGHT_FD_WRITE = 1n << 6n;
const bits = (...positions: readonly number[]): bigint =>
  positions.reduce((sum, position) => sum | (1n << BigInt(position)), 0n);
/** What can be done with a file beside reading and writing it: seek, tell, sync, advise, size, times, flags, poll. */
export const RIGHTS_FILE = bits(0, 2, 3, 4, 5, 7, 8, 21, 22, 23, 27);
/** No reading, writing or seeking: a program that opens a folder again with the rights it has must not ask to write. */
export const RIGHTS_DIRECTORY = bits(3, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 23, 24, 25, 26);
export const RIGHTS_STREAM = bits(3, 21, 27);
/** What files and folders may have that are opened below a folder. */
export const RIGHTS_INHERITED = RIGHTS_FILE | RIGHTS_DIRECTORY | RIGHT_FD_READ | RIGHT_FD_WRITE;

export const OFLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
export const FDFLAG_APPEND = 1;
/** The others say when a write is on the disk, which is settled when the file is opened. */
export const FDFLAGS_CHANGEABLE = FDFLAG_APPEND | 4;
export const FDFLAGS_ALL = 31;
export const FSTFLAG = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;
export const WHENCE = { set: 0, current: 1, end: 2 } as const;
export const CLOCK = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;
export const EVENT_CLOCK = 0;
export const CLOCK_FLAG_ABSTIME = 1;

export const DIRENT_BYTES = 24;
export const SUBSCRIPTION_BYTES = 48;
export const EVENT_BYTES = 32;

/** A call that failed in a way the program is told about. */
export class WasiError extends Error {
  override readonly name = 'WasiError';
  readonly errno: Errno;

  constructor(errno: Errno) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

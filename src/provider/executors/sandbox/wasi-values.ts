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

export const FILETYPE = { characterDevice: 2, directory: 3, regularFile: 4 } as const;

export const RIGHT_FD_WRITE = 1n << 6n;
export const RIGHTS_ALL = (1n << 30n) - 1n;
/** Reading and writing, but neither seek nor tell: how a C library recognises a terminal-like stream. */
export const RIGHTS_STREAM = (1n << 1n) | (1n << 3n) | RIGHT_FD_WRITE | (1n << 21n) | (1n << 27n);

export const OFLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
export const FDFLAG_APPEND = 1;
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

import { beforeEach, describe, expect, it } from 'vitest';
import {
  ERRNO,
  FILETYPE,
  FSTFLAG,
  OFLAG,
  RIGHT_FD_READ,
  RIGHT_FD_WRITE,
} from '../../../../src/provider/sandbox/child/wasi-values.ts';
import { FIRST_PREOPENED, WasiCaller } from './wasi-world.ts';

const READ_WRITE = RIGHT_FD_READ | RIGHT_FD_WRITE;
const RIGHT_FD_SEEK = 1n << 2n;
const RIGHT_FD_FILESTAT_SET_SIZE = 1n << 22n;
const APPEND = 1;
const NONBLOCK = 4;
const SYNC = 16;
const RESULT = 300;
const CLOSED = 99;

let caller: WasiCaller;

beforeEach(() => {
  caller = new WasiCaller();
});

function opened(path: string, options: Parameters<WasiCaller['open']>[1]): number {
  const [errno, fd] = caller.open(path, options);
  expect(errno).toBe(ERRNO.success);
  return fd;
}

function fdstat(fd: number): { filetype: number; flags: number; rights: bigint; inherited: bigint } {
  expect(caller.call('fd_fdstat_get', fd, RESULT)).toBe(ERRNO.success);
  const { view } = caller;
  return {
    filetype: view.getUint8(RESULT),
    flags: view.getUint16(RESULT + 2, true),
    rights: view.getBigUint64(RESULT + 8, true),
    inherited: view.getBigUint64(RESULT + 16, true),
  };
}

describe('a folder', () => {
  it.each([
    ['writing', { rights: READ_WRITE }],
    ['writing as a folder', { rights: RIGHT_FD_WRITE, oflags: OFLAG.directory }],
    ['truncating', { rights: RIGHT_FD_READ, oflags: OFLAG.truncate }],
    ['creating', { rights: RIGHT_FD_READ, oflags: OFLAG.create }],
  ])('is not opened for %s', (_, options) => {
    expect(caller.open('.', options)[0]).toBe(ERRNO.isdir);
  });

  it('has no rights of files, so that it can be opened again with those it has', () => {
    const { rights, inherited, filetype } = fdstat(FIRST_PREOPENED);
    expect(filetype).toBe(FILETYPE.directory);
    expect(rights & (READ_WRITE | RIGHT_FD_SEEK | RIGHT_FD_FILESTAT_SET_SIZE)).toBe(0n);
    expect(inherited & READ_WRITE).toBe(READ_WRITE);
    expect(fdstat(opened('.', { rights })).rights).toBe(rights);
    expect(fdstat(opened('.', { rights: RIGHT_FD_READ, oflags: OFLAG.directory })).rights).toBe(rights);
  });
});

describe('a descriptor', () => {
  const write = (fd: number): number => caller.call('fd_write', fd, ...caller.buffer(2048, 4), RESULT);
  const read = (fd: number): number => caller.call('fd_read', fd, ...caller.buffer(2048, 4), RESULT);
  const pread = (fd: number): number => caller.call('fd_pread', fd, ...caller.buffer(2048, 4), 0n, RESULT);

  it.each([
    ['writing', RIGHT_FD_WRITE, [ERRNO.success, ERRNO.badf, ERRNO.badf]],
    ['reading', RIGHT_FD_READ, [ERRNO.badf, ERRNO.success, ERRNO.success]],
    ['both', READ_WRITE, [ERRNO.success, ERRNO.success, ERRNO.success]],
    ['neither', 0n, [ERRNO.badf, ERRNO.badf, ERRNO.badf]],
  ])('that was opened for %s does that', (_, rights, expected) => {
    const fd = opened('file', { rights, oflags: OFLAG.create });
    expect([write(fd), read(fd), pread(fd)]).toEqual(expected);
    expect(fdstat(fd).rights & READ_WRITE).toBe(rights);
  });

  it('cannot have its rights narrowed, and says so', () => {
    const fd = opened('file', { rights: READ_WRITE, oflags: OFLAG.create });
    expect(caller.call('fd_fdstat_set_rights', fd, 0n, 0n)).toBe(ERRNO.notsup);
    expect(caller.call('fd_fdstat_set_rights', CLOSED, 0n, 0n)).toBe(ERRNO.badf);
    expect(write(fd)).toBe(ERRNO.success);
  });

  it('keeps the flags it was opened with', () => {
    const options = { rights: READ_WRITE, oflags: OFLAG.create };
    const fd = opened('file', { ...options, fdflags: APPEND | SYNC });
    expect(fdstat(fd).flags).toBe(APPEND | SYNC);
    expect(caller.call('fd_fdstat_set_flags', fd, NONBLOCK)).toBe(ERRNO.success);
    expect(fdstat(fd).flags).toBe(NONBLOCK | SYNC);
    expect(fdstat(opened('file', options)).flags).toBe(0);
  });

  it('appends where that is among its flags', () => {
    const fd = opened('file', { rights: READ_WRITE, oflags: OFLAG.create, fdflags: APPEND });
    write(fd);
    caller.call('fd_seek', fd, 0n, 0, RESULT);
    write(fd);
    caller.call('fd_filestat_get', fd, RESULT);
    expect(caller.view.getBigUint64(RESULT + 32, true)).toBe(8n);
  });

  it.each([0, 1, 2])('%i is a stream and no terminal', (fd) => {
    const { filetype, rights } = fdstat(fd);
    expect(filetype).toBe(FILETYPE.unknown);
    expect(rights & READ_WRITE).toBe(fd === 0 ? RIGHT_FD_READ : RIGHT_FD_WRITE);
  });
});

describe('times', () => {
  const times = (): [bigint, bigint] => {
    caller.call('path_filestat_get', FIRST_PREOPENED, 0, ...caller.text('file'), RESULT);
    return [caller.view.getBigUint64(RESULT + 40, true), caller.view.getBigUint64(RESULT + 48, true)];
  };

  it.each([
    ['of access', FSTFLAG.atim | FSTFLAG.atimNow],
    ['of change', FSTFLAG.mtim | FSTFLAG.mtimNow],
    ['of change beside a good one', FSTFLAG.atim | FSTFLAG.mtim | FSTFLAG.mtimNow],
  ])('%s are one given or now, not both', (_, flags) => {
    const fd = opened('file', { rights: READ_WRITE, oflags: OFLAG.create });
    const before = times();
    expect(caller.call('fd_filestat_set_times', fd, 1n, 2n, flags)).toBe(ERRNO.inval);
    const path = caller.text('file');
    expect(caller.call('path_filestat_set_times', FIRST_PREOPENED, 0, ...path, 1n, 2n, flags)).toBe(
      ERRNO.inval,
    );
    expect(times()).toEqual(before);
    expect(caller.call('fd_filestat_set_times', fd, 1n, 2n, FSTFLAG.atim | FSTFLAG.mtim)).toBe(ERRNO.success);
    expect(times()).toEqual([1n, 2n]);
  });
});

describe('a descriptor that is not open', () => {
  it.each(['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'])('is no socket for %s', (name) => {
    expect(caller.call(name, CLOSED, 0, 0, 0, 0, 0)).toBe(ERRNO.badf);
    expect(caller.call(name, FIRST_PREOPENED, 0, 0, 0, 0, 0)).toBe(ERRNO.notsock);
  });

  it.each([
    [CLOSED, ERRNO.badf],
    [0, ERRNO.success],
  ])('is told of by poll (%i)', (fd, errno) => {
    const [subscription, event] = [4096, 8192];
    caller.view.setUint8(subscription + 8, 1);
    caller.view.setUint32(subscription + 16, fd, true);
    expect(caller.call('poll_oneoff', subscription, event, 1, RESULT)).toBe(ERRNO.success);
    expect(caller.view.getUint16(event + 8, true)).toBe(errno);
  });
});

describe('links', () => {
  it('can neither be made nor found', () => {
    opened('file', { oflags: OFLAG.create });
    const [at, length] = caller.text('file');
    const symlink = caller.call('path_symlink', at, length, FIRST_PREOPENED, ...caller.text('link', 1200));
    const link = caller.call('path_link', FIRST_PREOPENED, 0, at, length, FIRST_PREOPENED, at, length);
    const readlink = caller.call('path_readlink', FIRST_PREOPENED, at, length, 2048, 10, RESULT);
    expect([symlink, link, readlink]).toEqual([ERRNO.notsup, ERRNO.notsup, ERRNO.inval]);
  });
});

describe('printing', () => {
  const printed = (): string[] => caller.world.printed.stdout.map((bytes) => new TextDecoder().decode(bytes));
  /** Writes a list of buffers into the memory and prints them. */
  const print = (fd: number, ...buffers: (readonly [at: number, length: number])[]): number => {
    for (const [index, [at, length]] of buffers.entries()) {
      caller.view.setUint32(512 + index * 8, at, true);
      caller.view.setUint32(516 + index * 8, length, true);
    }
    return caller.call('fd_write', fd, 512, buffers.length, RESULT);
  };

  it('takes one buffer or several, and counts what it took', () => {
    const [first, second] = [caller.text('one', 1024), caller.text(' two', 2048)];
    expect(print(1, first)).toBe(ERRNO.success);
    expect(caller.view.getUint32(RESULT, true)).toBe(3);
    expect(print(1, first, [0, 0], second)).toBe(ERRNO.success);
    expect(caller.view.getUint32(RESULT, true)).toBe(7);
    expect(printed().join('')).toBe('oneone two');
  });

  it.each([
    ['ends beyond the memory', [[60_000, 60_000]]],
    ['starts beyond it', [[0xffff_fff0, 0x20]]],
    [
      'follows a good one',
      [
        [1024, 3],
        [0xffff_ffff, 1],
      ],
    ],
  ] as const)('prints nothing of a list with a buffer that %s', (_, buffers) => {
    expect(print(1, ...buffers)).toBe(ERRNO.fault);
    expect(printed()).toEqual([]);
  });
});

import type { Descriptor, DirectoryDescriptor, FileDescriptor, ListedEntry } from './descriptors.ts';
import type { TreeNode } from './file-nodes.ts';
import { printAll } from './print-buffers.ts';
import {
  DIRENT_BYTES,
  ERRNO,
  FDFLAG_APPEND,
  FDFLAGS_CHANGEABLE,
  FILETYPE,
  FSTFLAG,
  RIGHT_FD_READ,
  RIGHT_FD_WRITE,
  RIGHTS_DIRECTORY,
  RIGHTS_FILE,
  RIGHTS_INHERITED,
  RIGHTS_STREAM,
  WasiError,
  WHENCE,
} from './wasi-values.ts';
import type { WasiCalls, WasiContext } from './wasi-context.ts';

const FILESTAT_BYTES = 64;
const encoder = new TextEncoder();

/** The calls on an open descriptor: `fd_*`. */
export function fileCalls(context: WasiContext): WasiCalls {
  return { ...transferCalls(context), ...statusCalls(context), ...directoryCalls(context) };
}

function transferCalls(context: WasiContext): WasiCalls {
  const { memory, descriptors } = context;
  const write = (open: FileDescriptor, position: number, buffers: readonly Uint8Array[]): number => {
    if (!open.writable) throw new WasiError(ERRNO.badf);
    const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    let at = position;
    for (const buffer of buffers) {
      open.file.write(at, buffer);
      at += buffer.length;
    }
    return total;
  };
  return {
    fd_read: (fd: number, list: number, count: number, resultAt: number) => {
      const open = descriptors.get(fd);
      if (open.kind === 'directory') throw new WasiError(ERRNO.isdir);
      if (open.kind === 'print' || (open.kind === 'file' && !open.readable)) throw new WasiError(ERRNO.badf);
      const done = readInto(memory.buffers(list, count), (into, offset) =>
        (open.kind === 'file' ? open.file : open.source).read(open.position + offset, into),
      );
      open.position += done;
      memory.setU32(resultAt, done);
    },
    fd_pread: (fd: number, list: number, count: number, offset: bigint, resultAt: number) => {
      const { file, readable } = descriptors.file(fd);
      if (!readable) throw new WasiError(ERRNO.badf);
      const start = fileOffset(offset);
      const done = readInto(memory.buffers(list, count), (into, read) => file.read(start + read, into));
      memory.setU32(resultAt, done);
    },
    fd_write: (fd: number, list: number, count: number, resultAt: number) => {
      const open = descriptors.get(fd);
      if (open.kind === 'stdin') throw new WasiError(ERRNO.badf);
      if (open.kind === 'directory') throw new WasiError(ERRNO.isdir);
      if (open.kind === 'print') {
        memory.setU32(resultAt, printAll(context, open.stream, list, count));
        return;
      }
      if ((open.flags & FDFLAG_APPEND) !== 0) open.position = open.file.size;
      const total = write(open, open.position, memory.buffers(list, count));
      open.position += total;
      memory.setU32(resultAt, total);
    },
    fd_pwrite: (fd: number, list: number, count: number, offset: bigint, resultAt: number) => {
      const open = descriptors.file(fd);
      memory.setU32(resultAt, write(open, fileOffset(offset), memory.buffers(list, count)));
    },
    fd_seek: (fd: number, offset: bigint, whence: number, resultAt: number) => {
      const open = descriptors.file(fd);
      const starts: Readonly<Record<number, number>> = {
        [WHENCE.set]: 0,
        [WHENCE.current]: open.position,
        [WHENCE.end]: open.file.size,
      };
      const start = starts[whence];
      if (start === undefined) throw new WasiError(ERRNO.inval);
      open.position = fileOffset(BigInt(start) + BigInt.asIntN(64, offset));
      memory.setU64(resultAt, BigInt(open.position));
    },
    fd_tell: (fd: number, resultAt: number) => {
      memory.setU64(resultAt, BigInt(descriptors.file(fd).position));
    },
  };
}

function statusCalls({ memory, descriptors, nowNs }: WasiContext): WasiCalls {
  const requireOpen = (fd: number): void => {
    descriptors.get(fd);
  };
  const resize = (fd: number, change: (size: number) => number): void => {
    const { file, writable } = descriptors.file(fd);
    if (!writable) throw new WasiError(ERRNO.badf);
    const size = change(file.size);
    if (size !== file.size) file.resize(size);
  };
  return {
    fd_advise: requireOpen,
    fd_datasync: requireOpen,
    fd_sync: requireOpen,
    // Rights are what a descriptor was opened with; taking some away in silence would be a lie.
    fd_fdstat_set_rights: (fd: number) => {
      descriptors.get(fd);
      throw new WasiError(ERRNO.notsup);
    },
    fd_allocate: (fd: number, offset: bigint, length: bigint) =>
      resize(fd, (size) =>
        Math.max(size, fileOffset(BigInt.asUintN(64, offset) + BigInt.asUintN(64, length))),
      ),
    fd_filestat_set_size: (fd: number, size: bigint) =>
      resize(fd, () => fileOffset(BigInt.asUintN(64, size))),
    fd_close: (fd: number) => descriptors.close(fd),
    fd_renumber: (from: number, to: number) => descriptors.renumber(from, to),
    fd_fdstat_get: (fd: number, resultAt: number) => {
      const open = descriptors.get(fd);
      const view = memory.view(resultAt, 24);
      const rights = rightsOf(open);
      view.setUint8(0, filetypeOf(open));
      view.setUint16(2, open.kind === 'file' ? open.flags : 0, true);
      view.setBigUint64(8, rights, true);
      view.setBigUint64(16, open.kind === 'directory' ? RIGHTS_INHERITED : rights, true);
    },
    fd_fdstat_set_flags: (fd: number, flags: number) => {
      const open = descriptors.get(fd);
      if (open.kind === 'file')
        open.flags = (open.flags & ~FDFLAGS_CHANGEABLE) | (flags & FDFLAGS_CHANGEABLE);
    },
    fd_filestat_get: (fd: number, resultAt: number) => {
      const open = descriptors.get(fd);
      if (open.kind === 'file') writeFilestat(memory.view(resultAt, FILESTAT_BYTES), open.file);
      else if (open.kind === 'directory')
        writeFilestat(memory.view(resultAt, FILESTAT_BYTES), open.directory);
      else {
        memory.bytes(resultAt, FILESTAT_BYTES).fill(0);
        memory.view(resultAt, FILESTAT_BYTES).setUint8(16, FILETYPE.unknown);
      }
    },
    fd_filestat_set_times: (fd: number, atime: bigint, mtime: bigint, flags: number) => {
      const open = descriptors.get(fd);
      if (open.kind === 'file') setTimes(open.file, atime, mtime, flags, nowNs());
      else if (open.kind === 'directory') setTimes(open.directory, atime, mtime, flags, nowNs());
    },
  };
}

function directoryCalls({ memory, descriptors }: WasiContext): WasiCalls {
  return {
    fd_prestat_get: (fd: number, resultAt: number) => {
      const { preopened } = preopenedDirectory(descriptors.get(fd));
      const view = memory.view(resultAt, 8);
      view.setUint8(0, 0);
      view.setUint32(4, encoder.encode(preopened).length, true);
    },
    fd_prestat_dir_name: (fd: number, at: number, length: number) => {
      const name = encoder.encode(preopenedDirectory(descriptors.get(fd)).preopened);
      if (name.length > length >>> 0) throw new WasiError(ERRNO.nametoolong);
      memory.bytes(at, name.length).set(name);
    },
    fd_readdir: (fd: number, at: number, length: number, cookie: bigint, resultAt: number) => {
      const open = descriptors.directory(fd);
      if (cookie === 0n || open.listing === undefined) open.listing = listingOf(open);
      const into = memory.bytes(at, length);
      memory.setU32(resultAt, writeListing(into, open.listing, BigInt.asUintN(64, cookie)));
    },
  };
}

/** Reads buffer after buffer until one is not filled. */
function readInto(
  buffers: readonly Uint8Array[],
  read: (into: Uint8Array, offset: number) => number,
): number {
  let done = 0;
  for (const buffer of buffers) {
    const count = read(buffer, done);
    done += count;
    if (count < buffer.length) break;
  }
  return done;
}

/** An offset or size from the program as a number that arithmetic is exact for. */
function fileOffset(value: bigint): number {
  if (value < 0n) throw new WasiError(ERRNO.inval);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) / 2n) throw new WasiError(ERRNO.fbig);
  return Number(value);
}

function filetypeOf(open: Descriptor): number {
  if (open.kind === 'file') return FILETYPE.regularFile;
  return open.kind === 'directory' ? FILETYPE.directory : FILETYPE.unknown;
}

function rightsOf(open: Descriptor): bigint {
  switch (open.kind) {
    case 'directory':
      return RIGHTS_DIRECTORY;
    case 'stdin':
      return RIGHTS_STREAM | RIGHT_FD_READ;
    case 'print':
      return RIGHTS_STREAM | RIGHT_FD_WRITE;
    case 'file':
      return RIGHTS_FILE | (open.readable ? RIGHT_FD_READ : 0n) | (open.writable ? RIGHT_FD_WRITE : 0n);
  }
}

export function writeFilestat(view: DataView, node: TreeNode): void {
  view.setBigUint64(0, 1n, true);
  view.setBigUint64(8, node.inode, true);
  view.setBigUint64(16, 0n, true);
  view.setUint8(16, node.kind === 'file' ? FILETYPE.regularFile : FILETYPE.directory);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, node.kind === 'file' ? BigInt(node.size) : 0n, true);
  view.setBigUint64(40, node.times.atimeNs, true);
  view.setBigUint64(48, node.times.mtimeNs, true);
  view.setBigUint64(56, node.times.mtimeNs, true);
}

export function setTimes(node: TreeNode, atime: bigint, mtime: bigint, flags: number, nowNs: bigint): void {
  const both = (time: number, now: number): boolean => (flags & time) !== 0 && (flags & now) !== 0;
  if (both(FSTFLAG.atim, FSTFLAG.atimNow) || both(FSTFLAG.mtim, FSTFLAG.mtimNow))
    throw new WasiError(ERRNO.inval);
  if (!node.writable) throw new WasiError(ERRNO.rofs);
  const { times } = node;
  if ((flags & FSTFLAG.atimNow) !== 0) times.atimeNs = nowNs;
  else if ((flags & FSTFLAG.atim) !== 0) times.atimeNs = BigInt.asUintN(64, atime);
  if ((flags & FSTFLAG.mtimNow) !== 0) times.mtimeNs = nowNs;
  else if ((flags & FSTFLAG.mtim) !== 0) times.mtimeNs = BigInt.asUintN(64, mtime);
}

function preopenedDirectory(open: Descriptor): { preopened: string } {
  if (open.kind !== 'directory' || open.preopened === undefined) throw new WasiError(ERRNO.badf);
  return { preopened: open.preopened };
}

function listingOf({ directory }: DirectoryDescriptor): ListedEntry[] {
  const parent = directory.parent ?? directory;
  const itself = { name: encoder.encode('.'), inode: directory.inode, kind: 'directory' as const };
  const above = { name: encoder.encode('..'), inode: parent.inode, kind: 'directory' as const };
  const entries = [...directory.entries].map(([name, node]) => ({
    name: encoder.encode(name),
    inode: node.inode,
    kind: node.kind,
  }));
  return [itself, above, ...entries];
}

/** A full buffer, the last entry cut off, tells the program that there is more. */
function writeListing(into: Uint8Array, listing: readonly ListedEntry[], cookie: bigint): number {
  let used = 0;
  for (let index = Number(cookie); index < listing.length && used < into.length; index += 1) {
    const entry = listing[index];
    if (entry === undefined) break;
    const record = new Uint8Array(DIRENT_BYTES + entry.name.length);
    const view = new DataView(record.buffer);
    view.setBigUint64(0, BigInt(index + 1), true);
    view.setBigUint64(8, entry.inode, true);
    view.setUint32(16, entry.name.length, true);
    view.setUint8(20, entry.kind === 'file' ? FILETYPE.regularFile : FILETYPE.directory);
    record.set(entry.name, DIRENT_BYTES);
    const part = record.subarray(0, into.length - used);
    into.set(part, used);
    used += part.length;
  }
  return used;
}

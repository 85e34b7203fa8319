import type { DirectoryNode } from './file-nodes.ts';
import { setTimes, writeFilestat } from './file-calls.ts';
import { ERRNO, FDFLAGS_ALL, OFLAG, RIGHT_FD_READ, RIGHT_FD_WRITE, WasiError } from './wasi-values.ts';
import type { WasiCalls, WasiContext } from './wasi-context.ts';

/** The calls on a path below an open folder: `path_*`. Links can neither be made nor found. */
export function pathCalls({ memory, descriptors, tree, nowNs }: WasiContext): WasiCalls {
  const base = (fd: number): DirectoryNode => descriptors.directory(fd).directory;
  return {
    path_create_directory: (fd: number, at: number, length: number) =>
      tree.createDirectory(base(fd), memory.text(at, length)),
    path_filestat_get: (fd: number, _flags: number, at: number, length: number, resultAt: number) => {
      writeFilestat(memory.view(resultAt, 64), tree.find(base(fd), memory.text(at, length)));
    },
    path_filestat_set_times: (
      fd: number,
      _lookup: number,
      at: number,
      length: number,
      atime: bigint,
      mtime: bigint,
      flags: number,
    ) => {
      setTimes(tree.find(base(fd), memory.text(at, length)), atime, mtime, flags, nowNs());
    },
    path_open: (
      fd: number,
      _lookup: number,
      at: number,
      length: number,
      oflags: number,
      rights: bigint,
      _inherited: bigint,
      fdflags: number,
      resultAt: number,
    ) => {
      const wantsDirectory = (oflags & OFLAG.directory) !== 0;
      const writable = (rights & RIGHT_FD_WRITE) !== 0n;
      const truncate = (oflags & OFLAG.truncate) !== 0;
      const create = (oflags & OFLAG.create) !== 0 && !wantsDirectory;
      const exclusive = (oflags & OFLAG.exclusive) !== 0;
      const node = tree.open(base(fd), memory.text(at, length), { create, exclusive });
      if (node.kind === 'directory') {
        if (writable || truncate || create) throw new WasiError(ERRNO.isdir);
        memory.setU32(resultAt, descriptors.add({ kind: 'directory', directory: node }));
        return;
      }
      if (wantsDirectory) throw new WasiError(ERRNO.notdir);
      if (!node.writable && (writable || truncate)) throw new WasiError(ERRNO.rofs);
      if (truncate) node.resize(0);
      const readable = (rights & RIGHT_FD_READ) !== 0n;
      const flags = fdflags & FDFLAGS_ALL;
      memory.setU32(
        resultAt,
        descriptors.add({ kind: 'file', file: node, readable, writable, flags, position: 0 }),
      );
    },
    path_readlink: (fd: number, at: number, length: number) => {
      tree.find(base(fd), memory.text(at, length));
      throw new WasiError(ERRNO.inval);
    },
    path_remove_directory: (fd: number, at: number, length: number) =>
      tree.removeDirectory(base(fd), memory.text(at, length)),
    path_rename: (fd: number, at: number, length: number, newFd: number, newAt: number, newLength: number) =>
      tree.rename(base(fd), memory.text(at, length), base(newFd), memory.text(newAt, newLength)),
    path_unlink_file: (fd: number, at: number, length: number) =>
      tree.unlinkFile(base(fd), memory.text(at, length)),
    path_link: () => {
      throw new WasiError(ERRNO.notsup);
    },
    path_symlink: () => {
      throw new WasiError(ERRNO.notsup);
    },
  };
}

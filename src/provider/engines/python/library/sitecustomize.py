"""
Read by Python before the script. Shows files with the modes that they would have elsewhere, names what is missing on
WebAssembly where a program runs into it, and mends modules when they are first imported, so that nobody waits for the rest.
"""

import _frozen_importlib_external as _external
import _stat
import os
import sys

_HERE = os.path.dirname(__file__)
_WHERE = 'see "Python" in specs/sandbox.md'

# The folder with these files is no business of the program: neither its environment nor its imports show it.
sys.path[:] = [path for path in sys.path if path != _HERE]
_path = os.environ.pop('PYTHONPATH', '')
if _path != _HERE:
    os.environ['PYTHONPATH'] = _path.removeprefix(_HERE + ':')


def missing(what):
    """The words for something that no program can have here."""
    return f'{what} ({_WHERE})'


# ---- modes of files: WASI has none, and an archive of entries that nobody may read helps nobody ----

_modes = {}
_stat_of, _lstat_of, _fstat_of = os.stat, os.lstat, os.fstat


def _shown(found):
    mode = found.st_mode
    if mode & 0o7777:
        return found
    if mode == 0:
        mode = _stat.S_IFIFO | 0o600  # the standard streams, which WASI has no kind for
    else:
        mode |= _modes.get(found.st_ino) or (0o755 if mode == 0o040000 else 0o644)
    made, (numbers, more) = found.__reduce__()
    return made((mode, *numbers[1:]), more)


def stat(path, *, dir_fd=None, follow_symlinks=True):
    return _shown(_stat_of(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks))


def lstat(path, *, dir_fd=None):
    return _shown(_lstat_of(path, dir_fd=dir_fd))


def fstat(fd):
    return _shown(_fstat_of(fd))


def chmod(path, mode, *, dir_fd=None, follow_symlinks=True):
    """Remembered as long as the program runs."""
    found = _fstat_of(path) if isinstance(path, int) else _stat_of(path, dir_fd=dir_fd)
    _modes[found.st_ino] = mode & 0o7777


for _call, _original in ((stat, _stat_of), (lstat, _lstat_of), (fstat, _fstat_of), (chmod, os.chmod)):
    _call.__doc__ = _original.__doc__
    _call.__module__ = 'os'
    for _set in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if _original in _set:
            _set.add(_call)
    setattr(os, _call.__name__, _call)


_PROCESSES = {'system', 'popen', 'fork', 'forkpty', 'posix_spawn', 'posix_spawnp', 'pipe', 'pipe2', 'wait', 'waitpid',
              'kill', 'execv', 'execve', 'spawnv', 'spawnl', 'spawnlp', 'spawnvp'}


def _no_attribute(name):
    text = f"module 'os' has no attribute {name!r}"
    if name in _PROCESSES:
        text = missing(f'{text}: a program here is one process and cannot start another')
    raise AttributeError(text, name=name, obj=os)


os.__getattr__ = _no_attribute


# ---- threads ----

import _thread


def _no_thread(*args, **kwargs):
    raise RuntimeError(missing("can't start new thread: Python on WebAssembly has none, asyncio takes turns without"))


_thread.start_new_thread = _thread.start_new = _no_thread


# ---- modules: some are mended when they are first imported, the rest says why it is not here ----

_MENDED = {'asyncio.base_events', 'asyncio.selector_events', 'asyncio.unix_events', 'hashlib', 'selectors', 'socket',
           'subprocess', 'zoneinfo._common', 'zoneinfo._tzpath'}

_NO_XZ = 'lzma is not built in; gzip, bz2 and zlib are'
_NO_TLS = 'there is no network, and so no TLS'
_ONE_PROCESS = 'a program here is one process and cannot start another; count gives a job more of them'
_NO_THREADS = 'Python on WebAssembly has no threads; asyncio takes turns without'
_NOTHING_NATIVE = 'native libraries cannot be loaded'
_REASONS = {
    'lzma': _NO_XZ,
    '_lzma': _NO_XZ,
    'ssl': _NO_TLS,
    '_ssl': _NO_TLS,
    'multiprocessing': _ONE_PROCESS,
    '_multiprocessing': _ONE_PROCESS,
    'concurrent.futures.process': _ONE_PROCESS,
    'concurrent.futures.thread': _NO_THREADS,
    'ctypes': _NOTHING_NATIVE,
    '_ctypes': _NOTHING_NATIVE,
}


class _Mender:
    """Loads a module as it would be loaded, then runs the file here that mends it."""

    def __init__(self, loader):
        self.loader = loader

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        name = 'mend_' + module.__name__.replace('.', '_')
        exec(_external.SourceFileLoader(name, f'{_HERE}/{name}.py').get_code(name), {'module': module, 'missing': missing, 'HERE': _HERE, '__name__': module.__name__})


class _Mending:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in _MENDED:
            return None
        spec = _external.PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Mender(spec.loader)
        return spec


class _Missing:
    """The last to be asked. Who only asks whether a module is there gets the plain answer."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if sys._getframe(2).f_code.co_name != '_find_and_load_unlocked':
            return None
        reason = _REASONS.get(name)
        if reason is None:
            if path is not None:
                return None
            if name in sys.stdlib_module_names:
                reason = 'this part of the standard library is not built in'
            else:
                reason = 'there is the standard library and what a job brings as inputs, nothing can be installed'
        raise ModuleNotFoundError(missing(f'No module named {name!r}: {reason}'), name=name)


sys.meta_path.insert(0, _Mending)
sys.meta_path.append(_Missing)

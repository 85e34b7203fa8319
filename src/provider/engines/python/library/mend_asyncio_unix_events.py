import errno


async def no_process(self, *args, **kwargs):
    raise OSError(errno.ENOTSUP, missing('a program here is one process and cannot start another'))


def no_signal(self, *args):
    raise NotImplementedError(missing('nobody sends signals to a program here'))


loop = module._UnixSelectorEventLoop
loop._make_subprocess_transport = no_process
loop.add_signal_handler = no_signal
loop.subprocess_exec = no_process
loop.subprocess_shell = no_process

def nothing(self, *args):
    """There are no threads, so nobody has to wake a loop that waits: it needs no pair of sockets to itself."""


loop = module.BaseSelectorEventLoop
loop._make_self_pipe = nothing
loop._close_self_pipe = nothing
loop._write_to_self = nothing

original = module.BaseEventLoop.run_in_executor


def run_in_executor(self, executor, func, *args):
    """Without threads a call that blocks is made at once; other tasks go on when it has ended."""
    if executor is not None or self._default_executor is not None:
        return original(self, executor, func, *args)
    self._check_closed()
    future = self.create_future()
    try:
        future.set_result(func(*args))
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        if isinstance(error, StopIteration):
            error = RuntimeError('coroutine raised StopIteration')
        future.set_exception(error)
    return future


module.BaseEventLoop.run_in_executor = run_in_executor

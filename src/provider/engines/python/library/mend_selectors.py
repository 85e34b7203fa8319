import time


class WaitingSelector(module.PollSelector):
    """Waits for descriptors as poll does, and for time alone where there are none, which poll of WASI refuses."""

    def select(self, timeout=None):
        if self.get_map():
            return super().select(timeout)
        if timeout is None:
            raise RuntimeError(
                missing('everything waits and nothing is left that could wake it: there are no threads or sockets')
            )
        if timeout > 0:
            time.sleep(timeout)
        return []


module.DefaultSelector = WaitingSelector

import errno


def no_process(self, args=None, *more, **options):
    raise OSError(errno.ENOTSUP, missing('a program here is one process and cannot start another'))


module.Popen.__init__ = no_process
module.Popen.__del__ = lambda self: None

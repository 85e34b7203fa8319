import errno

WORDS = missing('there is no network here: what a program needs comes as inputs')


def no_network(*args, **options):
    raise OSError(errno.ENOTSUP, WORDS)


module.socket.__init__ = no_network
for name in ('getaddrinfo', 'gethostname', 'gethostbyname', 'gethostbyname_ex', 'gethostbyaddr', 'getnameinfo',
             'getfqdn', 'socketpair', 'create_connection', 'create_server', 'fromfd'):
    setattr(module, name, no_network)

def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function."""
    if not isinstance(hash_name, str):
        raise TypeError(hash_name)
    password, salt = bytes(memoryview(password)), bytes(memoryview(salt))
    inner, outer = module.new(hash_name), module.new(hash_name)
    if dklen is None:
        dklen = outer.digest_size
    if iterations < 1:
        raise ValueError('iteration value must be greater than 0.')
    if dklen < 1:
        raise ValueError('key length must be greater than 0.')
    if len(password) > inner.block_size:
        password = module.new(hash_name, password).digest()
    password = password.ljust(inner.block_size, b'\0')
    inner.update(bytes(byte ^ 0x36 for byte in password))
    outer.update(bytes(byte ^ 0x5C for byte in password))

    def hmac(message, inner=inner.copy, outer=outer.copy):
        within, around = inner(), outer()
        within.update(message)
        around.update(within.digest())
        return around.digest()

    key = b''
    block = 1
    while len(key) < dklen:
        step = hmac(salt + block.to_bytes(4, 'big'))
        mixed = int.from_bytes(step, 'big')
        for _ in range(iterations - 1):
            step = hmac(step)
            mixed ^= int.from_bytes(step, 'big')
        key += mixed.to_bytes(outer.digest_size, 'big')
        block += 1
    return key[:dklen]


module.pbkdf2_hmac = pbkdf2_hmac
module.__all__ = (*module.__all__, 'pbkdf2_hmac')

LANES = 0xFFFFFFFF | 0xFFFFFFFF << 64 | 0xFFFFFFFF << 128 | 0xFFFFFFFF << 192
#: The words of a block of Salsa20 that are worked on side by side, one in each 64 bits of a number.
SIDE_BY_SIDE = ((0, 5, 10, 15), (4, 9, 14, 3), (8, 13, 2, 7), (12, 1, 6, 11))


def salsa(a, b, c, d, lanes=LANES, low=0xFFFFFFFF, three=(1 << 192) - 1, two=(1 << 128) - 1):
    """Salsa20/8 of a block; four quarter rounds go on at once, as each step is the same for four words."""
    w, x, y, z = a, b, c, d
    for _ in range(4):
        t = a + d & lanes
        b ^= (t << 7 | t >> 25) & lanes
        t = b + a & lanes
        c ^= (t << 9 | t >> 23) & lanes
        t = c + b & lanes
        d ^= (t << 13 | t >> 19) & lanes
        t = d + c & lanes
        a ^= (t << 18 | t >> 14) & lanes
        b, c, d = d >> 64 | (d & low) << 192, c >> 128 | (c & two) << 128, b >> 192 | (b & three) << 64
        t = a + d & lanes
        b ^= (t << 7 | t >> 25) & lanes
        t = b + a & lanes
        c ^= (t << 9 | t >> 23) & lanes
        t = c + b & lanes
        d ^= (t << 13 | t >> 19) & lanes
        t = d + c & lanes
        a ^= (t << 18 | t >> 14) & lanes
        b, c, d = d >> 64 | (d & low) << 192, c >> 128 | (c & two) << 128, b >> 192 | (b & three) << 64
    return a + w & lanes, b + x & lanes, c + y & lanes, d + z & lanes


def block_mix(blocks):
    a, b, c, d = blocks[-1]
    even, odd = [], []
    for index, (e, f, g, h) in enumerate(blocks):
        a, b, c, d = block = salsa(a ^ e, b ^ f, c ^ g, d ^ h)
        (odd if index & 1 else even).append(block)
    return even + odd


def rom_mix(piece, n):
    blocks = []
    for start in range(0, len(piece), 64):
        words = [int.from_bytes(piece[at : at + 4], 'little') for at in range(start, start + 64, 4)]
        blocks.append(tuple(sum(words[word] << 64 * lane for lane, word in enumerate(row)) for row in SIDE_BY_SIDE))
    seen = []
    for _ in range(n):
        seen.append(blocks)
        blocks = block_mix(blocks)
    for _ in range(n):
        other = seen[blocks[-1][0] & n - 1]
        blocks = block_mix(
            [(a ^ e, b ^ f, c ^ g, d ^ h) for (a, b, c, d), (e, f, g, h) in zip(blocks, other)]
        )
    mixed = bytearray(len(piece))
    for index, block in enumerate(blocks):
        for row, value in zip(SIDE_BY_SIDE, block):
            for lane, word in enumerate(row):
                at = 64 * index + 4 * word
                mixed[at : at + 4] = (value >> 64 * lane & 0xFFFFFFFF).to_bytes(4, 'little')
    return bytes(mixed)


def scrypt(password, *, salt=None, n=None, r=None, p=None, maxmem=0, dklen=64):
    """scrypt password-based key derivation function."""
    if salt is None:
        raise TypeError('salt is required')
    if n is None or n < 2 or n & n - 1:
        raise ValueError('n must be a power of 2.')
    if r is None or r < 1 or p is None or p < 1 or r * p >= 1 << 30:
        raise ValueError('Invalid parameter combination for n, r, p, maxmem.')
    if dklen < 1:
        raise ValueError('dklen must be greater than 0 and smaller than 2147483647')
    if 128 * r * (n + p + 2) > (maxmem or 32 * 1024 * 1024):
        raise ValueError('Invalid parameter combination for n, r, p, maxmem.')
    size = 128 * r
    pieces = pbkdf2_hmac('sha256', password, salt, 1, size * p)
    mixed = b''.join(rom_mix(pieces[start : start + size], n) for start in range(0, size * p, size))
    return pbkdf2_hmac('sha256', password, mixed, 1, dklen)


module.scrypt = scrypt
module.__all__ = (*module.__all__, 'scrypt')

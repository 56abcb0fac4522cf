"""Which standard normal numbers belong to a seed and a stream? Philox4x32-10 and the polar method, in numpy alone."""
import numpy as np

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)


def words(counter, key):
    """Philox4x32-10 of Salmon, Moraes, Dror and Shaw (SC 2011): four arrays of 32-bit words from four of the same length."""
    a, b, c, d = (np.asarray(word, np.uint64) for word in counter)
    first, second = key
    for _ in range(10):
        p, q = MULTIPLIERS[0] * a, MULTIPLIERS[1] * c
        a, b, c, d = (q >> HALF) ^ b ^ np.uint64(first), q & LOW, (p >> HALF) ^ d ^ np.uint64(second), p & LOW
        first, second = (first + WEYL[0]) & 0xFFFFFFFF, (second + WEYL[1]) & 0xFFFFFFFF
    return a, b, c, d


def uniform(high, low):
    """In [0, 1), from the upper 53 of 64 bits."""
    return ((high << HALF | low) >> np.uint64(11)).astype(float) * 2.0 ** -53


def normal(seed, stream, n):
    """n numbers; each pair of them depends on seed, stream and its own place alone."""
    out = np.empty((n + 1) // 2 * 2)
    open_pairs, attempt = np.arange(len(out) // 2, dtype=np.uint64), 0
    while len(open_pairs):
        fill = np.zeros_like(open_pairs)
        w = words((open_pairs & LOW, open_pairs >> HALF, fill + np.uint64(attempt), fill + np.uint64(stream)),
                  (seed & 0xFFFFFFFF, seed >> 32))
        u, v = 2 * uniform(w[0], w[1]) - 1, 2 * uniform(w[2], w[3]) - 1
        square = u * u + v * v
        good = (square > 0) & (square < 1)
        length = np.sqrt(-2 * np.log(square[good]) / square[good])
        out[2 * open_pairs[good]], out[2 * open_pairs[good] + np.uint64(1)] = u[good] * length, v[good] * length
        open_pairs, attempt = open_pairs[~good], attempt + 1
    return out[:n]

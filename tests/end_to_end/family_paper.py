"""What an author of a checkpoint writes: canonical matrices, kept as the truth, and the tensors that are made of them."""
import zlib

import numpy as np


class Paper:
    """Sizes are odd where the family allows it. `truth` maps paths of roles to (out, in) matrices and vectors."""

    def __init__(self, name, family, alone, heads=4, kv=2, width=6, hidden=24, inter=17, vocab=31, layers=2, experts=3):
        self.name, self.family, self.alone = name, family, alone
        self.heads, self.kv, self.width, self.hidden = heads, kv, width, hidden
        self.inter, self.vocab, self.layers, self.experts = inter, vocab, layers, experts
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.truth, self.tensors, self.config = {}, {}, {}
        self.offset = {}        # what a gain adds to its stored value, by the beginning of its role
        self.others = set()     # tensors that are known and not compared
        self.buffers = set()    # tensors that are left out
        self.odd_alone = False  # without a claim its shapes contradict the family of its names

    def numbers(self, *shape):
        return self.rng.standard_normal(shape).astype(np.float32)

    def matrix(self, path, out, into):
        assert path not in self.truth, path
        self.truth[path] = self.numbers(out, into)
        return self.truth[path]

    def vector(self, path, size):
        assert path not in self.truth, path
        self.truth[path] = self.numbers(size)
        return self.truth[path]

    def put(self, name, path, *shape):
        """A tensor that is stored as it is canonical."""
        assert name not in self.tensors, name
        self.tensors[name] = self.truth[path] = self.numbers(*shape)

    def linear(self, name, path, out, into, bias=False, transposed=False):
        weight = self.matrix(path, out, into)
        self.tensors[name + ".weight"] = weight.T if transposed else weight
        if bias:
            self.tensors[name + ".bias"] = self.vector(path + ".bias", out)

    def norm(self, name, path, bias=False, size=None):
        self.put(name + ".weight", path, size or self.hidden)
        if bias:
            self.put(name + ".bias", path + ".bias", size or self.hidden)

    def other(self, name, *shape):
        self.tensors[name] = self.numbers(*shape)
        self.others.add(name)

    def buffer(self, name, *shape):
        self.tensors[name] = self.numbers(*shape)
        self.buffers.add(name)

    def rename(self, change):
        self.tensors = {change(name): array for name, array in self.tensors.items()}
        self.others = {change(name) for name in self.others}


def per_head(p, q, k, v):
    """Head 0 of q, of k, of v, then head 1."""
    heads = [part.reshape(p.heads, p.width, -1) for part in (q, k, v)]
    return np.concatenate([rows for head in zip(*heads) for rows in head])


def groups(p, q, k, v):
    """The heads of q that share a head of k and v, then those two."""
    share = p.heads // p.kv * p.width
    out = []
    for g in range(p.kv):
        out += [q[g * share:(g + 1) * share], k[g * p.width:(g + 1) * p.width], v[g * p.width:(g + 1) * p.width]]
    return np.concatenate(out)


def blocks(n, q, k, v):
    """An n-th of q, of v, of k, then the next."""
    parts = [np.split(part, n) for part in (q, v, k)]
    return np.concatenate([rows for block in zip(*parts) for rows in block])


def woven(gate, up):
    """Row 0 of gate, row 0 of up, row 1 of gate."""
    out = np.empty((2 * len(gate), *gate.shape[1:]), gate.dtype)
    out[0::2], out[1::2] = gate, up
    return out


def pair_by_pair(p, rows):
    """Of every head, row 0 of the first half, row 0 of the second, row 1 of the first."""
    half = p.width // 2
    heads = rows.reshape(-1, p.width, rows.shape[1])
    return np.stack([heads[:, :half], heads[:, half:]], 2).reshape(rows.shape)

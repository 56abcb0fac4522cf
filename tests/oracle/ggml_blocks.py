"""What do quantised blocks decode to, by their formulas, one value after the other?"""
import numpy as np

F32 = np.float32
E2M1 = np.array([0, .5, 1, 1.5, 2, 3, 4, 6, -0., -.5, -1, -1.5, -2, -3, -4, -6], F32)
E2M1_HALF = np.array([.25, .25, .25, .25, .5, .5, 1, 1] * 2, F32)
IQ4 = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], F32)
IQ4_HALF = np.array([max(abs(IQ4[i] - IQ4[j]) for j in (i - 1, i + 1) if 0 <= j < 16) / 2 for i in range(16)], F32)

# Values and bytes of a block.
SIZES = {"q4_0": (32, 18), "q4_1": (32, 20), "q5_0": (32, 22), "q5_1": (32, 24), "q8_0": (32, 34), "q8_1": (32, 36),
         "q2_k": (256, 84), "q3_k": (256, 110), "q4_k": (256, 144), "q5_k": (256, 176), "q6_k": (256, 210),
         "q8_k": (256, 292), "iq4_nl": (32, 18), "iq4_xs": (256, 136), "mxfp4": (32, 17), "nvfp4": (64, 36),
         "tq1_0": (256, 54), "tq2_0": (256, 66), "q1_0": (128, 18), "q2_0": (64, 18)}
# Where the scales of a block lie, so that tests can choose what they put there.
HALVES_AT = {"q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "q8_0": [0], "q8_1": [0, 2], "q2_k": [80, 82],
             "q3_k": [108], "q4_k": [0, 2], "q5_k": [0, 2], "q6_k": [208], "iq4_nl": [0], "iq4_xs": [0], "tq1_0": [52],
             "tq2_0": [64], "q1_0": [0], "q2_0": [0]}


def f16(block, at):
    return F32(block[at:at + 2].view("<f2")[0])


def u16(block, at):
    return int(block[at]) | int(block[at + 1]) << 8


def u32(block, at):
    return u16(block, at) | u16(block, at + 2) << 16


def bit(x, i):
    return int(x) >> i & 1


def signed(byte):
    return int(byte) - 256 * (int(byte) > 127)


def lo(x):
    return int(x) & 15


def hi(x):
    return int(x) >> 4


def e4m3(code):
    exponent, mantissa = code >> 3 & 15, code & 7
    return 2.0**(exponent - 7) * (1 + mantissa / 8) if exponent else mantissa / 8 * 2.0**-6


def legacy(kind, b):
    """(scale, code, minimum) of every value; the minimum is None where there is none."""
    d, m = f16(b, 0), f16(b, 2) if kind in ("q4_1", "q5_1") else None
    if kind in ("q8_0", "q8_1"):
        q = b[2 if kind == "q8_0" else 4:]
        return [(d, signed(x), None) for x in q]
    begin = {"q4_0": 2, "q4_1": 4, "q5_0": 6, "q5_1": 8}[kind]
    q = b[begin:begin + 16]
    high = u32(b, begin - 4) if kind in ("q5_0", "q5_1") else 0
    zero = {"q4_0": 8, "q5_0": 16}.get(kind, 0)
    codes = [lo(x) for x in q] + [hi(x) for x in q]
    return [(d, code + 16 * bit(high, j) - zero, m) for j, code in enumerate(codes)]


def q2_k(b):
    sc, q, d, dmin = b[:16], b[16:80], f16(b, 80), f16(b, 82)
    out, g = [], 0
    for n in (0, 1):
        for s in (0, 2, 4, 6):
            for p in (0, 1):
                out += [(d * F32(lo(sc[g])), int(q[32 * n + 16 * p + l]) >> s & 3, -(dmin * F32(hi(sc[g])))) for l in range(16)]
                g += 1
    return out


def q3_k(b):
    hm, q, s, d = b[:32], b[32:96], b[96:108], f16(b, 108)

    def scale(g):
        low = lo(s[g % 8]) if g < 8 else hi(s[g % 8])
        return low + 16 * (int(s[8 + g % 4]) >> 2 * (g // 4) & 3)
    out, g = [], 0
    for n in (0, 1):
        for shift in (0, 2, 4, 6):
            for p in (0, 1):
                for l in range(16):
                    code = (int(q[32 * n + 16 * p + l]) >> shift & 3) - (0 if bit(hm[16 * p + l], 4 * n + shift // 2) else 4)
                    out.append((d * F32(scale(g) - 32), code, None))
                g += 1
    return out


def q45_k(kind, b):
    d, dmin, s = f16(b, 0), f16(b, 2), b[4:16]
    h, q = (b[16:48], b[48:]) if kind == "q5_k" else (np.zeros(32, np.uint8), b[16:])

    def scales(j):
        if j < 4:
            return int(s[j]) & 63, int(s[j + 4]) & 63
        return lo(s[j + 4]) + 16 * (int(s[j - 4]) >> 6), hi(s[j + 4]) + 16 * (int(s[j]) >> 6)
    out = []
    for c in range(4):
        for half, nibble in ((0, lo), (1, hi)):
            sc, m = scales(2 * c + half)
            out += [(d * F32(sc), nibble(q[32 * c + l]) + 16 * bit(h[l], 2 * c + half), -(dmin * F32(m))) for l in range(32)]
    return out


def q6_k(b):
    d, out = f16(b, 208), [None] * 256
    for n in (0, 1):
        low, high, sc = b[64 * n:], b[128 + 32 * n:], b[192 + 8 * n:]
        for l in range(32):
            t = l // 16
            codes = ((lo(low[l]), int(high[l]) & 3), (lo(low[l + 32]), int(high[l]) >> 2 & 3),
                     (hi(low[l]), int(high[l]) >> 4 & 3), (hi(low[l + 32]), int(high[l]) >> 6))
            for k, (small, large) in enumerate(codes):
                out[128 * n + 32 * k + l] = (d * F32(signed(sc[t + 2 * k])), small + 16 * large - 32, None)
    return out


def tq1_0(b):
    d, q, h = f16(b, 52), b[:48], b[48:52]

    def trit(x, n):
        return (int(x) * 3**n % 256 * 3) >> 8
    runs = [(q[:32], 5), (q[32:48], 5), (h, 4)]
    return [(d, trit(x, n) - 1, None) for run, states in runs for n in range(states) for x in run]


def triples(kind, b):
    if kind in ("q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q8_1"):
        return legacy(kind, b)
    if kind in ("q4_k", "q5_k"):
        return q45_k(kind, b)
    if kind == "q8_k":
        return [(b[:4].view("<f4")[0], signed(x), None) for x in b[4:260]]
    if kind == "iq4_nl":
        return [(f16(b, 0), IQ4[nibble(x)], None) for nibble in (lo, hi) for x in b[2:18]]
    if kind == "iq4_xs":
        d, sh, sl, out = f16(b, 0), u16(b, 2), b[4:8], []
        for r in range(8):
            ls = (int(sl[r // 2]) >> 4 * (r % 2) & 15) + 16 * (sh >> 2 * r & 3)
            out += [(d * F32(ls - 32), IQ4[nibble(x)], None) for nibble in (lo, hi) for x in b[8 + 16 * r:24 + 16 * r]]
        return out
    if kind == "mxfp4":
        scale = F32(np.nan) if b[0] == 255 else F32(2.0**(int(b[0]) - 127))
        return [(scale, E2M1[nibble(x)], None) for nibble in (lo, hi) for x in b[1:17]]
    if kind == "nvfp4":
        out = []
        for r in range(4):
            code = int(b[r])
            scale = F32(0 if code == 0x7F else np.nan if code > 127 else e4m3(code))
            out += [(scale, E2M1[nibble(x)], None) for nibble in (lo, hi) for x in b[4 + 8 * r:12 + 8 * r]]
        return out
    if kind == "tq2_0":
        return [(f16(b, 64), (int(b[32 * n + m]) >> 2 * l & 3) - 1, None) for n in (0, 1) for l in range(4) for m in range(32)]
    if kind == "q1_0":
        return [(f16(b, 0), 1 if bit(b[2 + j // 8], j % 8) else -1, None) for j in range(128)]
    if kind == "q2_0":
        return [(f16(b, 0), (int(b[2 + j // 4]) >> 2 * (j % 4) & 3) - 1, None) for j in range(64)]
    return {"q2_k": q2_k, "q3_k": q3_k, "q6_k": q6_k, "tq1_0": tq1_0}[kind](b)


def blocks_of(kind, data):
    return np.frombuffer(data, np.uint8).reshape(-1, SIZES[kind][1])


def decode(kind, data):
    """The values of all blocks in `data`, as float32."""
    with np.errstate(all="ignore"):
        return np.array([F32(scale) * F32(code) if minimum is None else F32(scale) * F32(code) + F32(minimum)
                         for block in blocks_of(kind, data) for scale, code, minimum in triples(kind, block)], F32)


def half_distances(kind, data):
    """Half the distance of every code to the farther of its neighbours."""
    def unit(code):
        if kind in ("iq4_nl", "iq4_xs"):
            return IQ4_HALF[int(np.flatnonzero(IQ4 == code)[0])]
        if kind in ("mxfp4", "nvfp4"):
            return E2M1_HALF[int(np.flatnonzero(E2M1 == code)[0])]
        return F32(1 if kind == "q1_0" else .5)
    with np.errstate(all="ignore"):
        return np.array([np.abs(F32(scale)) * unit(code) for block in blocks_of(kind, data)
                         for scale, code, _ in triples(kind, block)], F32)

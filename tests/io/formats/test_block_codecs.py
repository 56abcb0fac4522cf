"""Do quantised blocks decode bit by bit to what their formulas say, and near to what was quantised?"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

SOURCE = pathlib.Path(os.environ.get("STEMMA_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[3]))
BUILD = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", SOURCE / "build/release"))
DATA = pathlib.Path(os.environ.get("STEMMA_TEST_DATA", SOURCE.parent / "shared/data"))
sys.path.insert(0, str(SOURCE / "tests/oracle"))
import ggml_blocks as oracle  # noqa: E402

# Relative root mean square and largest error of rows quantised by ggml, without and with an importance matrix.
ERRORS = {"q4_0": ((.0671, .1194), (.0604, .0673)), "q4_1": ((.0570, .0642), (.0554, .0623)),
          "q5_0": ((.0306, .0572), (.0278, .0353)), "q5_1": ((.0284, .0322), (.0261, .0300)),
          "q8_0": ((.0037, .0042), (.0037, .0042)), "iq4_nl": ((.0602, .0776), (.0604, .0784)),
          "q2_k": ((.2317, .3158), (.2233, .5250)), "q3_k": ((.1255, .2395), (.1228, .2327)),
          "q4_k": ((.0547, .0678), (.0557, .1059)), "q5_k": ((.0274, .0315), (.0274, .0444)),
          "q6_k": ((.0137, .0158), (.0139, .0357))}


def decoded(kind, data, run=0, halves=False):
    with tempfile.TemporaryDirectory() as directory:
        blocks, out = pathlib.Path(directory, "blocks"), pathlib.Path(directory, "out")
        blocks.write_bytes(data)
        command = [BUILD / "bench/decode_blocks", kind, blocks, out, str(run)] + ["halves"] * halves
        subprocess.run(command, check=True, timeout=60)
        return np.fromfile(out, "<f4")


def random_blocks(kind, count, seed=1):
    """Random codes; every eighth block has scales that are infinite, not a number, subnormal or zero where it may."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (count, oracle.SIZES[kind][1]), np.uint8)
    odd = np.array([0x7C00, 0xFC00, 0x7E00, 0x0001, 0x83FF, 0x0000, 0x8000, 0x7BFF], "<u2")
    for at in oracle.HALVES_AT.get(kind, []):
        usual = rng.standard_normal(count).astype("<f2").view("<u2")
        usual[::8] = rng.choice(odd, len(usual[::8]))
        blocks[:, at:at + 2] = usual.view(np.uint8).reshape(-1, 2)
    if kind == "q8_k":
        blocks[:, :4] = rng.standard_normal(count).astype("<f4").view(np.uint8).reshape(-1, 4)
    return blocks.tobytes()


class Formulas(unittest.TestCase):
    def same_bits(self, found, expected):
        numbers = ~np.isnan(expected)
        np.testing.assert_array_equal(np.isnan(found), ~numbers)
        np.testing.assert_array_equal(found[numbers].view(np.uint32), expected[numbers].view(np.uint32))

    def test_random_blocks_bit_by_bit(self):
        for kind in oracle.SIZES:
            with self.subTest(kind):
                data = random_blocks(kind, 400)
                self.same_bits(decoded(kind, data), oracle.decode(kind, data))

    def test_blocks_of_ones_and_zeros(self):
        for kind, (_, size) in oracle.SIZES.items():
            for byte in (b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff"):
                with self.subTest(kind, byte=byte):
                    self.same_bits(decoded(kind, byte * 3 * size), oracle.decode(kind, byte * 3 * size))

    def test_any_run_is_that_of_the_whole(self):
        for kind, (values, _) in oracle.SIZES.items():
            data = random_blocks(kind, 7, seed=2)
            whole = oracle.decode(kind, data)
            for run in (1, 5, values - 1, values, values + 3, 3 * values):
                with self.subTest(kind, run=run):
                    self.same_bits(decoded(kind, data, run), whole)

    def test_more_blocks_than_are_read_at_a_time(self):
        data = random_blocks("q8_0", 100, seed=3) * 700
        np.testing.assert_array_equal(decoded("q8_0", data).view(np.uint32),
                                      np.tile(decoded("q8_0", data[:3400]).view(np.uint32), 700))

    def test_half_distances(self):
        for kind in oracle.SIZES:
            with self.subTest(kind):
                data = random_blocks(kind, 60, seed=4)
                self.same_bits(decoded(kind, data, halves=True), oracle.half_distances(kind, data))

    def test_half_distances_are_those_between_codes(self):
        """Of all values that one block can have: half the larger gap to a neighbour, by sorting them."""
        for kind, first, codes in (("q4_0", 2, 16), ("iq4_nl", 2, 16), ("mxfp4", 1, 8)):
            block = bytearray(oracle.SIZES[kind][1])
            block[0:2] = np.array(1, "<f2").tobytes() if kind != "mxfp4" else bytes([127, 0])
            block[first:first + 16] = bytes(range(codes)) * (16 // codes)
            values, halves = decoded(kind, bytes(block))[:codes], decoded(kind, bytes(block), halves=True)[:codes]
            gaps = np.diff(values)
            largest = np.maximum(np.append(0, gaps), np.append(gaps, 0)) / 2
            if kind == "mxfp4":  # the neighbour of 0 on the other side is -.5
                largest[0] = .25
            np.testing.assert_array_equal(halves, largest.astype(np.float32), kind)


class Golden(unittest.TestCase):
    def test_rows_quantised_by_ggml(self):
        directory = DATA / "quantized/ggml"
        if not directory.is_dir():
            self.skipTest(f"no test data at {directory}; set STEMMA_TEST_DATA")
        for kind, errors in ERRORS.items():
            source = np.fromfile(directory / f"input_2x{512 if kind.endswith('_k') else 64}.f32", "<f4").astype(float)
            for suffix, (rms, largest) in zip(("", "_imatrix"), errors):
                with self.subTest(kind + suffix):
                    data = (directory / f"{kind}{suffix}.bin").read_bytes()
                    found = decoded(kind, data)
                    np.testing.assert_array_equal(found.view(np.uint32), oracle.decode(kind, data).view(np.uint32))
                    error = found - source
                    self.assertAlmostEqual(np.sqrt(np.mean(error**2) / np.mean(source**2)), rms, delta=6e-5)
                    self.assertAlmostEqual(np.abs(error).max(), largest, delta=6e-5)


if __name__ == "__main__":
    unittest.main()

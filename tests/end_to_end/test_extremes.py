"""Are the largest and the strangest files looked at within little time and memory, in every format?"""
import json
import os
import struct
import subprocess
import sys
import time
import unittest

import numpy as np

import gguf
import harness
import torch_files
from harness import header_of

TENSORS, LEVELS, TERABYTE = 10**6, 10**5, 1 << 40
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, flush=True)
sys.exit(code)
"""


class Extremes(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        begin = time.monotonic()
        json.loads(json.dumps([{"a": [i, i + 1], "b": "name"} for i in range(100_000)]))
        self.unit = time.monotonic() - begin  # of this machine: some tenths of a second

    def inspect(self, path, code=0):
        """Output, seconds and peak bytes of one look. A child begins with the memory of who forked it, so a small process
        lies between."""
        begin = time.monotonic()
        done = subprocess.run([sys.executable, "-c", MEASURE, harness.STEMMA, "inspect", str(path)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", cwd=self.directory)
        seconds = time.monotonic() - begin
        said, _, peak = done.stdout.rstrip().rpartition("\n")
        self.assertEqual(done.returncode, code, said[:2000])
        return said, seconds, int(peak) * 1024

    def look(self, what, path, units, memory, code=0):
        """A unit is what this machine takes to write and read some JSON."""
        said, took, peak = self.inspect(path, code)
        print(f"{what}: {took:.2f} s ({took / self.unit:.1f} units), {peak / 1e6:.0f} MB", flush=True)
        self.assertLess(took, units * self.unit * harness.PATIENCE, what)
        self.assertLess(peak, memory * harness.PATIENCE, what)
        return said

    def hole(self, path, head, size):
        path.write_bytes(head)
        try:
            os.truncate(path, len(head) + size)
        except OSError:
            self.skipTest("this file system holds no sparse file of a terabyte")
        return path

    def test_a_terabyte_of_nothing(self):
        rows, columns = 1 << 20, 1 << 19
        head, size = header_of({"w": ("BF16", (rows, columns), TERABYTE)})
        self.look("safetensors of a terabyte", self.hole(self.directory / "w.safetensors", head, size), 20, 100e6)
        blocks = rows * columns * 2 // 32
        gguf.write_gguf(self.directory / "w.gguf", {"w": ("q8_0", (rows, columns * 2), b"")}, {"general.architecture": "llama"})
        head = (self.directory / "w.gguf").read_bytes()
        said = self.look("GGUF of a terabyte", self.hole(self.directory / "w.gguf", head, blocks * 34), 20, 100e6)
        self.assertIn("Q8_0", said)

    def test_a_million_tensors(self):
        entries = {f"{'t' * 22}{i:07}": ("U8", (1,), 1) for i in range(TENSORS)}
        head, size = header_of(entries)
        self.assertGreater(len(head), 95e6)
        self.assertLess(len(head), 100e6)
        (self.directory / "many.safetensors").write_bytes(head + bytes(size))
        said = self.look("safetensors of a million tensors, a header of 100 MB", self.directory / "many.safetensors", 60, 8 * len(head))
        self.assertIn("1.0 MB in 1 file", said)

        out = bytearray(b"GGUF" + struct.pack("<Iqq", 3, TENSORS, 1) + gguf.pair("general.architecture", "llama"))
        for i in range(TENSORS):
            out += struct.pack("<Q", 8) + b"t%07d" % i + struct.pack("<IqIQ", 1, 1, 0, 32 * i)
        out += b"\0" * (-len(out) % 32)
        self.hole(self.directory / "many.gguf", bytes(out), 32 * TENSORS)
        said = self.look("GGUF of a million tensors", self.directory / "many.gguf", 60, 1e9)
        self.assertIn("4.0 MB in 1 file", said)

        # Pickle writes a thousand entries of a dictionary at a time.
        views = [torch_files.text(f"t{i:07}") + torch_files.rebuilt("0", "FloatStorage", TENSORS, (1,), (1,), i) for i in range(TENSORS)]
        batches = b"".join(b"(" + b"".join(views[i:i + 1000]) + b"u" for i in range(0, TENSORS, 1000))
        torch_files.write_pickle(self.directory / "many.bin", b"}" + batches, [np.zeros(TENSORS, np.float32).tobytes()])
        said = self.look("PyTorch zip of a million tensors", self.directory / "many.bin", 100, 2e9)
        self.assertIn("4.0 MB in 1 file", said)

    def test_nesting_ends_where_it_is_found(self):
        for opening, closing in ((b'{"a":', b"1"), (b"[", b"1")):
            closed = b"}" if opening.startswith(b"{") else b"]"
            deep = opening * LEVELS + closing + closed * LEVELS
            header = deep if opening.startswith(b"{") else b'{"a":' + deep + b"}"
            (self.directory / "deep.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
            said = self.look("safetensors, 10^5 levels", self.directory / "deep.safetensors", 20, 100e6, code=4)
            self.assertRegex(said, r"safetensors\.header_(too_deep|not_object|not_json)|safetensors\.entry_malformed")
            model = self.directory / f"model{len(opening)}"
            harness.write_checkpoint(model, {"w": np.zeros((4, 4), np.float32)}, None)
            (model / "config.json").write_bytes(deep)
            said = self.look("config.json, 10^5 levels", model, 20, 100e6)
            self.assertIn("config", said)
        array = struct.pack("<IQ", gguf.ARRAY, 1) * LEVELS + struct.pack("<IQI", gguf.U32, 1, 7)
        (self.directory / "deep.gguf").write_bytes(b"GGUF" + struct.pack("<Iqq", 3, 0, 1) + gguf.text("a.b") + struct.pack("<I", gguf.ARRAY) + array)
        self.assertIn("gguf.", self.look("GGUF, 10^5 levels", self.directory / "deep.gguf", 20, 100e6, code=4))
        torch_files.write_pickle(self.directory / "deep.bin", torch_files.dictionary({"a": b")" + b"\x85" * LEVELS}))
        self.assertIn("pickle.", self.look("PyTorch zip, 10^5 levels", self.directory / "deep.bin", 20, 150e6, code=4))


if __name__ == "__main__":
    unittest.main()

"""Are generated checkpoints what they claim: the shapes of real models, normal weights, the same bytes however they are sharded?"""
import json
import os
import pathlib
import subprocess
import unittest

import h5py
import harness
import numpy as np
from harness import EndToEnd, read_safetensors, widened

MAKE = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release")) / "bench/make_checkpoint"


class MadeCheckpoint(EndToEnd):
    def make(self, shape, name, *options, code=0):
        done = subprocess.run([MAKE, shape, self.directory / name, *map(str, options)], text=True, capture_output=True, timeout=120,
                              check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def tensors(self, name):
        found = {}
        for path in sorted((self.directory / name).glob("*.safetensors")):
            found |= read_safetensors(path)
        return found

    def test_the_product_reads_every_shape(self):
        for shape, family, files, tensors in (("tinyllama", "llama", 1, 2 * 9 + 3), ("llama3-8b", "llama", 2, 2 * 9 + 3),
                                              ("mixtral", "mixtral", 6, 2 * (7 + 8 * 3) + 3)):
            with self.subTest(shape):
                made = self.make(shape, shape, "--layers", 2, "--scale", 32, "--shards", files)
                self.assertEqual((made["tensors"], made["files"]), (tensors, files))
                seen = json.loads(self.stemma("inspect", shape, "--json").stdout)
                seen = seen["targets"][0] if "targets" in seen else seen
                self.assertEqual((seen["architecture"], seen["layers"], seen["bytes"]), (family, 2, made["bytes"]))
                self.assertEqual([f for f in seen["findings"] if f["severity"] not in ("info", "note")], [])
                with h5py.File(self.fingerprint(f"{shape}.h5", shape)) as archive:
                    self.assertEqual(len(archive["tensors/role"]), tensors)
                    self.assertLess(archive["provenance/read_ratio"][0], 1.2)  # rows of anchors count for something in small ones

    def test_original_sizes(self):
        """One layer at full width; all of them would have the parameters that were published."""
        self.make("tinyllama", "t", "--layers", 1, "--shards", 1)
        shapes = {name: array.shape for name, array in self.tensors("t").items()}
        self.assertEqual(shapes["model.embed_tokens.weight"], (32000, 2048))
        self.assertEqual(shapes["model.layers.0.self_attn.k_proj.weight"], (256, 2048))
        self.assertEqual(shapes["model.layers.0.mlp.down_proj.weight"], (2048, 5632))
        whole = 22 * (sum(np.prod(s) for n, s in shapes.items() if ".layers." in n))
        whole += sum(np.prod(s) for n, s in shapes.items() if ".layers." not in n)
        self.assertEqual(whole, 1100048384)  # parameters of TinyLlama-1.1B

    def test_weights_are_normal_and_belong_to_seed_name_and_position(self):
        self.make("llama3-8b", "one", "--layers", 2, "--scale", 16, "--shards", 1)
        self.make("llama3-8b", "four", "--layers", 2, "--scale", 16)
        self.make("llama3-8b", "other", "--layers", 2, "--scale", 16, "--seed", 2)
        one, four, other = (self.tensors(name) for name in ("one", "four", "other"))
        self.assertEqual(list(one), list(four))
        for name in one:
            np.testing.assert_array_equal(one[name], four[name])
            self.assertFalse(np.array_equal(one[name], other[name]), name)
        self.assertFalse(np.array_equal(one["model.embed_tokens.weight"], one["lm_head.weight"]))
        values = widened(one["model.embed_tokens.weight"]).ravel() * 16  # hidden 256: spread 1/16
        self.assertLess(abs(values.mean()), 5 / np.sqrt(len(values)))
        self.assertLess(abs(values.std() - 1), 0.005)
        self.assertLess(abs((values ** 4).mean() - 3), 0.05)
        self.assertTrue(4 < np.abs(values).max() < 4.5)
        gains = widened(one["model.norm.weight"])
        self.assertTrue(0.9 < gains.mean() < 1.1)

    def test_refusals(self):
        self.assertIn("cannot be divided", self.make("tinyllama", "t", "--scale", 7, code=1))
        self.assertIn("cannot be divided", self.make("tinyllama", "t", "--scale", 64, code=1))
        self.assertIn("--layer", self.make("tinyllama", "t", "--layer", 1, code=1))
        self.assertIn("make_checkpoint tinyllama", self.make("gpt5", "t", code=2))


if __name__ == "__main__":
    unittest.main()

"""Does verify read the models again: every byte for its SHA-256, and every number for what an archive says of it?"""
import hashlib
import json
import shutil
import unittest

import h5py
import numpy as np

from harness import ZOO, EndToEnd, read_safetensors, stemma, write_safetensors

WITH_HASHES = "analyzers.content.sha256=true"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Copies(EndToEnd):
    """Two models of our own, which tests may spoil."""

    def setUp(self):
        super().setUp()
        for id in ("aspen", "birch"):
            shutil.copytree(ZOO / id, self.directory / "models" / id)
        self.weights = self.directory / "models/aspen/model.safetensors"

    def archive(self, *overrides):
        self.stemma("fingerprint", "models/aspen", "models/birch", "-o", "a.h5", *overrides)

    def spoil(self):
        """One weight, in its last bit: neither size nor header tells."""
        tensors = read_safetensors(self.weights)
        name = "model.layers.2.mlp.up_proj.weight"
        tensors[name] = tensors[name].copy()
        tensors[name].view(np.uint16).ravel()[7] ^= 1
        write_safetensors(self.weights, tensors)

    def whole(self):
        """The file as our own writer lays it out, so that spoiling it changes nothing but the weight."""
        write_safetensors(self.weights, read_safetensors(self.weights))


class Hashes(Copies):
    def test_files_of_an_archive(self):
        self.archive(WITH_HASHES)
        done = self.stemma("verify", "a.h5", "--hashes")
        self.assertEqual(done.stdout, "a.h5: archive is sound; 2 of 2 files with the SHA-256 that was stated\n")
        (target,) = json.loads(self.stemma("verify", "a.h5", "--hashes", "--json").stdout)["targets"]
        for file in target["files"]:
            expected = digest(self.directory / "models" / file["model"] / "model.safetensors")
            self.assertEqual((file["sha256"], file["stated"], file["stated_by"]), (expected, expected, "archive"))

    def test_a_bit(self):
        self.whole()
        self.archive(WITH_HASHES)
        before = digest(self.weights)
        self.spoil()
        done = self.stemma("verify", "a.h5", "--hashes", code=3)
        self.assertEqual(done.stdout.splitlines(),
                         [f"a.h5: hash_mismatch: {self.weights} has SHA-256 {digest(self.weights)}, {before} is recorded",
                          "a.h5: archive has 1 complaint; 1 of 2 files with the SHA-256 that was stated"])
        self.stemma("verify", "a.h5")  # by itself the archive is what it was

    def test_nothing_was_recorded(self):
        self.archive()
        done = self.stemma("verify", "a.h5", "--hashes", code=3)
        self.assertIn("verify.no_hash: it records no SHA-256, so no file was held to one. Make it with analyzers.content.sha256=true", done.stdout)
        self.assertIn(f"has SHA-256 {digest(self.weights)}, and nothing to hold it against", done.stdout)

    def test_models_that_moved(self):
        self.archive(WITH_HASHES)
        (self.directory / "models").rename(self.directory / "elsewhere")
        done = self.stemma("verify", "a.h5", "--hashes", code=3)
        self.assertIn("verify.unread: ", done.stdout)
        self.assertIn("--inputs names where models lie now", done.stdout)
        self.assertIn("2 of 2 files", self.stemma("verify", "a.h5", "--hashes", "--inputs", "elsewhere").stdout)

    def test_what_the_hub_published(self):
        """A cache names large files by their SHA-256; a name is a claim, and one of these is wrong."""
        for id, name in (("aspen", digest(self.weights)), ("birch", "0" * 64)):
            file = self.directory / "models" / id / "model.safetensors"
            blob = self.directory / "blobs" / name
            blob.parent.mkdir(exist_ok=True)
            file.rename(blob)
            file.symlink_to(blob)
        self.assertIn("models/aspen: checkpoint is sound; 1 of 1 file with the SHA-256",
                      self.stemma("verify", "models/aspen", "--hashes").stdout)
        done = self.stemma("verify", "models/birch", "--hashes", code=3)
        self.assertIn("hash_mismatch: models/birch/model.safetensors has SHA-256 ", done.stdout)
        self.assertIn(f", {'0' * 64} is published\n", done.stdout)


class Deep(Copies):
    def test_the_weights_say_so_still(self):
        self.archive()
        for ranks in (1, 2):
            done = self.stemma("verify", "a.h5", "--deep", ranks=ranks)
            self.assertIn("a.h5: archive is sound; 0 of 2 files with the SHA-256 that was stated; derived again: equal\n", done.stdout)
            self.assertIn("  derived  2 of 2 inputs have the recorded hashes\n", done.stdout)
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["a.h5", "models"])

    def test_a_bit(self):
        """Without a recorded SHA-256 the tensor that changed is found by what it holds."""
        self.whole()
        self.archive()
        self.spoil()
        done = self.stemma("verify", "a.h5", "--deep", code=3)
        self.assertIn("verify.not_derived: canonical_exact ", done.stdout)
        self.assertIn("verify.not_derived: aspen: inputs: tensors/content_hash_hi: 1 of 57 values differ", done.stdout)
        self.assertNotIn("verify.not_derived: birch", done.stdout)
        self.assertIn("; derived again: different\n", done.stdout)
        self.assertIn("  derived  1 of 2 inputs have the recorded hashes\n", done.stdout)
        (target,) = json.loads(self.stemma("verify", "a.h5", "--deep", "--json", code=3).stdout)["targets"]
        self.assertEqual((target["derived"]["agrees"], target["derived"]["inputs"], target["derived"]["inputs_with_recorded_hashes"]),
                         (False, 2, 1))

    def test_an_archive_that_lies(self):
        """A forger changes a curve and makes hashes and seal fit: only the weights tell."""
        self.archive()

        def lie(file):
            curve = file["methods/intrinsic_fingerprint/curve"]
            curve[1, 0] = 1.5 * curve[1, 0]

        self.forge(self.directory / "a.h5", "lie.h5", lie)
        self.assertIn("is sound", self.stemma("verify", "lie.h5").stdout)
        done = self.stemma("verify", "lie.h5", "--deep", code=3)
        self.assertRegex(done.stdout, r"verify\.not_derived: \w+: intrinsic_fingerprint: \S*curve: 1 of ")

    def test_a_run_and_its_pairs(self):
        self.write("c.yaml", "schema_version: 1\nname: two\nmodels: [models/aspen, models/birch]\nruntime: {deadline: none}\n"
                             "analyzers: {content: {}, intrinsic_fingerprint: {}}\n")
        self.stemma("run", "c.yaml")
        done = self.stemma("verify", "runs/two", "--deep")
        self.assertIn("derived again: equal", done.stdout)
        self.assertEqual(sorted(path.name for path in (self.directory / "runs").iterdir()), ["two"])

    def test_a_configuration_that_changed(self):
        self.archive()
        config = self.directory / "models/birch/config.json"
        config.write_text(config.read_text().replace('"hidden_size"', '"hidden_sise"'))
        done = self.stemma("verify", "a.h5", "--deep", code=3)
        self.assertIn("verify.not_derived: birch: inputs: models/config_json: 1 of 1 values differ", done.stdout)
        self.assertNotIn("verify.not_derived: aspen", done.stdout)


if __name__ == "__main__":
    unittest.main()

"""Does run --reproduce do what an archive says once more, on what it says, and say honestly what came out?"""
import json
import shutil
import unittest

import h5py
import numpy as np

from harness import ZOO, EndToEnd


class Reproduce(EndToEnd):
    def setUp(self):
        super().setUp()
        for name in ("aspen", "birch"):
            shutil.copytree(ZOO / name, self.directory / "models" / name)

    def run_of(self, text=""):
        entries = "\n".join(f"  - {{path: models/{name}, id: {id}}}" for id, name in (("one", "aspen"), ("two", "birch")))
        self.write("c.yaml", f"schema_version: 1\nname: c\nmodels:\n{entries}\n{text}")
        self.stemma("run", "c.yaml", "seed=5", "--output", "run")
        return self.directory / "run/c.h5"

    def lines(self, *arguments, code=0, ranks=1):
        done = self.stemma("run", "--reproduce", *arguments, code=code, ranks=ranks)
        return [line.removeprefix("reproduce  ") for line in done.stdout.splitlines()]

    def test_bit_for_bit_on_other_ranks_in_another_place(self):
        archive = self.run_of("runtime: {reproducible: true}\n")
        (self.directory / "elsewhere").mkdir()
        (self.directory / "models/aspen").rename(self.directory / "elsewhere/one")
        (self.directory / "models/birch").rename(self.directory / "elsewhere/birch")
        made, inputs, hashes, path = self.lines("run", "--inputs", "elsewhere", ranks=2)
        with h5py.File(archive) as file:
            version, commit = (file.attrs[f"software_{name}"] for name in ("version", "commit"))
            self.assertTrue(made.startswith(f"made by {version} ({commit}), this is "), made)
            for method in ("content", "spectrum", "tensorguard", "histogram", "intrinsic_fingerprint"):
                number = file[f"methods/{method}"].attrs["version"]
                self.assertIn(f"{method} {number} -> {number}", made)
            self.assertTrue(made.endswith("(same algorithms)"), made)
            exact, everything = (file.attrs[f"canonical_{which}"][:12] for which in ("exact", "all"))
        self.assertEqual(inputs, "2 of 2 inputs have the recorded hashes")
        self.assertEqual(hashes, f"canonical_exact equal ({exact}), canonical_all equal ({everything}): bit for bit")
        self.assertEqual(path, str(self.directory / "run/c-reproduced/c.h5"))
        self.assertEqual(self.stemma("verify", "--hash", path).stdout, self.stemma("verify", "--hash", "run").stdout)
        with h5py.File(path) as file:
            self.assertIn("seed: 5", file["config/resolved_yaml"].asstr()[()])
            self.assertEqual(len(file["pairs/verdict"]), 1)

    def test_archives_of_fingerprints_hold_no_pairs_afterwards_either(self):
        self.fingerprint("f.h5", "models/aspen", "models/birch")
        self.assertIn("bit for bit", self.lines("f.h5", "--output", "again")[2])
        document = json.loads(self.stemma("run", "--reproduce", "f.h5", "--output", "again", "--json").stdout)
        self.assertEqual((document["agrees"], document["inputs_with_recorded_hashes"], document["difference"]["relation"]),
                         (True, 2, "equal"))

    def test_other_weights_of_the_same_size(self):
        self.run_of()
        weights = self.directory / "models/birch/model.safetensors"
        data = bytearray(weights.read_bytes())
        data[-4] ^= 1
        weights.write_bytes(data)
        lines = self.lines("run", code=3)
        self.assertEqual(lines[1], "1 of 2 inputs have the recorded hashes")
        self.assertRegex(lines[2], r"\Acanonical_exact differs \(\w{12} recorded, \w{12} now\), canonical_all differs .*: different\Z")
        self.assertTrue(any(line.startswith("two: ") for line in lines))
        self.assertFalse(any(line.startswith("one: ") for line in lines))

    def test_inputs_of_another_size_are_refused_before_weights_are_read(self):
        self.run_of()
        with open(self.directory / "models/birch/model.safetensors", "ab") as file:
            file.write(b"\0")
        done = self.stemma("run", "--reproduce", "run", code=3)
        self.assertRegex(done.stderr, r"birch/model.safetensors: reproduce.size: found [\d,]+ bytes, expected [\d,]+ bytes, as the archive")
        self.assertFalse((self.directory / "run/c-reproduced").exists())

    def test_inputs_that_are_nowhere(self):
        self.run_of()
        shutil.rmtree(self.directory / "models/birch")
        done = self.stemma("run", "--reproduce", "run", code=2)
        self.assertEqual(done.stderr, f"stemma: 1 of 2 inputs not found: two (was {self.directory}/models/birch). Say with --inputs in "
                                      "which directory they lie, by id\n")
        self.stemma("run", "--reproduce", "run", "--inputs", "nowhere", code=2)

    def test_archives_of_several_runs(self):
        self.fingerprint("a.h5", "models/aspen")
        self.fingerprint("b.h5", "models/birch")
        self.stemma("merge", "a.h5", "b.h5", "-o", "m.h5")
        self.assertEqual(self.stemma("run", "--reproduce", "m.h5", code=2).stderr,
                         "stemma: m.h5 was merged from archives of several runs. Reproduce those, one by one\n")

    def test_another_algorithm_is_named(self):
        archive = self.run_of()

        def older(file):
            file["methods/tensorguard"].attrs.modify("version", np.uint32(77))
            row = file["methods/tensorguard/value"]
            row[0, 3] *= 1 + 1e-12
            row[0, 7] *= 1.5

        self.forge(archive, "old.h5", older)
        lines = self.lines("old.h5", code=3)
        self.assertRegex(lines[0], r"tensorguard 77 -> \d.* \(tensorguard changed since: compared by tolerance\)\Z")
        self.assertTrue(lines[2].startswith("canonical_exact equal ("), lines[2])
        self.assertTrue(lines[2].endswith(": different"), lines[2])
        self.assertTrue(any(line.startswith("one: tensorguard: methods/tensorguard/value: 2 of 15 values differ") for line in lines), lines)

    def test_rounding_is_no_difference(self):
        archive = self.run_of()

        def rounded(file):
            file["layers/s1"][1, 0] = np.nextafter(file["layers/s1"][1, 0], 0)

        self.forge(archive, "old.h5", rounded)
        self.assertRegex(self.lines("old.h5")[2], r"canonical_exact equal \(\w+\), canonical_all differs .*: equal but for rounding")


if __name__ == "__main__":
    unittest.main()

"""Is an archive taken for what it says only after that was computed, and is it told from what lies beside it?"""
import json
import shutil
import struct
import subprocess
import unittest

import h5py
import numpy as np

from harness import ZOO, EndToEnd

XXHSUM = shutil.which("xxhsum")


class Archives(EndToEnd):
    """A sound archive of two models, and what others made of copies of it."""

    def setUp(self):
        super().setUp()
        self.archive = self.fingerprint("a.h5", ZOO / "aspen", ZOO / "birch")

    def edited(self, name, edit, sealed=False):
        """A copy that another program wrote to: HDF5 cuts off the seal, and whoever wants can make a new one."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(self.archive, path)
        with h5py.File(path, "r+") as file:
            edit(file)
        if sealed:
            if not XXHSUM:
                self.skipTest("xxhsum is absent (Debian package xxhash)")
            digest = subprocess.run([XXHSUM, "-H128", path], capture_output=True, check=True).stdout.lstrip(b"\\")[:32].decode()
            size = path.stat().st_size
            with open(path, "ab") as file:
                file.write(b"STEMSEAL" + struct.pack("<QQQ", size, int(digest[:16], 16), int(digest[16:], 16)))
        return path

    @staticmethod
    def lie(file):
        file["models/id"][0] = "aspen-original"
        curve = file["methods/intrinsic_fingerprint/curve"]
        curve[1, 0] = np.nextafter(curve[1, 0], 10)


class Hashes(Archives):
    def test_hashes_of_a_sound_archive(self):
        done = self.stemma("verify", "--hash", "a.h5")
        self.assertRegex(done.stdout, r"\Acanonical_exact [0-9a-f]{64}\ncanonical_all [0-9a-f]{64}\n\Z")
        with h5py.File(self.archive) as file:
            stored = [file.attrs[name] for name in ("canonical_exact", "canonical_all")]
        self.assertEqual([line.split()[1] for line in done.stdout.splitlines()], stored)
        (target,) = json.loads(self.stemma("verify", "--hash", "a.h5", "--json").stdout)["targets"]
        self.assertEqual([target["canonical_exact"], target["canonical_all"]], stored)

    def refused_everywhere(self, rule):
        """evil.h5 gets no hash, and is equal to nothing from either side."""
        done = self.stemma("verify", "--hash", "evil.h5", code=3)
        self.assertEqual(done.stdout, "")
        self.assertIn(f"({rule})", done.stderr)
        done = self.stemma("verify", "a.h5", "--against", "evil.h5", code=3)
        self.assertNotIn("equal", done.stdout)
        self.assertIn("a.h5: verify.against: nothing was compared, because evil.h5 is not sound\n", done.stdout)
        self.assertIn(f"({rule})", done.stdout)
        self.assertNotIn("equal", self.stemma("verify", "evil.h5", "--against", "a.h5", code=3).stdout)

    def test_edited_archive(self):
        self.edited("evil.h5", self.lie)
        self.refused_everywhere("archive.seal_absent")
        self.refused_everywhere("archive.hash")

    def test_edited_and_sealed_archive(self):
        self.edited("evil.h5", self.lie, sealed=True)
        self.refused_everywhere("archive.hash")
        self.assertNotIn("seal", self.stemma("verify", "evil.h5", code=3).stdout)

    def test_unsealed_archives_are_refused(self):
        self.edited("evil.h5", self.lie)
        for arguments in (["compare", "evil.h5"], ["inspect", "evil.h5"], ["compare", "a.h5:aspen", "evil.h5:birch"]):
            done = self.stemma(*arguments, code=3)
            self.assertEqual(done.stdout, "")
            self.assertIn("evil.h5: archive.unsealed: ", done.stderr)

    def test_another_minor_version_is_sound_and_has_no_hash_here(self):
        self.edited("evil.h5", lambda file: file.attrs.modify("stemma_archive", "1.9.0"), sealed=True)
        self.assertIn("archive.version: the canonical hashes of version 1.9.0", self.stemma("verify", "evil.h5").stdout)
        self.assertEqual(self.stemma("verify", "--hash", "evil.h5", code=3).stdout, "")
        self.stemma("verify", "a.h5", "--against", "evil.h5", code=3)

    def test_against(self):
        self.fingerprint("same.h5", ZOO / "birch", ZOO / "aspen", ranks=2)
        self.fingerprint("less.h5", ZOO / "aspen")
        self.assertEqual(self.stemma("verify", "a.h5", "--against", "same.h5").stdout,
                         "a.h5: archive is sound; against the other: equal\n")
        self.assertIn("verify.different: canonical_exact", self.stemma("verify", "a.h5", "--against", "less.h5", code=3).stdout)

    def test_checkpoints_have_no_canonical_hashes(self):
        weights = ZOO / "aspen/model.safetensors"
        for options, word in (("--against", "a.h5"), "--against"), (("--hash",), "--hash"):
            for target in (weights, ZOO / "aspen"):
                done = self.stemma("verify", target, *options, code=2)
                self.assertEqual((done.stdout, done.stderr), ("", f"stemma: {target} is no archive; {word} is for archives alone\n"))
        self.assertIn("--hash", self.stemma("verify", "a.h5", "--hash", "--against", "a.h5", code=2).stderr)


class Directories(Archives):
    def test_weights_of_another_program_make_no_archive(self):
        model = self.directory / "model"
        shutil.copytree(ZOO / "aspen", model)
        with h5py.File(model / "tf_model.h5", "w") as file:
            file.create_group("tf_bert_model").attrs["backend"] = "tensorflow"
        self.assertTrue(self.stemma("inspect", "model").stdout.startswith("model: safetensors model, architecture llama"))
        self.assertIn("model: checkpoint is sound\n", self.stemma("verify", "model").stdout)
        self.assertIn("model holds no archive", self.stemma("compare", "model", code=2).stderr)
        self.fingerprint("b.h5", "model")
        self.assertIn("archive.unsealed", self.stemma("inspect", "model/tf_model.h5", code=3).stderr)

    def test_one_archive_among_files_of_others(self):
        (self.directory / "results").mkdir()
        shutil.copyfile(self.archive, self.directory / "results/family.h5")
        with h5py.File(self.directory / "results/aaa.h5", "w") as file:
            file["x"] = 1
        self.assertIn("results: archive of 2 models", self.stemma("inspect", "results").stdout)
        self.assertIn("results/family.h5: archive is sound", self.stemma("verify", "results").stdout)

    def test_several_archives_are_listed(self):
        self.write("c.yaml", f"schema_version: 1\nname: c\nmodels: ['{ZOO}/aspen']\noutput: out\nanalyzers: {{content: {{}}}}\n")
        self.stemma("run", "c.yaml")
        (self.directory / "pile").mkdir()
        for place in ("out/another.h5", "pile/b.h5", "pile/a.h5"):
            shutil.copyfile(self.archive, self.directory / place)
        for directory, names in (("out", "another.h5, c.h5"), ("pile", "a.h5, b.h5")):
            for verb in ("inspect", "verify", "compare"):
                self.assertEqual(self.stemma(verb, directory, code=2).stderr,
                                 f"stemma: {directory} holds 2 archives: {names}. Name one of them\n")
        self.stemma("verify", "out/c.h5")
        (self.directory / "out/another.h5").unlink()
        (self.directory / "out/c.h5").unlink()
        self.assertIn("out holds no archive: its run has not come to its end", self.stemma("inspect", "out", code=2).stderr)


class Terminals(Archives):
    """Names of strangers are shown, not obeyed."""

    RED = "\x1b[31mred\nsecond line"

    def lines(self, *arguments, code=0):
        done = self.stemma(*arguments, code=code)
        text = done.stdout.replace(r"\n", r"\x0A") + done.stderr  # tables write the ends of lines their own way
        self.assertNotIn("\x1b", text, arguments)
        self.assertFalse([line for line in text.splitlines() if line.startswith("second line")], text)
        return text

    def test_ids_of_an_archive(self):
        def rename(file):
            file["models/id"][0] = self.RED
            file["models/architecture"][0] = self.RED

        self.edited("red.h5", rename, sealed=True)
        self.edited("twin/red.h5", rename, sealed=True)
        shown = r"\x1B[31mred\x0Asecond line"
        for arguments, code in ((["inspect", "red.h5"], 0), (["compare", "red.h5"], 0), (["compare", "red.h5:birch", "twin/red.h5"], 0),
                                (["compare", "red.h5:" + self.RED, "red.h5"], 2), (["compare", "red.h5:" + self.RED[:-1]], 2)):
            self.assertIn(shown, self.lines(*arguments, code=code), arguments)
        self.lines("verify", "red.h5", code=3)

    def test_paths(self):
        place = "e\x1b[31m\nx"
        (self.directory / place).mkdir()
        shutil.copyfile(self.archive, self.directory / place / "a.h5")
        shutil.copytree(ZOO / "aspen", self.directory / place / "aspen")
        shown = r"e\x1B[31m\x0Ax"
        for arguments, code in ((["inspect", place], 0), (["verify", place], 0), (["verify", place + "/aspen"], 0),
                                (["compare", place, "a.h5"], 0), (["verify", "a.h5", "--against", place], 0),
                                (["compare", place + "/absent"], 2), (["fingerprint", ZOO / "aspen", "-o", place + "/b.h5"], 0)):
            text = self.lines(*arguments, code=code)
            if "--against" not in arguments:
                self.assertIn(shown, text, arguments)
        self.assertIn(r"argument 1: models[0].path: the path", self.lines("inspect", place + "/aspen", code=2))
        self.assertIn("holds the control character", self.lines("inspect", place + "/aspen", code=2))
        self.write("c.yaml", f"schema_version: 1\nname: c\nmodels: ['{ZOO}/aspen']\nanalyzers: {{content: {{}}}}\n")
        self.assertIn(shown, self.lines("run", "c.yaml", "--output", place + "/out"))


if __name__ == "__main__":
    unittest.main()

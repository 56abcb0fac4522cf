"""Does every mistake of a user end in one clear sentence, exit code 2, and nothing half-done? From a shell, on 1 and 2 ranks."""
import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
import unittest

import harness
from harness import ZOO, EndToEnd

LOG = ("  start  ", "  survey  ", "  plan  ", "  work  ", "  compare ", "  archive ", "  end  ", "  warn  ")


def sentences(text):
    """The lines that are no log."""
    return [line for line in text.splitlines() if not any(stage in line for stage in LOG)]


class BadInput(EndToEnd):
    def config(self, body, name="c.yaml"):
        return self.write(name, "schema_version: 1\nname: t\n" + body)

    def refused(self, *arguments, says, code=2, ranks=(1, 2), **options):
        """One line on stderr that holds all of `says`, on any number of ranks."""
        for n in ranks:
            with self.subTest(arguments=arguments, ranks=n):
                done = self.stemma(*arguments, code=code, ranks=n, **options)
                lines = sentences(done.stderr)
                self.assertEqual(len(lines), 1, done.stderr)
                for words in says:
                    self.assertIn(words, lines[0])
                self.assertNotIn("!", lines[0])

    def archives_in(self, directory):
        return sorted(str(p) for p in pathlib.Path(directory).rglob("*.h5"))


class Configurations(BadInput):
    def test_unknown_key(self):
        self.config(f"seeed: 1\nmodels: [{ZOO}/aspen]\n")
        self.refused("run", "c.yaml", says=["c.yaml:3:1:", "seeed is not a known key", "Did you mean seed?"])

    def test_key_in_the_wrong_section(self):
        self.config(f"min_layers: 9\nmodels: [{ZOO}/aspen]\n")
        self.refused("run", "c.yaml", says=["c.yaml:3:1:", "compare.tests.intrinsic_fingerprint.min_layers"])

    def test_unknown_key_on_the_command_line(self):
        self.config(f"models: [{ZOO}/aspen]\n")
        self.refused("run", "c.yaml", "compare.pair=all", says=["argument 2", "compare.pair is not a known key", "pairs?"])

    def test_several_mistakes_are_told_together(self):
        self.config(f"seeed: 1\nmodels: [{ZOO}/aspen]\nruntime: {{strict: yes, progress_every: 30}}\n")
        for ranks in (1, 2):
            lines = sentences(self.stemma("run", "c.yaml", code=2, ranks=ranks).stderr)
            self.assertEqual([line.split(": ")[0] for line in lines], ["c.yaml:3:1", "c.yaml:5:19", "c.yaml:5:40"])

    def test_no_configuration(self):
        self.refused("run", "absent.yaml", says=["absent.yaml: there is no such file"])
        (self.directory / "folder").mkdir()
        self.refused("run", "folder", says=["folder: this is not a regular file"])
        self.refused("run", "seed=1", says=["one configuration file is wanted, 0 were given"])

    def test_no_models(self):
        self.config("models: []\n")
        self.refused("run", "c.yaml", says=["c.yaml:3:9:", "models names nothing"])
        self.config(f"models: [{{glob: '{self.directory}/absent/*/'}}]\n")
        self.refused("run", "c.yaml", says=["c.yaml:3:10:", "models names nothing", "absent/*/ matches no directory"])
        self.refused("fingerprint", "-o", "a.h5", says=["no models were named"])

    def test_two_models_with_one_id(self):
        self.config(f"models:\n  - {{path: {ZOO}/aspen, id: a}}\n  - {{path: {ZOO}/birch, id: a}}\n")
        self.refused("run", "c.yaml", says=["id a is used by c.yaml:4:5 and c.yaml:5:5", "another id"])

    def test_model_that_does_not_exist(self):
        self.config("models: [no/such/model]\n")
        self.refused("run", "c.yaml", says=["c.yaml:3:10:", "no/such/model does not exist"])
        self.refused("plan", "c.yaml", says=["no/such/model does not exist"])


class Commands(BadInput):
    def test_unknown_words(self):
        self.refused("rum", "c.yaml", says=["rum is not a verb of stemma. Did you mean run?"])
        self.refused("run", "c.yaml", "--outptu", "o", says=["--outptu"])
        self.refused(says=["--help"])

    def test_missing_archives(self):
        self.refused("compare", "a.h5", "b.h5", says=["a.h5", "no such file"])
        (self.directory / "empty").mkdir()
        self.refused("compare", "empty", says=["empty holds no archive"])

    def test_model_that_an_archive_does_not_hold(self):
        self.fingerprint("a.h5", ZOO / "aspen")
        self.refused("compare", "a.h5:birch", "a.h5:aspen", says=["a.h5 holds no model birch"])

    def test_damaged_archive(self):
        archive = self.fingerprint("a.h5", ZOO / "aspen")
        whole = archive.read_bytes()
        archive.chmod(0o644)
        for place in (0, 1000, len(whole) // 2, len(whole) - 40, len(whole) - 1):
            archive.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
            done = self.stemma("verify", "a.h5", code=3)
            self.assertIn("a.h5: archive has", done.stdout)
            self.refused("compare", "a.h5", code=3, ranks=(1,), says=["a.h5"])
        archive.write_bytes(whole[:len(whole) // 2])
        self.stemma("verify", "a.h5", code=3)
        archive.write_bytes(whole)
        self.stemma("verify", "a.h5")


class Places(BadInput):
    """Outputs that cannot be written. Root may write anywhere, so impossible places stand in for forbidden ones."""

    def test_read_only_output(self):
        self.config(f"models: [{ZOO}/aspen]\n")
        self.write("file", "")
        self.refused("run", "c.yaml", "--output", "file/out", says=["file/out: cannot create"])
        self.refused("run", "c.yaml", "--output", "/proc/out", says=["/proc/out: cannot create"])
        self.refused("fingerprint", ZOO / "aspen", "-o", "/proc/out/a.h5", says=["/proc/out"])

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_forbidden_output(self):
        self.config(f"models: [{ZOO}/aspen]\n")
        (self.directory / "locked").mkdir(mode=0o555)
        self.refused("run", "c.yaml", "--output", "locked/out", says=["locked/out", "Permission denied"])

    def test_directory_of_another_configuration(self):
        self.config(f"models: [{ZOO}/aspen]\n")
        self.stemma("run", "c.yaml", "--output", "out")
        first = (self.directory / "out/t.h5").read_bytes()
        self.refused("run", "c.yaml", "--output", "out", "seed=2",
                     says=["out was made with another configuration", "seed: 1", "seed: 2", "--fresh"])
        self.assertEqual((self.directory / "out/t.h5").read_bytes(), first)
        self.stemma("run", "c.yaml", "--output", "out", "seed=2", "--fresh", ranks=2)
        self.assertEqual((self.directory / "out.old-1/t.h5").read_bytes(), first)
        self.stemma("verify", "out", "out.old-1")

    @contextlib.contextmanager
    def small_disk(self, size):
        """A file system of `size`, gone afterwards."""
        disk = self.directory / "disk"
        disk.mkdir(exist_ok=True)
        mount = shutil.which("mount") and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True, check=False)
        if not mount or mount.returncode != 0:
            self.skipTest("no small file system can be mounted here (needs root)")
        try:
            yield disk
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_no_space_left(self):
        demo = harness.SOURCE / "configs/demo.yaml"
        for size, stage, more in (("4k", "config.yaml", []), ("400k", ".rec", []),
                                  ("200k", "demo.h5.tmp", ["analyzers={content: {}}"])):
            for ranks in (1, 2):
                with self.small_disk(size) as disk:
                    self.refused("run", demo, "--output", disk / "out", *more, ranks=(ranks,), says=["no space left", stage])
                    self.assertEqual(self.archives_in(disk), [])

    def test_no_space_left_beside_an_archive(self):
        with self.small_disk("400k") as disk:
            self.refused("fingerprint", ZOO / "aspen", "-o", disk / "a.h5", says=["no space left"])
            self.assertEqual(self.archives_in(disk), [])

    def test_file_size_limit(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (300 << 10, 300 << 10))

        self.refused("run", harness.SOURCE / "configs/demo.yaml", "--output", "out", ranks=(1,), before=limit,
                     says=["File too large"])
        self.assertEqual(self.archives_in(self.directory), [])


if __name__ == "__main__":
    unittest.main()

"""Does every mistake of a user end in one clear sentence, exit code 2, and nothing half-done? From a shell, on 1 and 2 ranks."""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import unittest

import harness
from harness import ZOO, EndToEnd

LOG = ("  start  ", "  survey  ", "  plan  ", "  work  ", "  compare ", "  trace  ", "  archive ", "  end  ", "  warn  ")


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
        self.refused("run", "folder", says=["folder: this is a directory, and a file is wanted"])
        self.refused("run", "seed=1", says=["one configuration file is wanted, 0 were given"])

    def test_no_models(self):
        self.config("models: []\n")
        self.refused("run", "c.yaml", says=["c.yaml:3:9:", "models names nothing"])
        self.config(f"models: [{{glob: '{self.directory}/absent/*/'}}]\n")
        self.refused("run", "c.yaml", says=["c.yaml:3:10:", "models names nothing", "absent/*/ matches no directory"])
        self.refused("fingerprint", "-o", "a.h5", says=["no models were named"])

    def test_empty_texts_are_shown(self):
        self.write("c.yaml", f"schema_version: 1\nname: ''\nmodels: [{{path: '{ZOO}/aspen', id: ''}}]\ncompare: {{pairs: ''}}\n")
        lines = sentences(self.stemma("run", "c.yaml", code=2).stderr)
        for line, words in zip(lines, ('name = "" is not a file name', 'models[0].id = "" is not an id', 'compare.pairs = "": write one of'),
                               strict=True):
            self.assertIn(words, line)

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


class Words(BadInput):
    """Every word that names nothing usable is said with its place and in our own words."""

    def test_empty_words(self):
        for verb in ("inspect", "verify", "compare", "fingerprint", "run", "plan"):
            self.refused(verb, "", says=["argument 1: it is empty and names nothing"], ranks=(1,))
        self.refused("inspect", ZOO / "aspen", "", says=["argument 2: it is empty"])
        self.refused("fingerprint", ZOO / "aspen", "-o", "", says=["--output is empty"])

    def test_places_are_arguments(self):
        self.fingerprint("a.h5", ZOO / "aspen")
        self.refused("inspect", "a.h5", "absent", says=["argument 2: the model", "/absent does not exist"])
        self.refused("fingerprint", ZOO / "aspen", "absent", says=["argument 2: the model", "/absent does not exist"])
        self.refused("inspect", "--sheet", "absent.tsv", says=["--sheet: the sheet", "/absent.tsv does not exist"])

    def test_what_cannot_be_looked_at(self):
        (self.directory / "loop").symlink_to("loop")
        (self.directory / "lost").symlink_to("nowhere")
        self.config(f"models: [loop/model, lost]\n")
        lines = sentences(self.stemma("run", "c.yaml", code=2).stderr)
        self.assertEqual([line.split("/")[-1] for line in lines],
                         ["model cannot be looked at (Too many levels of symbolic links)", "lost is a symbolic link to nothing"])
        self.refused("run", "loop", says=["loop: cannot be looked at (Too many levels of symbolic links)"])
        self.refused("compare", "loop/a.h5", says=["loop/a.h5 cannot be looked at (Too many levels of symbolic links)"])
        self.config(f"models: [{ZOO}/aspen]\n")
        self.refused("run", "c.yaml", "--output", "loop/out", says=["loop/out: cannot create (Too many levels of symbolic links)"])
        self.refused("fingerprint", ZOO / "aspen", "-o", "loop/a.h5", says=["/loop: cannot create (Too many levels of symbolic links)"])

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody without rights")
    def test_without_permission(self):
        def nobody():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

        self.directory.chmod(0o777)
        if subprocess.run([harness.STEMMA, "--version"], preexec_fn=nobody, capture_output=True, check=False).returncode != 0:
            self.skipTest("the program lies where others may not go")
        (self.directory / "locked/model").mkdir(parents=True)
        (self.directory / "locked").chmod(0)
        self.config("models: [locked/model]\n")
        self.refused("run", "c.yaml", says=["locked/model cannot be looked at (Permission denied)"], ranks=(1,), before=nobody)
        self.refused("compare", "locked", says=["locked: cannot list (Permission denied)"], ranks=(1,), before=nobody)
        shutil.copytree(ZOO / "aspen", self.directory / "aspen")
        self.config("models: [aspen]\n")
        self.refused("run", "c.yaml", "--output", "locked/out", says=["locked/out: cannot create (Permission denied)"], ranks=(1,),
                     before=nobody)

    def test_no_words_of_libraries(self):
        done = self.stemma("verify", "/proc/self/mem", code=3)
        self.assertNotIn("download", done.stdout)
        self.assertIn("/proc/self/mem: error: mem: file.read_failed: found Input/output error: at byte 0", done.stdout)
        self.assertIn("error: status: file.no_size", self.stemma("verify", "/proc/self/status", code=3).stdout)


class Invalid(BadInput):
    """One model that cannot be read among good ones."""

    def setUp(self):
        super().setUp()
        shutil.copytree(ZOO / "aspen", self.directory / "aspen")
        (self.directory / "bad").mkdir()
        (self.directory / "bad/model.safetensors").write_bytes(b"x" * 100)
        self.config("models: [aspen, bad]\nanalyzers: {content: {}}\n")

    def test_dry_run_ends_as_the_plan_does(self):
        for ranks in (1, 2):
            for options, code in (([], 4), (["--strict"], 3)):
                self.stemma("plan", "c.yaml", *options, code=code, ranks=ranks)
                self.stemma("run", "c.yaml", "--dry-run", *options, code=code, ranks=ranks)
        self.stemma("run", "c.yaml", "--dry-run", "models=[aspen]")
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["aspen", "bad", "c.yaml"])

    def test_strict_says_it_once_and_keeps_its_status(self):
        def status():
            return json.loads((self.directory / "out/status.json").read_text())

        self.stemma("run", "c.yaml", "--output", "out", code=4)
        self.assertEqual((status()["stage"], status()["exit_code"]), ("end", 4))
        for ranks in (1, 2):
            done = self.stemma("run", "c.yaml", "--output", "out", "--strict", code=3, ranks=ranks)
            rule = "safetensors.header_too_large"
            self.assertEqual(done.stderr.count(rule), 1, done.stderr)
            (line,) = sentences(done.stderr)
            self.assertTrue(line.startswith(f"stemma: bad: model.safetensors: byte 0: {rule}: found "), line)
            self.assertEqual((status()["stage"], status()["exit_code"]), ("failed", 3))


class RunDirectories(BadInput):
    def setUp(self):
        super().setUp()
        shutil.copytree(ZOO / "aspen", self.directory / "aspen")
        self.config("models: [aspen]\nanalyzers: {content: {}}\n")
        self.stemma("run", "c.yaml", "--output", "out")
        self.resolved = self.directory / "out/config.resolved.yaml"

    def test_what_changes_no_result_is_no_other_configuration(self):
        for override in ("runtime.progress_every=60s", "runtime.log_level=warn", "runtime.coordinator=dedicated", "report.labels=label",
                         "description=another", "contact=me"):
            self.stemma("run", "c.yaml", "--output", "out", override)
            self.assertIn(override.split(".")[-1].replace("=", ": ").split(":")[0], self.resolved.read_text())
        for override in ("seed=2", "compare.background=none", "verdicts.declared=ignore", "name=other", "analyzers={histogram: {}}"):
            self.refused("run", "c.yaml", "--output", "out", override, says=["out was made with another configuration"], ranks=(1,))

    def test_configurations_of_other_versions(self):
        whole = self.resolved.read_text()
        older = whole[:whole.index("compare:")] + whole[whole.index("report:"):]  # before compare and verdicts were keys
        self.resolved.write_text(older)
        self.stemma("run", "c.yaml", "--output", "out")
        self.assertEqual(self.resolved.read_text(), whole)
        self.resolved.write_text(whole + "later: true\n")
        self.refused("run", "c.yaml", "--output", "out",
                     says=["out was made with a configuration that this version cannot read", "later is not a known key", "--fresh"])
        self.stemma("run", "c.yaml", "--output", "out", "--fresh")

    def test_the_place_is_part_of_the_configuration(self):
        self.assertIn('\noutput: out\n', self.resolved.read_text().replace('"', ""))
        self.stemma("run", self.resolved)


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
                     says=["out was made with another configuration", "seed 1 -> 2", "--fresh"])
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
                                  ("200k", ".rec", ["analyzers={content: {}}"]),
                                  ("200k", "demo.h5.tmp", ["analyzers={content: {}}", "trace.enabled=false"])):
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

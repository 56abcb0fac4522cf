"""Does the command line explain itself: help whose examples work, the word that was probably meant, and nothing said twice?"""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
from harness import ZOO, EndToEnd, write_tsv

VERBS = ["run", "plan", "fingerprint", "compare", "trace", "inspect", "verify", "merge", "schema", "doctor"]


class Help(EndToEnd):
    def pages(self):
        return [self.stemma("--help").stdout] + [self.stemma("help", verb).stdout for verb in VERBS]

    def test_pages_fit_a_terminal(self):
        for page in self.pages():
            lines = page.splitlines()
            self.assertLessEqual(len(lines), 60)
            self.assertLessEqual(max(map(len, lines)), 100, page)
            self.assertEqual([line for line in lines if line.endswith(" ")], [])

    def test_every_way_to_ask(self):
        overview = self.stemma("--help").stdout
        for verb in VERBS:
            self.assertIn(f"\n  {verb} ", overview)
            page = self.stemma(verb, "--help").stdout
            self.assertTrue(page.startswith(f"stemma {verb}: "))
            self.assertIn("\nExamples\n  ", page)
            self.assertIn(f"\nUsage\n  stemma {verb} ", page)
            for arguments in ((verb, "-h"), ("help", verb), (verb, "--help", "--json")):
                self.assertEqual(self.stemma(*arguments).stdout, page)
        for arguments in (("-h",), ("help",)):
            self.assertEqual(self.stemma(*arguments).stdout, overview)

    def test_version(self):
        for arguments in (["--version"], ["run", "--version"]):
            self.assertRegex(self.stemma(*arguments).stdout, r"\Astemma \d+\.\d+\.\d+ \(.+\)\n\Z")

    def examples(self):
        """The first column of the block of examples of every verb."""
        for page in self.pages()[1:]:
            block = page.split("\nExamples\n")[1].split("\n\n")[0]
            yield from (line.strip().split("  ")[0] for line in block.splitlines())

    def test_examples_work(self):
        here = self.directory
        (here / "configs").symlink_to(harness.SOURCE / "configs")
        (here / "bin").mkdir()
        (here / "bin/stemma").symlink_to(harness.STEMMA)
        for id, place in (("aspen", "models/llama-7b"), ("birch", "models/birch"), ("aspen-code", "acme-7b")):
            shutil.copytree(ZOO / id, here / place)
        shutil.copytree(harness.SOURCE / "tests/data/adapters/aspen-lora-r8", here / "adapters/lora")
        self.fingerprint("uploads.h5", "acme-7b")
        write_tsv(here / "models.tsv", ["path"], [["models/llama-7b"], ["models/birch"]])
        write_tsv(here / "some.tsv", ["id"], [["birch"]])
        write_tsv(here / "suspects.tsv", ["a", "b"], [["llama-7b", "acme-7b"]])
        shutil.copyfile(ZOO / "truth.tsv", here / "truth.tsv")
        self.write("audit.yaml", f"schema_version: 1\nmodels: [{{sheet: '{ZOO}/models.tsv'}}]\n")
        env = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{here}/bin:{os.environ['PATH']}",
               "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
        lines = list(self.examples())
        self.assertGreaterEqual(len(lines), 2 * len(VERBS))
        for line in lines:
            done = subprocess.run(["sh", "-c", line], cwd=here, env=env, text=True, capture_output=True, timeout=60 * harness.PATIENCE,
                                  check=False)
            self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}\n{done.stderr}")
        self.assertEqual((here / "audit.yaml").read_text(), (harness.SOURCE / "configs/audit.yaml").read_text())


class Sentences(EndToEnd):
    def refused(self, *arguments, says, ranks=(1, 2)):
        for n in ranks:
            with self.subTest(arguments=arguments, ranks=n):
                done = self.stemma(*arguments, code=2, ranks=n)
                self.assertEqual((done.stdout, done.stderr), ("", f"stemma: {says}\n"))

    def test_nothing_was_said(self):
        self.refused(says="a verb is wanted: one of run, plan, fingerprint, compare, trace, report, inspect, verify, merge, schema, doctor. "
                          "stemma --help says more")
        self.refused("run", says="run wants CONFIG [key=value...] (a configuration file, then overrides: key=value, "
                                 "key+=value, ~key). stemma run --help says more")
        self.refused("run", "c.yaml", "--output", says="--output wants DIR (run directory, instead of the configured one). "
                                                       "stemma run --help says more")
        for verb in ("fingerprint", "inspect"):
            self.refused(verb, says="no models were named. Give directories or files, or --sheet", ranks=(1,))

    def test_unknown_verbs(self):
        self.refused("rnu", says="rnu is not a verb of stemma. Did you mean run?")
        self.refused("help", "verfy", says="verfy is not a verb of stemma. Did you mean verify?", ranks=(1,))
        self.refused("--progress", "none", "compair", "a.h5", says="compair is not a verb of stemma. Did you mean compare?")
        self.refused("frobnicate", says="frobnicate is not a verb of stemma. stemma --help lists them", ranks=(1,))

    def test_unknown_options(self):
        for arguments, says in ((["run", "c.yaml", "--outptu", "o"], "--outptu is not an option of stemma run. Did you mean --output?"),
                                (["run", "c.yaml", "--outptu=o"], "--outptu is not an option of stemma run. Did you mean --output?"),
                                (["compare", "--pair", "x"], "--pair is not an option of stemma compare. Did you mean --pairs?"),
                                (["verify", "a.h5", "--agianst", "b"], "--agianst is not an option of stemma verify. Did you mean --against?"),
                                (["--jsn", "schema"], "--jsn is not an option of stemma schema. Did you mean --json?"),
                                (["plan", "c.yaml", "-z"], "-z is not an option of stemma plan. stemma plan --help says more")):
            self.refused(*arguments, says=says)

    def test_unknown_words(self):
        names = [line.split()[0] for line in self.stemma("schema").stdout.splitlines()[1:]]
        self.refused("schema", "archives", says=f"document: archives is none of {', '.join(names)} (did you mean archive?). "
                                                "stemma schema --help says more", ranks=(1,))
        self.refused("--progress", "baar", "schema", says="--progress: baar is none of auto, bar, lines, none "
                                                          "(did you mean bar?). stemma schema --help says more", ranks=(1,))
        self.refused("schema", "sheet", "archive", says="archive was not expected by stemma schema. "
                                                        "stemma schema --help says more", ranks=(1,))

        for number in ("0", "x", "1.5", "1000001"):
            self.refused("plan", "c.yaml", "--ranks", f"4,{number}", ranks=(1,),
                         says=f"--ranks: {number} is no whole number from 1 to 1,000,000. stemma plan --help says more")

    def test_a_directory_may_be_called_like_a_verb(self):
        shutil.copytree(ZOO / "aspen", self.directory / "run")
        self.assertTrue(self.stemma("inspect", "run").stdout.startswith("run: safetensors model, architecture llama, 6 layers"))


class OnceUnderALauncher(EndToEnd):
    def test_help_version_and_serial_verbs(self):
        archive = self.fingerprint("a.h5", ZOO / "aspen", ZOO / "birch")
        for arguments in (["--help"], ["run", "--help"], ["help", "plan"], ["--version"], ["schema"], ["inspect", "a.h5"],
                          ["verify", "a.h5"], ["compare", "a.h5"], ["plan", harness.SOURCE / "configs/demo.yaml", "--ranks", "4",
                           "--memory-per-rank", "1GiB"]):
            alone, together = self.stemma(*arguments), self.stemma(*arguments, ranks=2)
            self.assertEqual((together.stdout, together.stderr), (alone.stdout, alone.stderr), arguments)
        self.assertTrue(archive.exists())

    def test_json_errors(self):
        for n in (1, 2):
            done = self.stemma("run", "absent.yaml", "--json", code=2, ranks=n)
            document = json.loads(done.stdout)
            self.assertEqual((document["schema"], document["exit_code"], len(document["problems"])), ("stemma.error/1", 2, 1))
            self.assertEqual(done.stderr, "absent.yaml: there is no such file\n")


class StandardOutput(EndToEnd):
    """What was said must have arrived: a full disk is an error, a reader that has seen enough is none."""

    def commands(self):
        self.fingerprint("a.h5", ZOO / "aspen", ZOO / "birch", ZOO / "cedar")
        self.write("c.yaml", f"schema_version: 1\nmodels: ['{ZOO}/aspen']\noutput: out\nanalyzers: {{content: {{}}}}\n")
        return (["verify", "--hash", "a.h5"], ["verify", "a.h5"], ["compare", "a.h5"], ["compare", "a.h5", "--json"], ["inspect", "a.h5"],
                ["schema"], ["schema", "--markdown"], ["run", "c.yaml", "--quiet"], ["plan", "c.yaml"], ["--help"], ["run", "--help"],
                ["--version"])

    def said(self, arguments, stdout):
        done = subprocess.run([harness.STEMMA, *arguments], cwd=self.directory, stdout=stdout, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=60, check=False)
        return done.returncode, [line for line in done.stderr.splitlines() if "A curve score alone" not in line]

    def test_full_disk(self):
        for arguments in self.commands():
            with open("/dev/full", "w", encoding="utf-8") as full:
                code, lines = self.said(arguments, full)
            self.assertEqual((code, lines), (2, ["stemma: what was to be printed could not be written (No space left on device). "
                                                 "Free some space, or send it elsewhere"]), arguments)
        self.assertEqual(json.loads((self.directory / "out/status.json").read_text())["stage"], "end")  # the run is whole

    def test_reader_that_is_gone(self):
        for arguments in self.commands():
            reader, writer = os.pipe()
            os.close(reader)
            code, lines = self.said(arguments, writer)
            os.close(writer)
            self.assertEqual((code, lines), (141, []), arguments)


@unittest.skipUnless(shutil.which("mpirun"), "mpirun is absent")
class Demo(EndToEnd):
    """The script itself, with nothing to install or build: it must start one rank for each hardware thread, or say why not."""

    def demo(self, threads, program):
        """A place that looks like the source directory."""
        shutil.copyfile(harness.SOURCE / "demo", self.directory / "demo")
        prepare = (harness.SOURCE / "tests/harness/prepare.sh").read_text(encoding="utf-8")
        self.write("tests/harness/prepare.sh", prepare + "install_missing() { :; }\nbuild_preset() { :; }\n")
        (self.directory / "tests/data").symlink_to(harness.SOURCE / "tests/data")
        (self.directory / "configs").symlink_to(harness.SOURCE / "configs")
        (self.directory / "build/release").mkdir(parents=True)
        (self.directory / "build/release/stemma").symlink_to(program)
        self.write("bin/nproc", f"#!/bin/sh\necho {threads}\n").chmod(0o755)
        env = {name: value for name, value in os.environ.items() if not name.startswith("OMPI_")}
        env["PATH"] = f"{self.directory}/bin:{env['PATH']}"
        return subprocess.run(["bash", self.directory / "demo"], env=env, text=True, capture_output=True, timeout=120, check=False)

    def test_more_threads_than_cores(self):
        done = self.demo(os.cpu_count() + 1, harness.STEMMA)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{os.cpu_count() + 1} ranks, MPI library", done.stderr)
        self.assertIn("4/4 result    runs/demo", done.stdout)

    def test_failure_is_said(self):
        done = self.demo(1, "/bin/false")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the audit ended with exit code 1", done.stderr)
        self.assertNotIn("4/4", done.stdout)


class OneThing(EndToEnd):
    """One is singular, and a file is named once a line."""

    def test_one_model_one_file_one_rank(self):
        self.assertIn("6 layers, 1,154,688 parameters, 2.3 MB in 1 file\n", self.stemma("inspect", ZOO / "aspen").stdout)
        self.write("c.yaml", f"schema_version: 1\nmodels: ['{ZOO}/aspen']\noutput: out\nanalyzers: {{content: {{}}}}\n")
        done = self.stemma("run", "c.yaml")
        for words in ("1 model named, 1 question, output out", "  1 rank, MPI library", "1 of 1 model whole, 19 of 19 items, 0 failures; exit 0"):
            self.assertIn(words, done.stderr)
        self.assertIn("  1 model, 0 pairs: nothing declared; 0 failed.\n", done.stdout)
        self.assertIn("1 of 1 model readable, 57 tensors", self.stemma("plan", "c.yaml").stdout)
        self.assertIn("out: archive of 1 model, 0 pairs, 0 failures, made ", self.stemma("inspect", "out").stdout)
        self.fingerprint("two.h5", ZOO / "aspen", ZOO / "birch")
        self.assertIn("two.h5: archive of 2 models, 0 pairs", self.stemma("inspect", "two.h5").stdout)

    def test_complaints_name_the_file_once(self):
        archive = self.fingerprint("a.h5", ZOO / "aspen")
        whole = archive.read_bytes()
        archive.chmod(0o644)
        archive.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        done = self.stemma("verify", "a.h5", code=3)
        self.assertEqual([line.count("a.h5") for line in done.stdout.splitlines()], [1, 1])
        self.assertIn("a.h5: archive has 1 complaint\n", done.stdout)
        archive.write_bytes(whole[:len(whole) // 2])
        done = self.stemma("verify", "a.h5", code=3)
        self.assertEqual({line.count("a.h5") for line in done.stdout.splitlines()}, {1})
        self.assertIn("archive has 2 complaints\n", done.stdout)
        self.assertEqual(self.stemma("compare", "a.h5", code=3).stderr.count("a.h5"), 1)

    def test_complaints_about_checkpoints(self):
        weights = (ZOO / "aspen/model.safetensors").read_bytes()
        pathlib.Path(self.directory / "cut.safetensors").write_bytes(weights[:1000])
        for target in ("cut.safetensors", "absent"):
            done = self.stemma("verify", target, code=3)
            self.assertEqual({line.count(target) for line in done.stdout.splitlines()}, {1}, done.stdout)
            self.assertIn(f"{target}: checkpoint has 1 complaint\n", done.stdout)


if __name__ == "__main__":
    unittest.main()

"""What may scripts rely on: a copy of the log, lists of models from files and pipes, chosen tests, and a receipt at the end?"""
import json
import os
import re
import signal
import subprocess
import unittest

import harness
from harness import ZOO, EndToEnd, mpirun, read_tsv

CONFIG = f"schema_version: 1\nmodels: ['{ZOO}/aspen', '{ZOO}/birch']\nanalyzers: {{content: {{}}, histogram: {{}}}}\noutput: out\n"
LINE = re.compile(r"(?m)^(\S+Z)  (\w+) +(.*)$")


class Logs(EndToEnd):
    def events(self, name):
        return [json.loads(line) for line in (self.directory / name).read_text().splitlines()]

    def test_json_says_what_the_log_says(self):
        self.write("c.yaml", CONFIG)
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                self.stemma("run", "c.yaml", "--log-file", "log.jsonl", "--log-format", "json", ranks=ranks)
                log = LINE.findall((self.directory / "out/log/run.log").read_text())
                events = self.events("log.jsonl")
                self.assertEqual([(e["t"], e["stage"], e["message"]) for e in events], log)  # of both attempts: it is appended to
        self.assertGreater(len(events), 12)
        self.assertEqual({tuple(e) for e in events}, {("t", "level", "stage", "message")})
        self.assertEqual({e["level"] for e in events}, {"info"})
        self.assertEqual({e["stage"] for e in events if e["stage"] in ("start", "survey", "plan", "work", "archive", "end")},
                         {"start", "survey", "plan", "work", "archive", "end"})

    def test_text_is_a_copy(self):
        self.write("c.yaml", CONFIG)
        done = self.stemma("run", "c.yaml", "--log-file=copy.log", "-v")
        copy = (self.directory / "copy.log").read_text()
        self.assertEqual(copy, (self.directory / "out/log/run.log").read_text())
        self.assertEqual(copy, "".join(line + "\n" for line in done.stderr.splitlines()))
        self.assertIn("model aspen: ", copy)

    def test_other_verbs(self):
        self.stemma("fingerprint", ZOO / "aspen", "--log-file", "f", "--log-format", "json", "analyzers={content: {}}")
        self.assertIn("archive", [e["stage"] for e in self.events("f")])
        self.stemma("trace", ZOO / "aspen", ZOO / "aspen-lora-r8", "--log-file", "t", "--log-format", "json", "-v")
        self.assertEqual({e["level"] for e in self.events("t")} - {"info", "debug", "warn"}, set())

    def test_strangers_names_are_whole_lines(self):
        """A model whose name holds quotes, a line end and bytes that are no text cannot make a line of its own."""
        (self.directory / "m").mkdir()
        os.symlink(ZOO / "aspen", os.fsencode(self.directory) + b'/m/a"b\\c\nd\xff')
        self.write("c.yaml", CONFIG.replace(f"'{ZOO}/aspen', '{ZOO}/birch'", "{glob: 'm/*'}"))
        self.stemma("run", "c.yaml", "-v", "--log-file", "l", "--log-format", "json")
        (said,) = [e["message"] for e in self.events("l") if e["level"] == "debug" and "/m/a" in e["message"]]
        self.assertTrue(said.endswith(r'/m/a"b\c\x0Ad\xFF'), said)

    def test_refusals(self):
        self.write("c.yaml", CONFIG)
        done = self.stemma("run", "c.yaml", "--log-format", "json", code=2)
        self.assertIn("--log-file", done.stderr)
        self.assertFalse((self.directory / "out").exists())
        done = self.stemma("run", "c.yaml", "--log-file", "absent/log", code=2, ranks=2)
        self.assertRegex(done.stderr, r"\Astemma: [^\n]*absent/log[^\n]*\n\Z")


class Lists(EndToEnd):
    def test_from_a_file_and_a_pipe(self):
        names = [str(ZOO / "aspen"), str(ZOO / "birch")]
        self.write("names", "\n".join(names) + "\r\n")
        wanted = self.stemma("inspect", *names).stdout
        self.assertEqual(self.stemma("inspect", "--from-file", "names").stdout, wanted)
        self.assertEqual(self.stemma("inspect", names[0], "--from-file", self.write("one", names[1])).stdout, wanted)
        done = subprocess.run([harness.STEMMA, "inspect", "--from-file", "-"], input="\n".join(names), cwd=self.directory, text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, wanted))

    def test_fingerprint_on_ranks(self):
        self.write("names", f"{ZOO}/aspen\n{ZOO}/birch\n")
        for ranks in (1, 2):
            self.stemma("fingerprint", "--from-file", "names", "-o", f"{ranks}.h5", "analyzers={content: {}}", ranks=ranks)
        self.stemma("fingerprint", ZOO / "aspen", ZOO / "birch", "-o", "named.h5", "analyzers={content: {}}")
        hashes = {self.stemma("verify", "--hash", f"{name}.h5").stdout for name in ("1", "2", "named")}
        self.assertEqual(len(hashes), 1)

    def test_a_line_is_a_location_whatever_it_looks_like(self):
        (self.directory / "seed=1").symlink_to(ZOO / "aspen")
        self.write("names", "seed=1\n")
        self.assertIn("safetensors model, architecture llama", self.stemma("inspect", "--from-file", "names").stdout)

    def test_problems_have_their_line(self):
        self.write("names", f"{ZOO}/aspen\n\nabsent\n")
        done = self.stemma("inspect", "--from-file", "names", code=2)
        self.assertEqual(done.stderr, "names:2: it is empty and names nothing\n")
        self.write("names", f"{ZOO}/aspen\nabsent\n")
        self.assertRegex(self.stemma("fingerprint", "--from-file", "names", code=2, ranks=2).stderr, r"(?:\A|\n)names:2: [^\n]*absent[^\n]*\n\Z")
        self.write("names", "")
        self.assertEqual(self.stemma("inspect", "--from-file", "names", code=2).stderr, "names: it is empty and names nothing\n")
        self.assertRegex(self.stemma("inspect", "--from-file", "no", code=2).stderr, r"\Astemma: [^\n]*no[^\n]*\n\Z")

    def test_more_than_an_argument_list_takes(self):
        """3 MB of names; systems take 2 MB in all."""
        self.write("names", "".join(f"{'x' * 150}{i}\n" for i in range(20_000)))
        done = self.stemma("inspect", "--from-file", "names", code=2)
        self.assertTrue(done.stderr.startswith("names:1: "), done.stderr[:400])
        self.assertTrue(done.stderr.endswith("and 19950 more\n"), done.stderr[-400:])


class Tests(EndToEnd):
    def methods(self, *options):
        pairs = json.loads(self.stemma("compare", "a.h5", "--json", *options).stdout)["pairs"]
        return {evidence["method"] for pair in pairs for evidence in pair["evidence"]}

    def test_only_these(self):
        self.fingerprint("a.h5", ZOO / "aspen", ZOO / "aspen-code")
        every = self.methods()
        self.assertGreaterEqual(every, {"content", "histogram", "intrinsic_fingerprint", "tensorguard", "neuron_match"})
        self.assertEqual(self.methods("--tests", "content,histogram"), {"content", "histogram"} & every)
        self.assertEqual(self.methods("--tests", "neuron_match"), {"neuron_match"})
        whole = self.stemma("compare", "a.h5", "--json", "compare.tests={content: {}, histogram: {}}").stdout
        self.assertEqual(self.stemma("compare", "--tests", "content,histogram", "a.h5", "--json").stdout, whole)
        self.assertIn("neuron_mach is none of ", self.stemma("compare", "a.h5", "--tests", "neuron_mach", code=2).stderr)


class Receipts(EndToEnd):
    def receipt(self, name="r"):
        document = json.loads((self.directory / name).read_text())
        self.assertEqual(document.pop("schema"), "stemma.receipt/1")
        return document

    def run_of(self, directory):
        return json.loads((self.directory / directory / "manifest.json").read_text())["run"]["uuid"]

    def test_says_how_it_ended(self):
        self.write("c.yaml", CONFIG)
        for ranks in (1, 2):
            self.stemma("run", "c.yaml", "--receipt", "r", ranks=ranks)
            self.assertEqual(self.receipt(), {"exit_code": 0, "runs": [self.run_of("out")]})
        self.write("broken/config.json", "{}")
        self.write("d.yaml", CONFIG.replace(f"{ZOO}/birch", "broken").replace("output: out", "output: d"))
        self.stemma("run", "d.yaml", "--receipt", "r", code=4)
        self.assertEqual(self.receipt(), {"exit_code": 4, "runs": [self.run_of("d")]})
        self.stemma("run", "d.yaml", "--receipt", "r", "--strict", code=3, ranks=2)
        self.assertEqual(self.receipt(), {"exit_code": 3, "runs": []})
        self.stemma("run", "c.yaml", "nonsense=1", "--receipt", "r", code=2)
        self.assertEqual(self.receipt(), {"exit_code": 2, "runs": []})

    def test_of_other_verbs(self):
        self.stemma("fingerprint", ZOO / "aspen", "analyzers={content: {}}", "--receipt", "f")
        self.assertEqual((self.receipt("f")["exit_code"], len(self.receipt("f")["runs"])), (0, 1))
        self.stemma("trace", ZOO / "aspen", ZOO / "aspen-lora-r8", "--receipt", "t")
        self.assertEqual(self.receipt("t"), {"exit_code": 0, "runs": []})

    def test_of_a_sweep(self):
        self.write("c.yaml", CONFIG.replace("histogram", "tensorguard") + "sweep: {over: {seed: [1, 2]}}\n")
        self.stemma("run", "c.yaml", "--receipt", "r")
        runs = self.receipt()["runs"]
        self.assertEqual(len(set(runs)), 2)
        points = [row["directory"] for row in read_tsv(self.directory / "out/sweep.tsv")]
        self.assertEqual(runs, [self.run_of(f"out/{point}") for point in points])

    def test_nothing_is_left_of_a_killed_run(self):
        """An old receipt is gone as soon as a run begins, and the last act of a killed one never comes."""
        self.write("r", "old")
        self.write("c.yaml", f"schema_version: 1\nmodels: [{{glob: '{ZOO}/*/'}}]\noutput: out\n")
        command = [*mpirun(2), harness.STEMMA, "run", "c.yaml", "--receipt", "r"]
        run = subprocess.Popen(command, cwd=self.directory, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True)
        for line in run.stderr:
            if "  plan  " in line:
                break
        self.assertFalse((self.directory / "r").exists())
        os.kill(run.pid, signal.SIGKILL)  # its ranks end with it
        run.stderr.close()
        run.wait(60)
        self.assertFalse((self.directory / "r").exists())

    def test_a_place_that_cannot_be_written(self):
        self.write("c.yaml", CONFIG)
        done = self.stemma("run", "c.yaml", "--receipt", "absent/r", code=2, ranks=2)
        self.assertRegex(done.stderr, r"\Astemma: [^\n]*absent/r[^\n]*\n\Z")
        self.assertFalse((self.directory / "out").exists())


if __name__ == "__main__":
    unittest.main()

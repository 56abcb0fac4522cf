"""What does a run say of itself from its first line to its last, on a terminal, in a pipe and to machines?"""
import datetime
import fcntl
import hashlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
import unittest

import harness
from harness import ZOO, EndToEnd, llama_config, llama_tensors, write_checkpoint
from mistakes import LOG_LINE

ERASE = "\r\x1b[K"
FRAME = re.compile(r"work  \[=*> *\] ([\d,]+)/([\d,]+)  (\d+) %")


class Running(EndToEnd):
    """A model that keeps one rank busy for some seconds, in many items."""

    @classmethod
    def setUpClass(cls):
        config = llama_config(7, hidden_size=1024, intermediate_size=1024, head_dim=64)
        cls.tensors, cls.config = llama_tensors(config, 1), config

    def setUp(self):
        super().setUp()
        write_checkpoint(self.directory / "large", self.tensors, self.config)
        self.write("c.yaml", "schema_version: 1\nname: t\nmodels: [large]\nanalyzers: {content: {}, spectrum: {}}\n")

    def on_terminal(self, columns, *more, **environment):
        """Everything that arrives at a terminal of that width; stdout goes elsewhere."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
        env |= {"OMP_NUM_THREADS": "1", "TERM": "xterm", **environment}
        program = subprocess.Popen([harness.STEMMA, "run", "c.yaml", "--output", "out", *more], cwd=self.directory, env=env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            seen += part
        os.close(ours)
        self.assertEqual(program.wait(timeout=harness.PATIENCE * 60), 0, seen)
        return seen.decode()

    def screen(self, seen):
        """The lines that stay, as a terminal shows them: whoever goes back erases what stood there."""
        self.assertEqual(seen.replace("\r\n", "\n").replace(ERASE, "").count("\r"), 0)
        return [line.split(ERASE)[-1] for line in seen.split("\r\n") if line.split(ERASE)[-1]]


class Terminal(Running):
    def frames(self, seen):
        return [part.split("\r")[0].split("\n")[0] for part in seen.split(ERASE)[1:]]

    def test_one_line_is_redrawn_and_leaves_nothing(self):
        seen = self.on_terminal(120)
        drawn = [frame for frame in self.frames(seen) if FRAME.match(frame)]
        self.assertGreaterEqual(len(drawn), 2)
        counts = [int(FRAME.match(frame)[1].replace(",", "")) for frame in drawn]
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(counts[-1], counts[0])
        self.assertEqual(set(re.findall(r"\x1b[^A-Za-z]*[A-Za-z]", seen)), {"\x1b[K"})
        for line in self.screen(seen):
            self.assertRegex(line, LOG_LINE)

    def test_it_fits(self):
        for columns, environment, fits in ((40, {}, 39), (120, {"COLUMNS": "50"}, 49)):
            shutil.rmtree(self.directory / "out", ignore_errors=True)
            drawn = [frame for frame in self.frames(self.on_terminal(columns, **environment)) if frame.startswith("work  [")]
            self.assertGreaterEqual(len(drawn), 1)
            self.assertEqual({len(frame) for frame in drawn}, {fits})

    def test_terminals_that_want_none(self):
        for environment, more in (({"TERM": "dumb"}, []), ({"NO_COLOR": "1"}, []), ({}, ["--progress", "lines"]), ({}, ["--progress", "none"])):
            shutil.rmtree(self.directory / "out", ignore_errors=True)
            seen = self.on_terminal(120, *more, **environment)
            self.assertNotIn("\x1b", seen)
            self.assertEqual(seen.count("\r"), seen.count("\r\n"))  # the terminal's own


class Pipe(Running):
    def test_never_a_carriage_return_and_never_silent(self):
        done = self.stemma("run", "c.yaml", "runtime.progress_every=1s", "--output", "out")
        self.assertNotIn("\r", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        counts = [tuple(map(int, m)) for m in re.findall(r"(?m)^\S+  work +(\d+)/(\d+) items \d+ %  \S+ \S+ of \S+ \S+  \S+ \S+/s.*  failed 0$",
                                                         done.stderr)]
        self.assertGreaterEqual(len(counts), 1, done.stderr)  # a quick machine has little to tell
        self.assertEqual(counts, sorted(counts))
        times = [datetime.datetime.fromisoformat(line.split()[0].rstrip("Z")) for line in done.stderr.splitlines()]
        gaps = [(b - a).total_seconds() for a, b in zip(times, times[1:])]
        self.assertLessEqual(max(gaps), 2 + 2 * harness.PATIENCE)
        self.assertEqual((self.directory / "out/log/run.log").read_text(), done.stderr)

    def test_lines_say_what_runs_longest_and_what_is_left(self):
        """One of the ranks decomposes for seconds: it is named, with its time; nobody knows yet when all will end."""
        for ranks in (1, 3):
            log = self.stemma("run", "c.yaml", "runtime.progress_every=1s", "--deadline", "+50min", "--output", f"out{ranks}", ranks=ranks).stderr
            lines = re.findall(r"(?m)^\S+  work +\d+/\d+ items .*$", log)
            self.assertGreaterEqual(len(lines), 1, log)
            named = [re.search(r"  now large (\S+) \(1 rank, (\d+\.\d) s\)  mem (\S+) (\S+) of (\S+) (\S+)  failed 0$", line) for line in lines]
            self.assertGreaterEqual(len([name for name in named if name]), 1, log)
            for name in filter(None, named):
                self.assertRegex(name[1], r"\A(model\.(layers\.\d+\.(self_attn|mlp)\.\w+|embed_tokens|norm)|lm_head)\.weight")
                self.assertLess(float(name[2]), 60 * harness.PATIENCE)
                used, budget = (float(name[i]) * {"MiB": 1, "GiB": 1024}[name[i + 1]] for i in (3, 5))
                self.assertGreater(used, 10)  # more than the program itself, and within what it was allowed
                self.assertLess(used, budget)
            left = [re.search(r"  left 00:(\d\d):\d\d  ", line) for line in lines]
            self.assertTrue(all(left), log)
            self.assertTrue({int(match[1]) for match in left} <= {48, 49, 50}, log)
            self.assertNotIn("  eta ", log)

    def test_no_stage_is_silent(self):
        """Pairs are compared for seconds, in a run and from its archive: lines count them."""
        (self.directory / "kin").mkdir()
        for i in range(48):
            (self.directory / "kin" / f"m{i}").symlink_to(ZOO / "aspen")
        self.write("many.yaml", "schema_version: 1\nname: t\nmodels: [{glob: 'kin/*'}]\nanalyzers: {content: {}, neuron_match: {}}\n")
        counted = r"(?m)^\S+  compare   ([\d,]+)/1,128 pairs by neurons (\d+) %(?:  eta [\d:]+)?$"
        for ranks in (1, 2):
            log = self.stemma("run", "many.yaml", "runtime.progress_every=1s", "--output", f"many{ranks}", ranks=ranks).stderr
            done = [(int(a.replace(",", "")), int(percent)) for a, percent in re.findall(counted, log)]
            self.assertGreaterEqual(len(done), 1, log)
            self.assertEqual(done, sorted(done))
            for pairs, percent in done:
                self.assertTrue(0 <= pairs <= 1128 and percent == pairs * 100 // 1128, (pairs, percent))
            log = self.stemma("compare", f"many{ranks}", "runtime.progress_every=1s", ranks=ranks).stderr
            self.assertRegex(log, counted)
            self.assertNotIn("\r", log)
            self.assertNotIn("pairs by", self.stemma("compare", f"many{ranks}", "runtime.progress_every=1s", "--quiet", ranks=ranks).stderr)

    def test_no_end_no_countdown(self):
        log = self.stemma("run", "c.yaml", "runtime.progress_every=1s", "runtime.deadline=none", "--output", "out").stderr
        self.assertNotRegex(log, r"items \d+ % .*  left ")
        log = self.stemma("run", "c.yaml", "runtime.progress_every=1s", "--deadline", "+2h", "--output", "out2").stderr
        self.assertNotRegex(log, r"items \d+ % .*  left ")

    def test_every_tenth_has_a_line(self):
        log = self.stemma("run", "c.yaml", "runtime.progress_every=60s", "--output", "out").stderr
        percents = [int(p) for p in re.findall(r"items (\d+) %", log)]
        self.assertGreaterEqual(len(percents), 1, log)
        self.assertEqual(len({p // 10 for p in percents}), len(percents))

    def test_stages_begin_and_end_with_a_line(self):
        log = self.stemma("run", "c.yaml", "--output", "out").stderr
        stages = [LOG_LINE.match(line)[1] for line in log.splitlines() if not re.search(r" items? \d+ %", line)]
        order = ["start", "survey", "plan", "work", "compare", "archive", "report", "end"]
        self.assertEqual([stage for i, stage in enumerate(stages) if stage not in stages[:i]], order)
        self.assertRegex(log.splitlines()[-1], r"  end       1 of 1 model whole, (\d+) of \1 items, 0 failures; exit 0\Z")


class Machines(Running):
    def test_the_status_is_always_whole(self):
        program = subprocess.Popen([harness.STEMMA, "run", "c.yaml", "--output", "out"], cwd=self.directory, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
        seen = []

        def watch():
            while program.poll() is None:
                try:
                    seen.append(json.loads((self.directory / "out/status.json").read_text(encoding="utf-8")))
                except FileNotFoundError:
                    self.assertEqual(seen, [])
                time.sleep(0.001)

        watcher = threading.Thread(target=watch)
        watcher.start()
        watcher.join()
        self.assertEqual(program.returncode, 0)
        stages = [status["stage"] for status in seen]
        stages = [stage for i, stage in enumerate(stages) if i == 0 or stage != stages[i - 1]]
        self.assertEqual(stages, [stage for stage in ("start", "survey", "work", "compare", "archive", "report", "end") if stage in stages])
        self.assertIn(stages[0], ("start", "survey"))  # headers of one model take milliseconds
        last = json.loads((self.directory / "out/status.json").read_text())
        keys = {"schema", "stemma", "stage", "unit", "done", "total", "bytes", "rate", "eta", "deadline", "failed", "updated", "exit_code"}
        for status in seen:
            self.assertEqual(set(status), keys)
            self.assertEqual((status["exit_code"] is None, status["eta"], status["deadline"]), (status["stage"] != "end", None, None))
            self.assertEqual(status["rate"] is None, status["stage"] != "work")
        self.assertEqual(set(last), keys)
        self.assertEqual((last["schema"], last["stage"], last["exit_code"], last["failed"]), ("stemma.status/1", "end", 0, 0))
        self.assertEqual(last["done"], last["total"])
        self.assertRegex(last["updated"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        self.assertEqual([path.name for path in (self.directory / "out").glob("*.tmp*")], [])

    def test_a_run_that_stops_says_how_far_it_came(self):
        program = subprocess.Popen([harness.STEMMA, "run", "c.yaml", "--output", "out", "--deadline-margin", "10min",
                                    "--deadline", "+9h"], cwd=self.directory,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        deadline = time.monotonic() + 60 * harness.PATIENCE
        while not any(path.stat().st_size > 10_000 for path in (self.directory / "out/store").glob("*.rec")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        program.send_signal(signal.SIGUSR1)
        log = program.communicate(timeout=60 * harness.PATIENCE)[1]
        self.assertEqual(program.returncode, 85, log)
        status = json.loads((self.directory / "out/status.json").read_text())
        said = re.search(r"([\d,]+) of ([\d,]+) items? of this stage done", log)
        self.assertEqual((status["stage"], status["exit_code"], status["done"], status["total"]),
                         ("stopped", 85, int(said[1]), int(said[2])))
        self.assertGreater(status["done"], 0)
        ends = datetime.datetime.fromisoformat(status["deadline"].rstrip("Z")) - datetime.datetime.utcnow()
        self.assertAlmostEqual(ends.total_seconds(), 9 * 3600, delta=120)


class FirstLines(EndToEnd):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", f"schema_version: 1\nname: t\nmodels: ['{ZOO}/aspen']\nanalyzers: {{content: {{}}}}\n")

    def test_whoever_is_asked_for_help_reads_them_first(self):
        host = socket.gethostname()
        digest = hashlib.sha256((self.directory / "c.yaml").read_bytes()).hexdigest()
        for ranks in (1, 2):
            output = f"out{ranks}"
            log = self.stemma("run", "c.yaml", "seed=2", "--output", output, ranks=ranks, SLURM_JOB_ID="81733", SLURM_RESTART_COUNT="0").stderr
            said = [LOG_LINE.match(line).groups() for line in log.splitlines()]
            wanted = [("start", r"stemma \d+\.\d+\.\d+ \(\S+, .+\), archive format 1\.0\.0"),
                      ("start", rf"command: \S+ run c\.yaml seed=2 --output {output}"),
                      ("start", rf"config sha256 {digest[:12]}, 1 override, resolved in {output}/config\.resolved\.yaml"),
                      ("start", rf"1 model named, 1 question, output {output}"),
                      ("start", rf"{ranks} ranks?, MPI library: \S.*"),
                      ("start", rf"1 node: {host} \({ranks} ranks?\)(; {host} has \d+ cores?, so its ranks share them and predicted times "
                                r"do not hold)?; Slurm job 81733, restart 0"),
                      ("start", rf"HDF5 [\d.]+( \(\w+\))?, \S.*; self-test passed on {ranks} ranks?"),
                      ("survey", "1 of 1 model readable, headers read in .*"),
                      ("start", rf"memory [\d.]+ .iB per rank, set by [a-z ]+; models on .+; store {output}/store")]
            self.assertEqual([stage for stage, _ in said[:len(wanted)]], [stage for stage, _ in wanted])
            for (_, sentence), (_, pattern) in zip(said, wanted):
                self.assertRegex(sentence, rf"\A{pattern}\Z")

    def test_more_ranks_than_cores_are_said(self):
        log = self.stemma("run", "c.yaml", "--output", "out", ranks=os.cpu_count() + 1).stderr
        self.assertRegex(log, rf"has {os.cpu_count()} cores?, so its ranks share them and predicted times do not hold")

    def test_results_that_are_known_are_counted(self):
        self.stemma("run", "c.yaml", "--output", "out", "--store", "s")
        log = self.stemma("run", "c.yaml", "--output", "out2", "--store", "s").stderr
        self.assertRegex(log, r"(?m)  resume    work: (\d+) of \1 items known already, 0 left")

    def test_fingerprints_say_them_too(self):
        log = self.stemma("fingerprint", ZOO / "aspen", "-o", "a.h5").stderr
        for words in ("  start     stemma ", "  start     command: ", "  start     1 node: ", "  start     HDF5 ", "  start     memory "):
            self.assertIn(words, log)


if __name__ == "__main__":
    unittest.main()

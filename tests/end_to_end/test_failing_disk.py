"""Does a run whose disk fails at any of its writes say so in one sentence, and is nothing lost by that or by a kill at that point?"""
import collections
import errno
import os
import pathlib
import re
import shutil
import signal
import sys
import unittest

import harness
import launder
from harness import llama_config, llama_tensors, write_checkpoint
from interrupted import Interrupted, Undisturbed, hashes

SHIM = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release")) / "tests/failing_disk.so"
# By hand: every so many-th write to a log or archive, and every other call, each in every way. 1 takes an hour.
STRIDE = int(os.environ.get("STEMMA_DISK_STRIDE", "0"))

ONCE, FULL = str(errno.EIO), f"{errno.ENOSPC}+"
FAILURES, DEATHS = (ONCE, FULL), ("before", "after", "amid")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  ")


def turned_pair(directory):
    """A model and its copy in turned coordinates, which takes a map; small, but with every kind of file."""
    config = llama_config(1)
    one = write_checkpoint(directory / "one", llama_tensors(config, 1), config)
    return {"models": [one, launder.launder_directory(one, directory / "turned", launder.ALL, dtype="F32")], "trace": {"pairs": "all"}}


def name_of(path):
    """Without what differs from run to run."""
    return re.sub(r"\.tmp\.[^/]+", ".tmp", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}", "HASH", path))


class FailingDisk(Interrupted):
    @classmethod
    def setUpClass(cls):
        cls.undisturbed = Undisturbed(turned_pair)

    def run_on(self, out, fails="", ranks=1):
        report = self.directory / "report"
        report.unlink(missing_ok=True)
        done = harness.stemma(*self.arguments(out), ranks=ranks, cwd=self.directory, LD_PRELOAD=str(SHIM), STEMMA_DISK_PATHS=f"{out}*",
                              STEMMA_DISK_FAILS=fails, STEMMA_DISK_REPORT=str(report))
        return done, [line.split("\t")[:2] for line in report.read_text().splitlines()] if report.exists() else []

    def calls(self):
        """Kind and path of what a whole run does to files, in order."""
        done, calls = self.run_on(self.directory / "counted")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual({"mkdir", "open", "write", "fsync", "chmod", "rename", "close", "unlink"}, {kind for kind, _ in calls})
        found = collections.defaultdict(list)
        for number, (kind, path) in enumerate(calls, 1):
            found[kind, name_of(path)].append(number)
        return found

    def chosen(self, ways):
        """Pairs of a call, by its number, and a way in which it goes wrong."""
        if STRIDE:
            return [(n, way) for (kind, _), numbers in self.calls().items() for i, n in enumerate(numbers)
                    if kind != "write" or len(numbers) < 20 or i % STRIDE == 0 for way in ways]
        # The suite: calls about log, map, archive and one small file, that differ in kind; one half fails, the other kills.
        kept = [(kind, numbers) for (kind, path), numbers in self.calls().items()
                if re.search(r"\.(rec|h5|h5\.tmp|map\.tmp)$|/store$|manifest", path)]
        found = sorted({n for kind, numbers in kept for n in (numbers[0], numbers[len(numbers) // 2 if kind == "write" else 0])})
        return [(n, ways[i % len(ways)]) for i, n in enumerate(found[0 if ways == FAILURES else 1::2])]

    def assert_one_sentence(self, out, done):
        lines = [line for line in done.stderr.splitlines() if line and not LOG_LINE.match(line)]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn(str(out), lines[0])
        self.assertRegex(lines[0], r"start again|choose another")

    def goes_on(self, out, published):
        """The same command, when all is well again."""
        self.finish(out)
        self.assertTrue(published.items() <= self.published(out).items(), "a closed log was changed")
        self.assertEqual([path.name for path in out.rglob("*.tmp.*")], [], "temporary files stay for ever")

    def test_every_call_that_fails(self):
        ends = collections.Counter()
        for number, way in self.chosen(FAILURES):
            out = self.directory / "out"
            shutil.rmtree(out, ignore_errors=True)
            with self.subTest(number=number, way=way):
                done, calls = self.run_on(out, f"{number} {way}")
                ends[done.returncode] += 1
                what = f"call {number}, {calls[number - 1] if number <= len(calls) else 'not reached'}\n{done.stderr}"
                self.assertIn(done.returncode, (0, 2), what)
                if done.returncode == 2:
                    self.assert_one_sentence(out, done)
                else:  # what failed was of no importance
                    self.assertEqual(hashes(out), self.undisturbed.hashes, what)
                self.assertEqual([path.name for path in out.rglob("*.tmp.*")] if way == ONCE else [], [], what)
                self.goes_on(out, self.assert_nothing_half_done(out, {}))
        print(f"{ends.total()} calls failed: {ends[2]} runs ended with one sentence, {ends[0]} went on", file=sys.stderr)
        self.assertGreater(ends[2], ends[0] // 2)

    def test_every_call_that_is_the_last(self):
        deaths = 0
        for number, way in self.chosen(DEATHS):
            out = self.directory / "out"
            shutil.rmtree(out, ignore_errors=True)
            with self.subTest(number=number, way=way):
                done, _ = self.run_on(out, f"{number} {way}")
                self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
                deaths += 1
                self.goes_on(out, self.assert_nothing_half_done(out, {}) if out.exists() else {})
        print(f"killed at {deaths} calls", file=sys.stderr)

    def test_several_ranks_end_together(self):
        calls, out = self.calls(), self.directory / "out"
        for kind, name in (("write", ".rec"), ("write", ".h5.tmp"), ("fsync", ".rec"), ("write", "manifest.json.tmp")):
            numbers = next(numbers for (k, path), numbers in calls.items() if k == kind and path.endswith(name))
            shutil.rmtree(out, ignore_errors=True)
            done, _ = self.run_on(out, f"{numbers[0]} {FULL}", ranks=2)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assert_one_sentence(out, done)
            self.goes_on(out, self.assert_nothing_half_done(out, {}))


if __name__ == "__main__":
    unittest.main()

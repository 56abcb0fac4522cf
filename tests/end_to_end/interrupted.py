"""How does a test interrupt a run, and what does it find in the files that are left?"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import time
import unittest

import harness
import launder
from harness import ZOO, EndToEnd, llama_config, llama_tensors, write_checkpoint

RESULT, FAILURE, SAME, CLAIM = range(4)  # kinds of records
LARGEST_ITEM = 64  # records that a kill can cost: those of one item, of which the last is not there yet
VICTIMS = ("first", "other", "launcher", "job")


def command_line(number):
    try:
        with open(f"/proc/{number}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")
    except OSError:
        return []  # it has ended


def processes(word):
    """Numbers of the processes, other than this one, that have the word in their command lines: {number: program}."""
    found = {int(number): command_line(number) for number in os.listdir("/proc") if number.isdigit()}
    return {number: words[0] for number, words in found.items() if number != os.getpid() and any(word in w for w in words)}


def rank_of(number):
    """Its rank in its job; 0 without a launcher."""
    try:
        with open(f"/proc/{number}/environ", "rb") as file:
            found = re.search(rb"(?:^|\0)OMPI_COMM_WORLD_RANK=(\d+)", file.read())
    except OSError:
        return None
    return int(found[1]) if found else 0


def kill(numbers):
    """Whether one of them was still there to be killed."""
    killed = False
    for number in numbers:
        try:
            os.kill(number, signal.SIGKILL)
            killed = True
        except ProcessLookupError:
            pass
    return killed


def records(path):
    """(key, content, kind) of the whole records of a log, as io/archive/WRITING.md lays them out; what is torn at the end is passed over.
    A claim is one for each of its keys."""
    data, at, found = path.read_bytes(), 0, []
    while at + 24 <= len(data):
        magic, _, length, _ = struct.unpack_from("<4sIQQ", data, at)
        if magic != b"STRC" or at + 24 + length > len(data):
            break  # the index, or what a kill left
        key_hi, key_lo, content_hi, content_lo, kind = struct.unpack_from("<5Q", data, at + 24)
        if kind == CLAIM:
            found += [(key, (0, 0), CLAIM) for key in struct.iter_unpack("<2Q", data[at + 64:at + 24 + length])]
        else:
            found.append(((key_hi, key_lo), (content_hi, content_lo), kind))
        at += 24 + (length + 7) // 8 * 8
    return found


def results(path):
    """Keys of the work that a log has the results of, in its order."""
    return [key for key, _, kind in records(path) if kind in (RESULT, SAME)]


def hashes(out):
    """Of the archive of a run that ended."""
    found = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["guarantees"]
    return {name: found[name] for name in ("canonical_exact", "canonical_all")}


def is_published(path):
    return stat.S_IMODE(path.stat().st_mode) == 0o444


def fingerprint_of(path):
    """What must never change about a published file."""
    return hashlib.sha256(path.read_bytes()).hexdigest(), stat.S_IMODE(path.stat().st_mode)


def family(directory):
    """Six models, one of them in turned coordinates, all their pairs traced: three rounds after the first."""
    models = [ZOO / n for n in ("aspen", "aspen-code", "aspen-lora-r8", "birch", "cedar")]
    models.append(launder.launder_directory(ZOO / "aspen-lora-r8", directory / "turned", launder.ALL))
    return {"models": models, "trace": {"pairs": "all"}}


def small_items(directory):
    """Some 200 items of milliseconds each, in one round."""
    config = llama_config(18)
    models = [write_checkpoint(directory / f"tiny-{seed}", llama_tensors(config, seed), config) for seed in range(3)]
    return {"models": models, "trace": {"enabled": False}}


class Undisturbed:
    """A configuration, and how a run of it ends that nobody interrupts. It has a directory that goes with it."""

    def __init__(self, make):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        unittest.addModuleCleanup(shutil.rmtree, directory, ignore_errors=True)
        asked = make(directory)
        self.config = directory / "run.yaml"
        self.config.write_text(json.dumps({"schema_version": 1, **asked, "models": [{"path": str(path)} for path in asked["models"]]}))
        self.run(directory / "out")

    def run(self, out):
        """Measures it, in a new directory."""
        self.out = out
        done = harness.stemma("run", self.config, "--output", self.out)
        assert done.returncode == 0, done.stderr
        (log,) = (self.out / "store").glob("*.rec")
        self.hashes, self.log_bytes, self.keys = hashes(self.out), log.stat().st_size, set(results(log))


class Interrupted(EndToEnd):
    """A test of runs that do not get to their end. `undisturbed` is what they are compared with."""

    def arguments(self, out, *more):
        return ["run", str(self.undisturbed.config), "--output", str(out), *map(str, more)]

    def start(self, out, ranks=1, *more, **environment):
        """The run, as a process; what it says goes to a file beside its directory."""
        command = [*(harness.mpirun(ranks) if ranks > 1 else []), harness.STEMMA, *self.arguments(out, *more)]
        with open(f"{out}.err", "w", encoding="utf-8") as words:
            return subprocess.Popen(command, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=words,
                                    env={**os.environ, "OMP_NUM_THREADS": "1", **environment})

    def wait_until(self, condition, run, seconds=60):
        """Whether the condition came true before the run's end."""
        deadline = time.monotonic() + seconds * harness.PATIENCE
        while not condition():
            if run.poll() is not None:
                return False
            self.assertLess(time.monotonic(), deadline, "neither an end nor what was waited for")
            time.sleep(0.002)
        return run.poll() is None

    def kill(self, run, out, victim):
        """Kills one of VICTIMS, and returns when nothing of the job is left. False where the run was faster."""
        caught = self.wait_until(lambda: self.victims(run, out, victim), run) and kill(self.victims(run, out, victim))
        deadline = time.monotonic() + 60 * harness.PATIENCE
        while run.poll() is None or processes(str(out)):  # a rank that lost its launcher notices soon
            self.assertLess(time.monotonic(), deadline, f"still there after a kill: {processes(str(out))}")
            time.sleep(0.01)
        return caught

    def victims(self, run, out, victim):
        """Numbers of the processes that are meant; none while they have not been started."""
        if victim == "launcher":
            return [run.pid]
        found = processes(str(out))
        if victim == "job":
            return list(found)
        ranks = {number: rank_of(number) for number, name in found.items() if name == harness.STEMMA}
        return [number for number, rank in ranks.items() if (rank == 0) == (victim == "first")][:1]

    def logs(self, out):
        return sorted((out / "store").glob("*.rec"))

    def log_bytes(self, out):
        """Of all logs; one may go while this looks."""
        total = 0
        for path in self.logs(out):
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                pass
        return total

    def finish(self, out, ranks=1, *more):
        """The run to its end, which is as if nothing had been; what it said."""
        done = self.stemma(*self.arguments(out, *more), ranks=ranks)
        self.assertEqual(list((out / "scratch").iterdir()), [])
        self.assertTrue(is_published(out / "run.h5"))
        self.assertEqual(hashes(out), self.undisturbed.hashes)
        return done.stderr

    def published(self, out):
        """{path: what must never change} of all logs that are closed."""
        return {path: fingerprint_of(path) for path in self.logs(out) if is_published(path)}

    def assert_nothing_half_done(self, out, before):
        """What is there under its name is whole, and what was published before is as it was. Returns what is published now."""
        now = self.published(out)
        for path, seen in before.items():
            self.assertEqual(now.get(path), seen, path)
        if (out / "run.h5").exists():
            self.assertTrue(is_published(out / "run.h5"))
            self.stemma("verify", out / "run.h5")
        for path in [*out.glob("*.json"), *(out / "store").glob("*.json")]:
            json.loads(path.read_text(encoding="utf-8"))
        return now

    def known(self, log, name="work"):
        """(known, items, left) of a round; nothing where all of it was new."""
        found = re.search(rf"resume +{name}: ([\d,]+) of ([\d,]+) items? known already, ([\d,]+) left", log)
        return tuple(int(n.replace(",", "")) for n in found.groups()) if found else None

    def interrupt_after(self, out, share, ranks=1, victim="job", *more):
        """Kills a run once it has done this share of what was left. False where it was faster."""
        begun = self.log_bytes(out)
        run = self.start(out, ranks, *more)
        wanted = begun + share * max(0, self.undisturbed.log_bytes - begun)
        self.wait_until(lambda: self.log_bytes(out) >= wanted, run)
        return self.kill(run, out, victim) and not (out / "manifest.json").exists()

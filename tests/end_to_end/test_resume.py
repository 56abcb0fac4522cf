"""Does a run that was killed, wherever, end with the archive of an undisturbed one, and compute nothing twice that it had?"""
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time
import unittest

import harness
import launder
from harness import ZOO, EndToEnd, llama_config, llama_tensors, write_checkpoint

KILLS = int(os.environ.get("STEMMA_KILLS", "8"))  # more by hand


def processes(word):
    """Numbers of the processes, other than this one, that have the word in their command lines."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", encoding="utf-8", errors="replace") as file:
                words = file.read().split("\0")
        except OSError:
            continue  # it has ended
        if any(word in w for w in words) and int(number) != os.getpid():
            found.append((int(number), words[0]))
    return found


def killed(number):
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Resume(EndToEnd):
    def setUp(self):
        super().setUp()
        # Six models, one of them in turned coordinates, all their pairs traced, in about two seconds.
        models = [str(ZOO / n) for n in ("aspen", "aspen-code", "aspen-lora-r8", "birch", "cedar")]
        models.append(str(launder.launder_directory(ZOO / "aspen-lora-r8", self.directory / "turned", launder.ALL)))
        self.config = self.write("run.yaml", json.dumps({"schema_version": 1, "models": [{"path": path} for path in models],
                                                         "trace": {"pairs": "all"}}))

    def arguments(self, out):
        return ["run", str(self.config), "--output", str(out)]

    def hashes(self, out):
        return json.loads((out / "manifest.json").read_text(encoding="utf-8"))["guarantees"]

    def finish(self, out, ranks=1):
        done = self.stemma(*self.arguments(out), ranks=ranks)
        self.assertEqual(list((out / "store").iterdir()), [])
        return done.stderr

    def interrupted(self, out, ranks, seconds, victim):
        """Starts a run and kills after `seconds` the whole job, its launcher, or one of its ranks."""
        run = subprocess.Popen([*(harness.mpirun(ranks) if ranks > 1 else []), harness.STEMMA, *self.arguments(out)], cwd=self.directory,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
        try:
            run.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            pass
        found = processes(str(out))
        ranks_of_job = sorted(number for number, name in found if name.endswith("stemma"))
        for number in ({"job": [n for n, _ in found], "first": ranks_of_job[:1], "last": ranks_of_job[-1:], "launcher": [run.pid]}[victim]):
            killed(number)
        run.wait(60)
        deadline = time.monotonic() + 30
        while processes(str(out)):  # a rank that lost its launcher notices soon
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        return True

    def test_killed_anywhere(self):
        self.finish(self.directory / "undisturbed")
        wanted, chance = self.hashes(self.directory / "undisturbed"), random.Random(7)
        kills = attempts = 0
        while kills < KILLS:
            out = self.directory / f"attempt-{attempts}"
            attempts += 1
            for _ in range(3):
                if not self.interrupted(out, chance.choice((1, 2, 3)), chance.uniform(0.2, 2.0), chance.choice(("job", "first", "last", "launcher"))):
                    break
                kills += 1
                self.assertFalse((out / "run.h5").exists() and not (out / "run.h5").stat().st_size)
            self.finish(out, chance.choice((1, 2, 4)))
            found = self.hashes(out)
            self.assertEqual(found["canonical_exact"], wanted["canonical_exact"])
            self.assertEqual(found["canonical_all"], wanted["canonical_all"])  # no team is worth it here
        print(f"{kills} kills in {attempts} runs, each with the same canonical hashes in the end")

    def half(self, out):
        """A run killed when some results were there; how many records its log has."""
        for seconds in (0.6, 0.8, 1.0, 1.3, 1.6, 2.0):
            shutil.rmtree(out, ignore_errors=True)
            self.interrupted(out, 1, seconds, "job")
            logs = [p for p in (out / "store").glob("*.rec") if p.stat().st_size > 10_000] if out.exists() else []
            if logs and not (out / "manifest.json").exists():
                return logs
        self.fail("no run could be killed between its first result and its end")

    def known(self, log, name="work"):
        found = re.search(rf"resume +{name}: ([\d,]+) of ([\d,]+) items known from an earlier attempt, ([\d,]+) left", log)
        return tuple(int(n.replace(",", "")) for n in found.groups()) if found else None

    def test_what_is_known_is_not_computed_again(self):
        out = self.directory / "out"
        logs = self.half(out)
        kept = {path.name: path.read_bytes() for path in logs}
        log = self.finish(out, 2)
        known, items, left = self.known(log)
        self.assertEqual(known + left, items)
        self.assertGreater(known, 0)
        done = int(re.search(r"work +(\d+) items, .* read in", log)[1].replace(",", ""))
        self.assertEqual(done, left)
        # One flipped bit in each log costs what lies there, and nothing else; the archive is the same.
        wanted = self.hashes(out)
        shutil.rmtree(out)
        self.half(out)
        for path in (out / "store").glob("*.rec"):
            path.unlink()
        for name, data in kept.items():
            damaged = bytearray(data)
            damaged[len(data) // 2] ^= 1
            (out / "store" / name).write_bytes(damaged)
        self.assertEqual(self.known(self.finish(out))[0], known - 1)
        self.assertEqual(self.hashes(out)["canonical_exact"], wanted["canonical_exact"])

    def test_layers_in_turned_coordinates_are_known_too(self):
        """Their map is a file of the run: it has to be the same for the next attempt."""
        out = self.directory / "out"
        for _ in range(10):
            shutil.rmtree(out, ignore_errors=True)
            run = subprocess.Popen([harness.STEMMA, *self.arguments(out)], cwd=self.directory, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
            while run.poll() is None and not list((out / "store").glob("*.functions.rec")):  # which come after layers
                time.sleep(0.01)
            run.kill()
            run.wait()
            if not (out / "manifest.json").exists():
                break
        self.assertGreater(len(list((out / "store").glob("*.map"))), 0)
        known, items, left = self.known(self.finish(out), "layers")
        self.assertEqual((known, left), (items, 0))

    def test_a_model_that_changed_in_between_is_read_again(self):
        config = llama_config(12, hidden_size=256, intermediate_size=512, head_dim=64)
        for name, seed in (("one", 1), ("two", 2)):
            write_checkpoint(self.directory / name, llama_tensors(config, seed), config)
        self.config = self.write("run.yaml", json.dumps({"schema_version": 1, "models": [{"path": n} for n in ("one", "two")],
                                                         "trace": {"enabled": False}}))
        out = self.directory / "out"
        self.half(out)
        kept = sum(path.stat().st_size for path in (out / "store").glob("*.rec"))
        self.assertGreater(kept, 0)
        shutil.rmtree(self.directory / "one")
        write_checkpoint(self.directory / "one", llama_tensors(config, 3), config)
        self.finish(out)
        found = self.hashes(out)["canonical_exact"]
        self.finish(self.directory / "fresh")
        self.assertEqual(found, self.hashes(self.directory / "fresh")["canonical_exact"])

    def test_garbage_in_the_store(self):
        out = self.directory / "out"
        (out / "store").mkdir(parents=True)
        (out / "store" / "x.work.rec").write_bytes(b"STRC" + struct.pack("<IQQ", 1, 1 << 60, 0) + bytes(1000))
        (out / "store" / "y.work.rec").write_bytes(os.urandom(5000))
        (out / "store" / "z.work.rec").write_bytes(b"")
        (out / "store" / "0123.map.tmp.45").write_bytes(b"killed while writing")
        self.assertIsNone(self.known(self.finish(out)))


if __name__ == "__main__":
    unittest.main()

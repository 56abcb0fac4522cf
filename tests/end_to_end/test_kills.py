"""Does a run that was killed, whenever and whichever of its processes, end with the archive of an undisturbed one?"""
import collections
import os
import random
import shutil
import sys
import time
import unittest

from interrupted import CLAIM, LARGEST_ITEM, VICTIMS, Interrupted, Undisturbed, family, records, results, small_items

KILLS = int(os.environ.get("STEMMA_KILLS", "10"))  # 200 by hand
SEED = int(os.environ.get("STEMMA_SEED", "7"))


class Tally:
    """What kills cost, over all attempts."""

    def __init__(self):
        self.kills, self.runs, self.kept, self.in_flight = collections.Counter(), 0, 0, []
        self.twice = []  # records that were written again, by run

    def sentence(self):
        kills = ", ".join(f"{n} of {victim}" for victim, n in sorted(self.kills.items()))
        flight = sorted(self.in_flight) or [0]
        return (f"{self.kills.total()} kills ({kills}) in {self.runs} runs, the same canonical hashes at the end of each; {self.kept} "
                f"records found by their last attempts, {sum(self.twice)} written again, at most {max(self.twice, default=0)} in a run; "
                f"handed out and not finished at a kill: median {flight[len(flight) // 2]}, at most {flight[-1]}")


class Kills(Interrupted):
    def wait(self, run, seconds):
        end = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= end, run)

    def await_moment(self, run, out, chance):
        """A moment to kill: before the first result, among them, or while archive and tables are written."""
        if chance.random() < 0.1:
            return self.wait(run, chance.uniform(0, 0.4))
        share = chance.uniform(0, 1.3)
        begun = self.log_bytes(out) / self.undisturbed.log_bytes
        wanted = (begun + (1 - begun) * min(share, 0.98)) * self.undisturbed.log_bytes
        self.wait_until(lambda: self.log_bytes(out) >= wanted, run)
        self.wait(run, max(0, share - 1) * 3)  # what follows the last result takes about a second

    def attempts(self, out, chance, tally):
        """Kills a run up to three times. What is published then, and the keys that its logs have."""
        published, keys = {}, set()
        for _ in range(3):
            ranks = chance.choice((1, 2, 3))
            before = {*self.logs(out)}
            run = self.start(out, ranks)
            self.await_moment(run, out, chance)
            victim = chance.choice(VICTIMS if ranks > 1 else ("first", "job"))
            caught = self.kill(run, out, victim)
            published = self.assert_nothing_half_done(out, published)
            if not caught:
                break
            tally.kills[victim] += 1
            for path in {*self.logs(out)} - before:
                claimed = {key for key, _, kind in records(path) if kind == CLAIM}
                if claimed:  # only a run that has company says what it works on
                    tally.in_flight.append(len(claimed - set(results(path))))
            keys = {key for path in self.logs(out) for key in results(path)}
        return published, keys

    def killed_anywhere(self, undisturbed, kills):
        self.undisturbed, chance, tally = undisturbed, random.Random(SEED), Tally()
        while tally.kills.total() < kills:
            out = self.directory / f"run-{tally.runs}"
            tally.runs += 1
            published, keys = self.attempts(out, chance, tally)
            tally.kept += len(keys)
            self.finish(out, chance.choice((1, 2, 4)))
            self.assert_nothing_half_done(out, published)
            written = collections.Counter(key for path in self.logs(out) for key in results(path))
            self.assertTrue(keys <= written.keys(), "something that was there is gone")
            self.assertTrue(written.keys() == self.undisturbed.keys, "other work than that of an undisturbed run")
            tally.twice.append(written.total() - len(written))
            self.assertLessEqual(tally.twice[-1], 3 * LARGEST_ITEM)
            shutil.rmtree(out)
        print(tally.sentence(), file=sys.stderr)
        return tally

    def test_a_family_with_all_its_pairs(self):
        self.killed_anywhere(Undisturbed(family), (KILLS + 1) // 2)

    def test_many_small_items(self):
        self.killed_anywhere(Undisturbed(small_items), KILLS // 2)


if __name__ == "__main__":
    unittest.main()

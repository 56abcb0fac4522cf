"""May several runs share a store at the same time, over lists of models that overlap, whatever becomes of one of them?"""
import collections
import json
import re
import sys
import unittest

import harness
from harness import llama_config, llama_tensors, write_checkpoint
from interrupted import CLAIM, Interrupted, Undisturbed, hashes, records, results

# Items of a tenth of a second, so that runs see each other's work.
CONFIG = llama_config(1, hidden_size=1024, num_attention_heads=16, num_key_value_heads=16, head_dim=64, intermediate_size=1024)
SEEDS = (("left", (1, 2, 3)), ("right", (3, 2, 4)))  # two of four models are of both


class SharedStore(Interrupted):
    @classmethod
    def setUpClass(cls):
        cls.alone, made = {}, {}
        for name, seeds in SEEDS:
            def models(directory, seeds=seeds):
                for seed in seeds:
                    if seed not in made:
                        made[seed] = write_checkpoint(directory / f"model-{seed}", llama_tensors(CONFIG, seed), CONFIG)
                return {"models": [made[seed] for seed in seeds], "trace": {"enabled": False}}
            cls.alone[name] = Undisturbed(models)
        cls.items = cls.alone["left"].keys | cls.alone["right"].keys
        cls.shared = cls.alone["left"].keys & cls.alone["right"].keys
        assert cls.shared and cls.shared < cls.items

    def setUp(self):
        super().setUp()
        self.store = self.directory / "both"

    def begin(self, name, ranks=1):
        self.undisturbed = self.alone[name]
        return self.start(self.directory / name, ranks, "--store", self.store)

    def end(self, name, run):
        self.assertEqual(run.wait(120 * harness.PATIENCE), 0, (self.directory / f"{name}.err").read_text(encoding="utf-8"))
        self.assertEqual(hashes(self.directory / name), self.alone[name].hashes)

    def done(self):
        """How often the result of each key was written, in all logs."""
        return collections.Counter(key for path in self.store.glob("*.rec") for key in results(path))

    def claims(self):
        return sum(kind == CLAIM for path in self.store.glob("*.rec") for _, _, kind in records(path))

    def assert_all_there(self, what):
        written = self.done()
        self.assertTrue(written.keys() == self.items, "an item is lost, or one too many was done")
        twice = written.total() - len(written)
        self.assertLessEqual(max(written.values()), 2)
        print(f"{what}: {written.total()} results of {len(written)}, {len(self.shared)} of them of both; {twice} written twice", file=sys.stderr)
        return twice

    def test_two_at_once(self):
        runs = [(name, self.begin(name, ranks)) for (name, _), ranks in zip(SEEDS, (1, 2))]
        for name, run in runs:
            self.end(name, run)
        self.assert_all_there("two at once")
        self.assertEqual([path for path in self.store.glob("*.rec") if path.stat().st_mode & 0o222], [])

    def test_one_is_killed(self):
        """The other does not wait for it; resumed, it has only to write its archive."""
        left = self.begin("left")
        self.assertTrue(self.wait_until(lambda: self.claims() > 0, left))
        right = self.begin("right", 2)
        self.assertTrue(self.wait_until(lambda: len(self.done()) > len(self.items) // 4, left))
        self.assertTrue(self.kill(left, self.directory / "left", "job"))
        self.assertFalse((self.directory / "left/manifest.json").exists())
        self.end("right", right)
        self.end("left", self.begin("left"))
        self.assertLess(self.assert_all_there("one killed and resumed"), len(self.shared) // 2, "runs hardly noticed each other")

    def test_one_after_the_other(self):
        """Nothing is computed twice, and what is of both is known."""
        self.end("left", self.begin("left"))
        self.end("right", self.begin("right"))
        self.assertEqual(max(self.done().values()), 1)
        known, items, left = self.known((self.directory / "right.err").read_text(encoding="utf-8"))
        self.assertEqual(known + left, items)
        self.assertGreater(known, items // 2)

    def test_fingerprints_share_a_store_and_leave_other_files_alone(self):
        self.write("notes.map", "somebody's own")
        config = json.loads(self.alone["left"].config.read_text(encoding="utf-8"))
        model = config["models"][0]["path"]
        for output in ("first.h5", "second.h5"):
            self.stemma("fingerprint", model, f"runtime.store={self.store}", "-o", output)
        self.assertEqual((self.directory / "notes.map").read_text(), "somebody's own")
        self.assertEqual(len(list(self.store.glob("*.rec"))), 1, "the second knew all that the first had done")
        self.assertEqual(*(self.stemma("verify", name, "--hash").stdout for name in ("first.h5", "second.h5")))

    def test_a_store_of_a_newer_version(self):
        self.store.mkdir()
        (self.store / "STORE.json").write_text('{"schema": "stemma.store/1", "format": 99}')
        self.assertEqual(self.begin("left").wait(60 * harness.PATIENCE), 3)
        said = (self.directory / "left.err").read_text(encoding="utf-8")
        self.assertTrue(re.search(r"newer version of Stemma .* another --store", said), said)
        self.assertEqual(list(self.store.glob("*.rec")), [])


if __name__ == "__main__":
    unittest.main()

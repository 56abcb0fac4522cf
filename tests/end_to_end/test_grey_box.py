"""Does the grey-box form read the rank of a whole small model, layer after layer, and say what it cost?"""
import json
import unittest

import launder
from harness import SOURCE, ZOO, stemma
from traces import LAYERS, RANK, Trace

ADAPTER = SOURCE / "tests/data/adapters/aspen-lora-r8"


class GreyBox(Trace):
    def child(self, id, parts):
        """aspen with its adapter on some matrices only."""
        base, config = launder.read_model(ZOO / "aspen")
        merged = launder.merge_adapter(base, ADAPTER)
        tensors = {name: merged[name] if any(part in name for part in parts) else base[name] for name in base}
        launder.write_model(self.directory / id, tensors, config)
        return self.directory / id

    def read(self, candidate, ranks=1):
        done = stemma("trace", ZOO / "aspen", candidate, "--grey-box", "--json", ranks=ranks, cwd=self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_the_sum_of_both_ranks_behind_the_mlp_of_the_base(self):
        found = self.read(self.child("both", ("v_proj", "o_proj")))
        ranks = [layer["rank"] for layer in found["layers"]]
        # Layer 0 is too steep: several states lead to one output, and it says that it read nothing.
        self.assertEqual(ranks, [None] + [2 * RANK] * (LAYERS - 1))
        self.assertEqual((found["minimum"], found["median"], found["mode"]), (16, 16, 16))
        self.assertEqual(len(found["representative_layers"]), 1)
        for layer in found["layers"][1:]:
            self.assertEqual(layer["accepted"], layer["probes"])
            self.assertLess(layer["worst_error"], 1e-6)
        self.assertEqual(found["passes"], sum(layer["passes"] for layer in found["layers"]))

    def test_one_of_both(self):
        for part in ("v_proj", "o_proj"):
            with self.subTest(part):
                ranks = [layer["rank"] for layer in self.read(self.child(part, (part,)))["layers"]]
                self.assertGreaterEqual(ranks.count(RANK), LAYERS - 2, ranks)

    def test_the_cost_is_printed_and_the_same_on_two_ranks(self):
        child = self.child("again", ("v_proj", "o_proj"))
        done = stemma("trace", ZOO / "aspen", child, "--grey-box", cwd=self.directory)
        self.assertRegex(done.stdout, r"Cost: [\d,]+ passes of a token through an MLP, [\d.]+ GFlop, [\d.]+ MB read in ")
        self.assertIn("no null and no verdict", done.stdout)
        one, two = self.read(child), self.read(child, ranks=2)
        for document in (one, two):
            for part in (document, *document["layers"]):
                del part["seconds"]
        self.assertEqual(one, two)

    def test_models_that_do_not_fit(self):
        for candidate, words in ((ZOO / "cedar", "its layers have other sizes than those of aspen"), (ADAPTER, "an adapter is none")):
            done = stemma("trace", ZOO / "aspen", candidate, "--grey-box", cwd=self.directory)
            self.assertIn(done.returncode, (2, 3))
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()

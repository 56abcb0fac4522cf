"""Is an archive's sketch of neurons the oracle's, and do pairs of the zoo keep their class when every candidate is laundered?"""
import pathlib
import shutil
import tempfile
import unittest

import numpy as np

import harness
from harness import ZOO, EndToEnd, llama_config, read_tsv, write_checkpoint
from launder import ALL, launder_directory, write_model
from neurons import compared, expected, stored

import laundering_toy as toy
from models import Layer, Model, load, model_of
from layouts import GPT2, HEADS, LAYERS, as_gpt2, plain

MODELS = ["aspen", "aspen-code", "aspen-lora-r8", "aspen-pruned-depth", "birch", "birch-lora-r8", "cedar", "cedar-code"]


def families():
    """{model: the model that it descends from in the end}."""
    root = {row["a"]: row["b"] for row in read_tsv(ZOO / "truth.tsv") if row["relation"] != "independent"}
    return {id: root.get(id, id) for id in MODELS}


class Sketches(EndToEnd):
    def check(self, archive, id, model):
        (want, keys), (found, found_keys) = expected(model), stored(archive, id)
        np.testing.assert_array_equal(found_keys, keys)
        self.assertEqual(sorted(found), sorted(want))
        for layer, columns in want.items():
            with self.subTest(id, layer=layer):
                np.testing.assert_array_equal(found[layer]["unit"], columns["unit"])
                for name in ("norm_first", "norm_product"):
                    np.testing.assert_allclose(found[layer][name], columns[name], rtol=1e-12)
                for name in ("first", "second", "reading"):
                    self.assertEqual(found[layer][name].shape, columns[name].shape)
                    difference = np.abs(found[layer][name] - columns[name])
                    self.assertLessEqual(difference.max(), 1, name)
                    self.assertLess(np.mean(difference > 0), 1e-4, name)  # what lies on the edge of two bytes
                    self.assertEqual(np.abs(found[layer][name]).max(), 127)

    def test_of_the_zoo(self):
        archive = self.fingerprint("zoo.h5", "--sheet", ZOO / "models.tsv")
        for id in MODELS:
            self.check(archive, id, load(ZOO / id))

    def test_of_the_toy_before_and_after(self):
        child = toy.descendant(toy.toy(1), 1)
        for name, tensors in (("toy", toy.toy(1)), ("laundered", toy.laundered(child, toy.CASES["everything, new gains"], 1))):
            write_model(self.directory / name, tensors, toy.CONFIG, "F64")
        archive = self.fingerprint("toy.h5", "toy", "laundered")
        self.check(archive, "toy", model_of(toy.toy(1), toy.CONFIG))
        # The neurons of the child before it was laundered, each at its other place.
        want, _ = expected(model_of(child, toy.CONFIG))
        found, _ = stored(archive, "laundered")
        for layer, columns in want.items():
            np.testing.assert_allclose(found[layer]["norm_product"], columns["norm_product"], rtol=1e-9)
            self.assertLessEqual(np.abs(found[layer]["first"] - columns["first"]).max(), 1)
            self.assertLessEqual(np.abs(np.abs(found[layer]["second"]) - np.abs(columns["second"])).max(), 1)
            self.assertLessEqual(np.abs(found[layer]["reading"] - columns["reading"]).max(), 1)
            self.assertLess(np.mean(found[layer]["unit"] == columns["unit"]), 0.1)
        (pair,) = compared(self, archive).values()
        self.assertGreater(pair["neurons"][""]["score"], 0.85)
        self.assertLess(pair["neurons"][""]["log10_p"], -500)
        self.assertLess(pair["neurons"]["places"]["score"], 12)
        self.assertGreater(pair["neurons"]["attention"]["score"], 0.9)

    def test_without_a_gate_and_with_layer_norms(self):
        w = plain(3)
        write_checkpoint(self.directory / "gpt", {name: a.astype(np.float32) for name, a in as_gpt2(w).items()}, GPT2)
        layers = [Layer(*(w[f"layers/{i}/attn.{p}"] for p in "qkvo"), None, w[f"layers/{i}/mlp.up"], w[f"layers/{i}/mlp.down"],
                        *(w[f"layers/{i}/norm.pre_{p}"] for p in ("attn", "mlp"))) for i in range(LAYERS)]
        self.check(self.fingerprint("gpt.h5", "gpt"), "gpt",
                   Model(w["embed"], w["lm_head"], w["norm.final"], layers, HEADS, HEADS, "layer"))

    def test_the_same_archive_on_any_number_of_ranks(self):
        hashes = set()
        for ranks in (1, 2, 4):
            archive = self.fingerprint(f"r{ranks}.h5", *(ZOO / id for id in ("aspen", "birch", "cedar")), ranks=ranks)
            hashes.add(self.stemma("verify", "--hash", archive).stdout)
        self.assertEqual(len(hashes), 1)

    def test_empty_rows_of_the_embedding_are_no_readings(self):
        """Rows that only fill a table up answer nothing, and the others answer as before."""
        tensors = toy.toy(1)
        _, before = self.check_rows(tensors)
        embed = tensors["model.embed_tokens.weight"].copy()
        embed[::3] *= 1e-5
        rows, after = self.check_rows(tensors | {"model.embed_tokens.weight": embed})
        for layer in before:
            empty = rows % 3 == 0
            self.assertTrue((after[layer]["first"][:, empty] == -128).all())
            self.assertTrue((after[layer]["first"][:, ~empty] > -128).all())
            np.testing.assert_array_equal(after[layer]["unit"], before[layer]["unit"])

    def check_rows(self, tensors):
        from neurons import anchors_by_row
        name = f"rows{len(list(self.directory.iterdir()))}"
        write_model(self.directory / name, tensors, toy.CONFIG, "F64")
        found, _ = stored(self.fingerprint(name + ".h5", name), name)
        return anchors_by_row(toy.VOCABULARY)[1], found


class Zoo(EndToEnd):
    """Every model as it is and laundered in everything at once, compared from one archive."""

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        for i, id in enumerate(MODELS):
            launder_directory(ZOO / id, cls.shared / f"{id}-laundered", ALL, seed=100 + i, dtype="F32")
        done = harness.stemma("fingerprint", *(ZOO / id for id in MODELS), *(f"{id}-laundered" for id in MODELS), "-o", "all.h5",
                              ranks=2, cwd=cls.shared)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.family = families()

    def setUp(self):
        super().setUp()
        self.pairs = compared(self, self.shared / "all.h5")

    def of(self, a, b):
        return self.pairs[frozenset((a, b))]

    def couples(self):
        return [(a, b) for i, a in enumerate(MODELS) for b in MODELS[i + 1:]]

    def figures(self, pair):
        """Share, kinship and log10 p of the two matchings. Where no partners were found nothing is shared."""
        rows = pair["neurons"]
        kinship = rows["attention"]["score"]
        return rows[""]["score"] or 0.0, float("nan") if kinship is None else kinship, rows[""]["log10_p"]

    def test_the_truth_of_all_pairs(self):
        self.assertEqual(len(self.couples()), 28)
        for a, b in self.couples():
            with self.subTest(a, b=b):
                related = self.family[a] == self.family[b]
                pair = self.of(a, b)
                self.assertEqual(pair["class"], "SAME_LINEAGE" if related else "NO_EVIDENCE", pair["sentence"])

    def test_laundering_moves_nothing(self):
        """Either model of a pair may be the laundered one."""
        for a, b in self.couples():
            for other in ((a, f"{b}-laundered"), (f"{a}-laundered", b), (f"{a}-laundered", f"{b}-laundered")):
                with self.subTest(a, b=other):
                    before, after = self.of(a, b), self.of(*other)
                    self.assertEqual(after["class"], before["class"])
                    (share, kinship, log_p), (share_after, kinship_after, log_p_after) = map(self.figures, (before, after))
                    if other == (a, f"{b}-laundered"):
                        places = [f"{p['neurons']['places']['score']:.0f} (10^{p['neurons']['places']['log10_p']:.1f})"
                                  for p in (before, after)]
                        print(f"{a}, {b}: {before['class']}, share {share:.3f} -> {share_after:.3f}, kinship {kinship:.3f} -> "
                              f"{kinship_after:.3f}, p 10^{log_p:.1f} -> 10^{log_p_after:.1f}, places {' -> '.join(places)}")
                    self.assertAlmostEqual(share_after, share, delta=0.01)
                    self.assertAlmostEqual(log_p_after, log_p, delta=0.01 * abs(log_p))
                    if self.family[a] == self.family[b]:
                        self.assertAlmostEqual(kinship_after, kinship, delta=0.01)

    def test_a_model_and_its_laundered_self(self):
        for id in MODELS:
            pair = self.of(id, f"{id}-laundered")
            self.assertEqual(pair["class"], "SAME_LINEAGE", pair["sentence"])
            self.assertGreater(pair["neurons"][""]["score"], 0.97)
            self.assertGreater(pair["neurons"]["attention"]["score"], 0.99)

    def test_places_are_guaranteed_and_lost_by_laundering(self):
        for a, b in self.couples():
            with self.subTest(a, b=b):
                stayed, moved = (self.of(a, other)["neurons"]["places"] for other in (b, f"{b}-laundered"))
                if self.family[a] == self.family[b]:
                    self.assertLess(stayed["log10_p"], -300)
                else:
                    self.assertGreater(stayed["log10_p"], -3)
                self.assertGreater(moved["log10_p"], -3)

    def test_the_same_comparison_on_any_number_of_ranks(self):
        said = {self.stemma("compare", self.shared / "all.h5", ranks=ranks).stdout for ranks in (1, 2, 4)}
        self.assertEqual(len(said), 1)
        self.assertEqual(len(said.pop().splitlines()), 1 + 16 * 15 // 2)

    def test_a_run_says_the_same_and_looks_at_weights_besides(self):
        self.write("zoo.yaml", f"schema_version: 1\nmodels: [{{sheet: {ZOO / 'models.tsv'}}}]\noutput: out\n")
        self.stemma("run", "zoo.yaml", ranks=2)
        for row in read_tsv(self.directory / "out/pairs.tsv"):
            with self.subTest(row["a"], b=row["b"]):
                related = self.family[row["a"]] == self.family[row["b"]]
                self.assertIn(row["relation"], ("SAME_LINEAGE", "LOW_RANK_RELATED") if related else ("NO_EVIDENCE",))
                self.assertIn(row["relation"] == "LOW_RANK_RELATED", (False, "lora-r8" in row["a"] + row["b"]))

    def test_which_layers_were_kept(self):
        for pruned in ("aspen-pruned-depth", "aspen-pruned-depth-laundered"):
            rows = self.of("aspen", pruned)["neurons"]
            self.assertEqual([role for role in rows if role.startswith("layers/")],
                             ["layers/0", "layers/1", "layers/3 and layers/2", "layers/5 and layers/3"])
            self.assertEqual((rows[""]["detail"]["partners"], rows[""]["detail"]["blocks"]), ("searched", 4))

    def test_controls_of_unlike_layers(self):
        for a, b in self.couples():
            self.assertLess(self.of(a, b)["neurons"][""]["control"], 0.02)


if __name__ == "__main__":
    unittest.main()

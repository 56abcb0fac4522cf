"""Do neurons tell descendants, models of one start and strangers apart, as numpy finds them and in other coordinates?"""
import json
import unittest

import numpy as np
from scipy.optimize import linear_sum_assignment

import launder
from functions import Function
from harness import ZOO
from launder import ALL, ALL_SIGNED

EDGE = 1.05


def normal_median(m, n):
    """Median singular value of an m x n matrix of unit normal numbers, by the law of Marchenko and Pastur."""
    long, short = max(m, n), min(m, n)
    y, t = short / long, (np.arange(1 << 15) + 0.5) * np.pi / (1 << 15)
    x = 1 + y + 2 * np.sqrt(y) * np.cos(t)
    mass = np.cumsum(2 * np.sin(t) ** 2 / (np.pi * x)) * np.pi / (1 << 15)
    return np.sqrt(long * x[np.searchsorted(mass, 0.5)])


def split(w):
    """What stands out of the noise of a matrix, and the rest."""
    u, s, v = np.linalg.svd(w, full_matrices=False)
    edge = EDGE * np.median(s) / normal_median(*w.shape) * (np.sqrt(w.shape[0]) + np.sqrt(w.shape[1]))
    spikes = u * np.where(s > edge, s, 0) @ v
    return spikes, w - spikes


def cosine(a, b):
    return np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def mutual(scores):
    best, back = scores.argmax(1), scores.argmax(0)
    return np.where(back[best] == np.arange(len(best)), best, -1)


def rows_of(tensors, layer):
    """Rows of gate and up, columns of down."""
    name = f"model.layers.{layer}."
    gate, up, down = (tensors[f"{name}mlp.{p}_proj.weight"] for p in ("gate", "up", "down"))
    gain = tensors[name + "post_attention_layernorm.weight"]
    return gate * gain, up * gain, down.T


def expected(base, candidate, layer):
    """Counts and cosines of one layer of two models in the same axes."""
    (gate, up, down), (g, u, d) = rows_of(base, layer), rows_of(candidate, layer)
    by_gate, by_up = unit(gate) @ unit(g).T, unit(up) @ unit(u).T
    one, other, both = mutual(by_gate), mutual(np.abs(by_up)), mutual(by_gate + np.abs(by_up))
    here = np.flatnonzero(both >= 0)
    there = both[here]
    sign = np.sign(by_up[here, there])[:, None]
    pairs = {"gate": (gate[here], g[there]), "up": (unit(up[here]), sign * unit(u[there])), "down": (unit(down[here]), sign * unit(d[there]))}
    cosines = {}
    for part, (x, y) in pairs.items():
        (xs, xb), (ys, yb) = split(x), split(y)
        cosines[part] = cosine(x, y), cosine(xs, ys), cosine(xb, yb)
    return {"agreeing": np.sum((one == other) & (one >= 0)), "matched": np.sum((one >= 0) & (other >= 0)), "labelled": len(here),
            "fixed": np.sum(there == here), "assigned": np.sum(linear_sum_assignment(-by_gate)[1] == linear_sum_assignment(-np.abs(by_up))[1])
            }, cosines


class AlignedNeurons(Function):
    def neurons(self, base, candidate):
        pair = self.trace(base, candidate)
        return pair, pair["aligned_neurons"]

    def laundered_too(self, base, child, relation):
        """The pair as it is and in other coordinates: the same class."""
        for name, option in (("as it is", None), ("all", ALL), ("signed", ALL_SIGNED)):
            copy = child if option is None else launder.launder_directory(child, self.fresh(child.name), option, 3)
            with self.subTest(child.name, name=name):
                for order in ((base, copy), (copy, base)):
                    pair, found = self.neurons(*order)
                    self.assertEqual(pair["relation"], relation)
                    print(f"{base.name} and {child.name}, {name}: kappa {found['kappa'] or 0:.2f}, bulk {found['bulk']:.2f}, "
                          f"share {found['share']:.2f}, control {found['kappa_of_shuffled'] or 0:.2f}")
                    if found["control"]:
                        self.assertLess(found["control"]["agreeing"], 0.05 * found["control"]["kept"])
                    self.assertLess(abs(found["kappa_of_shuffled"]), 0.2)
                    if option is not None and relation != "NO_EVIDENCE":
                        self.assertGreater(found["log10_p_places"], -2)  # neurons were moved
                        self.assertLess(found["log10_p_robust"], -100)
        return found

    def test_counts_and_cosines_are_those_of_numpy(self):
        (base, _), (child, _) = launder.read_model(ZOO / "aspen"), launder.read_model(ZOO / "aspen-code")
        _, found = self.neurons(ZOO / "aspen", ZOO / "aspen-code")
        spikes, bulks = [], []
        for layer, ours in enumerate(found["layers"]):
            counts, cosines = expected(base, child, layer)
            self.assertEqual({name: ours[name] for name in counts}, counts)
            for part, numbers in cosines.items():
                np.testing.assert_allclose([ours["weights"][part][name] for name in ("cosine", "spikes", "bulk")], numbers, rtol=1e-6)
                spikes.append(numbers[1])
                bulks.append(numbers[2])
        np.testing.assert_allclose(found["kappa"], np.median(spikes) / np.median(bulks), rtol=1e-6)

    def test_children(self):
        for base, child in (("aspen", "aspen-code"), ("aspen-code", "aspen-lora-r8"), ("cedar", "cedar-code")):
            found = self.laundered_too(ZOO / base, ZOO / child, "SAME_LINEAGE")
            self.assertGreater(found["kappa"], 0.9)

    def test_strangers(self):
        self.laundered_too(ZOO / "aspen", ZOO / "birch", "NO_EVIDENCE")

    def test_a_start_that_was_shared(self):
        """The noise of aspen's weights with what stands out of birch's."""
        (aspen, config), (birch, _) = launder.read_model(ZOO / "aspen"), launder.read_model(ZOO / "birch")
        sibling = {name: split(w)[1] + split(birch[name])[0] if "_proj." in name else w for name, w in aspen.items()}
        found = self.laundered_too(ZOO / "aspen", launder.write_model(self.fresh("sibling"), sibling, config), "SHARED_INIT")
        self.assertLess(found["kappa"], 0.5)

    def test_nobody_asks_where_other_readings_explain_a_pair(self):
        self.assertIsNone(self.neurons(ZOO / "aspen", ZOO / "aspen-lora-r8")[1])
        self.assertEqual(self.neurons(ZOO / "aspen", ZOO / "cedar")[1]["layers"], [])
        found = self.neurons(ZOO / "aspen", ZOO / "aspen-pruned-depth")[1]
        self.assertIn("one model has", found["not_applicable"])

    def test_any_number_of_ranks_says_the_same(self):
        copy = self.laundered("aspen-code", "all", ALL)
        documents = [self.document(ZOO / "aspen", copy, ranks=ranks) for ranks in (1, 2, 4)]
        for document in documents:
            document.pop("seconds")
            self.assertEqual(document, documents[0])

    def test_the_text_and_the_run_say_so(self):
        text = self.stemma("trace", ZOO / "aspen", ZOO / "aspen-code").stdout
        self.assertIn("aspen and aspen-code: SAME_LINEAGE\n", text)
        self.assertIn("calibrated on small models only", text)
        self.write("run.yaml", json.dumps({"schema_version": 1, "models": [{"path": str(ZOO / id)} for id in ("aspen", "aspen-code", "birch")],
                                           "trace": {"pairs": "all"}}))
        self.stemma("run", "run.yaml", "--output", "out")
        verdicts = json.loads((self.directory / "out/verdicts.json").read_text(encoding="utf-8"))
        found = {m["id"]: (m["verdict"]["relation"], m["verdict"]["relative"]) for m in verdicts["models"]}
        self.assertEqual(found["aspen"], ("SAME_LINEAGE", "aspen-code"))
        self.assertEqual(found["aspen-code"], ("SAME_LINEAGE", "aspen"))


if __name__ == "__main__":
    unittest.main()

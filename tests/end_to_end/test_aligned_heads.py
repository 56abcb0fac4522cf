"""Do heads tell relatives from strangers, as numpy finds them, in other coordinates and in other orders?"""
import unittest

import numpy as np

import launder
from functions import Function
from harness import ZOO
from launder import ALL, ALL_SIGNED


def circuits(tensors, config, layer):
    """(query-key, value-output) circuits of all query heads, d x d each, formed as nobody does who has large models."""
    name = f"model.layers.{layer}."
    gain = tensors[name + "input_layernorm.weight"]
    q, k, v = (tensors[f"{name}self_attn.{p}_proj.weight"] * gain for p in "qkv")
    o, w, heads = tensors[name + "self_attn.o_proj.weight"], config["head_dim"], config["num_attention_heads"]
    group = heads // config["num_key_value_heads"]
    choosing = [q[h * w:][:w].T @ k[h // group * w:][:w] for h in range(heads)]
    answering = [o[:, h * w:][:, :w] @ v[h // group * w:][:w] for h in range(heads)]
    return np.array(choosing), np.array(answering)


def cosines(a, b):
    a, b = (x.reshape(len(x), -1) / np.linalg.norm(x.reshape(len(x), -1), axis=1, keepdims=True) for x in (a, b))
    return a @ b.T


def mutual(scores):
    best, back = scores.argmax(1), scores.argmax(0)
    return np.where(back[best] == np.arange(len(best)), best, -1)


def expected(base, candidate, layer):
    """Counts and mean cosines of one layer of two models in the same axes."""
    found, groups = {"heads": 0, "agreeing_heads": 0}, base[1]["num_key_value_heads"]
    single = [circuits(*base, layer), circuits(*candidate, layer)]
    pooled = [[kind.reshape(groups, -1, *kind.shape[1:]).sum(1) for kind in side] for side in single]
    scores = [cosines(a, b) for a, b in zip(*pooled)]
    one, other, both = mutual(scores[0]), mutual(scores[1]), mutual(scores[0] + scores[1])
    agree = np.flatnonzero((one == other) & (one >= 0))
    size = base[1]["num_attention_heads"] // groups
    for i in agree:
        inside = [mutual(cosines(a[i * size:][:size], b[one[i] * size:][:size])) for a, b in zip(*single)]
        found["heads"] += size
        found["agreeing_heads"] += int(np.sum((inside[0] == inside[1]) & (inside[0] >= 0)))
    return found | {"agreeing": len(agree), "labelled": int(np.sum(both >= 0)), "fixed": int(np.sum(both == np.arange(groups)))}, \
        [np.mean(s[agree, one[agree]]) for s in scores]


class AlignedHeads(Function):
    def heads(self, base, candidate):
        return self.trace(base, candidate)["aligned_heads"]

    def test_counts_and_cosines_are_those_of_numpy(self):
        for base, child in (("aspen", "aspen-code"), ("cedar", "cedar-code")):
            models, found = [launder.read_model(ZOO / id) for id in (base, child)], self.heads(ZOO / base, ZOO / child)
            for layer, ours in enumerate(found["layers"]):
                with self.subTest(child, layer=layer):
                    counts, means = expected(*models, layer)
                    self.assertEqual({name: ours[name] for name in counts}, counts)
                    np.testing.assert_allclose([ours["query_key"], ours["value_output"]], means, rtol=1e-6)

    def test_relatives_in_every_disguise(self):
        """cedar has five groups of one head in seven layers; all of them are found, and by their places only where they stay."""
        for option in (None, ALL, ALL_SIGNED):
            copy = ZOO / "cedar-code"
            if option is not None:
                copy = launder.launder_directory(ZOO / "cedar-code", self.fresh("cedar-code"), option, 3)
            found = self.heads(ZOO / "cedar", copy)
            self.assertEqual([layer["agreeing"] for layer in found["layers"]], [5] * 7)
            self.assertEqual([layer["agreeing_heads"] for layer in found["layers"]], [5] * 7)
            self.assertLess(found["log10_p_robust"], -5)
            if option is None:
                self.assertEqual([layer["fixed"] for layer in found["layers"] if not layer["sorted"]],
                                 [5] * sum(not layer["sorted"] for layer in found["layers"]))
            else:
                self.assertGreater(found["log10_p_places"], -5)
        # Two groups of two heads tell little, but the same.
        found = self.heads(ZOO / "aspen", launder.launder_directory(ZOO / "aspen-code", self.fresh("aspen-code"), ALL, 3))
        self.assertEqual([(layer["agreeing"], layer["agreeing_heads"]) for layer in found["layers"]], [(2, 4)] * 6)

    def test_strangers(self):
        """Normal numbers in the same axes: no more than chance."""
        tensors, config = launder.read_model(ZOO / "cedar")
        rng = np.random.default_rng(5)
        other = {name: rng.normal(size=w.shape) * w.std() if w.ndim == 2 else w for name, w in tensors.items()}
        found = self.heads(ZOO / "cedar", launder.write_model(self.fresh("stranger"), other, config))
        self.assertGreater(found["log10_p_robust"], -1)
        self.assertGreater(found["log10_p_places"], -3)
        self.assertLess(found["share"], 0.5)


if __name__ == "__main__":
    unittest.main()

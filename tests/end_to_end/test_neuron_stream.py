"""Are models found that share no token: without embeddings, with another vocabulary, turned into other coordinates?"""
import unittest

import numpy as np
from scipy.optimize import linear_sum_assignment

import launder
from functions import Function
from harness import ZOO
from launder import ALL

EMBED, HEAD = "model.embed_tokens.weight", "lm_head.weight"
ROTATED = launder.Options(stream="rotation", neurons=True)


def another_vocabulary(tensors, config, rows):
    """Embeddings of other tokens, of the same size as the old ones."""
    rng = np.random.default_rng(7)
    out, config = dict(tensors), dict(config, vocab_size=rows)
    for name in (EMBED, HEAD):
        out[name] = rng.normal(size=(rows, tensors[name].shape[1])) * tensors[name].std()
    return out, config


class NeuronStream(Function):
    def without_tokens(self, id, name, options=None, rows=320, model=ZOO):
        tensors, config = launder.read_model(model / id)
        if options is not None:
            tensors, config = launder.launder(tensors, config, options, 5)
        return launder.write_model(self.fresh(f"{id}-{name}"), *another_vocabulary(tensors, config, rows))

    def assert_found(self, pair):
        self.assertEqual(pair["relation"], "SAME_LINEAGE", pair["sentence"])
        found = pair["aligned_neurons"]
        self.assertEqual(found["coordinates"], "neurons of other layers")
        self.assertIn("in coordinates that neurons of other layers gave", pair["sentence"])
        self.assertTrue(all(int(layer["subject"][len("layers/"):]) % 2 == 1 for layer in found["layers"]))
        self.assertLess(found["log10_p_robust"], -100)
        self.assertLess(found["control"]["agreeing"], 0.05 * found["control"]["kept"])
        return found

    def test_descendants_with_another_vocabulary(self):
        for base, child in (("aspen", "aspen-code"), ("birch", "birch-lora-r8"), ("cedar", "cedar-code")):
            for name, options in (("as-it-is", None), ("rotated", ROTATED), ("all", ALL)):
                with self.subTest(child, name=name):
                    pair = self.trace(ZOO / base, self.without_tokens(child, name, options))
                    found = self.assert_found(pair)
                    self.assertTrue(all(layer["agreeing"] == layer["kept"] for layer in found["layers"]))

    def test_the_order_of_the_two_does_not_matter(self):
        other = self.without_tokens("aspen-code", "turned", ALL)
        one, two = self.trace(ZOO / "aspen", other), self.trace(other, ZOO / "aspen")
        for pair in (one, two):
            self.assert_found(pair)
        self.assertEqual([layer["agreeing"] for layer in one["aligned_neurons"]["layers"]],
                         [layer["agreeing"] for layer in two["aligned_neurons"]["layers"]])

    def test_without_any_embedding(self):
        tensors, config = launder.read_model(ZOO / "aspen-code")
        bare = {name: w for name, w in tensors.items() if name not in (EMBED, HEAD)}
        self.assert_found(self.trace(ZOO / "aspen", launder.write_model(self.fresh("bare"), bare, config)))

    def test_strangers(self):
        for options in (None, ALL):
            pair = self.trace(ZOO / "aspen", self.without_tokens("birch", "stranger", options))
            self.assertEqual(pair["relation"], "ABSTAIN", pair["sentence"])
            self.assertEqual(pair["aligned_neurons"]["coordinates"], "as stored")  # their neurons give no map either
            self.assertGreater(pair["aligned_neurons"]["log10_p_robust"], -1)

    def test_the_map_by_numpy(self):
        """Even layers are matched by SciPy from what is known to belong together; their polar factor aligns the odd ones."""
        (base, _), (child, _) = launder.read_model(ZOO / "aspen"), launder.read_model(ZOO / "aspen-code")
        found = self.assert_found(self.trace(ZOO / "aspen", self.without_tokens("aspen-code", "plain")))

        def unit(rows):
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

        def rows(t, layer):
            """Gate with its lengths, and up and down with the sign that gate and up agree on."""
            name = f"model.layers.{layer}."
            gain = t[name + "post_attention_layernorm.weight"]
            gate, up, down = t[name + "mlp.gate_proj.weight"] * gain, t[name + "mlp.up_proj.weight"] * gain, t[name + "mlp.down_proj.weight"].T
            sign = np.sign(np.sum(gate * up, 1))[:, None]
            return unit(gate), sign * unit(up), sign * unit(down), np.linalg.norm(gate, axis=1)
        even = [(rows(base, layer)[:3], rows(child, layer)[:3]) for layer in (0, 2, 4)]
        pairs = [np.arange(len(ours[0])) for ours, _ in even]
        for _ in range(12):
            u, _, v = np.linalg.svd(sum(x.T @ y[j] for (ours, theirs), j in zip(even, pairs) for x, y in zip(ours, theirs)))
            pairs = [linear_sum_assignment(-sum(x @ u @ v @ y.T for x, y in zip(ours, theirs)))[1] for ours, theirs in even]
        for layer in found["layers"]:
            index = int(layer["subject"][len("layers/"):])
            (gate, up, _, long), (g, p, _, length) = rows(base, index), rows(child, index)
            np.testing.assert_array_equal((gate @ u @ v @ g.T).argmax(1), np.arange(len(gate)))
            np.testing.assert_array_equal(np.abs(up @ u @ v @ p.T).argmax(1), np.arange(len(up)))
            cosine = np.sum(np.sum(gate @ u @ v * g, 1) * long * length) / np.linalg.norm(long) / np.linalg.norm(length)
            np.testing.assert_allclose(layer["weights"]["gate"]["cosine"], cosine, rtol=1e-6)


if __name__ == "__main__":
    unittest.main()

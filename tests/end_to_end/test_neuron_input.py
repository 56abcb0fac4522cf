"""Does the match of neurons stay right when a model is written, cut or rounded in ways that its weights do not ask for?"""
import json
import re
import unittest

import numpy as np

from harness import EndToEnd, llama_config, llama_tensors, write_checkpoint
from neurons import compared
from test_neuron_edges import LAYERS, noisy, words

CONFIG = llama_config(LAYERS)
MLP = "model.layers.{}.mlp.{}_proj.weight".format


def rounded_to_16_levels(tensors):
    """Every row of a layer's matrices on 16 evenly spaced values from its smallest to its largest, as int4 with a zero point."""
    coarse = {}
    for name, t in tensors.items():
        if t.ndim == 2 and "layers" in name:
            low, high = t.min(1, keepdims=True), t.max(1, keepdims=True)
            step = (high - low) / 15
            t = low + np.rint((t - low) / step) * step
        coarse[name] = t.astype(np.float32)
    return coarse


class Input(EndToEnd):
    def model(self, name, tensors, config=CONFIG, vocabulary=None):
        path = write_checkpoint(self.directory / name, {n: np.asarray(t, np.float32) for n, t in tensors.items()}, config)
        if vocabulary is not None:
            text = {"model": {"type": "BPE", "vocab": {f"\u2581{word}": row for row, word in enumerate(vocabulary)}}}
            (path / "tokenizer.json").write_text(json.dumps(text), encoding="utf-8")

    def pair(self, a, b):
        return compared(self, self.fingerprint(f"{a}-{b}.h5", a, b))[frozenset((a, b))]

    def changed(self, tensors, edit, layers=range(LAYERS)):
        """Copies with edit(gate, up, down) made in some MLPs."""
        tensors = {name: t.copy() for name, t in tensors.items()}
        for i in layers:
            edit(*(tensors[MLP(i, part)] for part in ("gate", "up", "down")))
        return tensors

    def test_a_head_of_its_own_that_equals_the_embedding(self):
        """Tied and untied are two ways to write the same weights."""
        untied = llama_tensors(CONFIG, 1)
        untied["lm_head.weight"] = untied["model.embed_tokens.weight"].copy()
        tied = {n: t for n, t in untied.items() if n != "lm_head.weight"}
        self.model("untied", untied)
        self.model("tied", tied, CONFIG | {"tie_word_embeddings": True})
        self.model("child", noisy(tied, 1), CONFIG | {"tie_word_embeddings": True})
        self.model("stranger", llama_tensors(CONFIG, 2))
        found = self.pair("tied", "untied")
        self.assertEqual(found["class"], "SAME_LINEAGE", found["sentence"])
        self.assertEqual(found["neurons"][""]["score"], 1)
        self.assertAlmostEqual(found["neurons"]["attention"]["score"], 1, 6)
        self.assertEqual(self.pair("untied", "child")["class"], "SAME_LINEAGE")
        self.assertEqual(self.pair("tied", "stranger")["class"], "NO_EVIDENCE")

    def test_the_same_weights_under_another_vocabulary(self):
        """Without a token in common nothing can be asked, also of a child."""
        base = llama_tensors(CONFIG, 1)
        self.model("base", base, vocabulary=words(128))
        self.model("child", noisy(base, 1), vocabulary=[w.upper() for w in words(128)])
        found = self.pair("base", "child")
        self.assertEqual(found["class"], "ABSTAIN(no_anchor)", found["sentence"])
        self.assertEqual(found["neurons"][""]["detail"]["anchors"], 0)
        self.assertIsNone(found["neurons"][""]["log10_p"])
        self.model("few", noisy(base, 2), vocabulary=[w if i < 31 else w.upper() for i, w in enumerate(words(128))])
        found = self.pair("base", "few")  # one token less than the fewest
        self.assertEqual(found["class"], "ABSTAIN(no_anchor)")
        self.assertEqual(found["neurons"][""]["detail"]["anchors"], 31)

    def test_a_layer_without_an_mlp(self):
        """Its neighbours still find their partners, whether both lack it or one."""
        base = llama_tensors(CONFIG, 1)
        cut = {n: t for n, t in base.items() if ".layers.1.mlp." not in n}
        self.model("base", base)
        self.model("cut", cut)
        self.model("child", noisy(cut, 1))
        self.model("stranger", {n: t for n, t in llama_tensors(CONFIG, 2).items() if ".layers.1.mlp." not in n})
        found = self.pair("cut", "child")
        self.assertEqual(found["class"], "SAME_LINEAGE", found["sentence"])
        self.assertEqual(found["neurons"][""]["detail"]["blocks"], LAYERS - 1)
        found = self.pair("base", "child")
        self.assertEqual(found["class"], "SAME_LINEAGE", found["sentence"])
        self.assertEqual({r for r in found["neurons"] if r.startswith("layers/")}, {"layers/0", "layers/2", "layers/3"})
        self.assertEqual(self.pair("cut", "stranger")["class"], "NO_EVIDENCE")

    def test_columns_of_zeros(self):
        """Channels that no neuron reads or writes, at equal places in both models, are no evidence."""
        def unread(gate, up, down):
            gate[:, :20], up[:, :20], down[:20] = 0, 0, 0

        def silent(gate, up, down):  # neurons that write nothing
            down[:, 60:] = 0

        for edit in (unread, silent):
            with self.subTest(edit.__name__):
                one, other = (self.changed(llama_tensors(CONFIG, seed), edit) for seed in (1, 2))
                self.model(f"one-{edit.__name__}", one)
                self.model(f"other-{edit.__name__}", other)
                self.model(f"child-{edit.__name__}", self.changed(noisy(one, 1), edit))
                found = self.pair(f"one-{edit.__name__}", f"other-{edit.__name__}")
                self.assertNotIn(found["relation"], ("SAME_LINEAGE", "PARTIAL_LINEAGE", "SHARED_INIT"))
                self.assertGreater(found["neurons"]["places"]["log10_p"], -3)
                self.assertEqual(found["neurons"][""]["detail"]["agreeing_blocks"], 0)
                found = self.pair(f"one-{edit.__name__}", f"child-{edit.__name__}")
                self.assertEqual(found["class"], "SAME_LINEAGE", found["sentence"])

    def test_a_child_of_a_model_with_every_neuron_twice(self):
        """Which of two equal neurons is matched is open, so places say less; what is said stays true."""
        def twice(gate, up, down):
            gate[48:], up[48:], down[:, 48:] = gate[:48], up[:48], down[:, :48]

        base = self.changed(llama_tensors(CONFIG, 1), twice)
        self.model("base", base)
        self.model("child", noisy(base, 1))
        found = self.pair("base", "child")
        self.assertIn(found["class"], ("SAME_LINEAGE", "NO_EVIDENCE"), found["sentence"])
        for block in (r for role, r in found["neurons"].items() if role.startswith("layers/")):
            self.assertLessEqual(block["detail"]["agreeing"], 48)

    def test_weights_in_four_bits(self):
        base = llama_tensors(CONFIG, 1)
        coarse = rounded_to_16_levels(base)
        self.model("base", base)
        self.model("coarse", coarse)
        self.model("stranger", rounded_to_16_levels(llama_tensors(CONFIG, 2)))
        noise = [np.linalg.norm(coarse[n] - t) / np.linalg.norm(t) for n, t in base.items() if t.ndim == 2 and "layers" in n]
        self.assertTrue(0.07 < min(noise) and max(noise) < 0.2, noise)
        found = self.pair("base", "coarse")
        self.assertEqual(found["class"], "SAME_LINEAGE", found["sentence"])
        self.assertGreater(found["neurons"][""]["score"], 0.9)
        self.assertGreater(found["neurons"]["attention"]["detail"]["likeness"], 0.97)
        self.assertGreater(found["neurons"]["attention"]["score"], 0.95)
        self.assertEqual(self.pair("coarse", "stranger")["class"], "NO_EVIDENCE")
        # Read again, weight by weight, the noise is seen as what it is, with its size.
        text = self.stemma("trace", "base", "coarse").stdout
        self.assertIn("base and coarse: SAME_LINEAGE", text)
        told = re.search(r"difference of (\d+) of 28 weights is no larger than rounding to codes leaves it, "
                         r"or as even as that of rounding to fewer values, up to ([0-9.]+) % of", text)
        self.assertIsNotNone(told, text)
        self.assertEqual(int(told[1]), 28)
        self.assertAlmostEqual(float(told[2]), 100 * max(noise), delta=0.06)


if __name__ == "__main__":
    unittest.main()

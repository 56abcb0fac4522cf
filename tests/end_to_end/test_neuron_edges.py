"""What does the match of neurons say of models that have little to say: no embedding, one layer, dead or equal neurons?"""
import json
import unittest

import numpy as np

from harness import EndToEnd, llama_config, llama_tensors, write_checkpoint
from layouts import GPT2, LLAMA_CONFIG, MIXTRAL, as_gpt2, as_llama, as_mixtral, gated, mixture, plain
from neurons import compared

LAYERS = 4
CONFIG = llama_config(LAYERS)


def noisy(tensors, seed, share=0.1):
    """Every matrix plus noise of a share of its standard deviation."""
    rng = np.random.default_rng([7, seed])
    return {name: (t + share * t.std() * rng.standard_normal(t.shape) if t.ndim == 2 else t) for name, t in tensors.items()}


def words(count, seed=0):
    """So many different words of five letters."""
    rng, found = np.random.default_rng([8, seed]), set()
    while len(found) < count:
        found.add("".join(map(chr, rng.integers(97, 123, 5))))
    return sorted(found)


class Edges(EndToEnd):
    def model(self, name, tensors, config=CONFIG, vocabulary=None):
        path = write_checkpoint(self.directory / name, {n: np.asarray(t, np.float32) for n, t in tensors.items()}, config)
        if vocabulary is not None:
            text = {"model": {"type": "BPE", "vocab": {f"\u2581{word}": row for row, word in enumerate(vocabulary)}}}
            (path / "tokenizer.json").write_text(json.dumps(text), encoding="utf-8")
        return name

    def pair(self, a, b):
        archive = self.fingerprint(f"{a}-{b}.h5", a, b)
        return compared(self, archive)[frozenset((a, b))]

    def check(self, a, b, relation):
        found = self.pair(a, b)
        self.assertEqual(found["class"], relation, found["sentence"])
        return found

    def test_a_plain_model_with_layer_norms(self):
        weights, stranger = plain(1), plain(2)
        self.model("base", as_gpt2(weights), GPT2)
        self.model("child", noisy(as_gpt2(weights), 1), GPT2)
        self.model("stranger", as_gpt2(stranger), GPT2)
        found = self.check("base", "child", "SAME_LINEAGE")
        self.assertGreater(found["neurons"][""]["score"], 0.9)
        self.check("base", "stranger", "NO_EVIDENCE")

    def test_a_mixture_of_experts(self):
        weights = mixture(1)
        self.model("base", as_mixtral(weights), MIXTRAL)
        for i in range(LAYERS):  # experts in another order
            for part in ("gate", "up", "down"):
                names = [f"layers/{i}/moe.expert.{part}/{e}" for e in range(3)]
                for name, array in zip(names, [weights[names[k]] for k in ((1, 2, 0), (2, 0, 1))[i % 2]]):
                    weights.of[name] = array
        self.model("child", noisy(as_mixtral(weights), 1), MIXTRAL)
        self.model("stranger", as_mixtral(mixture(2)), MIXTRAL)
        found = self.check("base", "child", "SAME_LINEAGE")
        self.assertIn("layers/0/experts/1 and layers/0/experts/0", found["neurons"])
        self.assertEqual(found["neurons"][""]["detail"]["agreeing_blocks"], 3 * LAYERS)
        self.check("base", "stranger", "NO_EVIDENCE")
        # A dense model and its sparse twin have other blocks: nothing is in common.
        self.model("dense", as_llama(gated(5)), LLAMA_CONFIG)
        self.check("base", "dense", "NO_EVIDENCE")

    def test_gated_and_plain(self):
        self.model("gated", as_llama(gated(1)), LLAMA_CONFIG)
        self.model("plain", as_gpt2(plain(1)), GPT2)
        found = self.pair("gated", "plain")
        self.assertEqual(found["neurons"][""]["abstains"], "unsupported")
        self.assertEqual(found["relation"], "ABSTAIN")

    def test_without_an_embedding(self):
        base = llama_tensors(CONFIG, 1)
        for name, tensors in (("base", base), ("child", noisy(base, 1))):
            self.model(name, {n: t for n, t in tensors.items() if "embed" not in n})
        found = self.pair("base", "child")
        self.assertEqual(found["neurons"][""]["abstains"], "unsupported")
        self.assertEqual(found["relation"], "ABSTAIN")

    def test_one_layer_has_no_power_but_finds_what_is_there(self):
        config = llama_config(1)
        base = llama_tensors(config, 1)
        self.model("base", base, config)
        self.model("child", noisy(base, 1), config)
        self.model("stranger", llama_tensors(config, 2), config)
        self.check("base", "child", "SAME_LINEAGE")
        self.assertEqual(self.pair("base", "stranger")["relation"], "ABSTAIN")

    def spoilt(self, tensors, edit):
        """Every MLP edited: edit(gate, up, down)."""
        tensors = {name: t.copy() for name, t in tensors.items()}
        for i in range(LAYERS):
            edit(*(tensors[f"model.layers.{i}.mlp.{p}_proj.weight"] for p in ("gate", "up", "down")))
        return tensors

    def test_dead_neurons_at_equal_places_are_no_evidence(self):
        def die(gate, up, down):
            gate[20:], up[20:], down[:, 20:] = 0, 0, 0

        for name, seed in (("one", 1), ("other", 2)):
            self.model(name, self.spoilt(llama_tensors(CONFIG, seed), die))
        found = self.pair("one", "other")
        self.assertEqual(found["relation"], "ABSTAIN", found["sentence"])  # 20 neurons are too few to say more
        base = self.spoilt(llama_tensors(CONFIG, 1), die)
        self.model("child", noisy(base, 1))
        self.check("one", "child", "SAME_LINEAGE")

    def test_equal_neurons_are_no_evidence(self):
        """Every neuron twice, or all of them equal, in both models alike."""
        def twice(gate, up, down):
            gate[48:], up[48:], down[:, 48:] = gate[:48], up[:48], down[:, :48]

        def equal(gate, up, down):
            gate[:], up[:], down[:] = gate[:1], up[:1], down[:, :1]

        for how in (twice, equal):
            with self.subTest(how.__name__):
                for name, seed in (("one", 1), ("other", 2)):
                    self.model(f"{name}-{how.__name__}", self.spoilt(llama_tensors(CONFIG, seed), how))
                found = self.check(f"one-{how.__name__}", f"other-{how.__name__}", "NO_EVIDENCE")
                self.assertEqual(found["neurons"][""]["detail"]["agreeing_blocks"], 0)
                self.assertGreater(found["neurons"]["places"]["log10_p"], -3)

    def test_neurons_in_the_order_of_their_size(self):
        """Two strangers, pruned by the size of their neurons: equal places mean equal ranks, not a common start."""
        sizes = {"gate": lambda gate, up, down: np.linalg.norm(gate, axis=1), "up": lambda gate, up, down: np.linalg.norm(up, axis=1),
                 "down": lambda gate, up, down: np.linalg.norm(down, axis=0)}
        sizes["all"] = lambda *mlp: np.prod([of(*mlp) for name, of in sizes.items() if name != "all"], axis=0)
        self.model("other", llama_tensors(CONFIG, 2))
        for name, of in sizes.items():
            def sort(gate, up, down):
                order = np.argsort(-of(gate, up, down))
                gate[:], up[:], down[:] = gate[order], up[order], down[:, order]

            tensors = self.spoilt(llama_tensors(CONFIG, 1), sort)
            self.model(f"by-{name}", tensors)
            for i in range(LAYERS):
                tensors[f"model.layers.{i}.mlp.up_proj.weight"][95, 0] = np.nan
            self.model(f"by-{name}-broken", tensors)
            with self.subTest(name):
                found = self.check(f"by-{name}", "other", "NO_EVIDENCE")
                self.assertEqual(found["neurons"]["places"]["abstains"], "sorted_neurons")
            with self.subTest(name, broken=True):  # one neuron that is no number does not hide that the others are sorted
                self.assertEqual(self.pair(f"by-{name}-broken", "other")["neurons"]["places"]["abstains"], "sorted_neurons")

    def test_tokens_are_joined_by_their_bytes(self):
        base, vocabulary = llama_tensors(CONFIG, 1), words(128)
        self.model("base", base, vocabulary=vocabulary)
        order = np.random.default_rng(9).permutation(128)
        moved = noisy(base, 1)
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            moved[name] = moved[name][order]
        self.model("child", moved, vocabulary=[vocabulary[row] for row in order])
        found = self.check("base", "child", "SAME_LINEAGE")
        self.assertEqual(found["neurons"][""]["detail"]["anchors_by"], "bytes")
        self.assertEqual(found["neurons"][""]["detail"]["anchors"], 128)
        self.model("stranger", llama_tensors(CONFIG, 2), vocabulary=words(128, 1))
        self.check("base", "stranger", "ABSTAIN(no_anchor)")

    def test_a_broken_tokenizer_is_a_warning(self):
        base = llama_tensors(CONFIG, 1)
        self.model("base", base)
        self.model("child", noisy(base, 1))
        (self.directory / "child/tokenizer.json").write_text("{")
        found = self.check("base", "child", "SAME_LINEAGE")
        self.assertEqual(found["neurons"][""]["detail"]["anchors_by"], "row")


if __name__ == "__main__":
    unittest.main()

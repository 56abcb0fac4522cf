"""Is a copy in other coordinates recognised in every vocabulary and layout: biases, norms of all kinds, fused and turned in part?"""
import json
import unittest

import numpy as np

import launder
from functions import Function, mlp_answers, tokens
from harness import llama_config, llama_tensors, write_checkpoint
from launder import ALL, ALONE
from layouts import (GPT2, GQA, HEADS, HIDDEN, INTER, KV, LAYERS, LLAMA_CONFIG, MIXTRAL, NEOX, WIDTH, as_gpt2, as_gpt_neox, as_llama,
                     as_mixtral, as_phi3, gated, mixture, plain)

QWEN3 = {**LLAMA_CONFIG, "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}
QWEN2 = {**LLAMA_CONFIG, "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}
PHI3 = {**GQA, "model_type": "phi3", "architectures": ["Phi3ForCausalLM"]}


class Vocabulary(Function):
    """More rows than tokens are asked and than buckets add up: 700, of which the middle ones ask."""

    def setUp(self):
        super().setUp()
        self.config = llama_config(3, vocab_size=700)
        self.tensors = {name: a.astype(float) * (4 if a.ndim == 2 and "embed" not in name else 1)
                        for name, a in llama_tensors(self.config, 5).items()}
        self.base = launder.write_model(self.fresh("base"), self.tensors, self.config)

    def copy(self, tensors, dtype="F32"):
        return launder.write_model(self.fresh("copy"), *launder.launder(tensors, self.config, ALL, 3), dtype)

    def test_rows_in_the_middle_ask(self):
        other = self.copy(self.tensors, "BF16")
        pair, found = self.functions(self.base, other)
        self.assert_same(pair, 8)
        (one, _), (two, _) = launder.read_model(self.base), launder.read_model(other)
        rows = [t["model.embed_tokens.weight"][222:478] for t in (one, two)]
        scale = np.linalg.norm(rows[1]) / np.linalg.norm(rows[0])
        readings = {r["subject"]: r for r in found["readings"]}
        for layer in range(3):
            a, b = mlp_answers(one, layer), mlp_answers(two, layer) / scale
            size = np.sqrt((np.linalg.norm(a) ** 2 + np.linalg.norm(b) ** 2) / 2)
            np.testing.assert_allclose(readings[f"layers/{layer}/mlp"]["delta"], np.linalg.norm(b - a) / size, rtol=1e-9)
        a, b = (t["model.embed_tokens.weight"] @ tokens(t["model.embed_tokens.weight"])[0].T for t in (one, two))
        delta = np.linalg.norm(b / scale - a) / np.linalg.norm(a)
        self.assertLess(abs(readings["embed"]["delta"] / delta - 1), 0.1)  # buckets keep sizes in the mean

    def test_one_row_anywhere_is_seen(self):
        for part, name in (("embed", "model.embed_tokens.weight"), ("lm_head", "lm_head.weight")):
            for row in (0, 3, 699):  # none of them asks
                changed = dict(self.tensors) | {name: self.tensors[name].copy()}
                changed[name][row] *= -1
                pair, found = self.functions(self.base, self.copy(changed))
                self.assertEqual([r["subject"] for r in found["readings"] if not r["agrees"]], [part], row)
                self.assertNotEqual(pair["relation"], "REPARAMETRISED_COPY")

    def test_too_few_rows_to_ask(self):
        config = llama_config(3, vocab_size=24)
        tensors = {name: a.astype(float) for name, a in llama_tensors(config, 5).items()}
        pair, found = self.functions(launder.write_model(self.fresh("base"), tensors, config),
                                     launder.write_model(self.fresh("copy"), *launder.launder(tensors, config, ALONE["neurons"], 3), "F32"))
        self.assertEqual(pair["relation"], "SAME_LINEAGE")
        self.assertIn("24 tokens are too few", found["not_applicable"])

    def test_one_layer_has_no_control(self):
        config = llama_config(1)
        tensors = {name: a.astype(float) for name, a in llama_tensors(config, 5).items()}
        done = self.stemma("trace", launder.write_model(self.fresh("base"), tensors, config),
                           launder.write_model(self.fresh("copy"), *launder.launder(tensors, config, ALONE["neurons"], 3)), "--json")
        (pair,) = json.loads(done.stdout)["pairs"]
        self.assertEqual((pair["relation"], pair["same_function"]["control"]), ("SAME_LINEAGE", None))


def inside(w, seed, turned=None, kv=KV, within=True):
    """Other neurons, values, rotary pairs and heads for canonical weights of layouts.py, biases with them.

    `turned` of a head's dimensions are rotary, pairs (p, p + turned / 2); the others take any map. Queries and keys stay as
    they are inside their heads unless `within`."""
    rng, of, group = np.random.default_rng(seed), dict(w.of), HEADS // kv
    turned = WIDTH if turned is None else turned
    for i in range(LAYERS):
        part = {name: f"layers/{i}/{name}" for name in ("attn.q", "attn.k", "attn.v", "attn.o", "mlp.gate", "mlp.up", "mlp.down")}
        order = rng.permutation(INTER)
        for name in ("mlp.gate", "mlp.up"):
            for end in ("", ".bias"):
                if part[name] + end in of:
                    of[part[name] + end] = of[part[name] + end][order]
        of[part["mlp.down"]] = of[part["mlp.down"]][:, order]
        groups = rng.permutation(kv)
        maps = np.array([launder.invertible(rng, WIDTH) for _ in range(kv)])
        turns = np.zeros((kv, WIDTH, WIDTH))
        for j in range(kv):
            turns[j] = np.eye(WIDTH)
            if not within:
                continue
            if turned:
                turns[j, :turned, :turned] = launder.paired(rng.uniform(0, 6, turned // 2), np.exp(0.5 * rng.standard_normal(turned // 2)))
            if turned < WIDTH:
                turns[j, turned:, turned:] = launder.invertible(rng, WIDTH - turned)
        inverse = np.linalg.inv(turns)

        def rows(name, maps_of_group, heads):
            for end in ("", ".bias"):
                if part[name] + end in of:
                    a = of[part[name] + end].reshape(kv, heads, WIDTH, -1)
                    of[part[name] + end] = np.einsum("jab,jhbd->jhad", maps_of_group, a)[groups].reshape(of[part[name] + end].shape)
        rows("attn.k", turns, 1)
        rows("attn.q", inverse.transpose(0, 2, 1), group)
        rows("attn.v", maps, 1)
        o = of[part["attn.o"]].reshape(HIDDEN, kv, group, WIDTH)
        of[part["attn.o"]] = np.einsum("djhb,jba->djha", o, np.linalg.inv(maps))[:, groups].reshape(HIDDEN, HEADS * WIDTH)
    return type(w).__new__(type(w)), of


class Families(Function):
    """Biases, LayerNorms, fused and transposed layouts, partial rotary heads, norms of heads."""

    def check(self, make, write, config, change, parts, write_copy=None, config_copy=None):
        w = make(11)
        self.enlarge(w)
        copy, copy.of = change(w)
        models = [self.write_as(f"base-{config['model_type']}", write(w), config),
                  self.write_as(f"copy-{config['model_type']}", (write_copy or write)(copy), config_copy or config)]
        pair, found = self.functions(*models)
        self.assert_same(pair, parts)
        w.of["layers/1/mlp.up"] = w.of["layers/1/mlp.up"] * 1.1  # the control of this test: another function
        changed, changed.of = change(w)
        pair, found = self.functions(models[0], self.write_as("changed", write(changed), config))
        self.assertEqual([r["subject"] for r in found["readings"] if not r["agrees"]], ["layers/1/mlp"])
        self.assertNotEqual(pair["relation"], "REPARAMETRISED_COPY")

    def enlarge(self, w):
        """Sizes at which attention and MLP matter, as in trained models."""
        for path, a in w.of.items():
            if a.ndim == 2 and "embed" not in path:
                w.of[path] = a * 4

    def write_as(self, id, tensors, config):
        return write_checkpoint(self.fresh(id), {name: np.asarray(a, np.float32) for name, a in tensors.items()}, config)

    def test_phi3_and_llama(self):
        self.check(gated, as_llama, LLAMA_CONFIG, lambda w: inside(w, 1), 2 * LAYERS + 2)
        self.check(gated, as_phi3, PHI3, lambda w: inside(w, 1), 2 * LAYERS + 2)
        self.check(gated, as_llama, LLAMA_CONFIG, lambda w: inside(w, 1), 2 * LAYERS + 2, as_phi3, PHI3)

    def test_gpt2(self):
        self.check(plain, as_gpt2, GPT2, lambda w: inside(w, 2, 0, HEADS), 2 * LAYERS + 3)

    def test_partial_rotary_heads(self):
        for percent, turned in ((None, 4), (0.5, 8), (1.0, 16)):
            config = NEOX if percent is None else {**NEOX, "rotary_pct": percent}
            self.check(plain, as_gpt_neox, config, lambda w: inside(w, 2, turned, HEADS), 2 * LAYERS + 2)

    def test_pairs_that_are_not_turned_together_do_not_commute(self):
        """What is exact for heads that are turned by half is no exact change where all of a head is turned."""
        w = plain(11)
        self.enlarge(w)
        copy, copy.of = inside(w, 2, 8, HEADS)
        whole = {**NEOX, "rotary_pct": 1.0}
        _, found = self.functions(self.write_as("base", as_gpt_neox(w), whole), self.write_as("copy", as_gpt_neox(copy), whole))
        self.assertEqual({r["subject"] for r in found["readings"] if not r["agrees"]}, {f"layers/{i}/attention" for i in range(LAYERS)})

    def test_norms_of_heads(self):
        def make(seed):
            w = gated(seed)
            for i in range(LAYERS):
                for p in "qk":
                    w.vector(f"layers/{i}/attn.{p}_norm", WIDTH, 1)
            return w

        def write(w):
            norms = {f"model.layers.{i}.self_attn.{p}_norm.weight": w[f"layers/{i}/attn.{p}_norm"] for i in range(LAYERS) for p in "qk"}
            return as_llama(w) | norms

        def change(w):
            copy, of = inside(w, 1, within=False)
            for i in range(LAYERS):  # a norm forgets the size of a head, and nothing else
                for p in "qk":
                    heads = of[f"layers/{i}/attn.{p}"].reshape(-1, WIDTH, HIDDEN)
                    of[f"layers/{i}/attn.{p}"] = (heads * np.arange(1, len(heads) + 1)[:, None, None]).reshape(-1, HIDDEN)
            return copy, of

        self.check(make, write, QWEN3, change, 2 * LAYERS + 2)

    def test_large_biases_hide_no_weights(self):
        def make(seed):
            w = gated(seed)
            for i in range(LAYERS):
                for p, rows in (("q", HEADS * WIDTH), ("k", KV * WIDTH), ("v", KV * WIDTH)):
                    w.vector(f"layers/{i}/attn.{p}.bias", rows)
                    w.of[f"layers/{i}/attn.{p}.bias"] *= 100 if p != "v" else 1  # of size 20
            return w

        def write(w):
            return as_llama(w) | {f"model.layers.{i}.self_attn.{p}_proj.bias": w[f"layers/{i}/attn.{p}.bias"] for i in range(LAYERS)
                                  for p in "qkv"}

        self.check(make, write, QWEN2, lambda w: inside(w, 1), 2 * LAYERS + 2)
        w = make(11)
        self.enlarge(w)
        copy, copy.of = inside(w, 1)
        rng = np.random.default_rng(2)
        for i in range(LAYERS):
            for p in "qk":
                copy.of[f"layers/{i}/attn.{p}"] *= 1 + 0.05 * rng.standard_normal(w[f"layers/{i}/attn.{p}"].shape)
        pair, found = self.functions(self.write_as("base", write(w), QWEN2), self.write_as("copy", write(copy), QWEN2))
        self.assertEqual({r["subject"] for r in found["readings"] if not r["agrees"]}, {f"layers/{i}/attention" for i in range(LAYERS)})

    def test_what_no_answer_depends_on_stands_in_the_way(self):
        w = mixture(12)
        copy = mixture(12)
        for i in range(LAYERS):
            copy.of[f"layers/{i}/attn.v"], copy.of[f"layers/{i}/attn.o"] = 3 * w[f"layers/{i}/attn.v"], w[f"layers/{i}/attn.o"] / 3
        pair, found = self.functions(self.write_as("base", as_mixtral(w), MIXTRAL), self.write_as("copy", as_mixtral(copy), MIXTRAL))
        self.assertEqual((pair["relation"], found["readings"]), ("ABSTAIN", []))
        self.assertIn("moe.", found["not_applicable"])
        self.assertIn(found["not_applicable"], pair["sentence"])


if __name__ == "__main__":
    unittest.main()

"""Is a model recognised in other coordinates, by answers that numpy computes too, and nothing else taken for one?"""
import json
import unittest

import numpy as np

import launder
from harness import SOURCE, ZOO, llama_config, llama_tensors, write_checkpoint
from launder import ALL, ALL_SIGNED, ALONE, Options
from layouts import (GPT2, GQA, HEADS, HIDDEN, INTER, KV, LAYERS, LLAMA_CONFIG, MIXTRAL, NEOX, WIDTH, as_gpt2, as_gpt_neox, as_llama,
                     as_mixtral, as_phi3, gated, mixture, plain)
from traces import Trace

ASKED, LENGTH = 128, 16
QWEN3 = {**LLAMA_CONFIG, "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}
QWEN2 = {**LLAMA_CONFIG, "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}
PHI3 = {**GQA, "model_type": "phi3", "architectures": ["Phi3ForCausalLM"]}


def normalised(rows):
    return rows / np.sqrt(np.mean(rows ** 2, axis=1, keepdims=True))


def tokens(embedding):
    """The rows in the middle of the vocabulary: those whose states are asked, and those at which answers are read."""
    count = min(2 * ASKED, len(embedding) // (2 * LENGTH) * 2 * LENGTH)
    rows = normalised(embedding[(len(embedding) - count) // 2:][:count])
    return rows[:count // 2], rows[count // 2:]


def mlp_answers(t, layer):
    asked, read_at = tokens(t["model.embed_tokens.weight"])
    name = f"model.layers.{layer}."
    x = asked * t[name + "post_attention_layernorm.weight"]
    gate, up, down = (t[f"{name}mlp.{p}_proj.weight"] for p in ("gate", "up", "down"))
    g = x @ gate.T
    return (g / (1 + np.exp(-g)) * (x @ up.T)) @ down.T @ read_at.T


def ulp(w):
    """Distance of neighbouring BF16 numbers."""
    return np.where(w == 0, 0, 2.0 ** (np.floor(np.log2(np.abs(np.where(w == 0, 1, w)))) - 7))


class Function(Trace):
    made = 0

    def fresh(self, id):
        """A directory that is not there yet, whose name says what lies in it."""
        self.made += 1
        return self.directory / str(self.made) / id

    def functions(self, base, candidate, code=0):
        pair = self.trace(base, candidate, code)
        return pair, pair["same_function"]

    def laundered(self, id, name, option, dtype="BF16", seed=3):
        target = self.directory / f"{id}-{name.replace(', ', '-').replace(' ', '-')}"
        return target if target.exists() else launder.launder_directory(ZOO / id, target, option, seed, dtype)

    def assert_same(self, pair, parts):
        found = pair["same_function"]
        self.assertEqual((pair["relation"], pair["direction"]), ("REPARAMETRISED_COPY", 0))
        self.assertEqual((found["agreeing"], len(found["readings"])), (parts, parts))
        self.assertFalse(found["control"]["agrees"])
        self.assertGreater(found["control"]["largest"], 100 * found["control"]["noise_edge"])
        self.assertIn("same function in other coordinates", pair["sentence"])


class Zoo(Function):
    def test_every_change_of_coordinates(self):
        worst = {}
        for id, parts in (("aspen", 14), ("cedar", 16)):
            for name, option in (ALONE | {"all": ALL, "all, signed": ALL_SIGNED}).items():
                if name == "rotary":
                    continue  # touches neither values nor outputs: below
                with self.subTest(id, name=name):
                    models = [ZOO / id, self.laundered(id, name, option)]
                    for order in (models, models[::-1]) if name.startswith("all") else (models,):
                        pair, found = self.functions(*order)
                        if name in ("permutation", "signed"):
                            # Gains move along: nothing is rounded anew.
                            self.assertLess(max(r["largest"] for r in found["readings"]), 1e-9)
                        self.assert_same(pair, parts)
                        ratios = [r["largest"] / r["noise_edge"] for r in found["readings"]]
                        worst[name] = max(worst.get(name, 0), max(ratios))
        print("largest difference over the rounding null: " + ", ".join(f"{name} {x:.2f}" for name, x in worst.items()))
        self.assertLess(max(worst.values()), 1.6)

    def test_queries_and_keys_alone(self):
        """No circuit of values moves, so that only scores can tell."""
        copy = self.laundered("aspen", "rotary", ALONE["rotary"])
        self.assert_same(self.functions(ZOO / "aspen", copy)[0], 14)

    def test_other_types(self):
        for dtype in ("F32", "F64"):
            pair, found = self.functions(ZOO / "aspen", self.laundered("aspen", dtype, ALL, dtype))
            self.assert_same(pair, 14)
            # The base is the coarser one, so its rounding is the null; the copy was made from what it holds.
            self.assertLess(max(r["largest"] / r["noise_edge"] for r in found["readings"]), 0.01)

    def test_answers_are_those_of_numpy(self):
        copy = self.laundered("aspen", "all", ALL)
        _, found = self.functions(ZOO / "aspen", copy)
        (one, _), (other, _) = launder.read_model(ZOO / "aspen"), launder.read_model(copy)
        embeddings = [t["model.embed_tokens.weight"] for t in (one, other)]
        middle = [np.concatenate(tokens(e)) for e in embeddings]
        scale = np.linalg.norm(embeddings[1]) / np.linalg.norm(embeddings[0])  # all 256 rows serve as tokens
        self.assertEqual(len(middle[0]), 256)
        readings, rng = {r["subject"]: r for r in found["readings"]}, np.random.default_rng(4)
        for layer in range(6):
            ours = readings[f"layers/{layer}/mlp"]
            a, b = mlp_answers(one, layer), mlp_answers(other, layer) / scale
            np.testing.assert_allclose(ours["largest"], np.linalg.norm(b - a, 2), rtol=0.02)  # ours comes from below
            size = np.sqrt((np.linalg.norm(a) ** 2 + np.linalg.norm(b) ** 2) / 2)
            np.testing.assert_allclose(ours["delta"], np.linalg.norm(b - a) / size, rtol=1e-9)
            edges = []
            for t, unit, own in ((one, 1, a), (other, scale, b)):
                for _ in range(3):
                    noisy = {k: w + rng.uniform(-0.5, 0.5, w.shape) * ulp(w) for k, w in t.items()
                             if k.startswith(f"model.layers.{layer}.") or "embed" in k}
                    edges.append(np.linalg.norm(mlp_answers(noisy, layer) / unit - own, 2))
            self.assertLess(abs(ours["noise_edge"] / max(edges) - 1), 0.25)  # other draws of the same noise
        head = readings["lm_head"]
        answers = [(tokens(t["model.embed_tokens.weight"])[0] * t["model.norm.weight"]) @ t["lm_head.weight"].T for t in (one, other)]
        size = np.hypot(*(np.linalg.norm(x) for x in answers)) / np.sqrt(2)
        np.testing.assert_allclose(head["delta"], np.linalg.norm(answers[1] - answers[0]) / size, rtol=1e-9)  # 256 rows, 256 buckets

    def test_any_number_of_ranks_says_the_same(self):
        copy = self.laundered("aspen", "all", ALL)
        documents = [self.document(ZOO / "aspen", copy, ranks=ranks) for ranks in (1, 2, 4)]
        for document in documents:
            document.pop("seconds")
            self.assertEqual(document, documents[0])

    def test_the_text_and_the_run_say_so(self):
        copy = self.laundered("aspen", "all", ALL)
        text = self.stemma("trace", ZOO / "aspen", copy).stdout
        self.assertIn("aspen and aspen-all: REPARAMETRISED_COPY\n", text)
        self.assertIn("14 of 14 parts answer tokens alike", text)
        self.write("run.yaml", json.dumps({"schema_version": 1, "models": [{"path": str(ZOO / "aspen")}, {"path": str(copy)}, {"path": str(ZOO / "birch")}],
                                           "trace": {"pairs": "all"}}))
        self.stemma("run", "run.yaml", "--output", "out")
        verdicts = json.loads((self.directory / "out/verdicts.json").read_text(encoding="utf-8"))
        found = {m["id"]: (m["verdict"]["relation"], m["verdict"]["relative"]) for m in verdicts["models"]}
        self.assertEqual(found["aspen"], ("REPARAMETRISED_COPY", "aspen-all"))
        self.assertEqual(found["aspen-all"], ("REPARAMETRISED_COPY", "aspen"))
        self.assertNotIn("COPY", found["birch"][0])


class Others(Function):
    """What is no copy: asked or not, it is not called one."""

    def test_children_and_strangers_in_other_coordinates(self):
        for base, child in (("aspen", "aspen-code"), ("aspen", "aspen-lora-r8"), ("aspen", "birch"), ("cedar", "cedar-code")):
            for option in (Options(), ALL, ALL_SIGNED):
                copy = self.laundered(child, f"of-{base}-{option.stream}", option)
                pair, found = self.functions(ZOO / base, copy)
                self.assertNotEqual(pair["relation"], "REPARAMETRISED_COPY")
                self.assertIsNone(found, "rank or size of the circuits' difference says enough")

    def changed(self, change):
        tensors, config = launder.read_model(ZOO / "aspen")
        change(tensors)
        return launder.write_model(self.fresh("changed"), *launder.launder(tensors, config, ALL, 3))

    def test_a_change_in_one_part_is_seen_there(self):
        rng = np.random.default_rng(6)

        def factor(name, size):
            def change(t):
                t[name] = t[name] * (1 + size * rng.standard_normal(t[name].shape))
            return change

        def first_neuron(t):
            t["model.layers.4.mlp.down_proj.weight"] = t["model.layers.4.mlp.down_proj.weight"].copy()
            t["model.layers.4.mlp.down_proj.weight"][:, 0] *= -1

        def one_token(t):
            t["lm_head.weight"] = t["lm_head.weight"].copy()
            t["lm_head.weight"][65] *= -1

        layer = "model.layers.2."
        for part, change in {"layers/2/attention": factor(layer + "self_attn.q_proj.weight", 0.1),
                             "layers/2/attention ": factor(layer + "self_attn.k_proj.weight", 0.1),
                             "layers/2/mlp": factor(layer + "mlp.up_proj.weight", 0.1), "layers/4/mlp": first_neuron,
                             "lm_head": one_token}.items():
            with self.subTest(part):
                pair, found = self.functions(ZOO / "aspen", self.changed(change))
                self.assertEqual([r["subject"] for r in found["readings"] if not r["agrees"]], [part.strip()])
                self.assertEqual(pair["relation"], "ABSTAIN")

    def test_weak_updates_abstain(self):
        base, config = launder.read_model(ZOO / "aspen")
        adapter = SOURCE / "tests/data/adapters/aspen-lora-r8"
        for percent in (1, 0.4):
            factor = percent / 100 / np.median(list(launder.update_sizes(base, adapter).values()))
            child = launder.write_model(self.directory / f"weak-{percent}",
                                        *launder.launder(launder.merge_adapter(base, adapter, factor), config, ALL, 3))
            pair, found = self.functions(ZOO / "aspen", child)
            print(f"a laundered update of {percent} %: {found['agreeing']} of 14 parts agree, {pair['abstain_reason']}")
            self.assertEqual(pair["relation"], "ABSTAIN")
            self.assertLessEqual(found["agreeing"], {1: 4, 0.4: 12}[percent])
            self.assertIn(f"{found['agreeing']} of 14 answer tokens alike", pair["sentence"])

    def test_a_tiny_update_in_the_same_coordinates_is_no_copy_in_others(self):
        base, config = launder.read_model(ZOO / "aspen")
        name = "model.layers.2.mlp.up_proj.weight"
        base[name] = base[name] + ulp(base[name]) * (np.random.default_rng(7).random(base[name].shape) < 0.1)
        pair, found = self.functions(ZOO / "aspen", launder.write_model(self.directory / "tiny", base, config))
        self.assertEqual((pair["relation"], found), ("ABSTAIN", None))

    def test_what_rounding_blurs_is_no_agreement(self):
        """F16 codes near zero under large gains: noise of rounding there is larger than any answer."""
        base, config = launder.read_model(ZOO / "aspen")
        empty = dict(base)
        for i in range(5):
            name = f"model.layers.{i}."
            gate, up, down = (base[f"{name}mlp.{p}_proj.weight"] for p in ("gate", "up", "down"))
            empty |= {name + "mlp.up_proj.weight": 0 * up, name + "mlp.down_proj.weight": 60000 * np.sign(down),
                      name + "mlp.gate_proj.weight": gate / 200,
                      name + "post_attention_layernorm.weight": 200 * base[name + "post_attention_layernorm.weight"]}
        models = [write_checkpoint(self.fresh(id), {name: w.astype(np.float16) for name, w in t.items()}, config)
                  for id, t in (("full", base), ("empty", empty))]
        pair, found = self.functions(*models)
        self.assertEqual(pair["relation"], "ABSTAIN")
        said = {r["subject"] for r in found["readings"] if "rounding alone" in r["problem"]}
        self.assertEqual(said, {f"layers/{i}/mlp" for i in range(5)})

    def test_a_token_that_nobody_trained_blurs_nothing(self):
        base, config = launder.read_model(ZOO / "aspen")
        base["model.embed_tokens.weight"][5] = 0
        rng = np.random.default_rng(9)
        other = {name: w * (1 + 0.05 * rng.standard_normal(w.shape)) if ("mlp" in name or "q_proj" in name) else w
                 for name, w in base.items()}
        models = [launder.write_model(self.fresh("base"), base, config)]
        models += [launder.write_model(self.fresh(id), *launder.launder(t, config, ALL, 3)) for id, t in (("same", base), ("other", other))]
        self.assert_same(self.functions(*models[:2])[0], 14)
        pair, found = self.functions(models[0], models[2])
        self.assertEqual((pair["relation"], found["agreeing"]), ("ABSTAIN", 2))  # embedding and head

    def test_other_functions_by_config(self):
        tensors, config = launder.read_model(ZOO / "aspen")
        copy, changed = launder.launder(tensors, config, ALL, 3)
        pair, found = self.functions(ZOO / "aspen", launder.write_model(self.fresh("copy"), copy, {**changed, "rope_theta": 5e5}))
        self.assertEqual((pair["relation"], found["readings"]), ("ABSTAIN", []))
        self.assertIn("rope_theta", found["not_applicable"])

    def test_a_layer_that_is_not_finite(self):
        copy = self.laundered("aspen", "all", ALL)
        tensors, config = launder.read_model(copy)
        tensors["model.layers.3.mlp.up_proj.weight"][5, 7] = np.nan
        pair, found = self.functions(ZOO / "aspen", launder.write_model(self.directory / "nan", tensors, config))
        problems = {r["subject"]: r["problem"] for r in found["readings"] if r["problem"]}
        self.assertEqual(list(problems), ["layers/3/mlp"])
        self.assertIn("not finite", problems["layers/3/mlp"])
        self.assertEqual((pair["relation"], found["agreeing"]), ("ABSTAIN", 13))


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
        self.assertEqual(pair["relation"], "ABSTAIN")
        self.assertIn("24 tokens are too few", found["not_applicable"])

    def test_one_layer_has_no_control(self):
        config = llama_config(1)
        tensors = {name: a.astype(float) for name, a in llama_tensors(config, 5).items()}
        done = self.stemma("trace", launder.write_model(self.fresh("base"), tensors, config),
                           launder.write_model(self.fresh("copy"), *launder.launder(tensors, config, ALONE["neurons"], 3)), "--json")
        (pair,) = json.loads(done.stdout)["pairs"]
        self.assertEqual((pair["relation"], pair["same_function"]["control"]), ("ABSTAIN", None))


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

"""Is a model recognised in other coordinates, by answers that numpy computes too, and nothing else taken for one?"""
import json
import unittest

import numpy as np

import launder
from functions import Function, mlp_answers, tokens, ulp
from harness import SOURCE, ZOO, write_checkpoint
from launder import ALL, ALL_SIGNED, ALONE, Options


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
                self.assertEqual(pair["relation"], "SAME_LINEAGE")

    def test_weak_updates_are_no_copies(self):
        base, config = launder.read_model(ZOO / "aspen")
        adapter = SOURCE / "tests/data/adapters/aspen-lora-r8"
        for percent in (1, 0.4):
            factor = percent / 100 / np.median(list(launder.update_sizes(base, adapter).values()))
            child = launder.write_model(self.directory / f"weak-{percent}",
                                        *launder.launder(launder.merge_adapter(base, adapter, factor), config, ALL, 3))
            pair, found = self.functions(ZOO / "aspen", child)
            print(f"a laundered update of {percent} %: {found['agreeing']} of 14 parts agree, {pair['origin_tracer']['abstains']}")
            self.assertEqual(pair["relation"], "SAME_LINEAGE")
            self.assertLessEqual(found["agreeing"], {1: 4, 0.4: 12}[percent])
            self.assertIn(f"{found['agreeing']} of 14 answer tokens alike", pair["sentence"])

    def test_a_tiny_update_in_the_same_coordinates_is_no_copy_in_others(self):
        base, config = launder.read_model(ZOO / "aspen")
        name = "model.layers.2.mlp.up_proj.weight"
        base[name] = base[name] + ulp(base[name]) * (np.random.default_rng(7).random(base[name].shape) < 0.1)
        pair, found = self.functions(ZOO / "aspen", launder.write_model(self.directory / "tiny", base, config))
        self.assertEqual((pair["relation"], found), ("SAME_LINEAGE", None))

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
        self.assertEqual(pair["relation"], "SAME_LINEAGE")  # gates stand where they stood
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
        self.assertEqual((pair["relation"], found["agreeing"]), ("SAME_LINEAGE", 2))  # embedding and head

    def test_other_functions_by_config(self):
        tensors, config = launder.read_model(ZOO / "aspen")
        copy, changed = launder.launder(tensors, config, ALL, 3)
        pair, found = self.functions(ZOO / "aspen", launder.write_model(self.fresh("copy"), copy, {**changed, "rope_theta": 5e5}))
        self.assertEqual((pair["relation"], found["readings"]), ("SAME_LINEAGE", []))
        self.assertIn("rope_theta", found["not_applicable"])

    def test_a_layer_that_is_not_finite(self):
        copy = self.laundered("aspen", "all", ALL)
        tensors, config = launder.read_model(copy)
        tensors["model.layers.3.mlp.up_proj.weight"][5, 7] = np.nan
        pair, found = self.functions(ZOO / "aspen", launder.write_model(self.directory / "nan", tensors, config))
        problems = {r["subject"]: r["problem"] for r in found["readings"] if r["problem"]}
        self.assertEqual(list(problems), ["layers/3/mlp"])
        self.assertIn("not finite", problems["layers/3/mlp"])
        self.assertEqual((pair["relation"], found["agreeing"]), ("SAME_LINEAGE", 13))


if __name__ == "__main__":
    unittest.main()

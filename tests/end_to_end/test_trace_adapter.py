"""Does trace read an adapter as numpy does, beside the weights of its base, and refuse what does not belong to it?"""
import json
import shutil
import unittest

import numpy as np

from harness import SOURCE, ZOO, EndToEnd, bf16, read_safetensors, widened, write_checkpoint, write_safetensors

ADAPTERS = SOURCE / "tests/data/adapters"
PREFIX = "base_model.model."
PARTS = {"self_attn.q_proj": "attn.q", "self_attn.k_proj": "attn.k", "self_attn.v_proj": "attn.v", "self_attn.o_proj": "attn.o",
         "mlp.gate_proj": "mlp.gate", "mlp.up_proj": "mlp.up", "mlp.down_proj": "mlp.down"}
Q0 = "model.layers.0.self_attn.q_proj"


def role(module):
    layer, part = module.removeprefix("model.layers.").split(".", 1)
    return f"layers/{layer}/{PARTS[part]}"


class Traced(EndToEnd):
    def adapter(self, name="lora", like="aspen-lora-r8", config=None, change=None):
        """A copy of an adapter of the demo with other keys and, by `change`, other tensors. Replaces what was there."""
        directory = self.directory / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        old = json.loads((ADAPTERS / like / "adapter_config.json").read_text())
        (directory / "adapter_config.json").write_text(json.dumps({**old, **(config or {})}))
        tensors = dict(read_safetensors(ADAPTERS / like / "adapter_model.safetensors"))
        if change:
            change(tensors)
        write_safetensors(directory / "adapter_model.safetensors", tensors)
        return directory

    def trace(self, base, adapter, **options):
        document = json.loads(self.stemma("trace", base, adapter, "--json", **options).stdout)
        (pair,) = document["pairs"]
        self.assertEqual((document["schema"], document["failures"]), ("stemma.trace/1", 0))
        return pair, {row["role"]: row for row in pair["adapter"]["modules"]}

    def held_against_numpy(self, rows, base, tensors, scale, ranks=lambda module: 8):
        """Every row against the product itself."""
        modules = sorted({name.removeprefix(PREFIX).split(".lora_")[0] for name in tensors})
        self.assertEqual(sorted(rows), sorted(map(role, modules)))
        for module in modules:
            row, (a, b) = rows[role(module)], (widened(tensors[f"{PREFIX}{module}.lora_{x}.weight"]) for x in "AB")
            s = scale(module) if callable(scale) else scale
            update, weight = s * (b @ a), widened(base[module + ".weight"])
            values = np.linalg.svd(update, compute_uv=False)
            with self.subTest(module):
                self.assertEqual((row["module"], row["rank_nominal"], row["scale"]), (module, ranks(module), s))
                found = np.array(row["singular_values"])
                np.testing.assert_allclose(found, values[:len(found)], rtol=0, atol=1e-13 * values[0])
                self.assertLess(values[len(found):].max(initial=0), 1e-13 * values[0])
                self.assertAlmostEqual(row["norm"] / np.linalg.norm(update), 1, places=12)
                self.assertAlmostEqual(row["weight_norm"] / np.linalg.norm(weight), 1, places=12)
                self.assertAlmostEqual(row["update"] / (np.linalg.norm(update) / np.linalg.norm(weight)), 1, places=12)
                self.assertEqual(row["rank"], np.linalg.matrix_rank(update, tol=2 * row["noise_edge"]))


class AgainstNumpy(Traced):
    def test_the_adapters_of_the_demo(self):
        for name in ("aspen", "birch"):
            lora = ADAPTERS / f"{name}-lora-r8"
            pair, rows = self.trace(ZOO / name, lora)
            self.held_against_numpy(rows, read_safetensors(ZOO / name / "model.safetensors"),
                                    read_safetensors(lora / "adapter_model.safetensors"), 2.0)
            self.assertEqual({row["rank"] for row in rows.values()}, {8})
            self.assertEqual((pair["base"], pair["candidate"], pair["relation"]), (name, f"{name}-lora-r8", "ABSTAIN"))
            self.assertEqual(pair["sentence"], "An adapter of rank 8 (by its own statement; numerically 8) on attn.q, attn.k, "
                                               f"attn.v, attn.o, mlp.gate, mlp.up, mlp.down. It fits {name} in shape, which is no "
                                               "evidence of who it was trained on.")
            self.assertEqual((pair["adapter"]["declared_base"], pair["adapter"]["ranks_nominal"]), (name, [8]))
            self.assertEqual(pair["adapter"]["remarks"] + [r for row in rows.values() for r in row["remarks"]], [])

    def test_a_stranger_of_the_same_shapes_is_not_accused(self):
        pair, rows = self.trace(ZOO / "birch", ADAPTERS / "aspen-lora-r8")
        self.assertEqual((pair["relation"], pair["abstain_reason"], pair["adapter"]["declared_base"]),
                         ("ABSTAIN", "no_valid_null", "aspen"))
        self.assertEqual({row["rank"] for row in rows.values()}, {8})

    def test_any_number_of_ranks(self):
        documents = []
        for ranks in (1, 2):
            documents.append(json.loads(self.stemma("trace", ZOO / "birch", ADAPTERS / "birch-lora-r8", "--json", ranks=ranks).stdout))
            documents[-1].pop("seconds")
        self.assertEqual(*documents)

    def test_every_weight_is_read_once(self):
        document = json.loads(self.stemma("trace", ZOO / "aspen", ADAPTERS / "aspen-lora-r8", "--json").stdout)
        factors = read_safetensors(ADAPTERS / "aspen-lora-r8/adapter_model.safetensors")
        base = read_safetensors(ZOO / "aspen/model.safetensors")
        weights = sum(array.nbytes for name, array in base.items() if name.endswith("_proj.weight"))
        self.assertEqual(document["weight_bytes"], weights + sum(array.nbytes for array in factors.values()))
        header = (ADAPTERS / "aspen-lora-r8/adapter_model.safetensors").stat().st_size - sum(a.nbytes for a in factors.values())
        self.assertEqual(document["bytes_read"], document["weight_bytes"] + header)

    def test_patterns_and_the_stabilised_scale(self):
        def shrink(tensors):
            for module in (Q0, "model.layers.3.mlp.up_proj"):
                for x, part in (("A", np.s_[:3]), ("B", np.s_[:, :3])):
                    tensors[f"{PREFIX}{module}.lora_{x}.weight"] = tensors[f"{PREFIX}{module}.lora_{x}.weight"][part]

        ranks = lambda module: 3 if module in (Q0, "model.layers.3.mlp.up_proj") else 8
        alphas = lambda module: 4.5 if module.endswith("k_proj") else 16
        config = {"rank_pattern": {"layers.0.self_attn.q_proj": 3, r"layers\.3\.mlp\.(up|u)_proj": 3}, "alpha_pattern": {"k_proj": 4.5}}
        base = read_safetensors(ZOO / "aspen/model.safetensors")
        for stabilised in (False, True):
            lora = self.adapter(f"lora-{stabilised}", config={**config, "use_rslora": stabilised}, change=shrink)
            pair, rows = self.trace(ZOO / "aspen", lora)
            self.held_against_numpy(rows, base, read_safetensors(lora / "adapter_model.safetensors"),
                                    lambda m: alphas(m) / (np.sqrt(ranks(m)) if stabilised else ranks(m)), ranks)
            self.assertEqual(pair["adapter"]["ranks_nominal"], [3, 8])
            self.assertIn("of rank 3 to 8 (by its own statement; numerically 3 to 8)", pair["sentence"])

    def test_factors_in_bfloat16(self):
        """The null is then 2^16 times larger, and ranks that hide below it are not counted."""
        def rounded(tensors):
            for name, array in tensors.items():
                tensors[name] = bf16(array)

        lora = self.adapter(change=rounded)
        _, rows = self.trace(ZOO / "aspen", lora)
        self.held_against_numpy(rows, read_safetensors(ZOO / "aspen/model.safetensors"),
                                read_safetensors(lora / "adapter_model.safetensors"), 2.0)
        _, exact = self.trace(ZOO / "aspen", ADAPTERS / "aspen-lora-r8")
        for path, row in rows.items():
            self.assertAlmostEqual(np.log2(row["noise_edge"] / exact[path]["noise_edge"]), 16, delta=1)
            self.assertEqual(row["rank"], 8)

    def test_the_null_is_that_of_drawn_rounding(self):
        _, rows = self.trace(ZOO / "aspen", ADAPTERS / "aspen-lora-r8")
        factors, rng = read_safetensors(ADAPTERS / "aspen-lora-r8/adapter_model.safetensors"), np.random.default_rng(1)
        for module in (Q0, "model.layers.5.mlp.down_proj"):
            a, b = (factors[f"{PREFIX}{module}.lora_{x}.weight"] for x in "AB")
            edges = []
            for _ in range(3):
                da, db = (np.spacing(np.abs(m)).astype(np.float64) * (rng.random(m.shape) - 0.5) for m in (a, b))
                edges.append(np.linalg.norm(2 * (db @ widened(a) + widened(b) @ da), 2))
            self.assertAlmostEqual(rows[role(module)]["noise_edge"] / max(edges), 1, delta=0.15)

    def test_fused_and_transposed_weights(self):
        """One Conv1D weight (in, out) holds q, k and v: three rows, each a part of one product."""
        rng, d = np.random.default_rng(3), 32
        shapes = {"wte.weight": (64, d), "wpe.weight": (16, d), "ln_f.weight": (d,), "ln_f.bias": (d,)}
        for layer in range(2):
            h = f"h.{layer}."
            shapes |= {h + n: (d,) for n in ("ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias", "attn.c_proj.bias", "mlp.c_proj.bias")}
            shapes |= {h + "attn.c_attn.weight": (d, 3 * d), h + "attn.c_attn.bias": (3 * d,), h + "attn.c_proj.weight": (d, d),
                       h + "mlp.c_fc.weight": (d, 4 * d), h + "mlp.c_fc.bias": (4 * d,), h + "mlp.c_proj.weight": (4 * d, d)}
        tensors = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
        base = write_checkpoint(self.directory / "gpt", tensors, {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": d,
                                                                  "n_head": 4, "n_layer": 2, "vocab_size": 64, "n_positions": 16})
        factors = {"h.1.attn.c_attn.lora_A.weight": (4, d), "h.1.attn.c_attn.lora_B.weight": (3 * d, 4),
                   "wte.lora_embedding_A": (4, 64), "wte.lora_embedding_B": (d, 4)}
        factors = {f"{PREFIX}transformer.{name}": rng.standard_normal(shape).astype(np.float32) for name, shape in factors.items()}
        lora = self.directory / "conv"
        lora.mkdir()
        (lora / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4, "lora_alpha": 4, "fan_in_fan_out": True}))
        write_safetensors(lora / "adapter_model.safetensors", factors)
        _, rows = self.trace(base, lora)
        self.assertEqual(list(rows), ["embed", "layers/1/attn.q", "layers/1/attn.k", "layers/1/attn.v"])
        a, b, ea, eb = (widened(m) for m in factors.values())
        expected = {"embed": (ea.T @ eb.T, tensors["wte.weight"])}
        for i, part in enumerate("qkv"):
            expected[f"layers/1/attn.{part}"] = (b[i * d:(i + 1) * d] @ a, tensors["h.1.attn.c_attn.weight"][:, i * d:(i + 1) * d])
        for path, (update, weight) in expected.items():
            np.testing.assert_allclose(rows[path]["singular_values"], np.linalg.svd(update, compute_uv=False)[:4], rtol=1e-12)
            self.assertAlmostEqual(rows[path]["update"] * np.linalg.norm(weight) / np.linalg.norm(update), 1, places=6)


class Findings(Traced):
    def test_ranks_that_factors_do_not_have(self):
        _, rows = self.trace(ZOO / "aspen", self.adapter(config={"r": 200, "lora_alpha": 400}))
        self.assertEqual({(row["rank_nominal"], row["rank_stored"], row["rank"]) for row in rows.values()}, {(200, 8, 8)})
        self.assertEqual(rows["layers/0/attn.k"]["remarks"],
                         ["states rank 200, but its factors have rank 8 at most",
                          "states rank 200, which no matrix of this shape has: its shorter side is 64"])

    def test_factors_wider_than_the_weight(self):
        def widen(tensors):
            rng = np.random.default_rng(4)
            for x, shape in (("A", (150, 128)), ("B", (128, 150))):
                tensors[f"{PREFIX}{Q0}.lora_{x}.weight"] = rng.standard_normal(shape).astype(np.float32)

        lora = self.adapter(change=widen, config={"rank_pattern": {Q0: 150}})
        _, rows = self.trace(ZOO / "aspen", lora)
        self.assertEqual((rows["layers/0/attn.q"]["rank_nominal"], rows["layers/0/attn.q"]["rank"]), (150, 128))
        self.assertEqual(rows["layers/0/attn.q"]["remarks"], ["states rank 150, which no matrix of this shape has: its shorter side is 128"])
        self.held_against_numpy({"layers/0/attn.q": rows["layers/0/attn.q"]}, read_safetensors(ZOO / "aspen/model.safetensors"),
                                {n: t for n, t in read_safetensors(lora / "adapter_model.safetensors").items() if Q0 in n}, 16 / 150,
                                lambda module: 150)

    def test_a_rank_below_the_stated_one(self):
        def lower(tensors):
            a = tensors[f"{PREFIX}{Q0}.lora_A.weight"].copy()
            a[7], a[6] = a[0] / 3, 0
            tensors[f"{PREFIX}{Q0}.lora_A.weight"] = a

        pair, rows = self.trace(ZOO / "aspen", self.adapter(change=lower))
        self.assertEqual(rows["layers/0/attn.q"]["rank"], 6)
        self.assertIn("of rank 8 (by its own statement; numerically 6 to 8)", pair["sentence"])

    def test_an_untrained_adapter(self):
        def zero(tensors):
            for name, array in tensors.items():
                if ".lora_B." in name:
                    tensors[name] = np.zeros_like(array)

        pair, rows = self.trace(ZOO / "aspen", self.adapter(change=zero))
        self.assertEqual({(row["rank"], row["update"], *row["remarks"]) for row in rows.values()}, {(0, 0.0, "changes nothing")})
        self.assertIn("numerically 0", pair["sentence"])

    def test_what_is_no_factor(self):
        pair, _ = self.trace(ZOO / "aspen", self.adapter(
            change=lambda t: t.update({PREFIX + "lm_head.weight": np.ones((256, 128), np.float32)}), config={"init_lora_weights": "pissa"}))
        self.assertEqual(pair["adapter"]["other_tensors"], [PREFIX + "lm_head.weight"])
        self.assertIn("It also holds 1 tensor beside its factors, not read.", pair["sentence"])
        self.assertIn("init_lora_weights is pissa", pair["adapter"]["remarks"][0])

    def test_on_the_screen(self):
        text = self.stemma("trace", ZOO / "aspen", ADAPTERS / "aspen-lora-r8").stdout
        self.assertIn("  it names aspen as its base\n", text)
        self.assertRegex(text, r"\n  layers/0/attn\.q +8 +8 +2 +1\.24 +0\.0559 +[\d.]+e-08 +0\.243\n")
        lines = text.splitlines()
        self.assertEqual(len({len(line[:line.index(" 8 ")]) for line in lines if line.startswith("  layers/")}), 1)


class Refusals(Traced):
    def refused(self, adapter, *says, base="aspen", code=3, ranks=(1,)):
        for n in ranks:
            done = self.stemma("trace", ZOO / base, adapter, code=code, ranks=n)
            lines = [line for line in done.stderr.splitlines() if line.startswith("stemma: ")]
            self.assertEqual((done.stdout, len(lines)), ("", 1), done.stderr)
            for words in says:
                self.assertIn(words, lines[0])

    def test_configurations(self):
        for config, *says in (({"use_dora": True}, "use_dora = true", "adapter.dora", "BASE+ADAPTER"),
                              ({"peft_type": "LOHA"}, "peft_type = LOHA", "adapter.unsupported_type", "merge this one"),
                              ({"peft_type": None}, "adapter.unsupported_type"),
                              ({"fan_in_fan_out": True}, "fan_in_fan_out = true", "adapter.fan_in_fan_out", "name the base"),
                              ({"target_parameters": ["x"]}, "target_parameters", "adapter.unsupported_key"),
                              ({"r": 0}, "r = 0", "adapter.config_value"),
                              ({"rank_pattern": {"q{2}": 4}}, "rank_pattern = q{2}", "adapter.pattern_unsupported")):
            with self.subTest(config):
                self.refused(self.adapter(config=config), "adapter_config.json", *says)

    def test_tensors(self):
        a, b = (f"{PREFIX}{Q0}.lora_{x}.weight" for x in "AB")

        def nan(tensors):
            tensors[a] = tensors[a].copy()
            tensors[a][2, 5] = np.nan

        def also(name):
            def change(tensors):
                for x in "AB":
                    tensors[f"{PREFIX}{name}.lora_{x}.weight"] = tensors[f"{PREFIX}{Q0}.lora_{x}.weight"]
            return change

        for change, *says in ((lambda t: t.pop(a), "adapter.unpaired", b, "no A"), (lambda t: t.pop(b), "adapter.unpaired", a, "no B"),
                              (nan, "adapter.nonfinite", a, "nan at element 261"),
                              (lambda t: t.update({b: t[b][:100]}), "adapter.shape_mismatch", "100 x 128", "128 x 128"),
                              (lambda t: t.update({b: t[b][:, :7]}), "adapter.rank_differs", b),
                              (lambda t: t.update({f"{PREFIX}{Q0}.lora_magnitude_vector": np.ones(128, np.float32)}), "adapter.dora"),
                              (also("model.layers.9.self_attn.q_proj"), "adapter.module_not_in_base", "model.layers.9.self_attn.q_proj"),
                              (also("layers.0.self_attn.q_proj"), "adapter.module_twice"),
                              (also("model.norm"), "adapter.unsupported_weight"),
                              (lambda t: [t.pop(n) for n in list(t)] and t.update(x=np.ones(3, np.float32)), "adapter.no_tensors")):
            with self.subTest(says[0]):
                self.refused(self.adapter(change=change), "adapter_model.safetensors", *says)

    def test_a_base_of_another_width(self):
        def narrow(tensors):
            for name, array in tensors.items():
                cut = array[:, :96] if ".lora_A." in name and array.shape[1] == 128 else array
                tensors[name] = cut[:96] if ".lora_B." in name and array.shape[0] == 128 else cut

        self.refused(self.adapter(change=narrow), "adapter.shape_mismatch", "a base of another width", ranks=(1, 2))

    def test_files(self):
        for file, rule in (("adapter_config.json", "adapter.config_missing"), ("adapter_model.safetensors", "adapter.weights_missing")):
            lora = self.adapter()
            (lora / file).unlink()
            self.refused(lora, file, rule)
        lora = self.adapter()
        (lora / "adapter_config.json").write_text("{'peft_type': LORA}")
        self.refused(lora, "adapter_config.json", "json.syntax")

    def test_the_order_of_words(self):
        done = self.stemma("trace", ADAPTERS / "aspen-lora-r8", ZOO / "aspen", code=2, ranks=2)
        self.assertIn("aspen-lora-r8 is an adapter: name its base first, then the adapter", done.stderr)
        self.stemma("trace", ADAPTERS / "aspen-lora-r8", ADAPTERS / "birch-lora-r8", code=2)

    def test_a_merged_child_is_a_model(self):
        pair = json.loads(self.stemma("trace", ZOO / "aspen", ZOO / "aspen-lora-r8", "--json").stdout)["pairs"][0]
        self.assertNotIn("adapter", pair)


if __name__ == "__main__":
    unittest.main()

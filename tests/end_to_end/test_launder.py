"""Does a laundered model compute the same as before, with other weights, and is an adapter merged as its makers do?"""
import unittest

import numpy as np

import launder
from harness import SOURCE, ZOO, EndToEnd, bf16, llama_config, llama_tensors, read_safetensors, widened
from launder import ALL, ALL_SIGNED, ALONE, Options

ADAPTERS = SOURCE / "tests/data/adapters"
TEXT = b"The options that are given on the command line are read in the order of their"
PARTS = {"embed": "embed_tokens.", "head": "lm_head.", "norms": "norm.", "q": "q_proj.", "k": "k_proj.", "v": "v_proj.",
         "o": "o_proj.", "gate": "gate_proj.", "up": "up_proj.", "down": "down_proj."}
STREAM = {"embed", "head", "q", "k", "v", "o", "gate", "up", "down"}
SURPRISE = 1.5  # nats for each byte of TEXT; bytes without any order have 5.5

# Which parts each option changes; every other tensor must stay bit by bit.
CHANGED = {"rotation": STREAM | {"norms"}, "permutation": STREAM | {"norms"}, "signed": STREAM | {"norms"},
           "ones": STREAM - {"embed", "o", "down"} | {"norms"}, "new gains": STREAM - {"embed", "o", "down"} | {"norms"},
           "neurons": {"gate", "up", "down"}, "values": {"v", "o"}, "rotary": {"q", "k"}, "heads": {"q", "k", "v", "o"},
           "scale": {"embed", "o", "down"}, "all": STREAM | {"norms"}, "all, signed": STREAM | {"norms"}}
OPTIONS = ALONE | {"all": ALL, "all, signed": ALL_SIGNED}


def normed(x, gain, eps):
    return x / np.sqrt(np.mean(x ** 2, axis=-1, keepdims=True) + eps) * gain


def turned(x, theta):
    """Rotary positions of x (heads, tokens, w), pairs (p, p + w / 2)."""
    half = x.shape[-1] // 2
    angle = np.outer(np.arange(x.shape[1]), theta ** (-np.arange(half) / half))
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=-1)


def attention(t, config, layer, x):
    """What the heads of a layer add to the stream (tokens, d); every token sees itself and those before it."""
    n, w, heads, kv = len(x), config["head_dim"], config["num_attention_heads"], config["num_key_value_heads"]
    q, k, v, o = (t[f"model.layers.{layer}.self_attn.{p}_proj.weight"] for p in "qkvo")
    q, k, v = ((x @ m.T).reshape(n, -1, w).transpose(1, 0, 2) for m in (q, k, v))
    q, k, v = turned(q, config["rope_theta"]), *(np.repeat(m, heads // kv, axis=0) for m in (turned(k, config["rope_theta"]), v))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(w) + np.triu(np.full((n, n), -np.inf), 1)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return (weights @ v).transpose(1, 0, 2).reshape(n, -1) @ o.T


def mlp(t, layer, x):
    gate, up, down = (t[f"model.layers.{layer}.mlp.{p}_proj.weight"] for p in ("gate", "up", "down"))
    g = x @ gate.T
    return (g / (1 + np.exp(-g)) * (x @ up.T)) @ down.T


def logits(t, config, tokens):
    """float64 logits (tokens, vocabulary) of a Llama-shaped model."""
    eps, x = config["rms_norm_eps"], t["model.embed_tokens.weight"][np.asarray(tokens)]
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        x = x + attention(t, config, i, normed(x, t[layer + "input_layernorm.weight"], eps))
        x = x + mlp(t, i, normed(x, t[layer + "post_attention_layernorm.weight"], eps))
    return normed(x, t["model.norm.weight"], eps) @ t["lm_head.weight"].T


def surprise(t, config, text):
    """Mean of -log of the probability of the next byte, in nats."""
    z = logits(t, config, list(text))[:-1]
    z -= z.max(axis=-1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=-1)) - z[np.arange(len(z)), list(text[1:])]))


def part_of(name):
    """Of q_norm and the like there is none here, so the first match is the right one."""
    return next(part for part, piece in PARTS.items() if piece in name)


class Laundering(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.aspen, cls.config = launder.read_model(ZOO / "aspen")
        cls.tokens = np.random.default_rng(3).integers(0, 256, 24)
        cls.expected = logits(cls.aspen, cls.config, cls.tokens)

    def change(self, tensors, config):
        return np.abs(logits(tensors, config, self.tokens) - self.expected).max()

    def test_the_forward_pass_is_the_models_own(self):
        """It reads English, and not with the pairs (2p, 2p + 1) of another layout or with another base of the positions."""
        said = surprise(self.aspen, self.config, TEXT)
        self.assertLess(said, SURPRISE)
        w, other = self.config["head_dim"], dict(self.aspen)
        for name in self.aspen:
            if "q_proj" in name or "k_proj" in name:
                heads = self.aspen[name].reshape(-1, w // 2, 2, self.config["hidden_size"])
                other[name] = heads.transpose(0, 2, 1, 3).reshape(self.aspen[name].shape)
        self.assertGreater(surprise(other, self.config, TEXT), said + 0.5)
        self.assertGreater(surprise(self.aspen, self.config | {"rope_theta": 100.0}, TEXT), said + 0.1)

    def test_the_function_stays(self):
        for id, options in OPTIONS.items():
            for seed in (0, 1):
                with self.subTest(id, seed=seed):
                    change = self.change(*launder.launder(self.aspen, self.config, options, seed))
                    print(f"{id}, seed {seed}: largest change of a logit {change:.2g}")
                    self.assertLess(change, 1e-10)

    def test_the_function_of_other_shapes_stays(self):
        """Cedar has as many kv heads as heads, and what has no trained structure has no symmetry by luck."""
        cedar, config = launder.read_model(ZOO / "cedar")
        made = llama_config(3, rms_norm_eps=1e-5, rope_theta=500.0, num_attention_heads=6)  # not square: 6 heads of 16, width 64
        for tensors, config in ((cedar, config), ({k: a.astype(np.float64) for k, a in llama_tensors(made, 1).items()}, made)):
            tokens = self.tokens % config["vocab_size"]
            for options in (ALL, ALL_SIGNED):
                after = logits(*launder.launder(tensors, config, options, 2), tokens)
                self.assertLess(np.abs(after - logits(tensors, config, tokens)).max(), 1e-10)

    def test_the_weights_change_where_they_should_and_nowhere_else(self):
        for id, options in OPTIONS.items():
            laundered, _ = launder.launder(self.aspen, self.config, options)
            self.assertEqual(list(laundered), list(self.aspen))
            for name, before in self.aspen.items():
                with self.subTest(id, name=name):
                    self.assertEqual(laundered[name].shape, before.shape)
                    change = np.linalg.norm(laundered[name] - before) / np.linalg.norm(before)
                    if part_of(name) in CHANGED[id]:
                        # Trained gains lie near a common value; their order, or its loss, changes less than a matrix does.
                        self.assertGreater(change, 0.005 if part_of(name) == "norms" or id == "ones" else 0.25)
                    else:
                        np.testing.assert_array_equal(laundered[name], before)

    def test_half_of_a_change_is_heard(self):
        """The logits notice when any one part stays as it was and the others change: each test above could have failed."""
        for id, options in OPTIONS.items():
            laundered, config = launder.launder(self.aspen, self.config, options)
            for part in CHANGED[id]:
                with self.subTest(id, part=part):
                    broken = {name: self.aspen[name] if part_of(name) == part else array for name, array in laundered.items()}
                    self.assertGreater(self.change(broken, config), 1e-3)
            if options.scale != 1:
                self.assertGreater(self.change(laundered, self.config), 1e-6)  # eps of before

    def test_gains_are_what_was_asked_for(self):
        for options in (Options(stream="rotation"), Options(gains="ones"), Options(stream="signed", gains="ones")):
            laundered, _ = launder.launder(self.aspen, self.config, options)
            for norm in launder.readers(self.config):
                np.testing.assert_array_equal(laundered[norm], 1)
        for options in (Options(gains="new"), ALL):
            laundered, _ = launder.launder(self.aspen, self.config, options)
            gains = np.array([laundered[norm] for norm in launder.readers(self.config)])
            self.assertTrue(0.5 <= gains.min() < 0.55 and 1.45 < gains.max() <= 1.5)
        laundered, _ = launder.launder(self.aspen, self.config, Options(stream="signed"))
        for norm in launder.readers(self.config):
            np.testing.assert_array_equal(np.sort(laundered[norm]), np.sort(self.aspen[norm]))

    def test_what_was_drawn_is_what_was_done(self):
        """Written out again index by index, from the definition."""
        options = Options(neurons=True, heads=True)
        drawn, (laundered, _) = launder.draw(self.config, options, 5), launder.launder(self.aspen, self.config, options, 5)
        w, kv, layer = self.config["head_dim"], self.config["num_key_value_heads"], "model.layers.2."
        order, c = drawn["neurons"][2]
        up, down, q, o = (f"{layer}{p}_proj.weight" for p in ("mlp.up", "mlp.down", "self_attn.q", "self_attn.o"))
        for i in range(self.config["intermediate_size"]):
            np.testing.assert_array_equal(laundered[up][i], c[i] * self.aspen[up][order[i]])
            np.testing.assert_allclose(laundered[down][:, i] * c[i], self.aspen[down][:, order[i]], rtol=1e-14)
        groups, members = drawn["heads"][2]
        size = self.config["num_attention_heads"] // kv
        self.assertEqual(members.shape, (kv, size))
        for j in range(kv):
            for i in range(size):
                new, old = j * size + i, groups[j] * size + members[j, i]
                np.testing.assert_array_equal(laundered[q][new * w:][:w], self.aspen[q][old * w:][:w])
                np.testing.assert_array_equal(laundered[o][:, new * w:][:, :w], self.aspen[o][:, old * w:][:, :w])
        for g, m in drawn["heads"]:  # of two there is one other order
            np.testing.assert_array_equal(g, [1, 0])
            np.testing.assert_array_equal(m, [[1, 0], [1, 0]])

    def test_random_matrices_are_what_they_are_called(self):
        drawn = launder.draw(self.config, ALL, 4)
        np.testing.assert_allclose(drawn["stream"] @ drawn["stream"].T, np.eye(128), atol=1e-13)
        self.assertLess(max(np.linalg.cond(r).max() for r in drawn["values"]), np.exp(2) + 1e-9)
        for t in drawn["rotary"][0]:
            self.assertEqual(np.count_nonzero(t), 4 * 16)  # planes (p, p + 16) of 32 dimensions
        self.assertEqual(launder.draw(self.config, Options(), 4), {})
        alone = launder.draw(self.config, Options(neurons=True), 4)["neurons"]
        for (order, c), (order_alone, c_alone) in zip(drawn["neurons"], alone, strict=True):
            np.testing.assert_array_equal(order, order_alone)
            np.testing.assert_array_equal(c, c_alone)
        self.assertTrue((alone[0][1] < 0).any() and (alone[0][1] > 0).any())
        self.assertFalse(np.array_equal(drawn["stream"], launder.draw(self.config, ALL, 5)["stream"]))

    def test_options_can_be_chosen_together_as_one_likes(self):
        rng = np.random.default_rng(11)
        for _ in range(12):
            options = Options(str(rng.choice(launder.CHOICES["stream"])), str(rng.choice(launder.CHOICES["gains"])),
                              *(bool(b) for b in rng.integers(0, 2, 4)), float(rng.choice([0.25, 1, 3])))
            with self.subTest(options):
                self.assertLess(self.change(*launder.launder(self.aspen, self.config, options, 1)), 1e-10)

    def test_nothing_chosen_changes_nothing(self):
        laundered, config = launder.launder(self.aspen, self.config, Options())
        self.assertEqual(config, self.config)
        for name, array in laundered.items():
            np.testing.assert_array_equal(array, self.aspen[name])

    def test_what_is_not_llama_is_refused(self):
        biased = self.aspen | {"model.layers.0.self_attn.v_proj.bias": np.zeros(64)}
        for tensors, config in ((biased, self.config), (self.aspen, self.config | {"tie_word_embeddings": True})):
            with self.assertRaises(ValueError):
                launder.launder(tensors, config, ALL)
        for wrong in ({"stream": "turn"}, {"gains": "old"}, {"scale": 0.0}):
            with self.assertRaises(ValueError):
                Options(**wrong)

    def test_directories(self):
        laundered, config = launder.launder(self.aspen, self.config, ALL, 7)
        for dtype, name, rounding in (("BF16", "bfloat16", 2.0 ** -8), ("F32", "float32", 2.0 ** -24), ("F64", "float64", 0)):
            target = launder.launder_directory(ZOO / "aspen", self.directory / dtype, ALL, 7, dtype)
            stored, stored_config = launder.read_model(target)
            self.assertEqual(stored_config, config | {"torch_dtype": name})
            for key, array in laundered.items():
                np.testing.assert_allclose(stored[key], array, rtol=rounding * (1 + 2.0 ** -12), atol=0)
            change = self.change(stored, stored_config)
            (self.assertGreater if rounding else self.assertLess)(change, 1e-10)
            self.assertLess(abs(surprise(stored, stored_config, TEXT) - surprise(self.aspen, self.config, TEXT)), 0.05)
        kind = next(iter(read_safetensors(self.directory / "BF16/model.safetensors").values())).dtype
        self.assertEqual(kind, np.uint16)


class Adapters(unittest.TestCase):
    def test_merging_gives_the_merged_model(self):
        for base in ("aspen", "birch"):
            tensors, _ = launder.read_model(ZOO / base)
            merged = launder.merge_adapter(tensors, ADAPTERS / f"{base}-lora-r8")
            stored = read_safetensors(ZOO / f"{base}-lora-r8/model.safetensors")
            self.assertEqual(merged.keys(), stored.keys())
            different = 0
            for name, codes in stored.items():
                different += np.count_nonzero(bf16(merged[name]) != codes)
                # Half a unit of a number of 8 bits, and float32's roundings of what was added before it.
                error, unit = np.abs(merged[name] - widened(codes)), 2.0 ** (np.floor(np.log2(np.abs(merged[name]))) - 7)
                self.assertTrue((error <= unit / 2 + 2.0 ** -22 * np.abs(tensors[name])).all(), name)
            print(f"{base}: {different} of {sum(c.size for c in stored.values())} codes differ")
            self.assertLess(different, 1e-4 * sum(c.size for c in stored.values()))

    def test_the_factor_scales_the_update(self):
        tensors, config = launder.read_model(ZOO / "aspen")
        adapter = ADAPTERS / "aspen-lora-r8"
        names = {name for name in tensors if "_proj." in name}
        for factor in (0, 0.1, 1):
            merged, sizes = launder.merge_adapter(tensors, adapter, factor), launder.update_sizes(tensors, adapter, factor)
            self.assertEqual(sizes.keys(), names)
            for name, before in tensors.items():
                update = merged[name] - before
                size = np.sqrt(np.mean(update ** 2) / np.mean(before ** 2))
                self.assertAlmostEqual(size, sizes.get(name, 0), delta=1e-12)
                self.assertEqual(factor > 0 and name in names, size > 0.001)
                if name in names and factor:
                    values = np.linalg.svd(update, compute_uv=False)
                    self.assertGreater(values[7], 1e6 * values[8])  # alpha and rank are 16 and 8


if __name__ == "__main__":
    unittest.main()

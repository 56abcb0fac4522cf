"""What does a trace say of copies in other formats and of pairs that cannot be read: the class, and never more than is so?"""
import re
import shutil
import unittest

import numpy as np

import harness
import launder
from harness import ZOO, bf16, widened, write_checkpoint
from traces import CHANGED, RANK, WEIGHTS, Trace, low_ranks, stored

UP, DOWN, V = "model.layers.3.mlp.up_proj.weight", "model.layers.3.mlp.down_proj.weight", "model.layers.2.self_attn.v_proj.weight"
EMBED, HEAD, NORM = "model.embed_tokens.weight", "lm_head.weight", "model.layers.2.input_layernorm.weight"
harness.NAMES["int8"] = "I8"


def changed(tensors, name, place, value):
    """A copy with one element (a bit pattern or a number) replaced."""
    array = tensors[name].copy()
    array.reshape(-1)[place] = value
    return tensors | {name: array}


def quantised(w, bits):
    """Every row on a symmetric lattice of 2^bits - 1 values."""
    step = np.abs(w).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    return np.round(w / step) * step


class Copies(Trace):
    def reencoded(self, one, other, coarser, direction):
        """In both orders: 1 says that `other` is the rounded one."""
        for base, candidate, expected in ((one, other, direction), (other, one, -direction)):
            pair = self.trace(base, candidate)
            self.assertEqual((pair["relation"], pair["content"]["coarser"], pair["direction"]), ("REENCODED_COPY", coarser, expected))
            content = pair["content"]
            self.assertEqual((content["weights"], content["equal"] + content["rounded"]), (WEIGHTS, WEIGHTS))
            self.assertIn(f"Equal up to storage in {coarser}: {content['rounded']} of {WEIGHTS} weights", pair["sentence"])
            self.assertEqual(f"are those of {one.name} rounded" in pair["sentence"], direction != 0)
            self.assertEqual(low_ranks(pair, "operator"), [])

    def test_rounded_to_fewer_bits(self):
        base, config = launder.read_model(ZOO / "aspen")
        rng = np.random.default_rng(5)
        fine = {name: (w * (1 + 0.01 * rng.standard_normal(w.shape))).astype(np.float32) for name, w in base.items()}
        f32 = launder.write_model(self.directory / "fine", fine, config, "F32")
        self.reencoded(f32, launder.write_model(self.directory / "b", fine, config, "BF16"), "BF16", 1)
        half = {name: w.astype(np.float16) for name, w in fine.items()}
        self.reencoded(f32, self.write_model("h", half, config), "F16", 1)
        self.reencoded(f32, self.write_model("part", fine | {UP: bf16(fine[UP])}, config), "BF16", 1)
        for id, broken in (("b1", {n: bf16(w) for n, w in fine.items()}), ("h1", half)):
            spoilt = broken[UP].copy()
            spoilt.view(np.uint16)[3, 4] += 1  # one unit in the last place
            pair = self.trace(f32, self.write_model(id, broken | {UP: spoilt}, config))
            self.assertNotIn(pair["relation"], ("REENCODED_COPY", "EXACT_COPY"))
            self.assertEqual(pair["content"]["rounded"], WEIGHTS - 1)

    def test_more_bits_alone_have_no_direction(self):
        """A F32 file of BF16 values rounds back to them, and they widen to it: neither need be the older one."""
        base, config = launder.read_model(ZOO / "aspen")
        self.reencoded(ZOO / "aspen", launder.write_model(self.directory / "wide", base, config, "F32"), "BF16", 0)
        finer = changed({n: w.astype(np.float32) for n, w in base.items()}, UP, 9, base[UP].reshape(-1)[9] * (1 + 2.0 ** -12))
        self.reencoded(self.write_model("finer", finer, config), ZOO / "aspen", "BF16", 1)  # one element tells

    def test_copies(self):
        tensors, config = stored("aspen")
        shutil.copytree(ZOO / "aspen", self.directory / "copy")
        shuffled = write_checkpoint(self.directory / "shuffled", dict(reversed(tensors.items())), config, shards=3)
        for copy in (self.directory / "copy", shuffled):
            pair = self.trace(ZOO / "aspen", copy)
            self.assertEqual((pair["relation"], pair["content"]["equal"], pair["direction"]), ("EXACT_COPY", WEIGHTS, 0))
            self.assertEqual({r["label"] for r in pair["origin_tracer"]["readings"]}, {"IDENTICAL", "UNRELATED_HERE"})

    def test_one_element_makes_it_another_model(self):
        tensors, config = stored("aspen")
        for name in (UP, V, EMBED, NORM):
            pair = self.trace(ZOO / "aspen", self.write_model(name, changed(tensors, name, 7, tensors[name].reshape(-1)[7] ^ 1), config))
            self.assertNotIn(pair["relation"], ("EXACT_COPY", "REENCODED_COPY"))
            self.assertEqual(pair["content"]["equal"], WEIGHTS - 1)

    def test_weights_without_a_role_are_weights(self):
        """Each by its own name: two that are equal must not make up for one that is not."""
        tensors, config = stored("aspen")
        extra = {f"extra.{i}.weight": bf16(np.random.default_rng(i).standard_normal((16, 16))) for i in range(3)}
        base = self.write_model("base", tensors | extra, config)
        self.assertEqual(self.trace(base, self.write_model("copy", tensors | extra, config))["relation"], "EXACT_COPY")
        for names in (["extra.1.weight"], [UP, DOWN], [UP, DOWN, "extra.2.weight"]):
            other = tensors | extra
            for name in names:
                other = changed(other, name, 5, other[name].reshape(-1)[5] ^ 64)
            pair = self.trace(base, self.write_model("-".join(names), other, config))
            self.assertNotEqual(pair["relation"], "EXACT_COPY")
            self.assertEqual((pair["content"]["weights"], pair["content"]["equal"]), (WEIGHTS + 3, WEIGHTS + 3 - len(names)))

    def test_fake_quantisation(self):
        base, config = launder.read_model(ZOO / "aspen")
        for bits in (8, 4):
            weights = {name: quantised(w, bits) if "_proj." in name else w for name, w in base.items()}
            child = launder.write_model(self.directory / f"int{bits}", weights, config)
            sizes = [np.linalg.norm(widened(bf16(weights[n])) - w) / np.linalg.norm(w) for n, w in base.items() if "_proj." in n]
            for order in ((ZOO / "aspen", child), (child, ZOO / "aspen")):
                pair = self.trace(*order)
                self.assertEqual((pair["relation"], pair["origin_tracer"]["abstains"]), ("SAME_LINEAGE", "unreadable_quantisation"))
                self.assertNotIn("LOW_RANK", {r["label"] for r in pair["origin_tracer"]["readings"]})
                said = float(re.search(r"up to ([0-9.]+) % of their size", pair["sentence"]).group(1))
                np.testing.assert_allclose(said, 100 * max(sizes), rtol=0.06)  # two digits


class BadInput(Trace):
    def setUp(self):
        super().setUp()
        self.base, (self.tensors, self.config) = ZOO / "aspen", stored("aspen-lora-r8")

    def unreadable(self, one, other, reason, *words):
        for order in ((one, other), (other, one)):
            pair = self.trace(*order)
            self.assertEqual((pair["relation"], pair["abstain_reason"]), ("ABSTAIN", reason))
            for word in words:
                self.assertIn(word, pair["sentence"])
            self.assertEqual(pair["origin_tracer"]["readings"], [])

    def test_other_shapes(self):
        self.unreadable(ZOO / "aspen", ZOO / "cedar", "unsupported", "hidden is ", "128 in", "160 in")
        self.unreadable(ZOO / "aspen", ZOO / "aspen-pruned-depth", "unsupported", "layers", "one model has ", "4", "6")

    def test_missing_weights(self):
        without = {name: w for name, w in self.tensors.items() if name != V}
        child = self.write_model("no_v", without, self.config)
        pair = self.trace(self.base, child)  # neurons are there
        self.assertEqual((pair["relation"], pair["origin_tracer"]["abstains"]), ("SAME_LINEAGE", "unsupported"))
        self.assertIn("at least one model has no layers/2/attn.v", pair["sentence"])
        without = {name: w for name, w in self.tensors.items() if name != UP}
        pair = self.trace(self.base, self.write_model("no_up", without, self.config))
        self.assertEqual((pair["relation"], pair["content"]["only_in_one"]), ("LOW_RANK_RELATED", 1))
        self.assertEqual(low_ranks(pair, "tensor"), [RANK] * (CHANGED - 1))

    def test_integers(self):
        values = {name: w for name, w in self.tensors.items() if "v_proj" in name}
        codes = {name: np.clip(np.round(100 * widened(w)), -127, 127).astype(np.int8) for name, w in values.items()}
        child = self.write_model("int8", self.tensors | codes, self.config)
        self.unreadable(self.base, child, "unreadable_quantisation", "model.layers.0.self_attn.v_proj.weight is stored as I8: codes")
        self.assertEqual(self.trace(child, shutil.copytree(child, self.directory / "copy"))["relation"], "EXACT_COPY")

    def test_vocabulary_of_other_size(self):
        cut = self.tensors | {name: self.tensors[name][:-10] for name in (EMBED, HEAD)}
        child = self.write_model("cut", cut, self.config | {"vocab_size": 246})
        for order in ((self.base, child), (child, self.base)):
            pair = self.trace(*order)
            self.assertEqual((pair["relation"], pair["content"]["only_in_one"]), ("LOW_RANK_RELATED", 2))
            self.assertEqual((pair["origin_tracer"]["stream"], pair["origin_tracer"]["tokens"]), ("identity", 246))

    def test_elements_that_are_no_numbers(self):
        """A fact about one tensor, whoever has it: every other one keeps its reading."""
        for name, code, spoilt in ((V, 0x7FC0, {"layers/2/attn.v", "layers/2/attn.v/rows", "layers/2/circuit"}),
                                   (UP, 0xFF80, {"layers/3/mlp.up"}),  # -infinity
                                   (NORM, 0x7FC0, {"layers/2/attn.k/rows", "layers/2/attn.v/rows", "layers/2/circuit"})):
            child = self.write_model(name, changed(self.tensors, name, 77, code), self.config)
            for order in ((self.base, child), (child, self.base)):
                found = self.trace(*order)["origin_tracer"]["readings"]
                said = {r["subject"]: r["problem"] for r in found if r["label"] != "LOW_RANK"}
                self.assertEqual(said.pop("control"), "")
                self.assertEqual(said, dict.fromkeys(spoilt, "an element is not finite"))

    def test_truncated_file(self):
        child = self.write_model("cut_off", self.tensors, self.config)
        weights = child / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1000])
        for order in ((self.base, child), (child, self.base)):
            for ranks in (1, 2):
                done = self.stemma("trace", *order, code=3, ranks=ranks)
                self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1))
                self.assertIn("stemma: cut_off: model.safetensors: byte ", done.stderr)

    def test_not_two_models(self):
        for models, words in (((self.base,), "two models are wanted, 1 was given"),
                              ((self.base,) * 3, "two models are wanted, 3 were given"),
                              ((), "trace wants BASE CANDIDATE"), ((self.base, "absent"), "absent does not exist")):
            done = self.stemma("trace", *models, code=2)
            self.assertEqual(done.stdout, "")
            self.assertIn(words, done.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()

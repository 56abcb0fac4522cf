"""Is the oracle right: p-values against closed forms, folding against the function, matchings against known answers?"""
import dataclasses
import math
import unittest

import numpy as np

import fixed_points as fp
import laundering_toy as toy
from models import Layer, Model, folded, load, logits, model_of
from neuron_match import compare, head_spectra_distance, lap, matched, mutual, usable_units
from shared_start import byte_anchors, compare_sketches, gaussian_median, kappa_of_weights, sketch, xxh3_of_byte
from harness import ZOO
from launder import haar

FIRST_400 = (np.arange(400),) * 2


def random_model(norm, gate, seed=0):
    """A small one with biases everywhere."""
    rng = np.random.default_rng(seed)
    d, w, heads, kv, f, vocabulary = 24, 6, 4, 2, 40, 50
    draw = lambda *shape: rng.standard_normal(shape) / math.sqrt(shape[-1])  # noqa: E731
    layers = []
    for _ in range(2):
        bias = {name: 0.3 * rng.standard_normal(n) for name, n in
                (("q", heads * w), ("k", kv * w), ("v", kv * w), ("o", d), ("up", f), ("down", d))}
        beta = (0.2 * rng.standard_normal(d), 0.2 * rng.standard_normal(d)) if norm == "layer" else (None, None)
        layers.append(Layer(draw(heads * w, d), draw(kv * w, d), draw(kv * w, d), draw(d, heads * w), draw(f, d) if gate else None,
                            draw(f, d), draw(d, f), rng.random(d), rng.random(d), *beta, bias))
    return Model(rng.standard_normal((vocabulary, d)), draw(vocabulary, d), rng.random(d), layers, heads, kv, norm,
                 final_beta=0.2 * rng.standard_normal(d) if norm == "layer" else None)


class FixedPoints(unittest.TestCase):
    def test_exact_law_and_bounds(self):
        for k, exact, bound in ((1, -0.1992, 0), (2, -0.5780, -0.3010), (5, -2.4365, -2.0792), (10, -6.9530, -6.5598)):
            self.assertAlmostEqual(fp.log10(fp.ln_exact(352, k)), exact, 4)
            self.assertAlmostEqual(fp.log10(fp.ln_bound(k)), bound, 4)
        self.assertAlmostEqual(fp.log10(fp.ln_exact(352, 352)), -745.184, 3)
        self.assertAlmostEqual(fp.log10(fp.ln_bound(11008)), -39712.83, 2)
        for k, count in enumerate((720, 455, 191, 56, 16, 1, 1)):
            self.assertAlmostEqual(math.exp(fp.ln_exact(6, k)) * 720, count, 9)

    def test_partial_matchings(self):
        self.assertAlmostEqual(fp.ln_partial(352, 352, 352), fp.ln_bound(352), 6)
        self.assertLess(fp.ln_partial(100, 10, 352), fp.ln_bound(10))
        self.assertEqual(fp.ln_partial(5, 6, 352), -math.inf)
        self.assertEqual(fp.ln_partial(5, 0, 352), 0)

    def test_combinations_of_layers(self):
        full, part = [352] * 4, [80, 76, 77, 84]
        for counts, fisher, bound, poisson in ((full, -2970.00, -2976.02, -2977.75), (part, -461.49, -466.05, -467.69)):
            self.assertAlmostEqual(fp.log10(fp.ln_fisher([fp.ln_bound(k) for k in counts])), fisher, 2)
            self.assertAlmostEqual(fp.log10(fp.ln_sum_bound(counts)), bound, 2)
            self.assertAlmostEqual(fp.log10(fp.ln_poisson(counts)), poisson, 2)
        few = [1, 2, 1, 0]
        self.assertAlmostEqual(fp.log10(fp.ln_fisher([fp.ln_bound(k) for k in few])), -0.002, 3)
        self.assertEqual(fp.ln_sum_bound(few), 0)
        self.assertAlmostEqual(fp.log10(fp.ln_fisher([fp.ln_bound(11008)] * 32)) / 1e6, -1.270644, 6)

    def test_a_share_of_universal_units_is_no_evidence(self):
        self.assertEqual(fp.ln_robust(36, 352), (0.0, 0))
        self.assertEqual(fp.ln_robust(38, 352), (fp.ln_bound(2), 2))


class Folding(unittest.TestCase):
    def test_the_function_stays(self):
        tokens = np.arange(20)
        for norm in ("rms", "gemma", "layer"):
            for gate in (True, False):
                with self.subTest(norm=norm, gate=gate):
                    model = random_model(norm, gate)
                    other = folded(model)
                    self.assertLess(np.abs(logits(model, tokens) - logits(other, tokens)).max(), 1e-11)
                    self.assertTrue(all(np.all(layer.attn_gain == 1) and layer.mlp_beta is None for layer in other.layers))

    def test_a_layer_norm_leaves_nothing_along_ones(self):
        other = folded(random_model("layer", True))
        self.assertEqual(other.norm, "rms")
        self.assertLess(max(np.abs(w.sum(axis)).max() for w, axis in
                            ((other.embed, 1), (other.head, 1), (other.layers[0].q, 1), (other.layers[1].down, 0))), 1e-12)


class Matchers(unittest.TestCase):
    def test_known_answers(self):
        s = np.array([[0.9, 0.8, 0.1], [0.8, 0.1, 0.2], [0.3, 0.2, 0.7]])
        self.assertEqual(list(lap(s)), [1, 0, 2])
        self.assertEqual(list(mutual(s)), [0, -1, 2])
        self.assertEqual(list(mutual(np.array([[1.0, 1.0], [0.0, 0.5]]))), [-1, -1])  # a tie is nobody's best
        self.assertEqual(sorted(lap(np.ones((3, 2)))), [-1, 0, 1])

    def test_an_undecided_assignment_is_not_the_identity(self):
        self.assertLess(np.sum(matched(np.ones((200, 200)), "lap") == np.arange(200)), 8)

    def test_units_that_are_nothing_or_twice_are_dropped(self):
        layer = model_of(toy.toy(1), toy.CONFIG).layers[0]
        layer = dataclasses.replace(layer, up=layer.up.copy(), gate=layer.gate.copy(), down=layer.down.copy())
        layer.up[3] = 0
        for w in (layer.up, layer.gate, layer.down.T):
            w[7] = w[5]
        self.assertEqual(set(range(352)) - set(usable_units(layer)), {3, 5, 7})


def pruned(tensors, rng, width=96, neurons=200):
    """The toy with fewer columns of a rotated stream and fewer hidden units, both in another order: (model, kept units)."""
    model = folded(model_of(tensors, toy.CONFIG))
    keep = rng.permutation(128)[:width]
    q, units = haar(rng, width), rng.permutation(352)[:neurons]
    layers = [dataclasses.replace(x, q=x.q[:, keep] @ q, k=x.k[:, keep] @ q, v=x.v[:, keep] @ q, o=q.T @ x.o[keep],
                                  gate=x.gate[units][:, keep] @ q, up=x.up[units][:, keep] @ q, down=q.T @ x.down[keep][:, units],
                                  attn_gain=np.ones(width), mlp_gain=np.ones(width)) for x in model.layers]
    return dataclasses.replace(model, embed=model.embed[:, keep] @ q, head=model.head[:, keep] @ q, final_gain=np.ones(width),
                               layers=layers)


class Power(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tensors = toy.toy(1)
        cls.base = model_of(cls.tensors, toy.CONFIG)

    def laundered(self, noise):
        steps = toy.CASES["everything, new gains"]
        return model_of(toy.laundered(toy.descendant(self.tensors, 1, noise), steps, 1), toy.CONFIG)

    def agreements(self, other, anchors, matcher):
        return [t.agreements for t in compare(self.base, other, anchors, matcher)]

    def test_noise_as_large_as_the_weights(self):
        other = self.laundered(1.0)
        self.assertGreaterEqual(min(self.agreements(other, FIRST_400, "lap")), 351)
        self.assertGreaterEqual(min(self.agreements(other, FIRST_400, "mutual")), 347)
        sixty_four = (np.arange(64),) * 2
        for matcher, low, high in (("lap", 215, 290), ("mutual", 130, 200)):
            for found in self.agreements(other, sixty_four, matcher):
                self.assertTrue(low <= found <= high, f"{matcher}: {found}")

    def test_noise_that_is_too_large(self):
        twice = self.laundered(2.0)
        for matcher, low, high in (("lap", 55, 110), ("mutual", 22, 65)):
            for found in self.agreements(twice, FIRST_400, matcher):
                self.assertTrue(low <= found <= high, f"{matcher}: {found}")
        self.assertLess(max(self.agreements(self.laundered(4.0), FIRST_400, "lap")), 12)

    def test_pruned_rotated_permuted(self):
        for width, neurons in ((96, 200), (64, 120)):
            other = pruned(self.tensors, np.random.default_rng(3), width, neurons)
            for matcher in ("lap", "mutual"):
                self.assertEqual(self.agreements(other, FIRST_400, matcher), [neurons] * 4)

    def test_four_bits(self):
        coarse = {}
        for name, w in self.tensors.items():
            scale = np.abs(w).max(-1, keepdims=True) / 7 if w.ndim == 2 else 1
            coarse[name] = np.round(w / scale) * scale if w.ndim == 2 else w
        self.assertEqual(self.agreements(model_of(coarse, toy.CONFIG), FIRST_400, "mutual"), [352] * 4)

    def test_labels(self):
        tests = compare(self.base, model_of(toy.descendant(self.tensors, 1), toy.CONFIG), FIRST_400, "lap")
        self.assertEqual([t.labels for t in tests], [352] * 4)
        self.assertAlmostEqual(fp.log10(fp.ln_sum_bound([t.labels for t in tests])), -2976.02, 2)
        self.assertAlmostEqual(tests[0].ln_labels("exact"), fp.ln_bound(352), 6)
        self.assertAlmostEqual(tests[0].ln_robust(), fp.ln_bound(352 - 36))
        self.assertEqual((tests[0].share, tests[0].precision), (1, 1))

    def test_a_scaled_stream_leaves_the_head_spectra(self):
        scaled = dict(self.tensors)
        toy.with_stream(scaled, dict(toy.CONFIG), np.eye(128), 3.0)
        self.assertLess(head_spectra_distance(self.base, model_of(scaled, toy.CONFIG)), 1e-20)

    def test_a_sketch_of_the_laundered(self):
        anchors = np.arange(128)
        one, two, exact = (sketch(m, anchors) for m in (self.base, self.laundered(0.1), self.laundered(0.0)))
        same = compare_sketches(one, exact)
        for name in ("agree", "precision", "head_qk", "head_ov", "gram_embed", "gram_head", "qk_over_gate"):
            self.assertAlmostEqual(same[name], 1, delta=1e-3, msg=name)
        for matcher in ("mutual", "lap"):
            self.assertGreaterEqual(compare_sketches(one, two, matcher)["agree"], 110 / 128)
        stranger = sketch(model_of(toy.toy(2), toy.CONFIG), anchors)
        self.assertLessEqual(compare_sketches(one, stranger, "lap")["agree"], 4 / 128)


class Trained(unittest.TestCase):
    def test_of_the_zoo(self):
        aspen, code, birch = (load(ZOO / name) for name in ("aspen", "aspen-code", "birch"))
        for t in compare(aspen, code):
            self.assertEqual((t.agreements, t.labels), (344, 344))
        for t in compare(aspen, birch):
            self.assertLessEqual(t.agreements, 5)
            self.assertEqual(t.ln_robust(), 0)
        relatives, strangers = kappa_of_weights(aspen, code), kappa_of_weights(aspen, birch)
        self.assertGreater(relatives["kappa"], 0.9)
        self.assertGreater(relatives["bulk"], 0.8)
        self.assertLess(abs(strangers["bulk"]), 0.05)

    def test_of_sketches(self):
        anchors = byte_anchors()
        aspen, code, lora, birch = (sketch(load(ZOO / name), anchors) for name in ("aspen", "aspen-code", "aspen-lora-r8", "birch"))
        for other in (code, lora):
            found = compare_sketches(aspen, other)
            self.assertGreater(min(found["agree_of_common"], found["precision"], found["qk_over_gate"]), 0.95)
        self.assertLess(compare_sketches(aspen, birch, "lap")["agree"], 0.05)

    def test_hashes_and_noise(self):
        self.assertEqual(f"{xxh3_of_byte(97):016x}", "e6c632b61e964e1f")
        self.assertEqual(len(set(byte_anchors())), 128)
        self.assertAlmostEqual(gaussian_median(256, 256) / 16, 0.808, 2)


if __name__ == "__main__":
    unittest.main()

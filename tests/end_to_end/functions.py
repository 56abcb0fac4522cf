"""What do the tests of same_function share: tokens and answers by numpy, laundered models, a pair's readings?"""
import numpy as np

import launder
from harness import ZOO
from traces import Trace

ASKED, LENGTH = 128, 16


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

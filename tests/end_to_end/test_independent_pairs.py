"""Are some hundred pairs of strangers left alone by the match of neurons, and is a child hidden among them found?"""
import sys
import unittest

import numpy as np

from harness import SOURCE, EndToEnd, write_checkpoint

sys.path.insert(0, str(SOURCE / "tests/calibration"))
import independent_pairs as strangers  # noqa: E402

MODELS = 24


class IndependentPairs(EndToEnd):
    def pairs(self, kind, extra=()):
        directory = self.directory / kind
        for name, tensors in extra:
            write_checkpoint(directory / name, tensors, strangers.CONFIG)
        return strangers.pairs_of_kind(kind, MODELS, 7, directory)

    def test_random_weights(self):
        child = {name: t + (0.1 * t.std() * np.random.default_rng(1).standard_normal(t.shape).astype(np.float32) if t.ndim == 2 else 0)
                 for name, t in strangers.model("random", 7, 3).items()}
        found = self.pairs("random", [("child", child)])
        for a, b, said, _ in found:
            self.assertEqual(said, "SAME_LINEAGE" if {a, b} == {"child", "m003"} else "NO_EVIDENCE", (a, b))
        n = len(found) - 1
        self.assertEqual(n, MODELS * (MODELS + 1) // 2 - 1)
        figures = strangers.summary([pair for pair in found if set(pair[:2]) != {"child", "m003"}])
        self.assertEqual(figures["ln of the smallest corrected p"], 0)
        for level in strangers.LEVELS:  # at most the level, up to four standard deviations of so many pairs
            self.assertLessEqual(figures[f"share of places with p <= {level:g}"], level + 4 * np.sqrt(level / n))

    def test_features_of_the_data(self):
        """A tenth of all neurons in common is allowed for."""
        for kind in ("features-5", "embedding"):
            with self.subTest(kind):
                figures = strangers.summary(self.pairs(kind))
                self.assertEqual((figures["lineage"], figures["shared start"]), (0, 0))
                self.assertEqual(figures["ln of the smallest corrected p"], 0)

    def test_the_correction_is_the_definition(self):
        p = np.array([1e-6, 1e-4, 0.5, 1.0])
        c = 1 + 1 / 2 + 1 / 3 + 1 / 4
        expected = min(1.0, *(p[i] * 4 * c / (i + 1) for i in range(4)))
        self.assertAlmostEqual(strangers.smallest_level(np.log(p)), np.log(expected), 12)


if __name__ == "__main__":
    unittest.main()

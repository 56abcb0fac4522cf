"""Does the best assignment have the total that SciPy's has, for every shape?"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np
from scipy.optimize import linear_sum_assignment

PROGRAM = pathlib.Path(os.environ["STEMMA_BUILD_DIR"]) / "bench/assign_scores"


class AssignmentTotal(unittest.TestCase):
    def assigned(self, scores):
        rows, columns = scores.shape
        with tempfile.NamedTemporaryFile() as file:
            scores.tofile(file.name)
            return json.loads(subprocess.run([PROGRAM, file.name, str(rows), str(columns)], check=True, capture_output=True,
                                             text=True).stdout)

    def test_totals_equal_those_of_scipy(self):
        random = np.random.default_rng(5)
        for rows, columns in ((1, 1), (5, 5), (40, 40), (300, 300), (300, 500), (500, 300), (130, 2000), (2000, 130)):
            units = [random.standard_normal((64, n)) for n in (rows, columns)]
            for kind, scores in (("gaussian", random.standard_normal((rows, columns))), ("correlations", units[0].T @ units[1] / 64),
                                 ("few values", random.integers(0, 6, (rows, columns))), ("products", np.outer(np.arange(rows), np.arange(columns))),
                                 ("heavy tails", random.standard_cauchy((rows, columns)))):
                with self.subTest(kind, rows=rows, columns=columns):
                    scores = scores.astype(np.float32)
                    expected = scores[linear_sum_assignment(scores, maximize=True)].sum(dtype=np.float64)
                    found = self.assigned(scores)
                    size = np.abs(scores).max() * min(rows, columns)
                    self.assertLessEqual(abs(found["total"] - expected), 1e-12 * size)
                    matched = [(i, j) for i, j in enumerate(found["column_of_row"]) if j >= 0]
                    self.assertEqual(len({j for _, j in matched}), min(rows, columns))
                    self.assertAlmostEqual(sum(float(scores[i, j]) for i, j in matched), found["total"], delta=1e-12 * size)

    def test_mutual_preferences_equal_those_of_numpy(self):
        random = np.random.default_rng(6)
        for rows, columns in ((300, 300), (77, 200), (200, 77)):
            scores = random.standard_normal((rows, columns)).astype(np.float32)
            best, back = scores.argmax(1), scores.argmax(0)
            expected = [int(j) if back[j] == i else -1 for i, j in enumerate(best)]
            self.assertEqual(self.assigned(scores)["mutual"], expected)


if __name__ == "__main__":
    unittest.main()

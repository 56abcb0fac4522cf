"""Does verify --against tell equal results from rounded and from other ones, and say where they part?"""
import json
import unittest

import h5py
import numpy as np

from harness import ZOO, EndToEnd


class Against(EndToEnd):
    def setUp(self):
        super().setUp()
        self.a = self.fingerprint("a.h5", ZOO / "aspen", ZOO / "birch")

    def against(self, name, code):
        """What the verb says in words, and the columns that differ: {(subject, dataset): entry}."""
        text = self.stemma("verify", "a.h5", "--against", name, code=code).stdout
        document = json.loads(self.stemma("verify", "a.h5", "--against", name, "--json", code=code).stdout)
        difference = document["targets"][0]["difference"]
        return text, difference, {(c["subject"], c["dataset"]): c for c in difference["columns"]}

    def test_equal(self):
        self.fingerprint("b.h5", ZOO / "birch", ZOO / "aspen", ranks=2)
        text, difference, columns = self.against("b.h5", 0)
        self.assertEqual((text, difference["relation"], columns), ("a.h5: archive is sound; against the other: equal\n", "equal", {}))

    def test_rounding(self):
        """A last bit here, a little more there: no more than two processors may do."""
        def rounded(file):
            start, count = int(file["spectra/row_start"][3]), int(file["spectra/row_count"][3])
            values = file["spectra/value"]
            values[start] = np.nextafter(values[start], 0)
            values[start + count - 1] += 1e-11 * values[start]
            file["spectra/attempts"][0] = 2
            file["layers/s1"][1, 0] *= 1 + 1e-12

        self.forge(self.a, "b.h5", rounded)
        text, difference, columns = self.against("b.h5", 0)
        self.assertTrue(text.endswith("a.h5: archive is sound; against the other: equal but for rounding (canonical_exact is equal)\n"), text)
        self.assertEqual(set(columns), {("aspen", "spectra/value"), ("aspen", "spectra/attempts"), ("aspen", "layers/s1")})
        values = columns["aspen", "spectra/value"]
        self.assertEqual((values["method"], values["values"], values["may_differ"]), ("spectrum", 2, True))
        self.assertAlmostEqual(values["size"], 1e-11, delta=1e-15)

    def test_more_than_rounding(self):
        def other(file):
            file["layers/s1"][1, 0] *= 1 + 3e-6

        self.forge(self.a, "b.h5", other)
        text, difference, columns = self.against("b.h5", 3)
        self.assertIn("verify.different: aspen: histogram and spectrum: layers/s1: 1 of ", text)
        self.assertIn("a.h5: archive has 2 complaints; against the other: different", text)
        self.assertEqual(list(columns), [("aspen", "layers/s1")])
        with h5py.File(self.a) as file:
            row = file["layers/s1"][1]
        self.assertAlmostEqual(columns["aspen", "layers/s1"]["size"], 3e-6 * row[0] / np.nanmax(row), delta=1e-10)

    def test_exact_columns_may_not_round(self):
        def other(file):
            row = list(file["models/id"].asstr()).index("birch")
            first = file["models/tensor_start"][row]
            file["moments/mean"][first] = np.nextafter(file["moments/mean"][first], 1)
            file["histograms/digest_hi"][0] += 1

        self.forge(self.a, "b.h5", other)
        text, difference, columns = self.against("b.h5", 3)
        self.assertIn("verify.different: canonical_exact", text)
        self.assertEqual({key: c["may_differ"] for key, c in columns.items()},
                         {("birch", "moments/mean"): False, ("aspen", "histograms/digest_hi"): False})

    def test_models_methods_and_company(self):
        self.fingerprint("less.h5", ZOO / "birch")
        _, difference, columns = self.against("less.h5", 3)
        self.assertEqual((difference["only_here"], difference["only_there"], columns), (["aspen"], [], {}))
        self.stemma("fingerprint", ZOO / "aspen", ZOO / "birch", "analyzers.tensorguard.samples=5", "-o", "other.h5")
        text, difference, columns = self.against("other.h5", 3)
        self.assertEqual({dataset for _, dataset in columns}, {"methods/tensorguard/value", "methods/tensorguard/control"})
        self.assertEqual(len(difference["methods"]), 1)
        self.assertRegex(difference["methods"][0], 'tensorguard: parameters .*"samples":15.* here, .*"samples":5.* there')

    def test_pairs_by_their_models(self):
        self.write("c.yaml", f"schema_version: 1\nname: c\nmodels: ['{ZOO}/aspen', '{ZOO}/birch', '{ZOO}/cedar']\ntrace: {{enabled: false}}\n")
        self.stemma("run", "c.yaml", "--output", "run")

        def other(file):
            row = next(i for i, m in enumerate(file["evidence/method"].asstr()) if m == "intrinsic_fingerprint" and file["evidence/pair_index"][i] == 1)
            file["evidence/score"][row] += 0.5
            file["pairs/sentence"][2] = "Nothing."

        self.forge(self.directory / "run/c.h5", "b.h5", other)
        document = json.loads(self.stemma("verify", "run", "--against", "b.h5", "--json", code=3).stdout)
        columns = {(c["subject"], c["dataset"]) for c in document["targets"][0]["difference"]["columns"]}
        self.assertEqual(columns, {("aspen and cedar", "evidence/score"), ("birch and cedar", "pairs/sentence")})


if __name__ == "__main__":
    unittest.main()

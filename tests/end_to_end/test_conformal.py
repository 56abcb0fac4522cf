"""Do models that are stated to be independent give the scores of other pairs their conformal p-values, and nothing else?"""
import json
import unittest

import h5py
import numpy as np
from scipy import stats

from harness import SOURCE, EndToEnd, llama_config, llama_tensors, write_checkpoint

LAYERS, CONTROLS = 4, 20
METHODS = ("intrinsic_fingerprint", "neuron_match")
CONFIG = llama_config(LAYERS)
RUN = """
schema_version: 1
name: conformal
models: [{glob: "models/*"}]
analyzers: {histogram: {}, intrinsic_fingerprint: {}, neuron_match: {}}
trace: {enabled: false}
"""


def table():
    """{place: shares of all pairs} of the table that the program carries."""
    found = {}
    for line in (SOURCE / "analyzers/neuron_background.tsv").read_text().splitlines():
        cells = line.split("\t")
        if len(cells) == 5 and cells[1] == "all":
            counts = [c.split(":") for c in cells[4].split()]
            found[cells[0]] = np.repeat([float(share) for share, _ in counts], [int(times) for _, times in counts])
    return found


class Conformal(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.tensors = {f"control-{i:02}": llama_tensors(CONFIG, 100 + i) for i in range(CONTROLS)}
        cls.tensors |= {"base": llama_tensors(CONFIG, 1), "other": llama_tensors(CONFIG, 2)}
        rng = np.random.default_rng(5)
        cls.tensors["child"] = {n: (t + 0.1 * t.std() * rng.standard_normal(t.shape) if t.ndim == 2 else t).astype(np.float32)
                                for n, t in cls.tensors["base"].items()}

    def setUp(self):
        super().setUp()
        for name, tensors in self.tensors.items():
            write_checkpoint(self.directory / "models" / name, tensors, CONFIG)
        shallow = llama_config(LAYERS - 1)
        write_checkpoint(self.directory / "models/shallow", llama_tensors(shallow, 3), shallow)
        self.write("run.yaml", RUN)

    def run_it(self, *options, ranks=1, name="out"):
        self.stemma("run", "run.yaml", f"output={name}", *options, ranks=ranks)
        return self.directory / name

    def compare(self, *operands):
        return json.loads(self.stemma("compare", *operands, "--json").stdout)["pairs"]

    def rows(self, pairs):
        """{(a, b): (class, {(method, role): row})}."""
        return {(p["a"], p["b"]): (p["relation"], {(e["method"], e["role"]): e for e in p["evidence"]}) for p in pairs}

    def check(self, pairs, controls):
        found = self.rows(pairs)
        score = lambda x, y, m: found[min(x, y), max(x, y)][1][m, ""]["score"]  # noqa: E731
        with_rows = 0
        for (a, b), (_, rows) in found.items():
            for method in METHODS:
                row = rows.get((method, "conformal"))
                if a in controls or b in controls or score(a, b, method) is None:
                    self.assertIsNone(row, (a, b, method))
                    continue
                expected = []
                for stand_in, candidate in ((a, b), (b, a)):
                    if stand_in == "shallow":
                        continue  # no control has its shape
                    scores = [score(c, candidate, method) for c in controls]
                    rank = stats.rankdata([-score(a, b, method), *(-s for s in scores)], "max")[0]
                    expected.append((rank / (1 + len(controls)), candidate))
                p = max(expected)[0]
                self.assertAlmostEqual(row["log10_p"], np.log10(p), 12, (a, b, method))
                self.assertEqual(row["grade"], "C")
                self.assertEqual(row["background_n"], len(controls))
                self.assertEqual(row["score"], score(a, b, method))
                self.assertAlmostEqual(row["detail"]["smallest_p"], 1 / (1 + len(controls)), 14)
                self.assertEqual(row["detail"]["few_references"], len(controls) < 19)
                self.assertIn((p, row["detail"]["candidate"]), expected)
                with_rows += 1
        return with_rows

    def test_against_ranks_by_scipy_in_a_run_and_from_its_archive(self):
        controls = [f"control-{i:02}" for i in range(CONTROLS)]
        plain = self.rows(self.compare(self.run_it(name="plain")))
        self.assertFalse(any(role == "conformal" for _, rows in plain.values() for _, role in rows))
        stated = self.run_it("compare.independent=[control-*]")
        pairs = self.compare(stated, "compare.independent=control-*")
        self.assertEqual(self.check(pairs, controls), 9)  # curves of six pairs, neurons of three
        for pair, (relation, rows) in self.rows(pairs).items():  # classes and all other rows stay
            self.assertEqual(relation, plain[pair][0], pair)
            self.assertEqual({k: r for k, r in rows.items() if k[1] != "conformal"}, plain[pair][1], pair)
        near = self.rows(pairs)["base", "child"][1]
        self.assertAlmostEqual(near["neuron_match", "conformal"]["log10_p"], np.log10(1 / 21), 12)
        # The run has written what the comparison says, on three ranks the same bytes.
        evidence = (stated / "evidence.tsv").read_text()
        self.assertEqual(evidence.count("\tconformal\t"), 9)
        three = self.run_it("compare.independent=[control-*]", ranks=3, name="three")
        self.assertEqual((three / "evidence.tsv").read_text(), evidence)
        text = self.stemma("compare", f"{stated}:base", f"{stated}:child", "compare.independent=control-*").stdout
        self.assertIn("p 0.04762 of 20, smallest possible 0.04762", text)
        self.assertEqual(text, self.stemma("compare", f"{stated}:base", f"{stated}:child", "compare.independent=control-*",
                                           ranks=3).stdout)

    def test_few_references_say_so_and_chosen_pairs_get_the_same(self):
        run = self.run_it()
        controls = ["control-00", "control-01", "control-02"]
        pairs = self.compare(run, "compare.independent=[control-00, control-01, control-02]")
        self.assertEqual(self.check(pairs, controls), 21 * 20 // 2 + 20 * 19 // 2)  # with and without the shallow one
        listed = self.write("pairs.tsv", "a\tb\nchild\tbase\n")
        options = ("compare.independent=[control-00, control-01, control-02]", "--pairs", listed)
        alone = self.rows(self.compare(run, *options))["base", "child"][1]
        whole = self.rows(pairs)["base", "child"][1]
        for method in METHODS:
            self.assertEqual(alone[method, "conformal"], whole[method, "conformal"])
        self.assertTrue(alone["neuron_match", "conformal"]["detail"]["few_references"])

    def test_models_of_use_background_count(self):
        self.write("run.yaml", RUN.replace('[{glob: "models/*"}]',
                                           '[{glob: "models/control-*", use: background}, {glob: "models/[!c]*"}, "models/child"]'))
        found = self.rows(self.compare(self.run_it()))["base", "child"][1]
        self.assertEqual(found["intrinsic_fingerprint", "conformal"]["background_n"], CONTROLS)

    def test_what_is_refused(self):
        run = self.run_it()
        for how in (("run", "run.yaml", "output=again"), ("compare", run)):
            said = self.stemma(*how, "compare.independent=[contrl-01, x*]", code=2).stderr
            self.assertIn("contrl-01 names none of the 24 models. Did you mean control-01?", said)
            self.assertIn("x* names none of the 24 models", said)
        said = self.stemma("run", "run.yaml", "output=again", "compare.independent={a: b}", code=2).stderr
        self.assertIn("compare.independent", said)
        self.write("run.yaml", RUN.replace('[{glob: "models/*"}]', '[{glob: "models/c*", use: subject}, {path: models/base, base: '
                                           'control-00, relation: finetune}]'))
        said = self.stemma("run", "run.yaml", "output=again", "compare.independent=control-*", code=2).stderr
        self.assertIn("control-00 is stated to be independent of all other models, but declarations join it with base", said)

    def test_shares_stand_beside_those_of_separately_trained_models(self):
        run, shares = self.run_it(), table()
        places = sorted(float(p) for p in shares if p != "median")
        checked = set()
        for _, rows in self.rows(self.compare(run)).values():
            for (method, role), row in rows.items():
                if method != "neuron_match" or row["score"] is None or role in ("places", "attention") or " and " in role:
                    continue
                layers = LAYERS if role == "" or row["detail"] and f"layers/{LAYERS - 1}" in {r for _, r in rows} else None
                if layers is None:
                    continue
                place = "median" if role == "" else None
                if place is None:
                    at = int(role.split("/")[1]) / (LAYERS - 1)
                    place = f"{min(places, key=lambda p: (abs(p - at), p)):.4f}"
                below = np.mean(shares[place] < row["score"])
                self.assertAlmostEqual(row["background_percentile"], 100 * below, 9, (role, place))
                self.assertEqual(row["background_n"], len(shares[place]))
                checked.add(place)
        self.assertEqual(checked, set(shares))
        silent = self.rows(self.compare(run, "compare.background=none"))["base", "child"][1]
        self.assertEqual(silent["neuron_match", ""]["background_n"], 0)

    def test_the_archive_keeps_the_rows(self):
        run = self.run_it("compare.independent=[control-*]")
        with h5py.File(next(run.glob("*.h5"))) as file:
            roles = list(file["evidence/role"].asstr()[:])
            p = np.array([x for x, role in zip(file["evidence/log10_p"][:], roles) if role == "conformal"])
        self.assertEqual(len(p), 9)
        self.assertGreaterEqual(p.min(), np.log10(1 / 21) - 1e-12)
        self.stemma("verify", run)


if __name__ == "__main__":
    unittest.main()

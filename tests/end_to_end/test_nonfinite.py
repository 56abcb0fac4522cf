"""Do weights that are no numbers stay one fact about one tensor, and lose nothing else?"""
import unittest

import h5py
import numpy as np

import harness
from harness import ZOO, bf16, llama_config, llama_tensors, widened, write_checkpoint

POISON = {"one_nan": [np.nan], "infinities": [np.inf, -np.inf, np.nan], "all_nan": None}
STORED = {"f32": lambda x: x, "f16": lambda x: x.astype(np.float16), "bf16": bf16}
ROLE = "model.layers.2.self_attn.q_proj.weight"


class NonFinite(harness.EndToEnd):
    def poisoned(self, kind, poison):
        config = llama_config(9)
        tensors = llama_tensors(config, seed=7)
        values = tensors[ROLE].ravel()
        values[:len(poison) if poison else None] = poison or np.nan
        stored = {name: STORED[kind](array) for name, array in tensors.items()}
        return stored, config

    def test_a_good_model_beside_them_keeps_its_numbers(self):
        stored = {}
        for kind in STORED:
            for name, poison in POISON.items():
                stored[f"{kind}_{name}"], config = self.poisoned(kind, poison)
                write_checkpoint(self.directory / f"{kind}_{name}", stored[f"{kind}_{name}"], config)
        models = "".join(f"  - {{path: {self.directory / id}, id: {id}}}\n" for id in stored)
        self.write("bad.yaml", f"schema_version: 1\nmodels:\n  - {{path: {ZOO / 'aspen'}, id: zz-aspen}}\n{models}")
        self.write("good.yaml", f"schema_version: 1\nmodels: [{{path: {ZOO / 'aspen'}, id: zz-aspen}}]\n")
        self.stemma("run", "bad.yaml", "--output", "bad", ranks=2)
        self.stemma("run", "good.yaml", "--output", "good")
        self.stemma("verify", "bad")
        features = {run: [line for line in (self.directory / run / "features.tsv").read_text().split("\n")
                          if line.startswith("zz-aspen")] for run in ("bad", "good")}
        self.assertEqual(features["bad"], features["good"])
        self.assertGreater(len(features["good"]), 50)
        with h5py.File(self.directory / "bad/bad.h5") as archive:
            ids, model = archive["models/id"].asstr()[:], archive["tensors/model_index"][:]
            names = archive["tensors/name"].asstr()[:]
            for row in np.flatnonzero(names == ROLE):
                if ids[model[row]] == "zz-aspen":
                    continue
                with self.subTest(ids[model[row]]):
                    x = widened(stored[ids[model[row]]][ROLE]).ravel()
                    finite = x[np.isfinite(x)]
                    moment = {name: archive[f"moments/{name}"][row] for name in
                              ("n", "n_nan", "n_pos_inf", "n_neg_inf", "n_positive", "mean", "std_unbiased", "max")}
                    self.assertEqual((moment["n"], moment["n_nan"], moment["n_pos_inf"], moment["n_neg_inf"],
                                      moment["n_positive"]),
                                     (x.size, np.isnan(x).sum(), (x == np.inf).sum(), (x == -np.inf).sum(),
                                      (finite > 0).sum()))
                    if finite.size:
                        np.testing.assert_allclose([moment["mean"], moment["std_unbiased"], moment["max"]],
                                                   [finite.mean(), finite.std(ddof=1), finite.max()], rtol=1e-12, atol=1e-18)
                    else:
                        self.assertTrue(np.isnan(moment["mean"]) and np.isnan(moment["std_unbiased"]))


if __name__ == "__main__":
    unittest.main()

"""Does the demo audit say the truth: the same on any number of ranks, every number equal to numpy's, readable elsewhere?"""
import hashlib
import json
import math
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import warnings
from fractions import Fraction

import h5py
import numpy as np
import scipy.stats
import xarray as xr

import harness
import philox
from harness import ZOO, read_safetensors, read_tsv, widened

FILES = ["config.yaml", "config.resolved.yaml", "overrides.txt", "demo.h5", "models.tsv", "pairs.tsv", "evidence.tsv",
         "verdicts.tsv", "families.tsv", "features.tsv", "findings.tsv", "failures.tsv", "verdicts.json", "manifest.json", "status.json",
         "log/run.log"]
MODELS = ["aspen", "aspen-code", "aspen-lora-r8", "aspen-pruned-depth", "birch", "birch-lora-r8", "cedar", "cedar-code"]


def quantile(ordered, probability):
    """The smallest value whose cumulative share reaches the probability."""
    return ordered[max(1, math.ceil(Fraction(str(probability)) * len(ordered))) - 1]


class DemoRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.runs = {}
        for ranks in (1, 2, 3, 4):
            cls.runs[ranks] = harness.stemma("run", harness.SOURCE / "configs/demo.yaml", "--output", f"r{ranks}", ranks=ranks,
                                             cwd=cls.directory)
            if cls.runs[ranks].returncode != 0:
                raise AssertionError(f"{ranks} ranks: {cls.runs[ranks].stderr}")
        cls.out = cls.directory / "r1"
        cls.file = h5py.File(cls.out / "demo.h5", "r")
        cls.addClassCleanup(cls.file.close)
        cls.weights = {id: read_safetensors(ZOO / id / "model.safetensors") for id in MODELS}

    def rows(self):
        """Every row of /tensors as (row number, stored array, its values in float64)."""
        ids, model = self.column("models/id"), self.column("tensors/model_index")
        for row, name in enumerate(self.column("tensors/name")):
            stored = self.weights[ids[model[row]]][name]
            yield row, stored, widened(stored)

    def column(self, name):
        data = self.file[name]
        return data.asstr()[:] if h5py.check_string_dtype(data.dtype) else data[:]

    def test_same_archive_on_any_number_of_ranks(self):
        hashes = {harness.stemma("verify", "--hash", self.directory / f"r{n}").stdout for n in self.runs}
        self.assertEqual(len(hashes), 1)
        self.assertRegex(hashes.pop(), r"\Acanonical_exact [0-9a-f]{64}\ncanonical_all [0-9a-f]{64}\n\Z")
        for table in ("pairs.tsv", "evidence.tsv", "verdicts.tsv", "features.tsv", "models.tsv"):
            self.assertEqual(len({(self.directory / f"r{n}" / table).read_bytes() for n in self.runs}), 1, table)

    def test_files_have_their_sha256_when_asked(self):
        done = harness.stemma("run", harness.SOURCE / "configs/demo.yaml", "analyzers.content.sha256=true", "~analyzers.tensorguard", "--output", "sha",
                              ranks=2, cwd=self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.directory / "sha/demo.h5") as archive:
            files = archive["files"]
            for path, found, size, read in zip(files["path"].asstr()[:], files["sha256"].asstr()[:], files["bytes"][:],
                                               files["bytes_read"][:], strict=True):
                content = pathlib.Path(path).read_bytes()
                self.assertEqual((found, size), (hashlib.sha256(content).hexdigest(), len(content)))
                self.assertLess(abs(int(read) - 2 * len(content)), 0.01 * len(content))  # as tensors, then whole
            self.assertTrue((files["sha256_source"][:] == 2).all())
            self.assertLess(archive["provenance/read_ratio"][0], 1.2)  # anchors and maps of tiny streams count for something
            self.assertEqual(archive["moments/n"].shape, self.file["moments/n"].shape)
        self.assertEqual(set(self.column("files/sha256")), {""})
        manifest = json.loads((self.directory / "sha/manifest.json").read_text())
        self.assertEqual([len(model["files"][0]["sha256"]) for model in manifest["inputs"]], [64] * len(MODELS))

    def test_archive_is_sound(self):
        done = harness.stemma("verify", self.out)
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.out}/demo.h5: archive is sound\n"))

    def test_every_tensor_is_there(self):
        self.assertEqual(list(self.column("models/id")), MODELS)
        found = list(zip(self.column("tensors/model_index"), self.column("tensors/name")))
        expected = [(m, name) for m, id in enumerate(MODELS) for name in sorted(self.weights[id])]
        self.assertEqual(sorted(found), sorted(expected))
        self.assertTrue(all(self.column("tensors/role")))

    def test_moments(self):
        moments = {name: self.column(f"moments/{name}") for name in self.file["moments"]}
        probabilities = moments.pop("probability")  # the scale of a dimension, not a column of tensors
        for row, stored, values in self.rows():
            x, m = values.ravel(), {name: column[row] for name, column in moments.items()}
            self.assertEqual((m["n"], m["n_positive"], m["n_negative"]), (x.size, (x > 0).sum(), (x < 0).sum()))
            self.assertEqual((m["n_pos_zero"], m["n_neg_zero"]), ((stored == 0).sum(), (stored == 0x8000).sum()))
            self.assertEqual((m["n_nan"], m["n_pos_inf"], m["n_neg_inf"]), (0, 0, 0))
            self.assertEqual(m["n_subnormal"], ((stored & 0x7F80 == 0) & (stored & 0x7F != 0)).sum())
            self.assertEqual((m["min"], m["max"], m["abs_max"]), (x.min(), x.max(), np.abs(x).max()))
            self.assertEqual(m["abs_min_nonzero"], np.abs(x[x != 0]).min())
            ordered = np.sort(x)
            np.testing.assert_array_equal(m["quantile"], [quantile(ordered, p) for p in probabilities])
            codes, counts = np.unique(stored, return_counts=True)
            self.assertEqual(m["n_distinct"], codes.size)
            size = np.abs(x).max()
            for name, expected, error in (
                    ("std_unbiased", x.std(ddof=1), 0), ("variance", x.var(), 0), ("mean", math.fsum(x) / x.size, 1e-15 * size),
                    ("frobenius_sq", math.fsum(x * x), 0), ("l1", math.fsum(np.abs(x)), 0),
                    ("entropy_bits", scipy.stats.entropy(counts, base=2), 1e-13),
                    ("skewness", scipy.stats.skew(x), 1e-12), ("kurtosis_excess", scipy.stats.kurtosis(x), 1e-11)):
                np.testing.assert_allclose(m[name], expected, rtol=1e-12, atol=error, err_msg=f"{name} of row {row}")

    def test_spectra(self):
        s = {name: self.column(f"spectra/{name}") for name in self.file["spectra"] if name != "sv"}
        row_of = {tensor: i for i, tensor in enumerate(s["tensor_index"])}
        u = 2.0 ** -53
        for row, _, x in self.rows():
            if x.ndim == 1:
                self.assertNotIn(row, row_of)
                continue
            i = row_of.pop(row)
            k, longest = min(x.shape), max(x.shape)
            start, count = s["row_start"][i], s["row_count"][i]
            values, expected = s["value"][start:start + count], np.linalg.svd(x, compute_uv=False)
            self.assertEqual((count, s["rows"][i], s["cols"][i], s["attempts"][i]), (k, *x.shape, 1))
            self.assertEqual((s["method"][i], s["error_model"][i], s["exact_products"][i]), (0, 0, 1))
            norm = math.fsum((x * x).ravel())
            e_bound = longest * u / (1 - longest * u) * norm + k * u * values[0] ** 2
            np.testing.assert_allclose(s["e_bound"][i], e_bound, rtol=1e-12)
            np.testing.assert_allclose(s["e_estimate"][i], 16 * math.sqrt(k) * u * values[0] ** 2, rtol=1e-12)
            np.testing.assert_allclose(s["tau"][i], math.sqrt(s["e_estimate"][i]), rtol=1e-12)
            root = np.sqrt(np.maximum(0, values ** 2 - e_bound))
            bound = np.minimum(math.sqrt(e_bound), e_bound / (values + root)) + k * u * values[0]
            numpy_errs_too = max(4 * math.sqrt(k), k) * u * values[0]
            self.assertTrue((np.abs(values - expected) <= bound + numpy_errs_too).all(), row)
            self.assertLess(np.abs(values - expected).max(), 1e-12 * values[0])
            self.assertEqual(s["count_below_tau"][i], (values < s["tau"][i]).sum())
            self.assertLess(max(s["trace_gap"][i], s["square_gap"][i], s["probe_gap"][i], s["norm_gap"][i]), 1e-13)
            p, q = expected / expected.sum(), expected ** 2 / (expected ** 2).sum()
            for name, value in (("stable_rank", norm / expected[0] ** 2), ("entropy", scipy.stats.entropy(p)),
                                ("effective_rank", math.exp(scipy.stats.entropy(p))),
                                ("energy_rank", math.exp(scipy.stats.entropy(q))),
                                ("participation_ratio", norm ** 2 / (expected ** 4).sum())):
                np.testing.assert_allclose(s[name][i], value, rtol=1e-9, err_msg=f"{name} of row {row}")
            # As exact as the smallest value.
            smallest_error = (bound[-1] + numpy_errs_too) / expected[-1]
            np.testing.assert_allclose(s["condition"][i], expected[0] / expected[-1], rtol=max(1e-9, 2 * smallest_error))
        self.assertEqual(row_of, {})
        part = [part.decode() for part in self.file["part"]].index("down")
        for tensor, s1 in zip(self.column("layers/tensor_index")[:, part], self.column("layers/s1")[:, part], strict=True):
            if tensor < len(self.column("tensors/name")):
                at = list(s["tensor_index"]).index(tensor)
                self.assertEqual(s1, s["value"][s["row_start"][at]])

    def test_std_of_layers_and_curves(self):
        std, tensor = self.column("layers/std"), self.column("layers/tensor_index")
        curve = self.column("methods/intrinsic_fingerprint/curve")
        parts = [part.decode() for part in self.file["part"]]
        values, seen = {row: x for row, _, x in self.rows()}, 0
        absent = int(self.file["layers/tensor_index"].attrs["sentinel"])
        for row in range(len(std)):
            for p, part in enumerate(parts):
                if tensor[row, p] == absent:
                    self.assertTrue(math.isnan(std[row, p]), (row, part))
                    continue
                expected = values[tensor[row, p]].std(ddof=1)
                np.testing.assert_allclose(std[row, p], expected, rtol=1e-12, err_msg=f"{row} {part}")
                if part in "qkvo":
                    np.testing.assert_allclose(curve[row, "qkvo".index(part)], expected, rtol=1e-12)
                    seen += 1
        self.assertEqual(seen, 4 * sum(int(n) for n in self.column("models/n_layers")))

    def test_twin_curves_from_dense_circuits(self):
        twin, layer = self.column("methods/intrinsic_fingerprint/twin"), self.column("layers/layer")
        ids, model = self.column("models/id"), self.column("layers/model_index")
        for row in np.flatnonzero(layer >= 0):
            id = ids[model[row]]
            heads, kv_heads = (5, 5) if id.startswith("cedar") else (4, 2)
            w = {name.split(".")[-2]: widened(a) for name, a in self.weights[id].items()
                 if name.startswith(f"model.layers.{layer[row]}.")}
            q, k, v = (w[f"{p}_proj"] * w["input_layernorm"] for p in "qkv")
            gate, up = (w[f"{p}_proj"] * w["post_attention_layernorm"] for p in ("gate", "up"))
            o, down, width = w["o_proj"], w["down_proj"], len(k) // kv_heads
            qk = ov = 0.0
            for h in range(heads):
                own, shared = slice(h * width, (h + 1) * width), h // (heads // kv_heads)
                theirs = slice(shared * width, (shared + 1) * width)
                qk += np.sum((q[own].T @ k[theirs]) ** 2)
                ov += np.sum((o[:, own] @ v[theirs]) ** 2)
            ud = sum(np.sum(np.outer(down[:, i], up[i]) ** 2) for i in range(len(up)))
            np.testing.assert_allclose(twin[row], 0.5 * np.log([qk, ov, ud, np.sum(gate ** 2)]), rtol=1e-10, atol=1e-10)

    def test_repaired_responses(self):
        """Moments of W x about zero, with x drawn again from Philox, and the control's closed forms."""
        group = self.file["methods/tensorguard"]
        projections = [name.decode() for name in group["projection"]]
        ids, model, layer = self.column("models/id"), self.column("layers/model_index"), self.column("layers/layer")
        for row in range(len(layer)):
            for p, projection in enumerate(projections):
                found = {name: column[row, p] for name, column in group.items() if "repaired" in name}
                if layer[row] < 0:
                    self.assertTrue(np.isnan(list(found.values())).all(), row)
                    continue
                block = "self_attn" if projection in "qkvo" else "mlp"
                w = widened(self.weights[ids[model[row]]][f"model.layers.{layer[row]}.{block}.{projection}_proj.weight"])
                y = w @ philox.normal(1, 0x746731, w.shape[1])
                m, square = len(y), np.mean(y ** 2)
                expected = {"repaired_kurtosis": np.mean(y ** 4) / square ** 2,
                            "repaired_skewness": abs(np.mean(y ** 3)) / square ** 1.5,
                            "control_repaired_kurtosis": 3 * m / (m + 2),
                            "spread_repaired_kurtosis": math.sqrt(24 * m * m * (m - 1) / ((m + 2) ** 2 * (m + 4) * (m + 6))),
                            "control_repaired_skewness": math.sqrt(15 * m / ((m + 2) * (m + 4)))}
                self.assertEqual(set(found), set(expected))
                for name, value in expected.items():
                    np.testing.assert_allclose(found[name], value, rtol=1e-10, atol=1e-10, err_msg=f"{name} of {row} {projection}")

    def test_repaired_responses_stand_in_the_tables(self):
        rows = [row for row in read_tsv(self.out / "evidence.tsv") if row["method"] == "tensorguard" and row["role"]]
        pairs = [(a, b) for a in MODELS for b in MODELS if a < b]
        self.assertEqual([(row["a"], row["b"], row["role"]) for row in rows],
                         [(*pair, p) for pair in pairs for p in ("q", "k", "v", "o", "gate", "up", "down")])
        curve = {}
        for row in read_tsv(self.out / "features.tsv"):
            if row["feature"] == "repaired_kurtosis":
                curve.setdefault((row["model"], row["part"]), []).append(float(row["value"]))
        for row in rows:
            a, b = (curve[row[side], row["role"]] for side in "ab")
            self.assertEqual(row["abstain_reason"], "too_few_layers" if len(a) == len(b) else "unaligned")
            if len(a) == len(b):
                self.assertAlmostEqual(float(row["value"]), np.corrcoef(a, b)[0, 1], places=9)
                self.assertAlmostEqual(float(row["control"]), 1 / math.sqrt(len(a) - 1), places=12)
            else:
                self.assertEqual((row["value"], row["control"]), ("", ""))

    @unittest.skipUnless(shutil.which("xxhsum"), "xxhsum is absent (Debian package xxhash)")
    def test_content_hashes_are_those_of_xxhsum(self):
        high, low = self.column("tensors/content_hash_hi"), self.column("tensors/content_hash_lo")
        rows = [(row, stored) for row, stored, _ in self.rows()]
        files = []
        for row, stored in rows:
            files.append(self.directory / f"{row}.bin")
            files[-1].write_bytes(stored.tobytes())
        printed = subprocess.run(["xxhsum", "-H128", *files], text=True, capture_output=True, check=True).stdout
        self.assertEqual([line.split()[0] for line in printed.splitlines()],
                         [f"{int(high[row]):016x}{int(low[row]):016x}" for row, _ in rows])

    def test_every_dimension_has_a_name(self):
        groups = [""]
        self.file.visititems(lambda name, o: groups.append(name) if isinstance(o, h5py.Group) else None)
        with warnings.catch_warnings():
            warnings.simplefilter("error", category=UserWarning)
            for group in groups:
                with xr.open_dataset(self.out / "demo.h5", engine="h5netcdf", group=group or None) as data:
                    for name, variable in data.load().variables.items():
                        self.assertFalse([d for d in variable.dims if d.startswith("phony")], f"{group}/{name}")
        self.file.visititems(lambda name, o: [self.assertEqual(len(d.keys()), 1, name) for d in o.dims]
                             if isinstance(o, h5py.Dataset) and not h5py.h5ds.is_scale(o.id) else None)

    def test_snippet_of_the_manual(self):
        archive = os.fspath(self.out / "demo.h5")
        part = xr.open_dataset(archive, engine="h5netcdf")["part"]
        layers = xr.open_dataset(archive, group="layers", engine="h5netcdf").assign_coords(part=part)
        curve = layers["std"].sel(part="q").values[1:7]
        expected = [widened(self.weights["aspen"][f"model.layers.{i}.self_attn.q_proj.weight"]).std(ddof=1) for i in range(6)]
        np.testing.assert_allclose(curve, expected, rtol=1e-12)

    def test_promised_files(self):
        for name in FILES:
            self.assertTrue((self.out / name).is_file(), name)
        for name in FILES:
            if name.endswith(".tsv"):
                self.assertGreater(len((self.out / name).read_text().split("\n")[0].split("\t")), 5, name)
        self.assertEqual(read_tsv(self.out / "failures.tsv"), [])
        self.assertEqual((self.out / "demo.h5").stat().st_mode & 0o777, 0o444)
        self.assertEqual({path.suffix for path in (self.out / "store").iterdir()}, {".rec", ".json"})
        self.assertEqual(list((self.out / "scratch").iterdir()), [])
        pairs = [(row["a"], row["b"]) for row in read_tsv(self.out / "pairs.tsv")]
        self.assertEqual(pairs, [(a, b) for a in MODELS for b in MODELS if a < b])

    def test_what_is_said(self):
        for done in self.runs.values():
            self.assertIn("8 models, 28 pairs: declarations 1 other_found, 4 supported; 0 failed", done.stdout)
            self.assertIn("  aspen-pruned-depth  aspen     SAME_LINEAGE      aspen          -1002.5  G      supported\n", done.stdout)
            self.assertIn("Published scores (intrinsic_fingerprint, tensorguard) rank candidates and decide nothing.", done.stdout)
            self.assertRegex(done.stdout, r"\n  Open \S+/report\.html in any browser; it needs no network\.\n\Z")
            self.assertEqual(done.stderr.count("  start     command:"), 1)  # one rank speaks
        said = {row["id"]: (row["relation"], row["relative"], row["abstain_reason"], row["declaration"])
                for row in read_tsv(self.out / "verdicts.tsv")}
        self.assertEqual(said, {"aspen": ("LOW_RANK_RELATED", "aspen-lora-r8", "", ""),
                                "aspen-code": ("SAME_LINEAGE", "aspen", "", "supported"),
                                "aspen-lora-r8": ("LOW_RANK_RELATED", "aspen", "", "supported"),
                                "aspen-pruned-depth": ("SAME_LINEAGE", "aspen", "", "supported"),
                                "birch": ("LOW_RANK_RELATED", "birch-lora-r8", "", ""),
                                "birch-lora-r8": ("LOW_RANK_RELATED", "birch", "", "supported"),
                                "cedar": ("SAME_LINEAGE", "cedar-code", "", ""),
                                "cedar-code": ("SAME_LINEAGE", "cedar", "", "other_found")})

    def test_families_stand_beside_those_of_the_control(self):
        rows = {row["id"]: row for row in read_tsv(self.out / "families.tsv")}
        self.assertEqual(sorted(rows), MODELS)
        self.assertEqual([id for id, row in rows.items() if row["is_base"] == "true"], ["aspen", "birch"])
        children = [row for row in rows.values() if row["declared"] and row["is_base"] == "false"]
        right, control = (sum(row[column] == row["declared"] for row in children) for column in ("family", "control_family"))
        for done in self.runs.values():
            self.assertIn(f"tensorguard puts {right} of {len(children)} declared children beside the declared base; its control, "
                          f"which knows shapes only, {control} (families.tsv).", done.stdout)

    def test_traced_weights_are_in_the_archive(self):
        """Rank 8 in every adapted weight, its largest singular values those of numpy, and who was traced."""
        with h5py.File(self.out / "demo.h5") as archive:
            ids = [name.decode() for name in archive["models/id"]]
            group, pairs = archive["methods/origin_tracer"], archive["pairs"]
            wanted = (ids.index("aspen"), ids.index("aspen-lora-r8"))
            pair = list(zip(pairs["model_a"], pairs["model_b"])).index(wanted)
            rows = [i for i, (at, how) in enumerate(zip(group["pair_index"], group["reading"])) if (at, how) == (pair, b"tensor")]
            self.assertEqual(len(rows), 42)
            self.assertEqual({int(group["rank_estimate"][i]) for i in rows}, {8})
            row = next(i for i in rows if group["subject"][i] == b"layers/3/mlp.up")
            base, tuned = (widened(read_safetensors(ZOO / name / "model.safetensors")["model.layers.3.mlp.up_proj.weight"])
                           for name in ("aspen", "aspen-lora-r8"))
            expected = np.linalg.svd(tuned.astype(float) - base.astype(float), compute_uv=False)
            first, count = int(group["row_start"][row]), int(group["row_count"][row])
            np.testing.assert_allclose(group["value"][first:first + count][:8], expected[:8], rtol=1e-10)


if __name__ == "__main__":
    unittest.main()

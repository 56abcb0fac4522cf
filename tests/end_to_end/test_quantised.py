"""Is a quantised model read as what it is, and does it stay kin of the model that it was made from?"""
import json
import shutil
import unittest

import h5py
import numpy as np

from harness import ZOO, EndToEnd, read_safetensors, read_tsv, widened, write_tsv
from quantise import GROUP, SCHEMES, grouped, write_quantised

RELATED = {"REENCODED_COPY", "LOW_RANK_RELATED", "SAME_LINEAGE"}


class Quantised(EndToEnd):
    def setUp(self):
        super().setUp()
        self.tensors = read_safetensors(ZOO / "aspen/model.safetensors")
        self.config = json.loads((ZOO / "aspen/config.json").read_text())
        for scheme in SCHEMES:
            write_quantised(self.directory / scheme, self.tensors, self.config, scheme)

    def test_inspect_names_the_scheme_and_all_roles(self):
        for scheme, (_, _, words) in SCHEMES.items():
            with self.subTest(scheme):
                lines = self.stemma("inspect", scheme).stdout.splitlines()
                told = [line.strip() for line in lines if line.startswith("  quantised: ")]
                self.assertTrue(told and all(line.startswith(f"quantised: {words}") for line in told), lines)
                self.assertEqual(sum(int(line.rsplit(": ", 1)[1].split()[0]) for line in told), 42)
                self.assertIn("architecture llama, 6 layers", lines[0])
                self.assertFalse([line for line in lines if "warning" in line or "error" in line], lines)
                document = json.loads(self.stemma("inspect", scheme, "--json").stdout)["targets"][0]
                self.assertEqual(sum(entry["tensors"] for entry in document["quantised"]), 42)
                roles = {tensor["role"]: (tensor["rows"], tensor["cols"]) for tensor in document["tensors"]}
                whole = json.loads(self.stemma("inspect", ZOO / "aspen", "--json").stdout)["targets"][0]
                self.assertEqual(roles, {t["role"]: (t["rows"], t["cols"]) for t in whole["tensors"]})

    def test_every_scheme_is_kin_of_its_source_and_of_nobody_else(self):
        paths = {"aspen": ZOO / "aspen", "birch": ZOO / "birch"} | {scheme: scheme for scheme in SCHEMES}
        write_tsv(self.directory / "all.tsv", ["id", "path"], [[id, str(path)] for id, path in paths.items()])
        self.write("run.yaml", "schema_version: 1\nmodels: [{sheet: all.tsv}]\noutput: out\n")
        self.stemma("run", "run.yaml", ranks=2, limit=300)
        relation = {}
        for row in read_tsv(self.directory / "out/pairs.tsv"):
            relation[row["a"], row["b"]] = relation[row["b"], row["a"]] = row["relation"]
        for scheme in SCHEMES:
            with self.subTest(scheme):
                self.assertIn(relation["aspen", scheme], RELATED)
                self.assertNotIn(relation["birch", scheme], RELATED)
        dtypes = {row["id"]: row["dtypes"] for row in read_tsv(self.directory / "out/models.tsv")}
        self.assertEqual(dtypes["awq"], "AWQ 4 bits groups of 64,BF16")
        self.assertEqual(dtypes["aspen"], "BF16")

    def test_codes_are_traced_to_the_numbers_that_they_were_made_from(self):
        paths = {m: ZOO / m for m in ("aspen", "aspen-lora-r8", "aspen-code", "birch")} | {scheme: scheme for scheme in SCHEMES}
        write_tsv(self.directory / "all.tsv", ["id", "path"], [[id, str(path)] for id, path in paths.items()])
        self.write("run.yaml", "schema_version: 1\nmodels: [{sheet: all.tsv}]\noutput: out\ntrace: {pairs: all}\n")
        self.stemma("run", "run.yaml", ranks=2, limit=400)
        rows = {frozenset((row["a"], row["b"])): row for row in read_tsv(self.directory / "out/pairs.tsv")}
        evidence = {frozenset((row["a"], row["b"])): row for row in read_tsv(self.directory / "out/evidence.tsv")
                    if row["method"] == "reencoding"}
        for scheme, (_, _, words) in SCHEMES.items():
            with self.subTest(scheme):
                row = rows[frozenset(("aspen", scheme))]
                self.assertEqual((row["relation"], row["direction"]), ("REENCODED_COPY", "a_to_b" if row["a"] == "aspen" else "b_to_a"))
                found = evidence[frozenset(("aspen", scheme))]
                detail = json.loads(found["detail"])
                self.assertEqual((float(found["value"]), detail["quantised"], detail["equal"], detail["nearest"]), (1, 42, 15, 1))
                self.assertLess(float(found["control"]), 0.2)
                self.assertIn(words.removesuffix(", "), detail["coarser"])
                # A child is not a copy of its quantised parent, nor is anybody of a stranger.
                self.assertEqual(rows[frozenset(("aspen-code", scheme))]["relation"], "SAME_LINEAGE")
                self.assertEqual(json.loads(evidence[frozenset(("aspen-code", scheme))]["detail"])["quantised"], 0)
                self.assertNotIn(rows[frozenset(("birch", scheme))]["relation"], RELATED)
                self.assertEqual(json.loads(evidence[frozenset(("birch", scheme))]["detail"])["quantised"], 0)
                # Where codes are coarser than an update is large, its rank is lost.
                self.assertEqual(rows[frozenset(("aspen-lora-r8", scheme))]["relation"], "LOW_RANK_RELATED" if scheme == "fp8" else "SAME_LINEAGE")
                for other in set(SCHEMES) - {scheme}:
                    self.assertIn(rows[frozenset((scheme, other))]["relation"], RELATED, other)
        # The null is that of the codes, so an update of low rank shows where it is larger than they are coarse.
        self.assertEqual(rows[frozenset(("aspen-lora-r8", "fp8"))]["relation"], "LOW_RANK_RELATED")
        self.assertIn("Differs by an update of rank 8 in ", self.sentence("aspen-lora-r8", "fp8"))
        self.assertIn("Equal up to storage in GPTQ, 4 bits", self.sentence("aspen", "gptq"))

    def test_a_quantised_child_is_no_copy_of_its_quantised_parent(self):
        child = read_safetensors(ZOO / "aspen-lora-r8/model.safetensors")
        paths = {scheme: scheme for scheme in SCHEMES}
        for scheme in SCHEMES:
            write_quantised(self.directory / f"child-{scheme}", child, self.config, scheme)
            paths[f"child-{scheme}"] = f"child-{scheme}"
        write_tsv(self.directory / "all.tsv", ["id", "path"], [[id, path] for id, path in paths.items()])
        self.write("run.yaml", "schema_version: 1\nmodels: [{sheet: all.tsv}]\noutput: out\ntrace: {pairs: all}\n")
        self.stemma("run", "run.yaml", ranks=2, limit=400)
        for row in read_tsv(self.directory / "out/pairs.tsv"):
            if row["a"].startswith("child-") != row["b"].startswith("child-"):
                self.assertIn(row["relation"], ("LOW_RANK_RELATED", "SAME_LINEAGE"), (row["a"], row["b"]))

    def test_what_an_adapter_adds_to_codes_is_seen_however_small(self):
        adapter = ZOO.parent / "adapters/aspen-lora-r8"
        self.write("run.yaml", f"schema_version: 1\nmodels: ['{ZOO / 'aspen'}', {{path: gptq}}, {{adapter: '{adapter}', \"on\": gptq}}]\n"
                               "output: out\ntrace: {pairs: all}\n")
        self.stemma("run", "run.yaml", ranks=2)
        relation = {frozenset((row["a"], row["b"])): row["relation"] for row in read_tsv(self.directory / "out/pairs.tsv")}
        merged = "gptq+aspen-lora-r8"
        self.assertEqual(relation[frozenset(("gptq", merged))], "LOW_RANK_RELATED")
        self.assertIn("Differs by an update of rank 8 in ", self.sentence("gptq", merged))
        self.assertEqual(relation[frozenset(("aspen", "gptq"))], "REENCODED_COPY")
        self.assertIn(relation[frozenset(("aspen", merged))], ("LOW_RANK_RELATED", "SAME_LINEAGE"))

    def test_the_archive_says_how_far_codes_may_be_off(self):
        self.write("run.yaml", "schema_version: 1\nmodels: [{path: gptq}, {path: compressed}, {path: '%s'}]\noutput: out\n" % (ZOO / "aspen"))
        hashes = set()
        for ranks in (1, 3):
            self.stemma("run", "run.yaml", "--output", f"out-{ranks}", ranks=ranks)
            with h5py.File(next((self.directory / f"out-{ranks}").glob("*.h5"))) as archive:
                hashes.add(archive.attrs["canonical_exact"])
                codes, names = archive["codes"], archive["tensors/name"].asstr()[:]
                model = archive["tensors/model_index"][:]
                ids = archive["models/id"].asstr()[:]
                rows = {(ids[model[t]], names[t]): row for row, t in enumerate(codes["tensor_index"])}
                self.assertEqual(len(rows), 2 * 42)
                for name, weight in ((n, widened(t)) for n, t in self.tensors.items() if n.endswith("_proj.weight")):
                    low, high = grouped(weight)
                    of_groups = (np.maximum(-low, high) / 7).astype(np.float16).astype(np.float64)
                    of_rows = (np.abs(weight).max(1, keepdims=True) / 7).astype(np.float32).astype(np.float64)
                    for scheme, scale in (("gptq", of_groups[:, np.arange(weight.shape[1]) // GROUP]),
                                          ("compressed", np.broadcast_to(of_rows, weight.shape))):
                        row, half = rows[scheme, name], scale / 2
                        self.assertTrue(codes["scheme"].asstr()[row].startswith(SCHEMES[scheme][2]))
                        self.assertEqual(codes["largest"][row], half.max(), (scheme, name))
                        self.assertAlmostEqual(codes["root_mean_square"][row] / np.sqrt(np.mean(half**2)), 1, delta=1e-12)
        self.assertEqual(len(hashes), 1)
        path = next((self.directory / "out-1").glob("*.h5"))
        for column, value, rule in (("largest", -1.0, "codes"), ("root_mean_square", 7.0, "codes"), ("tensor_index", 0, "order")):
            spoilt = self.directory / f"{column}.h5"
            shutil.copyfile(path, spoilt)
            with h5py.File(spoilt, "r+") as archive:
                archive["codes"][column][1] = value
            said = self.stemma("verify", spoilt, code=3)
            self.assertRegex(said.stdout + said.stderr, rf"codes/\S+: .* \(archive\.{rule}\)")

    def sentence(self, a, b):
        with h5py.File(next((self.directory / "out").glob("*.h5"))) as archive:
            ids, pairs = [text.decode() for text in archive["models/id"]], archive["pairs"]
            for one, other, text in zip(pairs["model_a"], pairs["model_b"], pairs["sentence"]):
                if {ids[one], ids[other]} == {a, b}:
                    return text.decode()

    def test_a_damaged_scale_loses_one_matrix(self):
        path = self.directory / "gptq/model.safetensors"
        data = bytearray(path.read_bytes())
        header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
        begin = 8 + int.from_bytes(data[:8], "little") + header["model.layers.2.mlp.up_proj.scales"]["data_offsets"][0]
        data[begin:begin + 2] = b"\x00\x7c"  # infinity
        path.write_bytes(data)
        self.write("run.yaml", "schema_version: 1\nmodels: [{path: gptq}]\noutput: out\n")
        self.stemma("run", "run.yaml", code=4)
        self.assertEqual({row["rule"] for row in read_tsv(self.directory / "out/failures.tsv")}, {"quant.scale_not_finite"})
        rows = read_tsv(self.directory / "out/models.tsv")
        self.assertEqual([row["status"] for row in rows], ["partial"])


if __name__ == "__main__":
    unittest.main()

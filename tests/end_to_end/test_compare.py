"""Do archives alone give the run's comparison again, and does each kind of pair get the verdict that the rules allow?"""
import json
import pathlib
import re
import shutil
import tempfile
import unittest

import h5py
import numpy as np

import harness
from family import CONFIG, DEEPER, LAYERS, circuits, curve, family, published_score, twin_curves, twin_score
from harness import EndToEnd, llama_config, llama_tensors, read_tsv, write_checkpoint, write_tsv

CAVEAT = "A curve score alone decides nothing: among 84 separately trained translators of one recipe the median score is 0.845"
PUBLISHED = "8,698 unrelated pairs of 137 public models, all depths (TensorLock)"


class Compare(EndToEnd):
    """One run over a family made on the spot, and archives of parts of it."""

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.tensors = family()
        for id, tensors in cls.tensors.items():
            layers = {"deeper": DEEPER, "shallow": 6}.get(id, LAYERS)
            if id == "copy":  # the same bytes in another order, in other files
                write_checkpoint(cls.shared / id, dict(reversed(tensors.items())), llama_config(layers), shards=3)
            else:
                write_checkpoint(cls.shared / id, tensors, llama_config(layers))
        cls.sheet(cls, "all.tsv", cls.tensors)
        (cls.shared / "family.yaml").write_text("schema_version: 1\nmodels: [{sheet: all.tsv}]\noutput: out\n")
        cls.done = harness.stemma("run", "family.yaml", ranks=2, cwd=cls.shared)
        if cls.done.returncode != 0:
            raise AssertionError(cls.done.stderr)
        cls.out = cls.shared / "out"
        cls.pairs = {(row["a"], row["b"]): row for row in read_tsv(cls.out / "pairs.tsv")}

    def sheet(self, file, ids, use="subject"):
        bases = {"tuned": "base", "framed": "base"}
        write_tsv(self.shared / file, ["path", "base", "use"], [[id, bases.get(id, ""), use] for id in ids])
        return self.shared / file

    def compare(self, *arguments, code=0):
        return self.stemma("compare", *arguments, code=code)

    def table(self, *arguments):
        """Rows of a comparison by pair of ids."""
        lines = self.compare(*arguments).stdout.splitlines()
        header = lines[0].split("\t")
        rows = [dict(zip(header, line.split("\t"), strict=True)) for line in lines[1:]]
        return {(row["a"], row["b"]): row for row in rows}

    def verdict(self, a, b):
        row = self.pairs[min(a, b), max(a, b)]
        return row["relation"], row["abstain_reason"]


class FromArchives(Compare):
    def test_pairs_of_the_run(self):
        done = self.compare(self.out)
        self.assertEqual(done.stdout, (self.out / "pairs.tsv").read_text())
        self.assertEqual(self.compare(self.out / "family.h5").stdout, done.stdout)
        self.assertIn("11 models, 55 pairs. " + CAVEAT, done.stderr)

    def test_evidence_of_the_run(self):
        document = json.loads(self.compare(self.out, "--json").stdout)
        self.assertEqual(document["schema"], "stemma.compare/1")
        self.assertTrue(document["caveat"].startswith(CAVEAT))
        rows = read_tsv(self.out / "evidence.tsv")
        found = [(pair, e) for pair in document["pairs"] for e in pair["evidence"]]
        self.assertEqual(len(rows), len(found))
        for row, (pair, e) in zip(rows, found):
            self.assertEqual([row[k] for k in ("a", "b", "method", "statistic", "null", "role", "grade", "abstain_reason")],
                             [pair["a"], pair["b"], e["method"], e["statistic"], e["null"], e["role"], e["grade"], e["abstains"]])
            for column, key in (("value", "score"), ("control", "control"), ("background_percentile", "background_percentile")):
                self.assertEqual(float(row[column]) if row[column] else None, e[key], row)
            self.assertEqual(json.loads(row["detail"]) if row["detail"] else None, e["detail"])
            self.assertEqual((row["background"], int(row["background_n"])), (e["background"], e["background_n"]))

    def test_verdicts_of_the_run(self):
        document = json.loads(self.compare(self.out, "--json").stdout)
        self.assertEqual([(p["a"], p["b"]) for p in document["pairs"]], list(self.pairs))
        for pair in document["pairs"]:
            row = self.pairs[pair["a"], pair["b"]]
            self.assertEqual((pair["relation"], pair["abstain_reason"]), (row["relation"], row["abstain_reason"]))

    def test_archives_of_parts_give_the_whole(self):
        ids = list(self.tensors)
        for file, part in (("one", ids[:4]), ("two", ids[4:])):
            sheet = self.sheet(file + ".tsv", part)
            self.stemma("fingerprint", "--sheet", sheet, "-o", file + ".h5", ranks=2)
        self.stemma("fingerprint", "--sheet", self.shared / "all.tsv", "-o", "all.h5")
        whole = self.compare("all.h5").stdout
        self.assertEqual(self.compare("one.h5", "two.h5").stdout, whole)
        self.assertEqual(self.compare("two.h5", "one.h5").stdout, whole)

    def test_one_pair_of_an_archive(self):
        one = (f"{self.out}:base", f"{self.out}/family.h5:tuned")
        done, document = self.compare(*one), json.loads(self.compare(*one, "--json").stdout)
        (pair,) = document["pairs"]
        self.assertTrue(done.stdout.startswith("base and tuned: SAME_LINEAGE\n  " + pair["sentence"] + "\n"))
        self.assertIn(CAVEAT, done.stdout)
        for e in (e for e in pair["evidence"] if not e["role"]):
            self.assertRegex(done.stdout, rf"(?m)^  {e['method']}  .*  {re.escape(e['null'])}$")
            self.assertIn(f"\n  {e['method']}: {e['statistic']}\n", done.stdout)
        for e in (e for e in pair["evidence"] if e["role"] and e["method"] == "intrinsic_fingerprint"):
            self.assertIn(f"  {e['role']} {e['score']:.4f}", done.stdout)
        for layer in range(LAYERS):  # the lower half is equal, and was not read
            told = re.search(rf"(?m)^    {layer} +full  .*  [?]  ", done.stdout)
            self.assertEqual(told is not None, layer >= LAYERS // 2, layer)
        # Also tensorguard's: it standardises over all models of the archive, as the run did.
        of_run = [row for row in read_tsv(self.out / "evidence.tsv") if (row["a"], row["b"]) == ("base", "tuned")]
        self.assertEqual([(row["role"], float(row["value"]) if row["value"] else None) for row in of_run],
                         [(e["role"], e["score"]) for e in pair["evidence"]])

    def test_published_methods_of_a_pair_stand_beside_null_control_and_percentile(self):
        """Two models have no strangers of their own, so the shipped background is taken and named."""
        one = (f"{self.out}:base", f"{self.out}:tuned")
        text = self.compare(*one).stdout
        found = {e["method"]: e for e in json.loads(self.compare(*one, "--json").stdout)["pairs"][0]["evidence"] if not e["role"]}
        for method, null in (("intrinsic_fingerprint", "none valid"), ("tensorguard", "none valid"),
                             ("origin_tracer", "rounding of the stored weights")):
            self.assertEqual(found[method]["null"], null)
            self.assertIsNotNone(found[method]["control"], method)
        curves = found["intrinsic_fingerprint"]
        self.assertEqual((curves["background"], curves["background_n"], curves["grade"]), (PUBLISHED, 8698, "N"))
        self.assertEqual((curves["background_percentile"], curves["detail"]["percentile_basis"]), (100, "above the largest"))
        self.assertEqual(curves["detail"]["conformal_p"], 1 / 8699)
        self.assertIn("  100.0 % of 8,698  ", text)
        self.assertIn(f"  Percentile: how many of the {PUBLISHED} have a lower intrinsic_fingerprint; above the largest.\n", text)

    def test_words_behind_the_colon(self):
        self.assertIn("family.h5 holds no model bsae. Did you mean base?", self.compare(f"{self.out}:bsae", code=2).stderr)
        self.assertIn("is named twice", self.compare(f"{self.out}:base", self.out, code=2).stderr)
        done = self.compare(f"{self.out}:base")
        self.assertIn("1 model, 0 pairs. There is nothing to compare.", done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 1)

    def test_one_id_in_two_archives(self):
        self.fingerprint("here.h5", self.shared / "base", self.shared / "stranger")
        (self.directory / "there").mkdir()
        write_checkpoint(self.directory / "models/base", self.tensors["tuned"], CONFIG)
        self.fingerprint("there/x.h5", "models/base")
        rows = self.table("here.h5", "there")
        self.assertEqual(list(rows), [("here.h5:base", "stranger"), ("here.h5:base", "there/x.h5:base"),
                                      ("stranger", "there/x.h5:base")])
        self.assertEqual(rows["here.h5:base", "there/x.h5:base"]["sigma_score"], self.pairs["base", "tuned"]["sigma_score"])
        self.assertIn("here.h5:base and there/x.h5:base: SAME_LINEAGE", self.compare("here.h5:base", "there/x.h5:base").stdout)

    def test_suspects_against_a_reference_family(self):
        known = self.sheet("known.tsv", ["base", "stranger"], use="reference")
        suspects = self.sheet("suspects.tsv", ["copy", "tuned", "heads"])
        self.stemma("fingerprint", "--sheet", known, "-o", "known.h5")
        self.stemma("fingerprint", "--sheet", suspects, "-o", "suspects.h5")
        rows = self.table("known.h5", "suspects.h5", "compare.pairs=reference")
        self.assertEqual(list(rows), [("base", "copy"), ("base", "heads"), ("base", "stranger"), ("base", "tuned"),
                                      ("copy", "stranger"), ("heads", "stranger"), ("stranger", "tuned")])
        self.assertEqual(rows["base", "copy"]["relation"], "EXACT_COPY")
        for pair, row in rows.items():
            self.assertEqual((row["sigma_score"], row["sigma_twin"]),
                             (self.pairs[pair]["sigma_score"], self.pairs[pair]["sigma_twin"]))

    def test_overrides(self):
        row = self.table(self.out, "compare.background=published")["base", "stranger"]
        self.assertEqual((row["sigma_background"], row["sigma_background_n"]), (PUBLISHED, "8698"))
        few = self.table(self.out, "compare.tests={intrinsic_fingerprint: {min_layers: 6}}")
        self.assertEqual(few["base", "shallow"]["abstain_reason"], "no_valid_null")
        self.assertEqual(few["base", "shallow"]["tests"], "1")
        row = self.table(self.out, "compare.background=none")["base", "stranger"]
        self.assertEqual((row["sigma_percentile"], row["sigma_background"]), ("", ""))
        declared = self.table(self.out, "compare.pairs=declared")
        self.assertEqual(list(declared), [("base", "framed"), ("base", "tuned"), ("framed", "tuned")])


class ListsOfPairs(Compare):
    def listed(self, text, *arguments):
        return self.table(self.out, "--pairs", self.write("list.tsv", text), *arguments)

    def test_order_columns_and_repetitions_do_not_matter(self):
        wanted = [("base", "copy"), ("deeper", "stranger")]
        for text in ("a\tb\nbase\tcopy\ndeeper\tstranger\n", "a\tb\ncopy\tbase\nstranger\tdeeper\n",
                     "why\tb\ta\nx\tcopy\tbase\ny\tdeeper\tstranger\n", "a\tb\r\nbase\tcopy\r\ndeeper\tstranger\r\n",
                     "a\tb\nbase\tcopy\nstranger\tdeeper\ncopy\tbase\n\n"):
            rows = self.listed(text)
            self.assertEqual(list(rows), wanted)
            for pair, row in rows.items():
                self.assertEqual(row["sigma_score"], self.pairs[pair]["sigma_score"])

    def test_empty_list(self):
        self.assertEqual(self.listed("a\tb\n"), {})

    def test_list_of_a_configuration(self):
        self.write("list.tsv", "a\tb\nbase\tcopy\nbase\ttuned\n")
        self.assertEqual(list(self.table(self.out, "compare.pairs=listed", "compare.list=list.tsv")),
                         [("base", "copy"), ("base", "tuned")])

    def test_mistakes_have_places(self):
        for text, says in (("a\tb\nbase\tcopy\nbsae\tcopy\n", "list.tsv:3: bsae is none of the 11 models. Did you mean base?"),
                           ("a\tb\nbase\tbase\n", "list.tsv:2: base is paired with itself"),
                           ("a,b\nbase,copy\n", "list.tsv:1: the header has no column a. The columns are separated by tabs"),
                           ("a\tb\nbase\n", "list.tsv:2: the row has 1 of 2 cells"),
                           ("", "list.tsv: cannot be read as a table")):
            done = self.compare(self.out, "--pairs", self.write("list.tsv", text), code=2)
            self.assertIn(says, done.stderr)
            self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1))
        self.write("c.yaml", f"schema_version: 1\nmodels: [{{path: {self.shared}/base}}, {{path: {self.shared}/copy}}]\n"
                             "compare: {pairs: listed, list: list.tsv}\n")
        self.write("list.tsv", "a\tb\nbase\tcoppy\n")
        for verb in ("run", "plan"):
            self.assertIn("list.tsv:2: coppy is none of the 2 models. Did you mean copy?",
                          self.stemma(verb, "c.yaml", code=2).stderr)


class Verdicts(Compare):
    def test_exact_copy_in_other_files_and_another_order(self):
        self.assertEqual(self.verdict("base", "copy"), ("EXACT_COPY", ""))
        row = self.pairs["base", "copy"]
        self.assertEqual((row["equal_tensors"], row["equal_bytes_share"]), (str(len(self.tensors["base"])), "1"))
        contents = {row["id"]: row["content"] for row in read_tsv(self.out / "models.tsv")}
        self.assertEqual(contents["base"], contents["copy"])
        self.assertEqual(len(set(contents.values())), len(contents) - 1)
        verdicts = {row["id"]: row for row in read_tsv(self.out / "verdicts.tsv")}
        self.assertEqual((verdicts["copy"]["relation"], verdicts["copy"]["relative"]), ("EXACT_COPY", "base"))

    def test_one_bit_makes_it_another_model(self):
        self.assertEqual(self.verdict("base", "bit"), ("SAME_LINEAGE", ""))
        self.assertEqual(int(self.pairs["base", "bit"]["equal_tensors"]), len(self.tensors["base"]) - 1)

    def test_tuned_copy_is_of_one_lineage(self):
        base, tuned = self.tensors["base"], self.tensors["tuned"]
        equal = [key for key in base if np.array_equal(base[key], tuned[key])]
        share = sum(base[key].nbytes for key in equal) / sum(array.nbytes for array in base.values())
        row = self.pairs["base", "tuned"]
        self.assertTrue(0 < len(equal) < len(base))
        self.assertEqual((int(row["equal_tensors"]), float(row["equal_bytes_share"])), (len(equal), share))
        self.assertGreater(float(row["sigma_score"]), 0.99)
        # The tuned weights have even noise on them, which rounding to fewer values might have left: no rank is read.
        self.assertEqual(self.verdict("base", "tuned"), ("SAME_LINEAGE", ""))
        (verdict,) = (row for row in read_tsv(self.out / "verdicts.tsv") if row["id"] == "tuned")
        self.assertEqual((verdict["relation"], verdict["declaration"]), ("SAME_LINEAGE", "supported"))

    def test_only_relatives_have_a_class(self):
        found = {pair: row["relation"] for pair, row in self.pairs.items() if row["relation"] not in ("ABSTAIN", "NO_EVIDENCE")}
        disguised = {tuple(sorted((one, other))) for one in ("base", "bit", "copy", "framed", "heads") for other in ("framed", "heads")}
        family = ("base", "bit", "copy", "framed", "heads", "tuned")
        expected = {(one, other): "SAME_LINEAGE" for one in family for other in family if one < other}
        expected |= dict.fromkeys((pair for pair in disguised if pair[0] != pair[1]), "REPARAMETRISED_COPY")
        self.assertEqual(found, expected | {("base", "copy"): "EXACT_COPY"})

    def test_scores_are_those_of_numpy(self):
        for (a, b), row in self.pairs.items():
            if "init" in a + b:
                continue
            expected = published_score(self.tensors[a], self.tensors[b])
            self.assertAlmostEqual(float(row["sigma_score"]), expected, delta=1e-9)
            if self.tensors[a].keys() == self.tensors[b].keys():
                expected = twin_score(self.tensors[a], self.tensors[b])
                self.assertAlmostEqual(float(row["sigma_twin"]), expected, delta=1e-6 * abs(expected))

    def test_untrained_models_are_flagged(self):
        evidence = json.loads(self.compare(self.out, "--json").stdout)["pairs"]
        for a, b in self.pairs:
            if "init" not in a + b:
                self.assertNotEqual(self.verdict(a, b)[1], "random_init")
                continue
            self.assertEqual(self.verdict(a, b), ("ABSTAIN", "random_init"))
            self.assertEqual((self.pairs[a, b]["sigma_score"], self.pairs[a, b]["sigma_twin"]), ("", ""))
        said = {(p["a"], p["b"]): p["sentence"] for p in evidence}
        self.assertIn("hardly vary over the layers", said["base", "init-flat"])
        self.assertIn("beyond the edge of a random matrix", said["base", "init-depth"])
        depth = curve(self.tensors["init-depth"], "q")
        self.assertGreater(depth.max() / depth.min(), 3)  # so the first rule cannot have seen it

    def test_too_few_layers(self):
        curves = self.table(self.out, "compare.tests={intrinsic_fingerprint: {}}")
        for other in ("base", "deeper", "stranger"):
            pair = tuple(sorted(("shallow", other)))
            self.assertEqual(curves[pair]["abstain_reason"], "too_few_layers")
            self.assertEqual(self.verdict("shallow", other), ("NO_EVIDENCE", ""))  # neurons do not need many layers

    def test_different_depths(self):
        self.assertEqual(self.verdict("base", "deeper"), ("NO_EVIDENCE", ""))  # the score: test_scores_are_those_of_numpy
        row = self.table(self.out, "compare.tests={intrinsic_fingerprint: {depth: refuse}}")["base", "deeper"]
        self.assertEqual((row["abstain_reason"], row["sigma_score"]), ("unaligned", ""))

    def untraced(self):
        """The output of a run that reads no weights again and matches no neurons: framed models pass for strangers, so there are
        enough of them."""
        out = self.shared / "untraced"
        if not out.exists():
            self.stemma("run", self.shared / "family.yaml", "trace.enabled=false",
                        "compare.tests={content: {}, histogram: {}, intrinsic_fingerprint: {}, tensorguard: {}}", "--output", out)
        return out

    def test_background_is_made_of_strangers_of_the_same_depth(self):
        pairs = {(row["a"], row["b"]): row for row in read_tsv(self.untraced() / "pairs.tsv")}
        related = {"base", "tuned", "framed", "copy"}  # by their claims, and the copy by its equal weights
        scores = [float(row["sigma_score"]) for (a, b), row in pairs.items()
                  if row["sigma_score"] and row["relation"] == "ABSTAIN" and not {a, b} <= related and "shallow" not in (a, b)]
        row = pairs["base", "tuned"]
        self.assertEqual(int(row["sigma_background_n"]), len(scores))
        below = sum(score < float(row["sigma_score"]) for score in scores)
        self.assertAlmostEqual(float(row["sigma_percentile"]), 100 * below / len(scores), delta=1e-9)
        self.assertEqual(row["sigma_percentile_basis"], "counted")
        self.assertIn("pairs of this corpus", row["sigma_background"])

    def test_where_strangers_are_few_the_published_ones_are_named(self):
        for (a, b), row in self.pairs.items():
            if "shallow" in (a, b) and row["sigma_score"]:
                self.assertIn("84 separately trained translators", row["sigma_background"])
                self.assertEqual(row["sigma_background_n"], "3486")
        with h5py.File(self.untraced() / "family.h5") as archive:
            self.assertEqual([name.split(",")[-1] for name in archive["backgrounds/population"].asstr()], [" 8-15 layers"])

    def test_nearest_by_curves_has_its_percentile(self):
        documents = {m["id"]: m for m in json.loads((self.out / "verdicts.json").read_text())["models"]}
        for row in read_tsv(self.out / "verdicts.tsv"):
            if not (near := row["nearest_by_curve"]):
                continue
            pair = self.pairs[min(row["id"], near), max(row["id"], near)]
            wanted = [pair["sigma_" + name] for name in ("percentile", "background_n", "percentile_basis", "background")]
            self.assertEqual([row["nearest_" + name] for name in ("percentile", "background_n", "percentile_basis", "background")], wanted)
            by_curve = documents[row["id"]]["nearest_by_curve"]
            self.assertEqual((str(by_curve["background_n"]), by_curve["background"]), (wanted[1], wanted[3]))


class ScalingAttack(Compare):
    """W_V times c and W_O divided by c compute the same; only the published score moves."""

    def test_the_function_is_unchanged(self):
        for id in ("framed", "heads"):
            for layer in range(LAYERS):
                for (qk, ov), (qk_other, ov_other) in zip(circuits(self.tensors["base"], layer),
                                                          circuits(self.tensors[id], layer)):
                    np.testing.assert_array_equal(qk, qk_other)
                    np.testing.assert_allclose(ov, ov_other, rtol=0, atol=1e-6 * np.abs(ov).max())

    def test_published_score_moves_and_twin_does_not(self):
        for id in ("framed", "heads"):
            row = self.pairs["base", id]
            self.assertLess(float(row["sigma_score"]), 0.9, id)
            self.assertAlmostEqual(float(row["sigma_twin"]), 1, delta=1e-6)

    def test_twin_curves_stay_where_they_are(self):
        with h5py.File(self.out / "family.h5", "r") as file:
            ids, model = file["models/id"].asstr()[:], file["layers/model_index"][:]
            layer, twin = file["layers/layer"][:], file["methods/intrinsic_fingerprint/twin"][:]
            curves = {id: twin[(ids[model] == id) & (layer >= 0)] for id in ("base", "framed", "heads")}
        for id, rows in curves.items():
            np.testing.assert_allclose(rows, twin_curves(self.tensors[id]), rtol=1e-9)
            np.testing.assert_allclose(rows, curves["base"], rtol=1e-6)

    def test_a_stranger_can_be_framed(self):
        rows = [row for row in read_tsv(self.out / "evidence.tsv") if (row["method"], row["role"]) == ("intrinsic_fingerprint", "v")]
        r = {(row["a"], row["b"]): float(row["value"]) for row in rows}
        self.assertAlmostEqual(r["framed", "stranger"], 1, delta=1e-6)
        self.assertLess(r["base", "stranger"], 0.9)
        honest, framed = self.pairs["base", "stranger"], self.pairs["framed", "stranger"]
        self.assertAlmostEqual(float(framed["sigma_twin"]), float(honest["sigma_twin"]), delta=1e-6)
        self.assertEqual((framed["relation"], framed["abstain_reason"]), ("NO_EVIDENCE", ""))


class Sayings(Compare):
    def test_what_a_curve_score_is_worth_is_always_said(self):
        self.assertIn("Published scores (intrinsic_fingerprint, tensorguard) rank candidates and decide nothing.", self.done.stdout)
        page = (self.out / "report.html").read_text()
        self.assertIn(CAVEAT, page)
        self.assertIn("21 % of the pairs reach 0.927", page)
        self.assertIn("11 models, 55 pairs: declarations 2 supported, 4 undeclared; 0 failed.", self.done.stdout)
        self.assertIn(CAVEAT, self.compare(self.out).stderr)
        self.assertIn(CAVEAT, self.compare(f"{self.out}:base", f"{self.out}:copy").stdout)
        for row in read_tsv(self.out / "evidence.tsv"):
            if row["method"] == "intrinsic_fingerprint" and not row["role"] and row["value"]:
                self.assertTrue(json.loads(row["detail"])["caveat"].startswith(CAVEAT))

    def test_no_accusation(self):
        texts = [self.done.stdout, self.compare(self.out, "--json").stdout]
        texts += [path.read_text() for path in self.out.glob("*.tsv")]
        for word in ("stole", "copied", "plagiar", "infring", "proof", "probability of"):
            for text in texts:
                self.assertNotIn(word, text)


class Edges(EndToEnd):
    def test_one_model(self):
        write_checkpoint(self.directory / "alone", llama_tensors(CONFIG, 1), CONFIG)
        self.write("c.yaml", "schema_version: 1\nname: c\nmodels: [alone]\noutput: out\n")
        for ranks in (1, 2):
            done = self.stemma("run", "c.yaml", ranks=ranks)
            self.assertIn("1 model, 0 pairs: nothing declared; 0 failed.", done.stdout)
            self.assertEqual(read_tsv(self.directory / "out/pairs.tsv"), [])
            self.assertIn("1 model, 0 pairs. There is nothing to compare.", self.stemma("compare", "out").stderr)
        self.assertEqual(json.loads(self.stemma("compare", "out", "--json").stdout)["pairs"], [])
        self.assertIn("archive of 1 model, 0 pairs, 0 failures", self.stemma("inspect", "out").stdout)
        self.assertIn("1 of 1 readable", self.stemma("plan", "c.yaml").stdout.replace(" model", ""))

    def test_nothing_can_be_compared(self):
        """Constant tensors under unknown names: no question applies, and that is said."""
        for id, shape in (("ones", 8), ("more", 9)):
            write_checkpoint(self.directory / id, {"x": np.ones((shape, 4), np.float32)}, None)
        self.fingerprint("a.h5", "ones", "more")
        done = self.stemma("compare", "a.h5")
        self.assertIn("more and ones: ABSTAIN(unsupported)", done.stdout)
        self.assertIn("No test could be applied to this pair.", done.stdout)
        (pair,) = json.loads(self.stemma("compare", "a.h5", "--json").stdout)["pairs"]
        self.assertEqual({e["method"]: e["abstains"] for e in pair["evidence"] if not e["role"]},
                         {**dict.fromkeys(("content", "histogram", "intrinsic_fingerprint", "neuron_match"), "unsupported"),
                          "tensorguard": "too_few_models"})
        self.assertEqual({e["score"] for e in pair["evidence"]}, {None})

    def test_model_that_failed_still_has_rows(self):
        write_checkpoint(self.directory / "good", llama_tensors(CONFIG, 1), CONFIG)
        write_checkpoint(self.directory / "bad", llama_tensors(CONFIG, 2), CONFIG)
        weights = self.directory / "bad/model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1000])
        archive = self.fingerprint("a.h5", "good", "bad", code=4)
        (pair,) = json.loads(self.stemma("compare", archive, "--json").stdout)["pairs"]
        self.assertEqual((pair["a"], pair["b"], pair["relation"]), ("bad", "good", "ABSTAIN"))
        self.assertEqual({e["score"] for e in pair["evidence"]}, {None})

    def test_archive_of_one_question(self):
        for id in ("a", "b"):
            write_checkpoint(self.directory / id, llama_tensors(CONFIG, 1), CONFIG)
        self.write("c.yaml", "schema_version: 1\nname: c\nmodels: [a, b]\noutput: out\nanalyzers: {content: {}}\n")
        self.stemma("run", "c.yaml")
        (row,) = read_tsv(self.directory / "out/pairs.tsv")
        self.assertEqual((row["relation"], row["tests"]), ("EXACT_COPY", "1"))
        self.assertIn("a and b: EXACT_COPY", self.stemma("compare", "out").stdout)


if __name__ == "__main__":
    unittest.main()

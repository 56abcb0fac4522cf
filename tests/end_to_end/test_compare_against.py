"""Are the models of other archives compared with those of a run as if they were its own references, and nothing else?"""
import hashlib
import json
import pathlib
import shutil
import tempfile
import unittest

import h5py

import harness
from harness import ZOO, EndToEnd, read_tsv

REFERENCES = ["aspen", "birch", "cedar"]
HEAD = ("schema_version: 1\noutput: out\ntrace: {enabled: false}\n"
        "analyzers: {content: {}, histogram: {}, intrinsic_fingerprint: {}, neuron_match: {}}\n")
OWN = f"  - {{path: {ZOO}/aspen-code, base: aspen}}\n  - {{path: {ZOO}/cedar-code, base: birch}}\n  - {{path: {ZOO}/aspen, id: copy}}\n"


def named(id):
    return id.partition("@")[0]


class CompareAgainst(EndToEnd):
    """One run against an archive of references, and one that has these as models of its own."""

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.program("fingerprint", *(ZOO / id for id in REFERENCES), "-o", "old.h5")
        cls.before = hashlib.sha256((cls.shared / "old.h5").read_bytes()).hexdigest()
        (cls.shared / "against.yaml").write_text(f"{HEAD}compare: {{against: [old.h5]}}\nmodels:\n{OWN}")
        references = "".join(f"  - {{path: {ZOO}/{id}, use: reference}}\n" for id in REFERENCES)
        (cls.shared / "all.yaml").write_text(f"{HEAD}models:\n{OWN}{references}")
        cls.program("run", "against.yaml", ranks=2)
        cls.program("run", "all.yaml", "--output", "all")
        cls.out = cls.shared / "out"

    @classmethod
    def program(cls, *arguments, **options):
        done = harness.stemma(*arguments, cwd=cls.shared, **options)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return done

    def rows(self, directory, table):
        return {(*sorted((named(row["a"]), named(row["b"]))), row.get("method"), row.get("role")): row
                for row in read_tsv(self.shared / directory / table)}

    def test_which_pairs(self):
        pairs = {(row["a"], row["b"]) for row in read_tsv(self.out / "pairs.tsv")}
        own = ["aspen-code", "cedar-code", "copy"]
        known = [id + "@old" for id in REFERENCES]
        wanted = {tuple(sorted((a, b))) for a in own for b in own + known if a != b}
        self.assertEqual(pairs, wanted)

    def test_evidence_is_that_of_models_of_the_run(self):
        found, wanted = self.rows("out", "evidence.tsv"), self.rows("all", "evidence.tsv")
        among = {(a, b) for a in REFERENCES for b in REFERENCES}
        self.assertEqual(set(found), {key for key in wanted if key[:2] not in among})
        for key, row in found.items():
            for column in ("value", "control", "log10_p", "grade", "abstain_reason"):
                self.assertEqual(row[column], wanted[key][column], (key, column))
        of_all = self.rows("all", "pairs.tsv")
        for key, row in self.rows("out", "pairs.tsv").items():
            self.assertEqual((row["relation"], row["log10_p"]), (of_all[key]["relation"], of_all[key]["log10_p"]), key)

    def test_verdicts_name_the_archive(self):
        rows = {row["id"]: row for row in read_tsv(self.out / "verdicts.tsv")}
        self.assertEqual(set(rows), {"aspen-code", "cedar-code", "copy"})  # references are not judged
        self.assertEqual((rows["copy"]["relation"], rows["copy"]["relative"]), ("EXACT_COPY", "aspen@old"))
        self.assertEqual((rows["aspen-code"]["declared"], rows["aspen-code"]["declaration"]), ("aspen@old", "supported"))
        self.assertEqual((rows["cedar-code"]["relative"], rows["cedar-code"]["declaration"]), ("cedar@old", "other_found"))
        models = {row["id"]: row for row in read_tsv(self.out / "models.tsv")}
        self.assertEqual((models["cedar@old"]["status"], models["cedar@old"]["use"], models["cedar@old"]["layers"]),
                         ("known", "reference", "7"))
        self.assertEqual(read_tsv(self.out / "failures.tsv"), [])
        page = (self.out / "report.html").read_text()
        self.assertIn("aspen@old", page)

    def test_archives(self):
        self.assertEqual(hashlib.sha256((self.shared / "old.h5").read_bytes()).hexdigest(), self.before)
        archive = self.out / "against.h5"
        self.stemma("verify", archive)
        with h5py.File(archive) as file:
            ids = list(file["models/id"].asstr()[:])
            known = ids.index("birch@old")
            self.assertEqual(file["models/format"].asstr()[known], "stemma archive")
            self.assertEqual(file["models/tensor_count"][known], 0)
            exact = file.attrs["canonical_exact"]
        self.program("run", "against.yaml", "--output", "alone")
        self.assertEqual(json.loads((self.shared / "alone/verdicts.json").read_text())["archive"]["canonical_exact"], exact)
        done = self.program("run", "--reproduce", self.out)
        self.assertIn("bit for bit", done.stdout + done.stderr)

    def test_what_is_not_comparable_is_left_out(self):
        config = self.write("guard.yaml", HEAD.replace("neuron_match: {}", "tensorguard: {samples: 2, targets: 2}")
                            + f"compare: {{against: [{self.shared}/old.h5]}}\nmodels: [{ZOO}/aspen]\n")
        done = self.stemma("run", config)
        self.assertIn("old.h5: what tensorguard found is not compared, because its parameters differ", done.stderr)
        rows = [row for row in read_tsv(self.directory / "out/evidence.tsv") if row["method"] == "tensorguard"]
        self.assertEqual(len(rows), 3)
        self.assertTrue(all(row["abstain_reason"] for row in rows), rows)

    def test_listed_pairs(self):
        self.write("pairs.tsv", "a\tb\ncopy\taspen@old\n")
        config = self.write("listed.yaml", f"{HEAD}compare: {{against: [{self.shared}/old.h5], pairs: listed, list: pairs.tsv}}\n"
                            f"models:\n{OWN}")
        self.stemma("run", config)
        (row,) = read_tsv(self.directory / "out/pairs.tsv")
        self.assertEqual((row["a"], row["b"], row["relation"]), ("aspen@old", "copy", "EXACT_COPY"))

    def test_mistakes(self):
        config = self.write("wrong.yaml", f"{HEAD}compare: {{against: [nowhere.h5]}}\nmodels: [{ZOO}/aspen]\n")
        self.assertIn("nowhere.h5 is neither an archive nor a run directory", self.stemma("run", config, code=2).stderr)
        damaged = bytearray((self.shared / "old.h5").read_bytes())
        damaged[len(damaged) // 2] ^= 1
        (self.directory / "damaged.h5").write_bytes(damaged)
        config.write_text(f"{HEAD}compare: {{against: [damaged.h5]}}\nmodels: [{ZOO}/aspen]\n")
        self.assertIn("damaged.h5", self.stemma("run", config, code=3).stderr)


if __name__ == "__main__":
    unittest.main()

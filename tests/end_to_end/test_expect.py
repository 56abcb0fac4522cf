"""Does verify hold an archive to a sheet of the truth, and name every pair of which it says something else?"""
import json
import tempfile
import unittest

import harness
from harness import SOURCE, ZOO, EndToEnd, read_tsv, write_tsv

COLUMNS = ["a", "b", "relation"]


class Expectations(EndToEnd):
    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory(prefix="stemma_")
        cls.addClassCleanup(place.cleanup)
        cls.home = place.name
        done = harness.stemma("run", SOURCE / "configs/demo.yaml", "--output", f"{cls.home}/demo")
        assert done.returncode == 0, done.stderr

    def held(self, *rows, code=0, options=()):
        write_tsv(self.directory / "truth.tsv", COLUMNS, rows)
        return self.stemma("verify", f"{self.home}/demo", "--expect", "truth.tsv", *options, code=code)

    def test_the_demo_says_what_is_so(self):
        """Every row of its truth, which is older than the archive and was not made from it."""
        rows = read_tsv(ZOO / "truth.tsv")
        self.assertGreaterEqual(len(rows), 8)
        done = self.stemma("verify", f"{self.home}/demo", "--expect", ZOO / "truth.tsv")
        self.assertTrue(done.stdout.endswith(f"archive is sound; {len(rows)} of {len(rows)} pairs as expected\n"), done.stdout)
        listed = {frozenset((row["a"], row["b"])) for row in rows}
        related = {frozenset((row["a"], row["b"])) for row in read_tsv(f"{self.home}/demo/pairs.tsv") if row["relation"] != "NO_EVIDENCE"}
        self.assertEqual(len([pair for pair in listed if pair in related]), 5)

    def test_what_its_sheet_claims_is_not_all_so(self):
        """models.tsv holds one false claim: that cedar-code was made from birch."""
        claims = [(row["id"], row["base"], row["relation"]) for row in read_tsv(ZOO / "models.tsv") if row["base"]]
        done = self.held(*claims, code=3)
        self.assertEqual(done.stdout.splitlines()[:-1],
                         [f"{self.home}/demo/demo.h5: verify.unexpected: cedar-code and birch: finetune expected, NO_EVIDENCE found"])
        self.assertIn("archive has 1 complaint; 4 of 5 pairs as expected\n", done.stdout)

    def test_classes_words_and_choices(self):
        self.held(("aspen", "aspen-code", "SAME_LINEAGE"), ("aspen-code", "aspen", "LOW_RANK_RELATED|SAME_LINEAGE"),
                  ("birch", "birch-lora-r8", "adapter"), ("aspen", "birch", "NO_EVIDENCE"), ("aspen", "cedar", "independent"))
        done = self.held(("aspen", "aspen-code", "EXACT_COPY"), ("aspen", "aspen-lora-r8", "finetune"), ("birch", "cedar", "copy|merge"),
                         ("birch", "birch-lora-r8", "independent"), code=3)
        self.assertEqual([line.split("unexpected: ")[1] for line in done.stdout.splitlines() if "unexpected" in line],
                         ["aspen and aspen-code: EXACT_COPY expected, SAME_LINEAGE found",
                          "birch and cedar: copy|merge expected, NO_EVIDENCE found",
                          "birch and birch-lora-r8: independent expected, LOW_RANK_RELATED found"])

    def test_json(self):
        done = self.held(("aspen", "aspen-code", "SAME_LINEAGE"), ("aspen", "birch", "finetune"), code=3, options=["--json"])
        (target,) = json.loads(done.stdout)["targets"]
        self.assertEqual(target["expectation"], {"pairs": 2, "differing": [{"a": "aspen", "b": "birch", "expected": "finetune",
                                                                           "found": "NO_EVIDENCE"}]})

    def test_pairs_that_are_not_there(self):
        archive = self.fingerprint("single.h5", ZOO / "aspen", ZOO / "birch")
        write_tsv(self.directory / "truth.tsv", COLUMNS, [("aspen", "birch", "independent")])
        done = self.stemma("verify", archive, "--expect", "truth.tsv", code=3)
        self.assertIn("aspen and birch: independent expected, but the archive does not compare them\n", done.stdout)

    def test_sheets_that_say_nothing(self):
        for row, says in ((("aspen", "aspn-code", "finetune"), "truth.tsv:2: aspn-code is none of the 8 models. Did you mean aspen-code?"),
                          (("aspen", "aspen", "copy"), "truth.tsv:2: aspen is paired with itself"),
                          (("aspen", "birch", "finetuned"), "truth.tsv:2: finetuned is no relation. Did you mean finetune?"),
                          (("aspen", "birch", ""), "truth.tsv:2: the row has 2 of 3 cells"),
                          (("aspen", "birch", "copy|"), "truth.tsv:2: an empty cell is no relation. Known: ")):
            with self.subTest(row):
                self.assertTrue(self.held(row, code=2).stderr.startswith(says), self.held(row, code=2).stderr)
        self.assertIn("is no archive; --expect is for archives alone",
                      self.stemma("verify", ZOO / "aspen", "--expect", ZOO / "truth.tsv", code=2).stderr)
        self.assertEqual(self.stemma("verify", f"{self.home}/demo", "--expect", "absent", code=2).stdout, "")


if __name__ == "__main__":
    unittest.main()

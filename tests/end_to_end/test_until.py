"""Does a run that was told to end after a stage leave what that stage makes, and does the same command then go on from there?"""
import json
import re
import unittest

from harness import ZOO, EndToEnd, read_tsv

CONFIG = f"schema_version: 1\nmodels: ['{ZOO}/aspen', '{ZOO}/aspen-lora-r8', '{ZOO}/birch']\noutput: out\n"


class Until(EndToEnd):
    def relations(self):
        return [row["relation"] for row in read_tsv(self.directory / "out/pairs.tsv")]

    def test_stage_after_stage(self):
        """Whatever stands between, the archive at the end is that of an undisturbed run."""
        self.write("c.yaml", CONFIG)
        self.stemma("run", "c.yaml", "--output", "alone")
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                done = self.stemma("run", "c.yaml", "--fresh", "--until", "archive", ranks=ranks)
                self.assertEqual(self.relations(), [])
                self.assertEqual(len(read_tsv(self.directory / "out/models.tsv")), 3)
                self.assertIn("--until archive: the same command without it goes on", done.stderr)
                self.assertNotIn("  trace  ", done.stderr)
                self.stemma("verify", "out")
                done = self.stemma("run", "c.yaml", "--until", "compare", ranks=ranks)
                self.assertNotIn("  trace  ", done.stderr)
                self.assertRegex(done.stderr, r"resume +work: (\d+) of \1 items known already")
                self.assertEqual(sorted(self.relations()), ["NO_EVIDENCE", "NO_EVIDENCE", "SAME_LINEAGE"])  # ranks are for weights to tell
                done = self.stemma("run", "c.yaml", ranks=ranks)
                self.assertIn("  trace  ", done.stderr)
                self.assertEqual(sorted(self.relations()), ["LOW_RANK_RELATED", "NO_EVIDENCE", "NO_EVIDENCE"])
                self.assertIn("against the other: equal", self.stemma("verify", "out", "--against", "alone").stdout)
                self.assertEqual((self.directory / "out/pairs.tsv").read_bytes(), (self.directory / "alone/pairs.tsv").read_bytes())

    def test_ends_like_any_run(self):
        self.write("c.yaml", CONFIG)
        verdicts = json.loads(self.stemma("run", "c.yaml", "--until", "archive", "--json", "--receipt", "r").stdout)
        self.assertEqual(verdicts["pairs_tested"], 0)
        self.assertEqual(json.loads((self.directory / "out/status.json").read_text())["exit_code"], 0)
        self.assertEqual(json.loads((self.directory / "r").read_text())["exit_code"], 0)

    def test_refusals(self):
        self.write("c.yaml", CONFIG)
        self.assertIn("confirm is none of archive, compare", self.stemma("run", "c.yaml", "--until", "confirm", code=2).stderr)
        done = self.stemma("run", "--reproduce", "out", "--until", "compare", code=2)
        self.assertTrue(re.search(r"--reproduce.*--until|--until.*--reproduce", done.stderr), done.stderr)


if __name__ == "__main__":
    unittest.main()

"""Are the candidates of a run, and the pairs of a list, read again one by one, each a row of one table?"""
import json
import shutil
import unittest

from harness import ZOO, EndToEnd, read_tsv, write_tsv

IDS = ("aspen", "aspen-code", "aspen-lora-r8", "birch")
FACTS = ("relation", "abstain_reason", "sentence")


class Many(EndToEnd):
    def setUp(self):
        super().setUp()
        for id in IDS:
            shutil.copytree(ZOO / id, self.directory / "models" / id)
        rows = [[f"models/{id}", "aspen" if id.startswith("aspen-") else "", ""] for id in IDS]
        write_tsv(self.directory / "models.tsv", ["path", "base", "label"], rows)

    def run_it(self, more=""):
        self.write("c.yaml", f"schema_version: 1\nname: r\nmodels: [{{sheet: models.tsv}}]\n{more}"
                             "analyzers: {content: {}, intrinsic_fingerprint: {}}\ncompare: {tests: {content: {}, intrinsic_fingerprint: {}}}\n")
        self.stemma("run", "c.yaml")

    def table(self, *arguments, **options):
        return read_tsv(self.write("traced.tsv", self.stemma("trace", *arguments, **options).stdout))

    def alone(self, base, candidate):
        """What the trace of two models says of the pair."""
        (pair,) = json.loads(self.stemma("trace", f"models/{base}", f"models/{candidate}", "--json").stdout)["pairs"]
        return pair

    def test_candidates_of_a_run(self):
        self.run_it()
        confirmed = {frozenset((row["a"], row["b"])): row for row in read_tsv(self.directory / "runs/r/pairs.tsv")
                     if row["stage"] == "confirmed"}
        self.assertGreaterEqual(len(confirmed), 2)
        for ranks in (1, 2):
            rows = self.table("runs/r", ranks=ranks)
            self.assertEqual({frozenset((row["base"], row["candidate"])) for row in rows}, set(confirmed))
            self.assertEqual(len(rows), len(confirmed))
            for row in rows:
                pair = confirmed[frozenset((row["base"], row["candidate"]))]
                self.assertEqual((row["relation"], row["abstain_reason"]), (pair["relation"], pair["abstain_reason"]))

    def test_rows_are_what_a_pair_alone_gives(self):
        self.run_it("trace: {enabled: false}\n")
        write_tsv(self.directory / "list.tsv", ["a", "b", "why"], [["aspen-lora-r8", "aspen", "x"], ["birch", "aspen", ""],
                                                                   ["aspen", "birch", "the same pair"]])
        rows = self.table("runs/r", "--pairs", "list.tsv")
        self.assertEqual([(row["base"], row["candidate"]) for row in rows], [("aspen", "aspen-lora-r8"), ("birch", "aspen")])
        for row in rows:
            pair = self.alone(row["base"], row["candidate"])
            self.assertEqual([row[key] for key in FACTS], [pair[key] for key in FACTS])
            tracer = pair["origin_tracer"]
            self.assertEqual((int(row["weights_equal"]), int(row["weights_changed"]), row["circuits"]),
                             (pair["content"]["equal"], tracer["weights_changed"], tracer["label"]))
        self.assertEqual(rows[0]["relation"], "LOW_RANK_RELATED")
        self.assertEqual(float(rows[0]["rank"]), 16)
        document = json.loads(self.stemma("trace", "runs/r", "--pairs", "list.tsv", "--json").stdout)
        self.assertEqual([(p["base"], p["candidate"]) for p in document["pairs"]], [("aspen", "aspen-lora-r8"), ("birch", "aspen")])

    def test_a_list_of_models_without_an_archive(self):
        write_tsv(self.directory / "list.tsv", ["a", "b"], [["aspen", "aspen-code"]])
        (row,) = self.table(*(f"models/{id}" for id in IDS), "--pairs", "list.tsv")
        self.assertEqual((row["base"], row["candidate"], row["relation"]), ("aspen", "aspen-code", "SAME_LINEAGE"))

    def test_pairs_across_archives(self):
        self.fingerprint("a.h5", "models/aspen", "models/birch")
        self.fingerprint("b.h5", "models/aspen-lora-r8")
        write_tsv(self.directory / "list.tsv", ["a", "b"], [["aspen", "aspen-lora-r8"]])
        (row,) = self.table("a.h5", "b.h5", "--pairs", "list.tsv")
        self.assertEqual(row["relation"], "LOW_RANK_RELATED")
        rows = self.table("a.h5", "b.h5")
        self.assertIn(("aspen", "aspen-lora-r8"), [(row["base"], row["candidate"]) for row in rows])

    def test_a_model_that_is_gone_is_a_row(self):
        self.run_it("trace: {enabled: false}\n")
        shutil.rmtree(self.directory / "models/aspen-code")
        write_tsv(self.directory / "list.tsv", ["a", "b"], [["aspen", "aspen-code"], ["aspen", "aspen-lora-r8"]])
        done = self.stemma("trace", "runs/r", "--pairs", "list.tsv", code=4)
        rows = read_tsv(self.write("traced.tsv", done.stdout))
        gone = rows[1]
        self.assertEqual([row["relation"] for row in rows], ["LOW_RANK_RELATED", "ABSTAIN"])
        self.assertEqual((gone["base"], gone["candidate"]), ("aspen", "aspen-code"))
        self.assertTrue(gone["abstain_reason"] and gone["sentence"])
        self.assertIn("aspen and aspen-code: ", done.stderr)
        self.stemma("trace", "runs/r", "--pairs", "list.tsv", "--strict", code=3)
        moved = self.directory / "elsewhere"
        shutil.copytree(ZOO / "aspen-code", moved / "aspen-code")
        self.stemma("trace", "runs/r", "--pairs", "list.tsv", "--inputs", moved)

    def test_nobody_is_a_candidate(self):
        self.fingerprint("a.h5", "models/aspen", "models/birch")
        self.assertEqual(self.table("a.h5", "compare.pairs=declared"), [])


if __name__ == "__main__":
    unittest.main()

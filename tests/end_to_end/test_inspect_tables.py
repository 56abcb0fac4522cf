"""Does inspect show one part of everything as one table: findings, declarations, features?"""
import json
import shutil
import unittest

from harness import ZOO, EndToEnd, read_tsv, write_tsv


class Tables(EndToEnd):
    def table(self, *arguments, code=0):
        """Rows of what inspect prints, and the targets of the same as a document."""
        path = self.write("shown.tsv", self.stemma("inspect", *arguments, code=code).stdout)
        document = json.loads(self.stemma("inspect", *arguments, "--json", code=code).stdout)
        self.assertEqual(document["schema"], "stemma.inspect/1")
        return read_tsv(path), document["targets"]

    def test_findings(self):
        shutil.copytree(ZOO / "aspen", self.directory / "torn")
        weights = self.directory / "torn/model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
        rows, targets = self.table(ZOO / "birch", "torn", "--findings", code=4)
        self.assertIn(("torn", "error"), [(row["model"], row["severity"]) for row in rows])
        self.assertTrue(all(row["rule"] for row in rows))
        listed = [(f["model"], f["rule"], f["found"]) for target in targets for f in target["findings"]]
        self.assertEqual([(row["model"], row["rule"], row["found"]) for row in rows], listed)
        self.assertEqual([target["kind"] for target in targets], ["model", "model"])
        self.assertNotIn("tensors", targets[0])

    def test_findings_of_a_run_are_those_of_its_archive(self):
        self.write("c.yaml", f"schema_version: 1\nname: r\nmodels: ['{ZOO}/aspen', '{ZOO}/birch']\nanalyzers: {{content: {{}}}}\n")
        self.stemma("run", "c.yaml")
        rows, _ = self.table("runs/r", "--findings")
        self.assertEqual(rows, read_tsv(self.directory / "runs/r/findings.tsv"))

    def test_declared(self):
        """The zoo's sheet is what its models claim; nobody else says anything."""
        rows, targets = self.table("--sheet", ZOO / "models.tsv", "--declared")
        sheet = {row["id"]: row for row in read_tsv(ZOO / "models.tsv")}
        self.assertEqual({row["model"] for row in rows}, set(sheet))
        for row in rows:
            self.assertEqual((row["base"], row["relation"]), (sheet[row["model"]]["base"], sheet[row["model"]]["relation"]))
            self.assertEqual(bool(row["source"]), bool(row["base"]))
        claims = [(c["model"], c["base"]) for target in targets for c in target["claims"]]
        self.assertEqual(claims, [(row["model"], row["base"]) for row in rows if row["base"]])

    def test_declared_by_files(self):
        shutil.copytree(ZOO / "aspen", self.directory / "m")
        (self.directory / "m/README.md").write_text("---\nbase_model: org/parent\nbase_model_relation: finetune\n---\n")
        rows, _ = self.table("m", "--declared")
        self.assertEqual([(r["model"], r["base"], r["relation"], r["source"]) for r in rows], [("m", "org/parent", "finetune", "README.md")])

    def test_features_are_those_of_the_run(self):
        self.write("c.yaml", f"schema_version: 1\nname: r\nmodels: ['{ZOO}/aspen', '{ZOO}/birch']\n")
        self.stemma("run", "c.yaml")
        rows, targets = self.table("runs/r", "--features")
        self.assertGreater(len(rows), 100)
        self.assertEqual(rows, read_tsv(self.directory / "runs/r/features.tsv"))
        shown = [(f["model"], f["layer"], f["part"], f["feature"], f["value"]) for f in targets[0]["features"]]
        self.assertEqual(shown, [(r["model"], int(r["layer"]), r["part"], r["feature"], float(r["value"])) for r in rows])

    def test_two_archives(self):
        self.fingerprint("a.h5", ZOO / "aspen")
        self.fingerprint("b.h5", ZOO / "aspen")
        rows, _ = self.table("a.h5", "b.h5", "--features")
        self.assertEqual({row["model"] for row in rows}, {"a.h5:aspen", "b.h5:aspen"})

    def test_picked(self):
        write_tsv(self.directory / "some.tsv", ["x", "who"], [["1", "cedar"], ["2", "birch"]])
        rows, _ = self.table("--sheet", ZOO / "models.tsv", "--pick", "some.tsv:who", "--declared")
        self.assertEqual([row["model"] for row in rows], ["birch", "cedar"])
        self.stemma("fingerprint", "--sheet", ZOO / "models.tsv", "--pick", "some.tsv:who", "-o", "p.h5")
        self.assertEqual([m["id"] for m in json.loads(self.stemma("inspect", "p.h5", "--json").stdout)["targets"][0]["models"]],
                         ["birch", "cedar"])


if __name__ == "__main__":
    unittest.main()

"""Is the page of several archives the page of what they come to when they are merged?"""
import re
import unittest

from harness import ZOO, EndToEnd, write_tsv


class Several(EndToEnd):
    def setUp(self):
        super().setUp()
        for name, models in (("a", ("aspen", "birch")), ("b", ("cedar", "aspen-code"))):
            paths = ", ".join(f"'{ZOO}/{id}'" for id in models)
            self.write(f"{name}.yaml", f"schema_version: 1\nname: {name}\nmodels: [{paths}]\ntrace: {{enabled: false}}\n"
                                       "analyzers: {content: {}, intrinsic_fingerprint: {}}\ncompare: {tests: {content: {}, intrinsic_fingerprint: {}}}\n")
            self.stemma("run", f"{name}.yaml")

    def data(self, page):
        """The tables beside a page."""
        return {path.name: path.read_text() for path in sorted((self.directory / f"{page}_data").iterdir())}

    def test_the_same_as_merged(self):
        before = sorted(path.name for path in self.directory.iterdir())
        done = self.stemma("report", "runs/a", "runs/b", "-o", "both.html")
        self.assertTrue(done.stdout.endswith("both.html\n"))
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), sorted([*before, "both.html", "both_data"]))
        self.stemma("merge", "runs/a", "runs/b", "-o", "m.h5")
        merged = self.stemma("report", "m.h5", "-o", "merged.html")
        self.assertEqual(done.stdout.splitlines()[:-1], merged.stdout.splitlines()[:-1])
        self.assertEqual(self.data("both"), self.data("merged"))
        text = (self.directory / "both.html").read_text()
        self.assertIn("a.h5, b.h5", text)
        self.assertNotIn("stemma-report-", text)
        for id in ("aspen", "birch", "cedar", "aspen-code"):
            self.assertIn(id, text)

    def test_a_pair_across(self):
        self.stemma("report", "runs/a", "runs/b", "--pair", "aspen", "aspen-code", "-o", "pair.html")
        self.assertIn("aspen-code", (self.directory / "pair.html").read_text())

    def test_labels_of_nobody(self):
        write_tsv(self.directory / "names.tsv", ["id", "label"], [["aspen", "The aspen"], ["oak", "The oak"], ["elm", "The elm"]])
        done = self.stemma("report", "runs/a", "--labels", "names.tsv")
        self.assertEqual([re.sub(r"^\S+ +", "", line) for line in done.stderr.splitlines()],
                         ["warn      names.tsv names 2 ids that no model has: oak, elm"])
        self.assertIn("The aspen", (self.directory / "runs/a/report.html").read_text())
        write_tsv(self.directory / "names.tsv", ["id", "label"], [["aspen", "The aspen"]])
        self.assertEqual(self.stemma("report", "runs/a", "--labels", "names.tsv").stderr, "")


if __name__ == "__main__":
    unittest.main()

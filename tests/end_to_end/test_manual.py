"""Do the manual page and the citation say what the program, its changelog and CITATION.cff say?"""
import re
import shutil
import subprocess
import unittest

import yaml

from harness import SOURCE, EndToEnd, stemma

CITATION = yaml.safe_load((SOURCE / "CITATION.cff").read_text(encoding="utf-8"))
PAPERS = {"2507.03014": "intrinsic_fingerprint", "2506.01631": "tensorguard", "2505.19466": "origin_tracer"}

VERBS = re.findall(r"(?m)^  (\w+) ", stemma("--help").stdout.split("\nVerbs\n")[1].split("\n\n")[0])


class Manual(EndToEnd):
    def setUp(self):
        super().setUp()
        self.page = self.write("stemma.1", self.stemma("schema", "--man").stdout)

    def shown(self):
        """The page as a terminal shows it, its lines joined."""
        if not shutil.which("groff"):
            self.skipTest("groff is absent (Debian package groff-base)")
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=200n", self.page], text=True, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = re.sub("\\x1b\\[[0-9;]*m", "", done.stdout)
        return text, " ".join(text.split())

    def test_no_formatter_complains(self):
        self.shown()
        for checker in (["man", "--warnings", "-l"], ["mandoc", "-Tlint", "-Wwarning"]):
            if shutil.which(checker[0]):
                done = subprocess.run([*checker, self.page], text=True, capture_output=True, timeout=60, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), checker)
        for line in self.page.read_text().splitlines():
            self.assertNotRegex(line, r"^'")
            if line.startswith("."):
                self.assertRegex(line, r"^\.(TH|SH|SS|TP|PP|B|I|RI|BR)\b")

    def test_sections(self):
        text, _ = self.shown()
        self.assertEqual(re.findall(r"(?m)^[A-Z][A-Z ]+$", text),
                         ["NAME", "SYNOPSIS", "DESCRIPTION", "VERBS", "OPTIONS OF EVERY VERB", "FILES", "ENVIRONMENT", "EXIT STATUS",
                          "SIGNALS", "EXAMPLES", "SEE ALSO"])
        self.assertRegex(text, r"(?m)^STEMMA\(1\) .* STEMMA\(1\)$")

    def test_every_verb_and_option(self):
        """What --help prints stands on the page too: usages, options and their meanings."""
        text, words = self.shown()
        for verb in VERBS:
            page = self.stemma(verb, "--help").stdout
            usage = page.split("\nUsage\n")[1].split("\n\n")[0].strip()
            with self.subTest(verb):
                mine = re.search(rf"(?ms)^ +{re.escape(usage)}$(.*?)(^ +stemma \w+ .*OPTION|^OPTIONS)", text)
                self.assertIsNotNone(mine, usage)
                section = " ".join(mine[1].split())
                for block in ("Arguments", "Options"):
                    rows = page.split(f"\n{block}\n")[1].split("\n\n")[0].splitlines() if f"\n{block}\n" in page else []
                    for row in rows:
                        title, meaning = re.split(r"\s{2,}", row.strip(), maxsplit=1)
                        self.assertIn(f"{title} {meaning}", section)
            for row in page.split("\nOptions of every verb\n")[1].split("\n\n")[0].splitlines():
                self.assertIn(" ".join(row.split()), words)

    def test_every_variable_and_file(self):
        _, words = self.shown()
        code = "".join(path.read_text(encoding="utf-8") for folder in ("io", "pipeline", "analyzers", "slurm")
                       for path in (SOURCE / folder).rglob("*") if path.suffix in (".cpp", ".sbatch"))
        asked = set(re.findall(r'(?:getenv|environment)\w*\("(STEMMA_\w+)"', code)) | set(re.findall(r"\$\{(STEMMA_\w+):?-", code))
        self.assertGreaterEqual(asked, {"STEMMA_SHARE", "STEMMA_MACHINE", "STEMMA_LAUNCHER"})
        for name in asked | {"STEMMA_STORE", "STEMMA_LOG", "STEMMA_ARCHITECTURES"}:
            self.assertRegex(words, rf"\b{name}\b")
        readme = (SOURCE / "README.md").read_text(encoding="utf-8")
        for name in ("pairs.tsv", "evidence.tsv", "families.tsv", "failures.tsv", "manifest.json"):
            self.assertIn(name, readme)
            self.assertIn(name, words)

    def test_exit_codes(self):
        text, _ = self.shown()
        header = (SOURCE / "pipeline/exit_code.hpp").read_text(encoding="utf-8")
        codes = re.findall(r"(?m)^  \w+ = (\d+)", header)
        listed = re.findall(r"(?m)^ +(\d+) ", text.split("\nEXIT STATUS\n")[1].split("\nSIGNALS\n")[0])
        self.assertEqual(listed, codes)

    def test_five_examples(self):
        text, _ = self.shown()
        examples = text.split("\nEXAMPLES\n")[1].split("\nSEE ALSO\n")[0]
        lines = re.findall(r"(?m)^ {7}(stemma .*)$", examples)
        self.assertEqual(len(lines), 5, examples)
        for line in lines:
            self.assertIn(f"  {line}", self.stemma(line.split()[1], "--help").stdout)


class Citation(EndToEnd):
    def entries(self):
        """{key: (kind, {field: value})} of what --cite prints."""
        text = self.stemma("--cite").stdout
        found = {}
        for kind, key, body in re.findall(r"(?ms)^@(\w+)\{(\w+),\n(.*?)^\}$", text):
            found[key] = (kind, {name: value.strip("{}") for name, value in re.findall(r"(?m)^  (\w+) += \{(.*)\},$", body)})
        return found

    def test_required_fields(self):
        """Of the format 1.2.0; the rest of the file it leaves open."""
        self.assertEqual(CITATION["cff-version"], "1.2.0")
        for field in ("message", "title", "authors"):
            self.assertTrue(CITATION[field])
        for work in (CITATION, *CITATION["references"]):
            self.assertTrue(all("name" in author or "family-names" in author for author in work["authors"]))
        for reference in CITATION["references"]:
            self.assertTrue(reference["title"] and reference["type"])

    def test_version_and_date_are_those_of_the_changelog(self):
        version = re.search(r"(?m)^project\(stemma VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
        newest = re.search(r"(?m)^## (\S+) \((.+)\)$", (SOURCE / "CHANGELOG.md").read_text(encoding="utf-8"))
        self.assertEqual((CITATION["version"], newest[1]), (version, version))
        self.assertIn(f"stemma {version} ", self.stemma("--version").stdout)
        released = CITATION.get("date-released")
        self.assertEqual("unreleased" if released is None else str(released), newest[2])

    def test_bibtex_names_the_same(self):
        found = self.entries()
        self.assertEqual(len(found), 1 + len(PAPERS))
        kind, own = found["stemma"]
        self.assertEqual((kind, own["title"], own["version"]), ("software", CITATION["title"], CITATION["version"]))
        for reference in CITATION["references"]:
            number = reference["identifiers"][0]["value"].removeprefix("arXiv:")
            (entry,) = [fields for _, fields in found.values() if fields.get("eprint") == number]
            names = " and ".join(f"{a['family-names']}, {a['given-names']}" for a in reference["authors"])
            self.assertEqual((entry["title"], entry["author"], entry["year"], entry["url"]),
                             (reference["title"], names, str(reference["year"]), reference["url"]))

    def test_papers_are_those_of_the_methods(self):
        for reference in CITATION["references"]:
            number = reference["identifiers"][0]["value"].removeprefix("arXiv:")
            self.assertIn(PAPERS[number], reference["notes"])
            self.assertIn(f"arXiv {number}", (SOURCE / "configs/README.md").read_text(encoding="utf-8"))

    def test_verbs_understand_it_too(self):
        self.assertEqual(self.stemma("run", "--cite").stdout, self.stemma("--cite").stdout)


if __name__ == "__main__":
    unittest.main()

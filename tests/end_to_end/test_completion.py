"""Does bash complete the words of a command line: verbs, options, their values, keys of a configuration, and files?"""
import re
import shlex
import shutil
import subprocess
import time
import unittest

import yaml

import harness
from harness import EndToEnd

# How readline would split a line: at blanks, and at = which is a word of its own.
SPLIT = re.compile(r"=|[^\s=]+")
VERBS = re.findall(r"(?m)^  (\w+) ", harness.stemma("--help").stdout.split("\nVerbs\n")[1].split("\n\n")[0])


class Completion(EndToEnd):
    def setUp(self):
        super().setUp()
        self.script = self.write("stemma.bash", self.stemma("schema", "--completion", "bash").stdout)

    def candidates(self, line):
        """What bash offers at the end of a line; a blank there begins a new word."""
        words = SPLIT.findall(line) + ([""] if line.endswith(" ") else [])
        driver = (f"source {shlex.quote(str(self.script))}\nCOMP_WORDS=({shlex.join(words)})\nCOMP_CWORD={len(words) - 1}\n"
                  f"COMP_LINE={shlex.quote(line)}\nCOMP_POINT={len(line)}\n"
                  "$(complete -p stemma | sed 's/.*-F \\([^ ]*\\) .*/\\1/') stemma \"${COMP_WORDS[COMP_CWORD]}\" ''\n"
                  "printf '%s\\n' \"${COMPREPLY[@]}\"\n")
        done = subprocess.run(["bash", "--norc", "-c", driver], cwd=self.directory, text=True, capture_output=True, timeout=30,
                              check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), line)
        return sorted(filter(None, done.stdout.split("\n")))

    def options_in_help(self, verb):
        """Every option on the page of a verb, its own and those of every verb."""
        page = self.stemma(verb, "--help").stdout.split("\nUsage\n")[1]
        columns = [re.split(r"\s{2,}", line.strip())[0] for line in page.splitlines() if re.match(r"  -", line)]
        return sorted(word for column in columns for word in column.replace(",", "").split() if word.startswith("-"))

    def test_is_sound(self):
        for checker in (["bash", "-n"], ["shellcheck", "--shell=bash"]):
            if not shutil.which(checker[0]):
                self.skipTest(f"{checker[0]} is absent")
            done = subprocess.run([*checker, self.script], text=True, capture_output=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_verbs(self):
        self.assertEqual(self.candidates("stemma "), sorted([*VERBS, "help"]))
        self.assertEqual(self.candidates("stemma help "), sorted(VERBS))
        self.assertEqual(self.candidates("stemma in"), ["inspect"])
        self.assertEqual(self.candidates("stemma --progress none -v fi"), ["fingerprint"])
        self.assertEqual(self.candidates("stemma --progress=none tr"), ["trace"])

    def test_options_are_those_of_the_help(self):
        for verb in VERBS:
            with self.subTest(verb):
                expected = self.options_in_help(verb)
                self.assertGreaterEqual(len(expected), 12)
                self.assertEqual(self.candidates(f"stemma {verb} -"), expected)
        self.assertNotIn("--tensors", self.candidates("stemma run -"))
        self.assertEqual(self.candidates("stemma run a.yaml --dead"), ["--deadline", "--deadline-margin"])

    def test_values_of_options(self):
        self.assertEqual(self.candidates("stemma run c.yaml --progress "), ["auto", "bar", "lines", "none"])
        self.assertEqual(self.candidates("stemma run --progress=b"), ["bar"])
        self.assertEqual(self.candidates("stemma run --progress="), ["auto", "bar", "lines", "none"])
        self.assertEqual(self.candidates("stemma schema --example "), ["audit", "demo", "minimal", "sheet", "sweep"])
        self.assertEqual(self.candidates("stemma schema --completion "), ["bash"])
        names = [line.split()[0] for line in self.stemma("schema").stdout.splitlines()[1:]]
        self.assertLess({"archive", "config", "sheet", "verdicts", "manifest", "plan", "status", "error", "architecture"}, set(names))
        self.assertEqual(self.candidates("stemma schema "), sorted(names))
        self.assertEqual(self.candidates("stemma run c.yaml --point "), [])

    def test_every_word_offered_is_taken(self):
        """The names on offer are those that the parser takes, and it takes no others."""
        for name in self.candidates("stemma schema --example "):
            self.stemma("schema", "--example", name)
        for document in self.candidates("stemma schema "):
            self.stemma("schema", document)
        self.stemma("schema", "--example", "other", code=2)

    def test_files(self):
        for name in ("audit.yaml", "other.yml", "models.tsv", "with blank.yaml"):
            self.write(name, "")
        (self.directory / "runs/demo").mkdir(parents=True)
        self.assertEqual(self.candidates("stemma run "), ["audit.yaml", "other.yml", "runs", "with blank.yaml"])
        self.assertEqual(self.candidates("stemma plan au"), ["audit.yaml"])
        self.assertEqual(self.candidates("stemma run runs/"), ["runs/demo"])
        self.assertEqual(self.candidates("stemma inspect --sheet mod"), ["models.tsv"])
        self.assertEqual(self.candidates("stemma run audit.yaml --output "), ["runs"])
        self.assertEqual(self.candidates("stemma run audit.yaml --output=ru"), ["runs"])
        self.assertEqual(self.candidates("stemma inspect "),
                         ["audit.yaml", "models.tsv", "other.yml", "runs", "stemma.bash", "with blank.yaml"])

    def test_keys_of_overrides(self):
        """All keys of the reference that hold a value, behind a configuration; up to the =."""
        reference = (harness.SOURCE / "configs/README.md").read_text(encoding="utf-8").split("\n## ")[1]
        rows = re.findall(r"(?m)^\| `([^`]+)` \| ([^|]*) \|", reference)
        keys = {path + "=" for path, kind in rows if kind.strip() != "mapping"}
        offered = set(self.candidates("stemma run audit.yaml "))
        self.assertGreater(len(offered), 40)
        self.assertEqual(offered, keys)
        self.assertEqual(self.candidates("stemma run audit.yaml runtime.progress"),
                         ["runtime.progress=", "runtime.progress_every="])
        self.assertEqual(self.candidates("stemma compare a.h5 compare.pa"), ["compare.pairs="])
        self.assertEqual(self.candidates("stemma run a.yaml seed=2 compare.pairs="), ["all", "declared", "listed", "reference"])
        self.assertEqual(self.candidates("stemma run a.yaml trace.enabled=f"), ["false"])
        self.assertEqual(self.candidates("stemma inspect compare.pa"), [])

    def test_keys_have_the_values_of_the_schema(self):
        schema = yaml.safe_load((harness.SOURCE / "configs/stemma.schema.json").read_text(encoding="utf-8"))
        choices = schema["properties"]["compare"]["properties"]["pairs"]["enum"]
        self.assertEqual(self.candidates("stemma plan a.yaml compare.pairs="), sorted(choices))

    def test_is_quick(self):
        """A shell asks for it whenever it starts."""
        times = []
        for _ in range(5):
            begin = time.monotonic()
            self.stemma("schema", "--completion", "bash")
            times.append(time.monotonic() - begin)
        self.assertLess(min(times), 0.05 * harness.PATIENCE)


if __name__ == "__main__":
    unittest.main()

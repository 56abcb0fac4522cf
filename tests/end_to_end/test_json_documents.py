"""Does every verb print one JSON document that says what it is, also when it fails?"""
import json
import unittest

import harness
from harness import ZOO, EndToEnd

ADAPTER = harness.SOURCE / "tests/data/adapters/aspen-lora-r8"
CONFIG = f"schema_version: 1\nname: t\nmodels: ['{ZOO}/aspen']\nanalyzers: {{content: {{}}}}\n"


class Documents(EndToEnd):
    def setUp(self):
        super().setUp()
        self.version = self.stemma("--version").stdout.split()[1]
        self.write("c.yaml", CONFIG)
        self.write("sweep.yaml", CONFIG + "sweep: {over: {seed: [1, 2]}}\n")
        self.fingerprint("a.h5", ZOO / "aspen")
        self.fingerprint("b.h5", ZOO / "birch")

    def test_every_verb(self):
        for ranks in (1, 2):
            for schema, words in (("plan", ["plan", "c.yaml"]), ("plan", ["run", "c.yaml", "--dry-run"]),
                                  ("verdicts", ["run", "c.yaml", "--output", f"out{ranks}"]),
                                  ("sweep", ["run", "sweep.yaml", "--output", f"points{ranks}"]),
                                  ("reproduce", ["run", "--reproduce", "a.h5", "--output", f"again{ranks}"]),
                                  ("fingerprint", ["fingerprint", ZOO / "aspen", "-o", f"c{ranks}.h5"]),
                                  ("compare", ["compare", "a.h5", "b.h5"]), ("inspect", ["inspect", "a.h5", ZOO / "aspen"]),
                                  ("verify", ["verify", "a.h5", ZOO / "aspen"]), ("verify", ["verify", "a.h5", "--hash"]),
                                  ("merge", ["merge", "a.h5", "b.h5", "-o", f"m{ranks}.h5"]),
                                  ("trace", ["trace", ZOO / "aspen", ZOO / "birch"]), ("trace", ["trace", ZOO / "aspen", ADAPTER]),
                                  ("grey_box", ["trace", "--grey-box", ZOO / "aspen", ZOO / "aspen-code"])):
                with self.subTest(words=words, ranks=ranks):
                    done = self.stemma(*words, "--json", ranks=ranks)
                    document = json.loads(done.stdout)
                    self.assertEqual((document["schema"], document["stemma"]), (f"stemma.{schema}/1", self.version))
            document = json.loads(harness.stemma("doctor", "--json", cwd=self.directory, ranks=ranks).stdout)  # its code is the machine's
            self.assertEqual((document["schema"], document["stemma"]), ("stemma.doctor/1", self.version))

    def test_failures_have_parts(self):
        self.write("bad.yaml", CONFIG.split("analyzers")[0] + "compare: {tests: {intrinsic_fingerprint: {min_layers: 1}}}\nseeed: 1\n")
        for ranks in (1, 2):
            for words, code, wanted in (
                    (["run", "bad.yaml"], 2,
                     [{"file": "bad.yaml", "line": 4, "column": 55, "place": "", "key": "compare.tests.intrinsic_fingerprint.min_layers",
                       "problem": "compare.tests.intrinsic_fingerprint.min_layers = 1 is below 2",
                       "reason": "a correlation needs at least two layers", "suggestion": ""},
                      {"file": "bad.yaml", "line": 5, "column": 1, "place": "", "key": "seeed", "problem": "seeed is not a known key",
                       "reason": "", "suggestion": "Did you mean seed?"}]),
                    (["run", "c.yaml", "seeed=1"], 2,
                     [{"file": "c.yaml", "line": 0, "column": 0, "place": "argument 2", "key": "seeed", "problem": "seeed is not a known key",
                       "reason": "", "suggestion": "Did you mean seed?"}]),
                    (["compare", "uplaods.h5"], 2,
                     [{"file": "", "line": 0, "column": 0, "place": "", "key": "",
                       "problem": "uplaods.h5 is neither an archive nor a run directory", "reason": "there is no such file",
                       "suggestion": ""}]),
                    (["rnu"], 2, [{"file": "", "line": 0, "column": 0, "place": "", "key": "", "problem": "rnu is not a verb of stemma",
                                   "reason": "", "suggestion": "Did you mean run?"}])):
                with self.subTest(words=words, ranks=ranks):
                    done = self.stemma(*words, "--json", code=code, ranks=ranks)
                    self.assertEqual(json.loads(done.stdout),
                                     {"schema": "stemma.error/1", "stemma": self.version, "exit_code": code, "problems": wanted})
                    self.assertEqual(len([line for line in done.stderr.splitlines() if "  start  " not in line]), len(wanted))


if __name__ == "__main__":
    unittest.main()

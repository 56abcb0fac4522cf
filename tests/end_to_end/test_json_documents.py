"""Does every verb print one JSON document that says what it is and holds what its schema says, also when it fails?"""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

import yaml

import harness
from documents import Schemas
from harness import ZOO, EndToEnd, llama_config, llama_tensors, write_checkpoint, write_tsv

ADAPTER = harness.SOURCE / "tests/data/adapters/aspen-lora-r8"
CONFIG = f"schema_version: 1\nname: t\nmodels: ['{ZOO}/aspen']\nanalyzers: {{content: {{}}}}\n"
SCHEMAS = Schemas()
RAN = set()


class Documents(EndToEnd):
    def setUp(self):
        super().setUp()
        RAN.add(self.id())
        self.version = self.stemma("--version").stdout.split()[1]
        self.write("c.yaml", CONFIG)
        self.write("sweep.yaml", CONFIG + "sweep: {over: {seed: [1, 2]}}\n")

    def said(self, *words, **options):
        """The document of a command, with every key described."""
        return SCHEMAS.check(self, json.loads(self.stemma(*words, "--json", **options).stdout))

    def left(self, path, name=None):
        """The same of a file."""
        return SCHEMAS.check(self, json.loads((self.directory / path).read_text(encoding="utf-8")), name)


class Verbs(Documents):
    def setUp(self):
        super().setUp()
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
                                  ("report", ["report", "a.h5", "-o", f"page{ranks}.html"]),
                                  ("verify", ["verify", "a.h5", ZOO / "aspen"]), ("verify", ["verify", "a.h5", "--hash"]),
                                  ("merge", ["merge", "a.h5", "b.h5", "-o", f"m{ranks}.h5"]),
                                  ("trace", ["trace", ZOO / "aspen", ZOO / "birch"]), ("trace", ["trace", ZOO / "aspen", ADAPTER]),
                                  ("grey_box", ["trace", "--grey-box", ZOO / "aspen", ZOO / "aspen-code"])):
                with self.subTest(words=words, ranks=ranks):
                    document = self.said(*words, ranks=ranks)
                    self.assertEqual((document["schema"], document["stemma"]), (f"stemma.{schema}/1", self.version))
            document = json.loads(harness.stemma("doctor", "--json", cwd=self.directory, ranks=ranks).stdout)  # its code is the machine's
            SCHEMAS.check(self, document)
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
                    self.assertEqual(SCHEMAS.check(self, json.loads(done.stdout)),
                                     {"schema": "stemma.error/1", "stemma": self.version, "exit_code": code, "problems": wanted})
                    self.assertEqual(len([line for line in done.stderr.splitlines() if "  start  " not in line]), len(wanted))


class OtherContent(Documents):
    """The same documents with what is not always in them."""

    def test_models_that_cannot_be_read(self):
        self.write("broken/config.json", "{}")
        self.write("d.yaml", CONFIG.replace(f"['{ZOO}/aspen']", f"['{ZOO}/aspen', broken]"))
        self.assertEqual(len(self.said("plan", "d.yaml", "--ranks", "1,7", code=4)["failed"]), 1)
        self.assertEqual(self.said("run", "d.yaml", "--output", "out", code=4)["failed"], ["broken"])
        self.assertIn("problem", self.said("inspect", "broken", code=4)["targets"][0])
        self.assertGreaterEqual(len(self.said("verify", "broken", code=3)["targets"][0]["complaints"]), 1)

    def test_archives_that_differ(self):
        self.fingerprint("a.h5", ZOO / "aspen", ZOO / "aspen-code")
        self.fingerprint("b.h5", ZOO / "aspen", "seed=2", "analyzers.tensorguard.samples=3")
        write_tsv(self.directory / "truth.tsv", ["a", "b", "relation"], [("aspen", "aspen-code", "finetune")])
        (target,) = self.said("verify", "a.h5", "--against", "b.h5", code=3)["targets"]
        self.assertGreaterEqual(len(target["difference"]["only_here"]), 1)
        (target,) = self.said("verify", "a.h5", "--expect", "truth.tsv", code=3)["targets"]
        self.assertEqual(target["expectation"]["differing"], [{"a": "aspen", "b": "aspen-code", "expected": "finetune", "found": None}])

    def test_pairs_of_every_kind(self):
        self.fingerprint("z.h5", *(ZOO / name for name in ("aspen", "aspen-code", "aspen-lora-r8", "aspen-pruned-depth", "birch")))
        self.assertEqual(len(self.said("compare", "z.h5")["pairs"]), 10)
        for candidate in ("aspen", "aspen-lora-r8", "aspen-pruned-depth", "birch"):
            with self.subTest(candidate=candidate):
                pairs = self.said("trace", ZOO / "aspen-code", ZOO / candidate)["pairs"]
                self.assertEqual(len(pairs), 1)

    def test_what_a_run_leaves(self):
        self.write("d.yaml", f"schema_version: 1\nname: t\nmodels: [{{sheet: '{ZOO}/models.tsv'}}]\n")
        job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n1", "SLURM_JOB_PARTITION": "p", "SLURM_RESTART_COUNT": "0"}
        verdicts = self.said("run", "d.yaml", "--output", "out", "--receipt", "r", "--deadline", "+9h", "runtime.calibration=measure",
                             "--log-file", "log", "--log-format", "json", ranks=2, **job)
        self.assertEqual(verdicts, self.left("out/verdicts.json"))
        told = {model["id"]: model["verdict"] for model in verdicts["models"]}
        self.assertIn("origin_tracer", told["aspen-lora-r8"]["tests"])
        self.assertGreater(len(told["aspen-lora-r8"]["sentence"]), 20)
        self.assertEqual(self.left("out/manifest.json")["slurm"]["job"], "7")
        status = self.left("out/status.json")
        self.assertEqual((status["stage"], status["exit_code"], status["rate"], status["eta"]), ("end", 0, None, None))
        self.assertRegex(status["deadline"], "Z$")
        self.assertEqual(self.left("r")["runs"], [verdicts["run"]])
        self.left("out/store/STORE.json")
        self.left("out/calibration.json")
        self.said("plan", "d.yaml", "--calibration", "out/calibration.json")
        lines = (self.directory / "log").read_text(encoding="utf-8").splitlines()
        self.assertGreater(len(lines), 8)
        for line in lines:
            SCHEMAS.check(self, json.loads(line), "log")

    def test_points_of_a_sweep(self):
        self.assertEqual(self.said("plan", "sweep.yaml")["sweep"]["points"], 2)
        sweep = self.said("run", "sweep.yaml", "--output", "out")
        for point in sweep["points"]:
            self.assertEqual(self.left(f"out/{point['directory']}/point.json")["exit_code"], 0)
        self.assertEqual(self.said("run", "sweep.yaml", "--output", "none", "--point", "2")["points"][0]["exit_code"], None)

    def test_a_run_that_is_stopped(self):
        config = llama_config(7, hidden_size=1024, intermediate_size=1024, head_dim=64)
        write_checkpoint(self.directory / "large", llama_tensors(config, 1), config)
        self.write("d.yaml", "schema_version: 1\nname: t\nmodels: [large]\nanalyzers: {content: {}, spectrum: {}}\n")
        program = subprocess.Popen([harness.STEMMA, "run", "d.yaml", "--output", "out", "--json"], cwd=self.directory,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                   env={**os.environ, "OMP_NUM_THREADS": "1"})
        deadline = time.monotonic() + 60 * harness.PATIENCE
        while not any(path.stat().st_size > 10_000 for path in (self.directory / "out/store").glob("*.rec")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.assertEqual(self.left("out/status.json")["exit_code"], None)
        program.send_signal(signal.SIGTERM)
        error = SCHEMAS.check(self, json.loads(program.communicate(timeout=60 * harness.PATIENCE)[0]))
        self.assertEqual((error["exit_code"], program.returncode), (85, 85))
        self.assertEqual((self.left("out/status.json")["stage"], self.left("out/status.json")["exit_code"]), ("stopped", 85))


class Tables(Documents):
    def test_architectures(self):
        """Every shipped table is as described, and the program refuses what the description does."""
        for file in sorted((harness.SOURCE / "configs/architectures").glob("*.yaml")):
            with self.subTest(file=file.name):
                table = SCHEMAS.check(self, yaml.safe_load(file.read_text(encoding="utf-8")))
                for key, wrong in (("match", ["x"]), ("tensors", {}), ("rope", "quarter"), ("no_such_key", 1)):
                    spoilt = {**table, key: wrong, "family": "mine"}
                    self.assertFalse(SCHEMAS.validator("architecture")[0].is_valid(spoilt), key)
                    self.write("tables/mine.yaml", yaml.safe_dump(spoilt))
                    done = self.stemma("inspect", ZOO / "aspen", "--architectures", "tables", code=2)
                    self.assertIn("mine.yaml:", done.stderr)

    def test_schemas_see_what_is_wrong(self):
        self.fingerprint("a.h5", ZOO / "aspen", ZOO / "aspen-code")
        for words in (["plan", "sweep.yaml"], ["inspect", "a.h5", ZOO / "aspen"], ["compare", "a.h5"],
                      ["trace", ZOO / "aspen", ZOO / "aspen-code"], ["verify", "a.h5"], ["run", "c.yaml", "--output", "out"]):
            SCHEMAS.check_itself(self, self.said(*words))
        SCHEMAS.check_itself(self, self.left("out/manifest.json"))
        SCHEMAS.check_itself(self, self.left("out/status.json"))

    def test_readers_take_keys_that_they_do_not_know(self):
        document = self.said("inspect", ZOO / "aspen")
        document["targets"][0]["new"] = document["new"] = 1
        self.assertTrue(SCHEMAS.validator("inspect")[0].is_valid(document))
        self.assertEqual(len(SCHEMAS.complaints("inspect", document)), 2)

    def test_the_list_names_all(self):
        names = SCHEMAS.names()
        self.assertEqual(len(set(names)), len(names))
        page = self.stemma("schema", "--help").stdout
        self.assertIn(f"Documents: {' '.join(names)}", " ".join(page.split()))
        for name in set(names) - {"archive", "config", "sheet"}:
            schema = json.loads(self.stemma("schema", name).stdout)
            self.assertEqual(schema["$schema"], "http://json-schema.org/draft-07/schema#")
            self.assertEqual(schema["properties"].get("schema", {}).get("const"), None if name == "log" else f"stemma.{name}/1")


def tearDownModule():  # pylint: disable=invalid-name
    """Nothing is described that no test has seen, when all of them ran."""
    suites = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    if {test.id() for suite in suites for test in suite} <= RAN:
        unseen = set(SCHEMAS.names()) - SCHEMAS.seen - {"archive", "config", "sheet"}
        assert not unseen, f"described, and seen by no test: {sorted(unseen)}"


if __name__ == "__main__":
    unittest.main()

"""Is every shipped configuration good, does the schema say what the program does, and does a run's own file repeat it?"""
import json
import pathlib
import shutil
import unittest

import h5py
import jsonschema
import yaml

import harness
from harness import ZOO, EndToEnd, read_tsv, write_tsv

CONFIGS = harness.SOURCE / "configs"
FILES = sorted(CONFIGS.glob("*.yaml"))
MINIMAL = f"schema_version: 1\nmodels: ['{ZOO}/aspen']\n"

# A line below schema_version and models; where the program sees the mistake (line 3); what it says.
MISTAKES = [
    ("seeed: 1", 1, "seeed is not a known key. Did you mean seed?"),
    ("seed: -1", 7, "seed = -1 is below 0"),
    ("seed: yes", 7, "seed = yes is not a whole number"),
    ("seed: 1.5", 7, "seed = 1.5 is not a whole number"),
    ('seed: "1"', 7, "write a whole number without quotes"),
    ("name: a/b", 7, "name = a/b is not a file name"),
    ("name: ''", 7, "is not a file name"),
    ("description: [a]", 14, "description is a list; it must be a text"),
    ('output: ""', 9, "output: a path is empty"),
    ("analyzers: {}", 12, "analyzers is empty, so nothing would run"),
    ("analyzers: [content]", 12, "analyzers is a list; it must be a mapping"),
    ("analyzers: {contents: {}}", 13, "Did you mean content?"),
    ("analyzers: {histogram: {bins: 3}}", 25, "analyzers.histogram.bins is not a known key"),
    ("analyzers: {intrinsic_fingerprint: {twin: 1}}", 43, "twin = 1: write true or false"),
    ('analyzers: {intrinsic_fingerprint: {twin: "true"}}', 43, "write true or false without quotes"),
    ("compare: all", 10, "compare is a single value; it must be a mapping"),
    ("compare: {pairs: some}", 18, "write one of all, declared, reference, listed"),
    ("compare: {tests: [content]}", 18, "compare.tests is a list"),
    ("compare: {tests: {intrinsic_fingerprint: {min_layers: 1}}}", 55, "below 2 (a correlation needs at least two layers)"),
    ("compare: {tests: {intrinsic_fingerprint: {min_layers: 1001}}}", 55, "above 1000"),
    ("compare: {tests: {intrinsic_fingerprint: {depth: align}}}", 50, "write one of interp_longer, refuse"),
    ('compare: {background: ""}', 23, "compare.background: a path is empty"),
    ("verdicts: {declared: maybe}", 22, "write one of check, ignore"),
    ("report: {labels: name}", 18, "write one of label, id"),
    ("runtime: {strict: yess}", 19, "runtime.strict = yess: write true or false"),
    ("runtime: {memory_per_rank: lots}", 28, "is not a size"),
    ("runtime: {memory_per_rank: 1000}", 28, "is below 512MiB"),
    ("runtime: {progress_every: 30}", 27, "is not a duration: write a number with a unit"),
    ("runtime: {threads: 4}", 11, "Ranks and threads come from mpirun or srun"),
    ("runtime: {log_level: loud}", 22, "write one of debug, info, warn"),
    ("architectures: {a: b}", 16, "architectures is a mapping"),
]
# The same in the list of models; the place is line 2.
MODEL_MISTAKES = [
    ("[]", 9, "models names nothing"),
    ("some", 9, "models is a single value"),
    ("[{id: a}]", 10, "Give it one of path, hf, glob, sheet and adapter"),
    ("[{path: /m, glob: x}]", 21, "models[0] has path and glob; it must have exactly one of them"),
    ("[{path: /m, id: a/b}]", 25, "models[0].id"),
    ("[{path: /m, base: [a, b/c]}]", 27, "models[0].base = b/c is not an id"),
    ("[{path: /m, use: x}]", 26, "write one of subject, reference, background"),
    ("[{path: /m, lable: x}]", 21, "Did you mean label?"),
    ("[['/m']]", 10, "models[0]"),
]
CORRECT = ["", "runtime:", "analyzers: {content: , histogram: {}}", "runtime: {memory_per_rank: 1.5GiB, strict: true}",
           "runtime: {memory_per_rank: auto}", "runtime: {memory_per_rank: 4294967296}", "runtime: {progress_every: 10s}",
           "compare: {pairs: declared, background: none}", "compare: {tests: {intrinsic_fingerprint: {min_layers: 1000}}}",
           "seed: 9223372036854775807", "name: a.b-c_1", "report: {labels: id}", "verdicts: {declared: ignore}"]


class Shipped(EndToEnd):
    def setUp(self):
        super().setUp()
        self.prepare = {"audit": self.a_users_models}

    def a_users_models(self):
        """What the template names, beside a copy of it."""
        for id, place in (("aspen", "reference/Qwen2.5-7B"), ("aspen-code", "reference/Qwen2.5-7B-Instruct"),
                          ("birch", "controls/one"), ("cedar", "controls/two"), ("aspen-lora-r8", "uploads/acme")):
            shutil.copytree(ZOO / id, self.directory / place)
        write_tsv(self.directory / "models.tsv", ["id", "path", "base", "relation", "label"],
                  [["acme-7b", "uploads/acme", "qwen2.5-7b", "finetune", "Acme 7B"]])

    def where(self, file):
        """The file where its models are: at home, or copied beside models made for it."""
        if file.stem not in self.prepare:
            return file
        self.prepare[file.stem]()
        return pathlib.Path(shutil.copy(file, self.directory))

    def test_every_configuration_can_be_planned(self):
        self.assertGreaterEqual(len(FILES), 3)
        for file in FILES:
            with self.subTest(file=file.name):
                done = self.stemma("plan", self.where(file), "--json", "--ranks", "1,7,4096")
                document = json.loads(done.stdout)
                self.assertEqual((document["schema"], document["failed"], done.stderr), ("stemma.plan/1", [], ""))
                self.assertGreaterEqual(document["models"], 5)
                self.assertEqual([plan["ranks"] for plan in document["plans"]], [1, 7, 4096])

    def test_template_of_an_audit_runs(self):
        (file,) = (file for file in FILES if file.stem == "audit")
        self.stemma("run", self.where(file), "runtime.memory_per_rank=auto", "--output", "out", ranks=2)
        uses = {row["id"]: row["use"] for row in read_tsv(self.directory / "out/models.tsv")}
        self.assertEqual(uses, {"acme-7b": "subject", "qwen2.5-7b": "reference", "Qwen2.5-7B-Instruct": "reference",
                                "one": "background", "two": "background"})
        self.assertEqual([row["id"] for row in read_tsv(self.directory / "out/verdicts.tsv")], ["acme-7b"])

    def test_generated_files_are_up_to_date(self):
        self.assertEqual(self.stemma("schema", "config").stdout, (CONFIGS / "stemma.schema.json").read_text())
        self.assertEqual(self.stemma("schema", "--markdown").stdout, (CONFIGS / "README.md").read_text())
        for file in FILES:
            self.assertEqual(self.stemma("schema", "--example", file.stem).stdout, file.read_text(), file.name)

    def test_schema_of_a_sheet(self):
        schema = json.loads(self.stemma("schema", "sheet").stdout)
        jsonschema.Draft7Validator.check_schema(schema)
        rows = [{k: v for k, v in row.items() if v} for row in read_tsv(ZOO / "models.tsv")]
        for row in rows:
            jsonschema.validate(row, schema)
        self.assertFalse(jsonschema.Draft7Validator(schema).is_valid({"id": "a"}))

    def test_example_of_a_sheet_is_read(self):
        sheet = self.write("models.tsv", self.stemma("schema", "--example", "sheet").stdout)
        rows = read_tsv(sheet)
        for row in rows:
            shutil.copytree(ZOO / "aspen", self.directory / row["path"])
        document = json.loads(self.stemma("inspect", "--sheet", sheet, "--json").stdout)
        self.assertEqual([model["id"] for model in document["targets"]], sorted(row["id"] for row in rows))

    def test_schema_of_an_archive_is_in_every_archive(self):
        with h5py.File(self.fingerprint("a.h5", ZOO / "aspen"), "r") as file:
            layout = file["schema/layout"].asstr()[()]
        self.assertEqual(self.stemma("schema", "archive").stdout, layout)


class SchemaAndProgram(EndToEnd):
    def setUp(self):
        super().setUp()
        schema = json.loads((CONFIGS / "stemma.schema.json").read_text())
        jsonschema.Draft7Validator.check_schema(schema)
        self.validator = jsonschema.Draft7Validator(schema)

    def test_shipped_configurations(self):
        for file in FILES:
            self.assertEqual([e.message for e in self.validator.iter_errors(yaml.safe_load(file.read_text()))], [], file.name)

    def both_refuse(self, text, place, says):
        file = self.write("c.yaml", text)
        with self.subTest(text=text):
            self.assertFalse(self.validator.is_valid(yaml.safe_load(text)), "the schema accepts it")
            done = self.stemma("plan", file, code=2)
            self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1), done.stderr)
            self.assertTrue(done.stderr.startswith(f"{file}:{place}: "), done.stderr)
            self.assertIn(says, done.stderr)

    def test_both_refuse_mistakes(self):
        self.assertGreaterEqual(len(MISTAKES) + len(MODEL_MISTAKES), 12)
        for line, column, says in MISTAKES:
            self.both_refuse(MINIMAL + line + "\n", f"3:{column}", says)
        for models, column, says in MODEL_MISTAKES:
            self.both_refuse(f"schema_version: 1\nmodels: {models}\n", f"2:{column}", says)
        self.both_refuse(f"models: ['{ZOO}/aspen']\n", "1:1", "schema_version")
        self.both_refuse("schema_version: 1\n", "1:1", "models")
        self.both_refuse(MINIMAL.replace("1", "2", 1), "1:17", "schema_version")

    def test_both_accept_what_is_correct(self):
        for line in CORRECT:
            with self.subTest(line=line):
                text = MINIMAL + line + "\n"
                self.assertTrue(self.validator.is_valid(yaml.safe_load(text)))
                self.stemma("plan", self.write("c.yaml", text))

    def test_resolved_configurations_satisfy_the_schema(self):
        self.write("c.yaml", MINIMAL + "output: out\n")
        self.stemma("run", "c.yaml")
        resolved = yaml.safe_load((self.directory / "out/config.resolved.yaml").read_text())
        self.assertEqual([e.message for e in self.validator.iter_errors(resolved)], [])


class Repeated(EndToEnd):
    def test_resolved_configuration_gives_the_same_archive(self):
        self.stemma("run", CONFIGS / "demo.yaml", "seed=7", "analyzers.intrinsic_fingerprint.further=false",
                    "compare.tests.intrinsic_fingerprint.min_layers=6", "--output", "first")
        first = self.directory / "first"
        shutil.copy(first / "config.resolved.yaml", self.directory / "again.yaml")
        self.stemma("run", "again.yaml", "--output", "second", ranks=2)
        second = self.directory / "second"
        hashes = self.stemma("verify", "--hash", first).stdout
        self.assertRegex(hashes, r"\Acanonical_exact [0-9a-f]{64}\ncanonical_all [0-9a-f]{64}\n\Z")
        self.assertEqual(self.stemma("verify", "--hash", second).stdout, hashes)
        self.assertIn("archive is sound; against the other: equal", self.stemma("verify", first, "--against", second).stdout)
        for file in ("config.resolved.yaml", "pairs.tsv", "evidence.tsv", "verdicts.tsv", "features.tsv"):
            text = (first / file).read_text().replace("output: first\n", "output: second\n")
            self.assertEqual(text, (second / file).read_text(), file)
        self.assertEqual({row["abstain_reason"] for row in read_tsv(first / "pairs.tsv")}, {""})
        overrides = (first / "overrides.txt").read_text().split()
        self.assertEqual(overrides, ["seed=7", "analyzers.intrinsic_fingerprint.further=false",
                                     "compare.tests.intrinsic_fingerprint.min_layers=6"])
        self.assertEqual((first / "config.yaml").read_text(), (CONFIGS / "demo.yaml").read_text())

    def test_another_option_gives_another_archive(self):
        for output, value in (("first", "true"), ("second", "false")):
            self.write("c.yaml", MINIMAL + "name: same\n")
            self.stemma("run", "c.yaml", f"analyzers.intrinsic_fingerprint.twin={value}", "--output", output)
        done = self.stemma("verify", "first", "--against", "second", code=3)
        self.assertIn("intrinsic_fingerprint: parameters", done.stdout + done.stderr)
        self.stemma("run", "c.yaml", f"models+={ZOO}/birch", "--output", "third")
        done = self.stemma("verify", "first", "--against", "third", code=3)
        self.assertRegex(done.stdout, r"archive has \d+ complaints?; against the other: different")


class Overrides(EndToEnd):
    def resolved(self, *arguments, **options):
        shutil.rmtree(self.directory / "out", ignore_errors=True)
        self.write("c.yaml", MINIMAL + "output: out\nruntime: {log_level: warn}\n")
        self.stemma("run", "c.yaml", "analyzers={content: {}}", *arguments, **options)
        return yaml.safe_load((self.directory / "out/config.resolved.yaml").read_text())

    def test_values(self):
        config = self.resolved("seed=5", "compare.pairs=declared", "description=two words", "runtime.progress_every=2s")
        self.assertEqual((config["seed"], config["compare"]["pairs"], config["description"]), (5, "declared", "two words"))
        self.assertEqual(config["runtime"]["progress_every"], "2s")

    def test_the_last_one_wins(self):
        self.assertEqual(self.resolved("seed=5", "seed=6")["seed"], 6)
        self.assertEqual(self.resolved("seed=5", "~seed")["seed"], 1)

    def test_lists(self):
        config = self.resolved(f"models+={{path: '{ZOO}/birch', id: second}}", "models[0]={path: '%s', id: first}" % (ZOO / "cedar"))
        self.assertEqual([model["id"] for model in config["models"]], ["first", "second"])
        self.assertEqual([row["id"] for row in read_tsv(self.directory / "out/models.tsv")], ["first", "second"])

    def test_places_of_mistakes(self):
        self.write("c.yaml", MINIMAL)
        for arguments, says in ((["seeed=1"], "argument 2: seeed is not a known key. Did you mean seed?"),
                                (["seed=1", "seed=x"], "argument 3: seed = x is not a whole number"),
                                (["compare.pairs=some"], "argument 2: compare.pairs = some: write one of"),
                                (["models[7]=x"], "argument 2: models[7] does not exist"),
                                (["~sed"], "argument 2: sed is not given, so there is nothing to remove"),
                                (["seed=[1"], "argument 2: "),
                                (["runtime.memory_per_rank=1kB"], "argument 2: runtime.memory_per_rank = 1kB")):
            for ranks in (1, 2):
                done = self.stemma("run", "c.yaml", *arguments, code=2, ranks=ranks)
                self.assertTrue(done.stderr.startswith(says), done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        document = json.loads(self.stemma("plan", "c.yaml", "seeed=1", "--json", code=2).stdout)
        self.assertEqual((document["schema"], document["exit_code"], document["problems"][0]["key"]),
                         ("stemma.error/1", 2, "seeed"))

    def test_environment(self):
        self.assertEqual(self.resolved("~runtime.log_level", STEMMA_LOG="debug")["runtime"]["log_level"], "info")
        self.assertEqual(self.resolved(STEMMA_LOG="debug")["runtime"]["log_level"], "debug")
        done = self.stemma("plan", "c.yaml", code=2, STEMMA_LOG="loud")
        self.assertTrue(done.stderr.startswith("STEMMA_LOG: runtime.log_level = loud: write one of"), done.stderr)
        for verb in (["plan", "c.yaml"], ["inspect", ZOO / "aspen"], ["verify", ZOO / "aspen"]):
            done = self.stemma(*verb, code=2, STEMMA_ARCHITECTURES=self.directory / "absent")
            self.assertIn("absent: cannot be listed", done.stderr)

    def test_log_level(self):
        self.write("c.yaml", MINIMAL + "output: out\n")
        for level, quiet in (("warn", True), ("info", False), ("debug", False)):
            done = self.stemma("run", "c.yaml", f"runtime.log_level={level}", "--output", level)
            log = (self.directory / level / "log/run.log").read_text()
            self.assertEqual((done.stderr, log) == ("", ""), quiet)
            self.assertEqual("start     model aspen: " in log, level == "debug")
        self.assertEqual(self.stemma("run", "c.yaml", "-q", "--output", "q").stderr, "")

    def test_a_file_may_look_like_an_override(self):
        self.write("seed=1", MINIMAL + "name: t\n")
        self.stemma("plan", "./seed=1")


if __name__ == "__main__":
    unittest.main()

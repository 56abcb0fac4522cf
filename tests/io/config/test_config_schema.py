"""Do the committed configurations satisfy the committed schema, and does the schema refuse what the program refuses?"""
import glob
import json
import os
import unittest

import jsonschema
import yaml

ROOT = os.environ.get("STEMMA_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
CONFIGS = os.path.join(ROOT, "configs")


class ConfigSchema(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(CONFIGS, "stemma.schema.json"), encoding="utf-8") as file:
            self.schema = json.load(file)
        self.validator = jsonschema.Draft7Validator(self.schema)

    def is_valid(self, text):
        return self.validator.is_valid(yaml.safe_load("schema_version: 1\nmodels: [/m]\n" + text))

    def test_schema_is_draft_07(self):
        jsonschema.Draft7Validator.check_schema(self.schema)

    def test_every_configuration_is_valid(self):
        files = sorted(glob.glob(os.path.join(CONFIGS, "*.yaml")))
        self.assertGreaterEqual(len(files), 3)
        for name in files:
            with self.subTest(file=name), open(name, encoding="utf-8") as file:
                errors = [error.message for error in self.validator.iter_errors(yaml.safe_load(file))]
                self.assertEqual(errors, [])

    def test_mistakes_are_invalid(self):
        for text in (
            "seeed: 1", "seed: -1", "seed: yes", "name: a/b", "analyzers: {}", "compare: {tests: {spectrum: {}}}",
            "analyzers: {intrinsic_fingerprint: {twin: 1}}", "compare: {pairs: some}", "compare: {tests: [content]}",
            "compare: {tests: {intrinsic_fingerprint: {min_layers: 1}}}", "runtime: {strict: 'true'}",
            "sweep: {over: {}}", "sweep: {over: {seed: 1}}", "sweep: {over: {seed: []}}", "sweep: {over: {seed: [x]}}",
            "sweep: {over: {name: [a, b]}}", "sweep: {over: {sed: [1]}}", "sweep: {over: {seed: [1]}, mode: both}",
            "runtime: {memory_per_rank: lots}", "runtime: {memory_per_rank: 1000}", "runtime: {progress_every: 30}",
        ):
            with self.subTest(text=text):
                self.assertFalse(self.is_valid(text))

    def test_correct_values_are_valid(self):
        for text in (
            "", "runtime:", "analyzers: {content: , histogram: {}}", "runtime: {memory_per_rank: 1.5GiB}",
            "runtime: {memory_per_rank: auto}", "runtime: {memory_per_rank: 4294967296}", "compare: {background: t.tsv}",
            "sweep: {over: {seed: [1, 2], analyzers.tensorguard.mode: [faithful]}, mode: zip}", "runtime: {store: /s}",
            "architectures: tables", "architectures: [a, b]", "runtime: {progress_every: 10s}",
        ):
            with self.subTest(text=text):
                self.assertTrue(self.is_valid(text))

    def test_models_have_exactly_one_kind(self):
        for models, expected in (
            ("[/m]", True), ("[{path: /m, id: a+b}]", True), ("[{glob: '*/'}, {sheet: s.tsv}]", True),
            ("[]", False), ("[{id: a}]", False), ("[{path: /m, glob: x}]", False), ("[{path: /m, id: a/b}]", False),
            ("[{path: /m, base: [a, b]}]", True), ("[{path: /m, base: [a/b]}]", False), ("[{path: /m, use: x}]", False),
            ("[{hf: a/b}]", True), ("[{hf: a/b, path: /m}]", False), ("[{adapter: /l, 'on': a}]", True),
        ):
            with self.subTest(models=models):
                document = yaml.safe_load("schema_version: 1\nmodels: " + models)
                self.assertEqual(self.validator.is_valid(document), expected)


if __name__ == "__main__":
    unittest.main()

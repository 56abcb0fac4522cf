"""Does every family give back the matrices that its authors wrote, bit for bit, and is it the one that was meant?"""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import h5py

import families
import families_experts  # noqa: F401  the cases enter the list when they are read
import families_others  # noqa: F401
import harness
from harness import SOURCE, write_checkpoint

HARMLESS = {"ignored_buffer"}


def unclaimed(config):
    """The sizes of a configuration without the names of what it configures."""
    return {key: unclaimed(value) if isinstance(value, dict) else value for key, value in config.items()
            if key not in ("model_type", "architectures")}


def roles(told):
    return {tensor["role"]: tensor["name"] for tensor in told["tensors"]}


class Families(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.papers = {name: made() for name, made in families.CASES.items()}
        for name, paper in cls.papers.items():
            for kind, config in (("claimed", paper.config), ("sizes", unclaimed(paper.config)), ("bare", None)):
                write_checkpoint(cls.directory / kind / name, paper.tensors, config)
        cls.told = {kind: cls.inspect(kind) for kind in ("claimed", "sizes", "bare")}

    @classmethod
    def inspect(cls, kind):
        done = harness.stemma("inspect", *sorted((cls.directory / kind).iterdir()), "--tensors", "--json", cwd=cls.directory)
        assert done.returncode == 0, done.stderr
        return dict(zip(sorted(cls.papers), json.loads(done.stdout)["targets"]))

    def rules(self, told):
        return {finding["rule"] for finding in told["findings"]} - HARMLESS

    def test_every_family_has_a_case(self):
        shipped = {file.stem for file in (SOURCE / "configs/architectures").glob("*.yaml") if not file.stem.startswith("gguf")}
        self.assertEqual({paper.family for paper in self.papers.values()}, shipped)
        self.assertGreater(len(shipped), 40)

    def test_claims_are_believed_where_the_names_fit(self):
        for name, paper in self.papers.items():
            with self.subTest(name):
                told = self.told["claimed"][name]
                self.assertEqual(told["architecture"], paper.family)
                expected = set() if "model_type" in json.dumps(paper.config) else {"architecture_by_names"}
                if "quantization_config" in paper.config:  # of values that were read out of their blocks before
                    expected.add("quant_config_mismatch")
                self.assertEqual(self.rules(told), expected)

    def test_every_tensor_has_its_role_and_no_other(self):
        for name, paper in self.papers.items():
            with self.subTest(name):
                found = roles(self.told["claimed"][name])
                self.assertEqual({role for role in found if not role.startswith("other/")}, set(paper.truth))
                self.assertEqual({tensor for role, tensor in found.items() if role.startswith("other/")}, paper.others)

    def test_names_and_sizes_are_enough(self):
        for name, paper in self.papers.items():
            with self.subTest(name):
                told = self.told["sizes"][name]
                self.assertEqual(told["architecture"], paper.alone)
                if not paper.odd_alone:
                    self.assertEqual(self.rules(told), {"architecture_by_names"})
                if paper.alone == paper.family and not paper.odd_alone:
                    self.assertEqual(roles(told), roles(self.told["claimed"][name]))

    def test_names_alone_choose_the_family(self):
        for name, paper in self.papers.items():
            with self.subTest(name):
                self.assertEqual(self.told["bare"][name]["architecture"], paper.alone)

    def test_another_family_is_never_taken_in_silence(self):
        """One case of every family under the tables of all others."""
        first = {}
        for name, paper in self.papers.items():
            first.setdefault(paper.family, name)
        table = ["id\tpath\tarchitecture"]
        for family, name in first.items():
            table += [f"{family}-as-{other}\tclaimed/{name}\t{other}" for other in first if other != family]
        (self.directory / "wrong.tsv").write_text("\n".join(table) + "\n")
        done = harness.stemma("inspect", "--sheet", "wrong.tsv", "--json", cwd=self.directory, limit=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        targets = json.loads(done.stdout)["targets"]
        self.assertEqual(len(targets), len(table) - 1)
        silent = [told["id"] for told in targets
                  if not {"warning", "error"} & {finding["severity"] for finding in told["findings"]}]
        self.assertEqual(silent, [])

    @unittest.skipUnless(shutil.which("xxhsum"), "xxhsum is absent (Debian package xxhash)")
    def test_matrices_come_back_bit_for_bit(self):
        models = "".join(f"  - {{id: {name}, path: claimed/{name}}}\n" for name in self.papers)
        (self.directory / "c.yaml").write_text(f"schema_version: 1\nname: t\nmodels:\n{models}analyzers: {{content: {{}}}}\n")
        done = harness.stemma("run", "c.yaml", "--output", "out", cwd=self.directory, limit=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.directory / "out/t.h5", "r") as file:
            ids = list(file["models/id"].asstr()[:])
            found = {}
            for model, role, high, low in zip(file["tensors/model_index"][:], file["tensors/role"].asstr()[:],
                                              file["tensors/content_hash_hi"][:], file["tensors/content_hash_lo"][:]):
                found[ids[model], role] = f"{int(high):016x}{int(low):016x}"
        (self.directory / "truth").mkdir()
        keys = []
        for name, paper in self.papers.items():
            for path, values in paper.truth.items():
                (self.directory / "truth" / str(len(keys))).write_bytes(values.tobytes())
                keys.append((name, path))
        printed = subprocess.run(["xxhsum", "-H128", *map(str, range(len(keys)))], cwd=self.directory / "truth", text=True,
                                 capture_output=True, check=True).stdout.splitlines()
        self.assertEqual(len(printed), len(keys))
        wrong = [key for key, line in zip(keys, printed) if found.get(key) != line.split()[0]]
        self.assertEqual(wrong, [])
        self.assertEqual(len({found[key] for key in keys}), len(keys))  # no two are alike, so none passes for another


class UserTables(harness.EndToEnd):
    """A directory of tables on the command line, in a configuration, in the environment."""

    def setUp(self):
        super().setUp()
        paper = families.CASES["llama-kv2"]()
        paper.rename(lambda name: name.replace("self_attn", "attend"))
        write_checkpoint(self.directory / "m", paper.tensors, {**paper.config, "model_type": "mine", "architectures": ["Mine"]})
        shipped = (SOURCE / "configs/architectures/llama.yaml").read_text()
        self.table = shipped.replace("self_attn", "attend").replace("model_type: [llama,", "model_type: [mine, llama,")

    def architecture(self, *arguments, **environment):
        done = self.stemma("inspect", "m", "--json", *arguments, **environment)
        return json.loads(done.stdout)["targets"][0]["architecture"]

    def test_a_new_family_in_each_of_three_ways(self):
        self.write("a/mine.yaml", self.table.replace("family: llama", "family: mine"))
        self.write("b/other.yaml", self.table.replace("family: llama", "family: other").replace("attend", "pays"))
        self.assertEqual(self.architecture("--architectures", "b", "--architectures", "a"), "mine")
        self.assertEqual(self.architecture(STEMMA_ARCHITECTURES=f"{self.directory / 'b'}:{self.directory / 'a'}"), "mine")
        self.write("c.yaml", "schema_version: 1\nname: t\nmodels: [m]\narchitectures: [b, a]\nanalyzers: {content: {}}\n")
        self.stemma("run", "c.yaml", "--output", "out")
        self.assertEqual([row["architecture"] for row in harness.read_tsv(self.directory / "out/models.tsv")], ["mine"])

    def test_a_family_of_the_same_name_says_that_it_replaces(self):
        self.write("a/llama.yaml", self.table)
        refused = self.stemma("inspect", "m", "--architectures", "a", code=2).stderr
        self.assertIn("the family llama exists already", refused)
        self.assertIn("replaces: llama", refused)
        self.write("a/llama.yaml", self.table.replace("family: llama", "family: llama\nreplaces: llama"))
        self.assertEqual(self.architecture("--architectures", "a"), "llama")
        self.write("a/llama.yaml", self.table.replace("family: llama", "family: llama\nreplaces: lama"))
        self.assertIn("Did you mean llama", self.stemma("inspect", "m", "--architectures", "a", code=2).stderr)

    def test_without_a_table_roles_are_guessed_and_it_is_said(self):
        told = json.loads(self.stemma("inspect", "m", "--json", "--tensors").stdout)["targets"][0]
        self.assertEqual(told["architecture"], "")
        self.assertLessEqual({"unknown_architecture", "heuristic_roles"}, {finding["rule"] for finding in told["findings"]})
        self.assertIn("layers/1/mlp.down", roles(told))
        self.write("c.yaml", "schema_version: 1\nname: t\nmodels: [m]\nanalyzers: {content: {}}\n")
        self.stemma("run", "c.yaml", "--output", "out")
        self.assertEqual([row["heuristic"] for row in harness.read_tsv(self.directory / "out/models.tsv")], ["true"])


if __name__ == "__main__":
    unittest.main()

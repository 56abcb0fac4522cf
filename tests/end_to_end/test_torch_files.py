"""Is a checkpoint of torch.save the same model as its safetensors, and does nothing in it ever run?"""
import json
import os
import shutil
import subprocess
import sys
import unittest

import harness
from harness import ZOO, EndToEnd, read_safetensors, read_tsv
from torch_files import dictionary, name, rebuilt, text, write_pickle, write_torch, write_torch_shards

CONFIG = json.loads((ZOO / "aspen/config.json").read_text())
Q = "model.layers.0.self_attn.q_proj.weight"


class TorchFiles(EndToEnd):
    def setUp(self):
        super().setUp()
        self.tensors = dict(read_safetensors(ZOO / "aspen/model.safetensors"))

    def model(self, where):
        directory = self.directory / where
        directory.mkdir()
        shutil.copyfile(ZOO / "aspen/config.json", directory / "config.json")
        return directory

    def inspected(self, model, code=0):
        return json.loads(self.stemma("inspect", "--json", model, code=code).stdout)["targets"][0]

    def rules(self, model):
        return {finding["rule"] for finding in self.inspected(model)["findings"]}


class SameModel(TorchFiles):
    def variants(self):
        """Aspen in every layout that torch checkpoints come in."""
        single = self.model("single")
        write_torch(single / "pytorch_model.bin", self.tensors)
        yield single
        shards = self.model("shards")
        write_torch_shards(shards, self.tensors, 3)
        yield shards
        parts = self.model("parts")
        write_torch_shards(parts, self.tensors, 3, index=False)
        yield parts
        wrapped = self.model("wrapped")
        write_torch(wrapped / "last.ckpt", self.tensors, below="state_dict")
        yield wrapped / "last.ckpt"
        reversed_order = self.model("reversed")
        write_torch(reversed_order / "model.pth", dict(reversed(self.tensors.items())),
                    column_major=[tensor for tensor, array in self.tensors.items() if array.ndim == 2])
        yield reversed_order / "model.pth"

    def compare(self, *models):
        """A run of these models, in the directory out."""
        self.write("c.yaml", f"schema_version: 1\nmodels: {json.dumps(list(map(str, models)))}\ntrace: {{enabled: false}}\n")
        self.stemma("run", "c.yaml", "--output", "out", ranks=2)

    def test_every_layout_is_an_exact_copy(self):
        models = list(self.variants())
        self.compare(ZOO / "aspen", *models)
        contents = {row["id"]: row["content"] for row in read_tsv(self.directory / "out/models.tsv")}
        self.assertEqual(len(contents), 6)
        self.assertEqual(len(set(contents.values())), 1, contents)
        relations = [row["relation"] for row in read_tsv(self.directory / "out/pairs.tsv")]
        self.assertEqual(relations, ["EXACT_COPY"] * 15)

    def test_the_same_tensors_are_listed(self):
        def matrices(model):
            listed = json.loads(self.stemma("inspect", "--tensors", "--json", model).stdout)["targets"][0]
            return listed["architecture"], [{key: value for key, value in row.items() if key not in ("file", "offset")}
                                            for row in listed["tensors"]]

        expected = matrices(ZOO / "aspen")
        self.assertGreater(len(expected[1]), 40)
        for model in self.variants():
            self.assertEqual(matrices(model), expected, model)

    def test_findings(self):
        rules = {model.name: self.rules(model) for model in self.variants()}
        self.assertEqual(rules["single"], {"pickle.globals"})
        self.assertEqual(rules["shards"], {"pickle.globals"})
        self.assertEqual(rules["parts"], {"pickle.globals", "missing_index"})

    def test_one_bit_is_another_model(self):
        model = self.model("bit")
        changed = self.tensors[Q].copy()
        changed.reshape(-1)[7] ^= 1
        write_torch(model / "pytorch_model.bin", {**self.tensors, Q: changed})
        self.compare(ZOO / "aspen", model)
        self.assertNotEqual([row["relation"] for row in read_tsv(self.directory / "out/pairs.tsv")], ["EXACT_COPY"])

    def test_ties_by_shared_storage(self):
        embed = self.tensors["model.embed_tokens.weight"]
        tied = {**self.tensors, "lm_head.weight": embed}
        model = self.model("tied")
        write_torch_shards(model, tied, 1)
        self.assertEqual(self.rules(model) & {"shared_storage", "index_total_size"}, {"shared_storage"})


class Search(TorchFiles):
    def test_safetensors_come_first(self):
        model = self.model("both")
        shutil.copyfile(ZOO / "aspen/model.safetensors", model / "model.safetensors")
        write_torch(model / "pytorch_model.bin", self.tensors)
        told = self.inspected(model)
        self.assertEqual(told["format"], "safetensors")
        self.assertIn("mixed_formats", {finding["rule"] for finding in told["findings"]})

    def test_index_single_file_and_orphans(self):
        model = self.model("many")
        write_torch_shards(model, self.tensors, 2)
        write_torch(model / "pytorch_model.bin", self.tensors)
        write_torch(model / "pytorch_model-00001-of-00009.bin", {})
        self.assertGreaterEqual(self.rules(model), {"ambiguous_model_files", "orphan_file"})

    def test_a_part_is_missing(self):
        for index in (True, False):
            model = self.model(f"missing{index}")
            write_torch_shards(model, self.tensors, 3, index)
            (model / "pytorch_model-00002-of-00003.bin").unlink()
            self.assertIn("missing_shard", self.stemma("inspect", model, code=4).stdout + self.stemma("inspect", model, code=4).stderr)

    def test_meta_layout(self):
        model = self.directory / "meta"
        model.mkdir()
        write_torch(model / "consolidated.00.pth", self.tensors)
        (model / "params.json").write_text(json.dumps(CONFIG))
        self.assertEqual(self.inspected(model)["format"], "torch_zip")
        write_torch(model / "consolidated.01.pth", self.tensors)
        done = self.stemma("inspect", model, code=4)
        self.assertIn("slices", done.stdout + done.stderr)


class NothingRuns(TorchFiles):
    """A pickle that would write a file, checked to be live by Python's own unpickler, stays dead here."""

    def hostile(self, call):
        return call + text(f"touch {self.directory}/sentinel") + b"\x85R"

    def test_sentinel(self):
        sentinel = self.directory / "sentinel"
        for i, call in enumerate((name("os", "system"), name("posix", "system"), text("os") + text("system") + b"\x93")):
            payload = self.hostile(call)
            loads = "import pickle, sys; pickle.loads(sys.stdin.buffer.read())"
            subprocess.run([sys.executable, "-c", loads], input=b"\x80\x04" + payload + b".", check=True)
            self.assertTrue(sentinel.exists(), "the payload is dead, so this test proves nothing")
            sentinel.unlink()
            model = self.model(f"hostile{i}")
            tensor = rebuilt("0", "FloatStorage", 4, [2, 2], [2, 1])
            write_pickle(model / "pytorch_model.bin", dictionary({"x": payload, "weight": tensor}), [bytes(16)])
            (model / "bare.pt").write_bytes(b"\x80\x04" + payload + b".")
            before = sorted(os.listdir(self.directory)), sorted(os.listdir(model))
            for target, rule in ((model, "unexpected_global"), (model / "bare.pt", "format.refused")):
                for verb in ("inspect", "fingerprint"):
                    done = harness.stemma(verb, target, *(["-o", model / "out.h5"] if verb == "fingerprint" else []), cwd=self.directory)
                    self.assertIn(rule, done.stdout + done.stderr)
                    self.assertNotEqual(done.returncode, 0)
            for left in model.glob("out.h5*"):
                left.unlink()
            self.assertEqual((sorted(os.listdir(self.directory)), sorted(os.listdir(model))), before)

    def test_no_process_and_no_socket(self):
        strace = shutil.which("strace")
        if not strace:
            self.skipTest("strace is absent: files, but not processes and sockets are looked at")
        model = self.model("hostile")
        write_pickle(model / "pytorch_model.bin", dictionary({"x": self.hostile(name("os", "system"))}))
        clean = self.model("clean")
        write_torch(clean / "pytorch_model.bin", self.tensors)
        calls = []
        for target in (clean, model):
            subprocess.run([strace, "-f", "-e", "trace=execve,fork,vfork,socket,connect", "-o", self.directory / "calls",
                            harness.STEMMA, "inspect", target], capture_output=True, check=False)
            calls.append([line.split(None, 1)[1].split("(")[0] for line in (self.directory / "calls").read_text().splitlines()
                          if "(" in line])
        self.assertEqual(*map(sorted, calls))
        self.assertEqual(calls[0].count("execve"), 1)


class AdapterInTorchFormat(TorchFiles):
    def test_traced_like_its_safetensors(self):
        source = harness.SOURCE / "tests/data/adapters/aspen-lora-r8"
        lora = self.directory / "lora"
        shutil.copytree(source, lora)
        write_torch(lora / "adapter_model.bin", read_safetensors(lora / "adapter_model.safetensors"))
        (lora / "adapter_model.safetensors").unlink()
        told = [json.loads(self.stemma("trace", ZOO / "aspen", adapter, "--json").stdout)["pairs"][0] for adapter in (source, lora)]
        for pair in told:
            pair.pop("b", None)
        self.assertEqual(json.dumps(told[0]).replace(str(source), "ADAPTER").replace("aspen-lora-r8", "ADAPTER"),
                         json.dumps(told[1]).replace(str(lora), "ADAPTER").replace("\"lora\"", "\"ADAPTER\""))


if __name__ == "__main__":
    unittest.main()

"""Is one model the same model in every form in which people keep it?"""
import json
import pathlib
import shutil
import tempfile
import unittest

import numpy as np

import gguf
import harness
from harness import ZOO, bf16, llama_config, llama_tensors, read_tsv, widened, write_checkpoint, write_safetensors
from torch_files import write_torch, write_torch_shards

WIDE = {"hidden_size": 256, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 32, "intermediate_size": 512}
KIN = {"EXACT_COPY", "REENCODED_COPY", "LOW_RANK_RELATED", "SAME_LINEAGE"}
QUANTISED = {"q8_0": "Q8_0", "q4_k": "Q4_K"}


def adapter_of(directory, tensors, rank=4):
    """A small update of every q_proj."""
    random, factors = np.random.default_rng(3), {}
    for name, weight in tensors.items():
        if "q_proj" in name:
            module = "base_model.model." + name.removesuffix(".weight")
            factors[f"{module}.lora_A.weight"] = random.normal(0, 0.02, (rank, weight.shape[1])).astype(np.float32)
            factors[f"{module}.lora_B.weight"] = random.normal(0, 0.02, (weight.shape[0], rank)).astype(np.float32)
    directory.mkdir()
    (directory / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank}))
    write_safetensors(directory / "adapter_model.safetensors", factors)


class OneModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = here = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, here, ignore_errors=True)
        config = llama_config(8, **WIDE)
        tensors = {name: widened(array).astype(np.float32) for name, array in llama_tensors(config, 5).items()}
        forms = {"f32": tensors, "f16": {n: t.astype(np.float16) for n, t in tensors.items()}, "bf16": {n: bf16(t) for n, t in tensors.items()}}
        for form, stored in forms.items():
            write_checkpoint(here / form, stored, config)
        write_checkpoint(here / "sharded", tensors, config)
        (here / "sharded/model.safetensors").unlink()
        names = sorted(tensors)
        shards = {f"model-0000{i + 1}-of-00003.safetensors": names[i::3] for i in range(3)}
        for file, part in shards.items():
            write_safetensors(here / "sharded" / file, {name: tensors[name] for name in part})
        (here / "sharded/model.safetensors.index.json").write_text(
            json.dumps({"weight_map": {name: file for file, part in shards.items() for name in part}}))
        for form in ("torch", "torch_shards"):
            (here / form).mkdir()
            shutil.copy(here / "f32/config.json", here / form)
        write_torch(here / "torch/pytorch_model.bin", tensors)
        write_torch_shards(here / "torch_shards", tensors, 2)
        for kind in ("f16", "q8_0", "q4_k"):
            gguf.write_gguf(here / f"gguf-{kind}.gguf", gguf.converted(tensors, config, kind), gguf.keys_of(config))
        adapter_of(here / "adapter", tensors)
        listed = [*(f"'{here}/{form}'" for form in ("f32", "f16", "bf16", "sharded", "torch", "torch_shards")),
                  *(f"{{path: '{here}/gguf-{kind}.gguf', id: gguf-{kind}}}" for kind in ("f16", "q8_0", "q4_k")),
                  f"{{adapter: '{here}/adapter', \"on\": f32}}", f"'{ZOO}/birch'"]
        (here / "c.yaml").write_text("schema_version: 1\nname: t\nmodels: [" + ", ".join(listed) + "]\ntrace: {pairs: all}\n")
        done = harness.stemma("run", "c.yaml", ranks=2, cwd=here, limit=400)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.pairs = {frozenset((row["a"], row["b"])): row for row in read_tsv(here / "runs/t/pairs.tsv")}
        cls.models = {row["id"]: row for row in read_tsv(here / "runs/t/models.tsv")}

    def test_every_pair_is_kin_and_no_stranger_is(self):
        forms = sorted(set(self.models) - {"birch"})
        self.assertEqual(len(forms), 10)
        for i, a in enumerate(forms):
            for b in forms[i + 1:]:
                with self.subTest(a=a, b=b):
                    row = self.pairs[frozenset((a, b))]
                    self.assertIn(row["relation"], KIN, row["abstain_reason"])
            self.assertNotIn(self.pairs[frozenset((a, "birch"))]["relation"], KIN, a)

    def test_equal_numbers_are_equal_models(self):
        for form in ("sharded", "torch", "torch_shards"):
            self.assertEqual(self.pairs[frozenset(("f32", form))]["relation"], "EXACT_COPY", form)
        self.assertEqual(self.pairs[frozenset(("f32", "f16"))]["relation"], "REENCODED_COPY")
        self.assertEqual(self.pairs[frozenset(("f32", "f32+adapter"))]["relation"], "LOW_RANK_RELATED")

    def test_quantised_models_are_copies_of_what_they_were_made_from(self):
        for kind in QUANTISED:
            row = self.pairs[frozenset(("f32", f"gguf-{kind}"))]
            self.assertEqual(row["relation"], "REENCODED_COPY", kind)
            self.assertEqual(row["direction"], "a_to_b" if row["a"] == "f32" else "b_to_a", kind)
        row = self.pairs[frozenset(("gguf-q8_0", "gguf-q4_k"))]
        self.assertEqual((row["relation"], row["direction"]), ("REENCODED_COPY", "unknown"))

    def test_quantisation_is_named(self):
        for kind, name in QUANTISED.items():
            self.assertIn(name, self.models[f"gguf-{kind}"]["dtypes"].upper(), kind)


if __name__ == "__main__":
    unittest.main()

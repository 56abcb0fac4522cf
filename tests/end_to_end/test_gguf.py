"""Is a model in a GGUF file the model that it was made from, and kin to it when it was quantised?"""
import json
import pathlib
import shutil
import tempfile
import unittest

import h5py
import numpy as np

import gguf
import harness
import layouts
from harness import DATA, ZOO, EndToEnd, llama_config, llama_tensors, read_safetensors, widened, write_checkpoint

KIN = {"EXACT_COPY", "REENCODED_COPY", "SAME_LINEAGE"}
WIDE = {"hidden_size": 256, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 32, "intermediate_size": 512}


def relation_of(pairs, a, b):
    return pairs[min(a, b), max(a, b)]["relation"]


class Converted(unittest.TestCase):
    """aspen of the zoo, and a wider model, as GGUF in several types."""

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.config = json.loads((ZOO / "aspen/config.json").read_text())
        cls.tensors = {name: widened(array).astype(np.float32)
                       for name, array in read_safetensors(ZOO / "aspen/model.safetensors").items()}
        models = [ZOO / "aspen", ZOO / "birch"]
        models.append(write_checkpoint(cls.directory / "source", cls.tensors, cls.config))
        cls.entries = {}
        for kind in ("f32", "f16", "q8_0", "q4_0"):
            cls.entries[kind] = gguf.converted(cls.tensors, cls.config, kind)
            models.append(gguf.write_gguf(cls.directory / f"{kind}.gguf", cls.entries[kind], gguf.keys_of(cls.config)))
        wide = llama_config(8, **WIDE)
        made = llama_tensors(wide, 5)
        models.append(write_checkpoint(cls.directory / "wide", made, wide))
        cls.entries["q4_k"] = gguf.converted(made, wide, "q4_k")
        models.append(gguf.write_gguf(cls.directory / "q4_k.gguf", cls.entries["q4_k"], gguf.keys_of(wide)))
        done = harness.stemma("fingerprint", *models, "-o", "a.h5", ranks=2, cwd=cls.directory)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.file = h5py.File(cls.directory / "a.h5", "r")
        cls.addClassCleanup(cls.file.close)
        cls.ids = list(cls.file["models/id"].asstr()[:])
        cls.rows = {id: {} for id in cls.ids}
        for row, (model, role) in enumerate(zip(cls.file["tensors/model_index"][:], cls.file["tensors/role"].asstr()[:])):
            if role:
                cls.rows[cls.ids[model]][role] = row
        done = harness.stemma("compare", "a.h5", "--json", cwd=cls.directory)
        cls.pairs = {(pair["a"], pair["b"]): pair for pair in json.loads(done.stdout)["pairs"]}

    def id_of(self, name):
        (found,) = [id for id in self.ids if id.split(".")[0] == name]
        return found

    def test_family_and_findings(self):
        architecture = dict(zip(self.ids, self.file["models/architecture"].asstr()[:]))
        for kind in self.entries:
            self.assertEqual(architecture[self.id_of(kind)], "gguf_paired")
        odd = {self.ids[m] for m in self.file["findings/model_index"][:]} & {self.id_of(kind) for kind in self.entries}
        self.assertEqual(odd, set())

    def test_canonical_content_of_f32_is_that_of_the_source(self):
        high, low = (self.file[f"tensors/content_hash_{part}"][:] for part in ("hi", "lo"))
        source, converted = self.rows["source"], self.rows[self.id_of("f32")]
        self.assertEqual(set(source), set(converted))
        for role, row in source.items():
            self.assertEqual((high[row], low[row]), (high[converted[role]], low[converted[role]]), role)

    def test_moments_are_those_of_the_decoded_values(self):
        mean, squares = self.file["moments/mean"][:], self.file["moments/frobenius_sq"][:]
        roles = {"token_embd.weight": "embed", "blk.2.attn_q.weight": "layers/2/attn.q", "blk.0.ffn_down.weight": "layers/0/mlp.down",
                 "blk.5.ffn_up.weight": "layers/5/mlp.up", "output.weight": "lm_head"}
        for kind, entries in self.entries.items():
            for name, role in roles.items():
                values, row = gguf.read_again(entries[name]).astype(float), self.rows[self.id_of(kind)][role]
                np.testing.assert_allclose(squares[row], np.sum(values**2), rtol=1e-12, err_msg=f"{kind} {role}")
                np.testing.assert_allclose(mean[row], values.mean(), rtol=1e-9, atol=1e-15, err_msg=f"{kind} {role}")

    def test_quantised_models_are_kin_to_their_source(self):
        for kind in ("f32", "f16", "q8_0", "q4_0"):
            for source in ("aspen", "source"):
                found = relation_of(self.pairs, self.id_of(kind), source)
                self.assertIn(found, KIN, (kind, source))
        self.assertIn(relation_of(self.pairs, self.id_of("q4_k"), "wide"), KIN)

    def test_strangers_stay_strangers(self):
        for kind in ("f32", "f16", "q8_0", "q4_0"):
            self.assertNotIn(relation_of(self.pairs, self.id_of(kind), "birch"), KIN, kind)


class Families(unittest.TestCase):
    """The same weights as safetensors and as GGUF of several architectures, all in F32."""

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        gate, flat, moe = layouts.gated(1), layouts.plain(2), layouts.mixture(3)
        f32, models, cls.expected = layouts.STORED["F32"], [], {}

        def published(name, tensors, config):
            models.append(write_checkpoint(cls.directory / name, {n: f32(t) for n, t in tensors.items()}, config))

        published("published-llama", layouts.as_llama(gate), layouts.LLAMA_CONFIG)
        published("published-gpt2", layouts.as_gpt2(flat), layouts.GPT2)
        published("published-mixtral", layouts.as_mixtral(moe), layouts.MIXTRAL)

        def add(architecture, weights, config, family, source, **layout):
            cls.expected[architecture] = (family, source)
            models.append(gguf.write_gguf(cls.directory / f"{architecture}.gguf", gguf.written(weights.of, **layout),
                                          gguf.keys_of(config, architecture.split("_")[0])))

        in_pairs = {"attn.q": layouts.HEADS, "attn.k": layouts.KV}
        qkv, gate_up = ("attn.q", "attn.k", "attn.v"), ("mlp.gate", "mlp.up")
        add("granite", gate, layouts.GQA, "gguf_paired", "llama", heads=in_pairs)
        add("qwen2", gate, layouts.GQA, "gguf", "llama")
        add("nobody", gate, layouts.GQA, "gguf", "llama")
        add("llama4", gate, layouts.GQA, "gguf_interleaved", "llama")
        add("command-r", gate, layouts.GQA, "gguf_cohere", "llama")
        add("stablelm", gate, layouts.GQA, "gguf_layer_norm", "llama")
        add("phi3", gate, layouts.GQA, "gguf_phi3", "llama", fused={"attn_qkv": qkv, "ffn_up": gate_up})
        add("chatglm", gate, layouts.GQA, "gguf_chatglm", "llama", fused={"attn_qkv": qkv, "ffn_up": gate_up})
        add("glm4", gate, layouts.GQA, "gguf_glm4", "llama", fused={"ffn_up": gate_up})
        add("llama_moe", moe, layouts.MIXTRAL, "gguf_paired", "mixtral", heads=in_pairs)
        flat_config = {**layouts.DIMS, "num_key_value_heads": layouts.HEADS}
        add("gpt2", flat, flat_config, "gguf_gpt2", "gpt2", fused={"attn_qkv": qkv})
        del flat.of["pos_embed"]
        add("gptneox", flat, flat_config, "gguf_neox", "gpt2", fused={"attn_qkv": qkv})
        done = harness.stemma("fingerprint", *models, "-o", "a.h5", ranks=2, cwd=cls.directory)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        with h5py.File(cls.directory / "a.h5", "r") as file:
            cls.ids = list(file["models/id"].asstr()[:])
            cls.architecture = dict(zip(cls.ids, file["models/architecture"].asstr()[:]))
            cls.findings = {(cls.ids[m], rule) for m, rule in zip(file["findings/model_index"][:], file["findings/rule"].asstr()[:])}
            columns = [file[f"tensors/{name}"][:] for name in ("model_index", "content_hash_hi", "content_hash_lo")]
            cls.hashes = {id: {} for id in cls.ids}
            for role, model, high, low in zip(file["tensors/role"].asstr()[:], *columns):
                if role:
                    cls.hashes[cls.ids[model]][role] = (high, low)

    def id_of(self, name):
        (found,) = [id for id in self.ids if id.removesuffix(".gguf") == name]
        return found

    def test_families(self):
        for name, (family, _) in self.expected.items():
            self.assertEqual(self.architecture[self.id_of(name)], family, name)

    def test_canonical_content(self):
        for name, (_, source) in self.expected.items():
            found, expected = self.hashes[self.id_of(name)], dict(self.hashes[f"published-{source}"])
            if name == "gptneox":
                del expected["pos_embed"]
            self.assertEqual(set(found), set(expected), name)
            for role, digest in expected.items():
                self.assertEqual(found[role], digest, (name, role))

    def test_only_an_unknown_architecture_is_odd(self):
        gguf_ids = {self.id_of(name) for name in self.expected}
        self.assertEqual({(id, rule) for id, rule in self.findings if id in gguf_ids},
                         {(self.id_of("nobody"), "architecture_by_names")})


class Files(EndToEnd):
    def setUp(self):
        super().setUp()
        self.config = llama_config(3)
        self.entries = gguf.converted(llama_tensors(self.config, 1), self.config, "q8_0")
        self.keys = gguf.keys_of(self.config)

    def inspected(self, name, code=0):
        return json.loads(self.stemma("inspect", "--json", name, code=code).stdout)

    def split(self, parts, directory="."):
        names = list(self.entries)
        for part in range(parts):
            mine = {name: self.entries[name] for name in names[part * len(names) // parts:(part + 1) * len(names) // parts]}
            keys = {"split.no": part, "split.count": parts, "split.tensors.count": len(names)}
            path = self.directory / directory / f"m-{part + 1:05}-of-{parts:05}.gguf"
            path.parent.mkdir(exist_ok=True)
            gguf.write_gguf(path, mine, {**(self.keys if part == 0 else {}), **keys})

    def test_a_directory_with_one_file(self):
        (self.directory / "d").mkdir()
        gguf.write_gguf(self.directory / "d/model-q8_0.gguf", self.entries, self.keys)
        gguf.write_gguf(self.directory / "d/mmproj-model.gguf", {}, self.keys)
        done = self.stemma("inspect", "d", "--tensors")
        self.assertIn("attn.q", done.stdout)
        gguf.write_gguf(self.directory / "d/model-f16.gguf", self.entries, self.keys)
        done = self.stemma("inspect", "d", code=4)
        self.assertIn("several_models", done.stdout + done.stderr)

    def test_a_set_is_one_model_by_directory_and_by_any_part(self):
        self.split(3, "set")
        gguf.write_gguf(self.directory / "whole.gguf", self.entries, self.keys)
        names = ("whole.gguf", "set", "set/m-00001-of-00003.gguf", "set/m-00003-of-00003.gguf")
        archives = [self.fingerprint(f"{i}.h5", name) for i, name in enumerate(names)]
        hashes = []
        for archive in archives:
            with h5py.File(archive, "r") as file:
                roles = file["tensors/role"].asstr()[:]
                hashes.append(sorted(zip(roles, file["tensors/content_hash_hi"][:], file["tensors/content_hash_lo"][:])))
        for other in hashes[1:]:
            self.assertEqual(hashes[0], other)

    def test_broken_sets(self):
        self.split(3, "set")
        part = self.directory / "set/m-00002-of-00003.gguf"
        whole = part.read_bytes()

        def refused():
            done = self.stemma("inspect", "set", code=4)
            self.assertIn("gguf.split", done.stdout + done.stderr)

        part.unlink()
        refused()
        shutil.copy(self.directory / "set/m-00001-of-00003.gguf", part)  # two parts with one number
        refused()
        part.write_bytes(whole.replace(gguf.pair("split.count", 3), gguf.pair("split.count", 4)))
        refused()
        part.write_bytes(whole.replace(gguf.pair("split.tensors.count", len(self.entries)), gguf.pair("split.tensors.count", 1)))
        self.stemma("inspect", "set")  # the first part rules
        first = self.directory / "set/m-00001-of-00003.gguf"
        first.write_bytes(first.read_bytes().replace(gguf.pair("split.tensors.count", len(self.entries)),
                                                     gguf.pair("split.tensors.count", 1)))
        refused()
        alone = self.directory / "alone.gguf"
        alone.write_bytes(whole)
        self.assertIn("gguf.split", self.stemma("inspect", "alone.gguf", code=4).stdout)

    def test_a_model_of_stories(self):
        path = DATA / "checkpoints/stories260k/stories260K.gguf"
        if not path.is_file():
            self.skipTest(f"no test data at {path}; set STEMMA_TEST_DATA")
        archive = self.fingerprint("s.h5", path)
        with h5py.File(archive, "r") as file:
            roles = file["tensors/role"].asstr()[:]
            rows = {role: (r, c) for role, r, c in zip(roles, file["tensors/rows"][:], file["tensors/cols"][:]) if role}
            self.assertEqual(file["models/architecture"].asstr()[0], "gguf_paired")
        self.assertEqual(len(rows), 48)
        self.assertEqual(rows["layers/4/attn.k"], (32, 64))
        self.assertEqual(rows["layers/0/mlp.up"], (172, 64))
        self.assertEqual(sum(r * c for r, c in rows.values()), 292_800)


if __name__ == "__main__":
    unittest.main()

"""Do the same weights have the same fingerprint however they are written: fused, transposed, stacked, sharded, widened?"""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

import harness
from harness import EndToEnd, bf16, write_checkpoint
from layouts import (EXPERTS, GPT2, GQA, HEADS, LAYERS, LLAMA_CONFIG, MINE, MIXTRAL, NEOX, OWN, STORED, as_gpt2, as_gpt_neox,
                     as_llama, as_mine, as_mixtral, as_phi3, as_stacked_mixtral, gated, mixture, plain)


class Layouts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        gate, flat, moe = gated(1), plain(2), mixture(3)
        cls.truth, cls.models = {}, []

        def add(name, write, weights, config, kind="BF16", shards=1, rename=lambda name: name, order=sorted):
            tensors = write(weights)
            tensors = {rename(n): STORED[kind](tensors[n]) for n in order(tensors)}
            cls.truth[name] = (weights, kind)
            cls.models.append(write_checkpoint(cls.directory / name, tensors, config, shards))

        add("llama", as_llama, gate, LLAMA_CONFIG)
        add("llama-f32", as_llama, gate, LLAMA_CONFIG, "F32")
        add("llama-f16", as_llama, gate, LLAMA_CONFIG, "F16")
        add("llama-2", as_llama, gate, LLAMA_CONFIG, shards=2)
        add("llama-5", as_llama, gate, LLAMA_CONFIG, shards=5, order=lambda t: sorted(t, reverse=True))
        add("llama-wrapped", as_llama, gate, LLAMA_CONFIG, rename="_orig_mod.module.{}".format)
        add("llama-bare", as_llama, gate, LLAMA_CONFIG, rename=lambda name: name.removeprefix("model."))
        add("phi3", as_phi3, gate, {**GQA, "model_type": "phi3"})
        add("phi3-f16", as_phi3, gate, {**GQA, "model_type": "phi3"}, "F16", shards=3)
        add("mine", as_mine, gate, OWN)
        add("gpt_neox", as_gpt_neox, flat, NEOX)
        add("gpt2", as_gpt2, flat, GPT2)
        add("gpt2-f32", as_gpt2, flat, GPT2, "F32", shards=2,
            rename=lambda name: name if name.startswith("lm_head") else "transformer." + name)
        add("mixtral", as_mixtral, moe, MIXTRAL)
        add("mixtral-stacks", as_stacked_mixtral, moe, MIXTRAL, shards=2)
        tables = cls.directory / "tables"
        tables.mkdir()
        (tables / "mine.yaml").write_text(MINE)
        done = harness.stemma("fingerprint", *cls.models, "-o", "a.h5", "--architectures", tables, ranks=2, cwd=cls.directory)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.file = h5py.File(cls.directory / "a.h5", "r")
        cls.addClassCleanup(cls.file.close)
        cls.ids = list(cls.file["models/id"].asstr()[:])
        cls.rows = {id: {} for id in cls.ids}  # of canonical matrices, by path
        for row, (model, role) in enumerate(zip(cls.file["tensors/model_index"][:], cls.file["tensors/role"].asstr()[:])):
            if role:
                cls.rows[cls.ids[model]][role] = row
        high, low = (cls.file[f"tensors/content_hash_{part}"][:] for part in ("hi", "lo"))
        cls.hash = {id: {role: f"{int(high[row]):016x}{int(low[row]):016x}" for role, row in rows.items()}
                    for id, rows in cls.rows.items()}
        cls.pairs = {(pair["a"], pair["b"]): pair for pair in json.loads(
            harness.stemma("compare", "a.h5", "--json", cwd=cls.directory).stdout)["pairs"]}

    def test_families(self):
        architecture = dict(zip(self.ids, self.file["models/architecture"].asstr()[:]))
        self.assertEqual(architecture, {id: "mine" if id == "mine" else id.split("-")[0] for id in self.ids})

    def test_nothing_is_odd(self):
        model, rule = self.file["findings/model_index"][:], self.file["findings/rule"].asstr()[:]
        self.assertEqual({(self.ids[m], r) for m, r in zip(model, rule)},
                         {("gpt2", "ignored_buffer"), ("gpt2-f32", "ignored_buffer")})

    def test_roles_and_shapes_are_the_canonical_ones(self):
        for id, (weights, _) in self.truth.items():
            expected = set(weights.of) - ({"pos_embed"} if id == "gpt_neox" else set())
            self.assertEqual(set(self.rows[id]), expected, id)
            for role, row in self.rows[id].items():
                shape = weights[role].shape
                found = (self.file["tensors/rows"][row], self.file["tensors/cols"][row])
                self.assertEqual(found, shape if len(shape) == 2 else (*shape, 1), (id, role))

    def test_equal_matrices_have_equal_hashes(self):
        def same(a, b, roles=None):
            for role in roles or self.hash[a]:
                self.assertEqual(self.hash[a][role], self.hash[b][role], (a, b, role))

        for other in ("llama-2", "llama-5", "llama-wrapped", "llama-bare", "phi3", "mine"):
            same("llama", other)
        same("llama-f16", "phi3-f16")
        same("gpt_neox", "gpt2")  # all roles of the former
        same("mixtral", "mixtral-stacks")
        every = [h for id in ("llama", "llama-f32", "llama-f16", "gpt2", "gpt2-f32", "mixtral") for h in self.hash[id].values()]
        self.assertEqual(len(every), len(set(every)))  # other values and other types have other hashes

    @unittest.skipUnless(shutil.which("xxhsum"), "xxhsum is absent (Debian package xxhash)")
    def test_hashes_are_those_of_the_canonical_bytes(self):
        files, expected = [], []
        for id in ("llama-f32", "phi3", "mine", "gpt_neox", "gpt2-f32", "mixtral-stacks"):
            weights, kind = self.truth[id]
            for role, found in self.hash[id].items():
                files.append(self.directory / f"{len(files)}.bin")
                files[-1].write_bytes(STORED[kind](weights[role]).tobytes())
                expected.append(found)
        printed = subprocess.run(["xxhsum", "-H128", *files], text=True, capture_output=True, check=True).stdout
        self.assertEqual([line.split()[0] for line in printed.splitlines()], expected)

    def test_moments_are_those_of_the_canonical_matrices(self):
        std, mean, frobenius = (self.file[f"moments/{name}"][:] for name in ("std_unbiased", "mean", "frobenius_sq"))
        for id, (weights, _) in self.truth.items():
            for role, row in self.rows[id].items():
                values = weights[role]
                np.testing.assert_allclose(std[row], values.std(ddof=1), rtol=1e-12, err_msg=f"{id} {role}")
                np.testing.assert_allclose(mean[row], values.mean(), rtol=1e-9, atol=1e-15, err_msg=f"{id} {role}")
                np.testing.assert_allclose(frobenius[row], np.sum(values**2), rtol=1e-12, err_msg=f"{id} {role}")

    def test_std_curves(self):
        parts = [part.decode() for part in self.file["part"]]
        std, layer, model = (self.file[f"layers/{name}"][:] for name in ("std", "layer", "model_index"))
        curve = self.file["methods/intrinsic_fingerprint/curve"][:]
        roles = {**{p: [f"attn.{p}"] for p in "qkvo"},
                 **{p: [f"mlp.{p}", *(f"moe.expert.{p}/{e}" for e in range(EXPERTS))] for p in ("gate", "up", "down")}}
        seen = 0
        for row in np.flatnonzero(layer >= 0):
            weights, _ = self.truth[self.ids[model[row]]]
            for part, names in roles.items():
                paths = [f"layers/{layer[row]}/{name}" for name in names]
                found = std[row, parts.index(part)]
                values = [weights[path].ravel() for path in paths if path in weights.of]
                if not values:
                    self.assertTrue(np.isnan(found))
                    continue
                expected = np.concatenate(values).std(ddof=1)  # experts of a layer are taken together
                np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=f"{self.ids[model[row]]} {paths}")
                if part in "qkvo":
                    np.testing.assert_allclose(curve[row, "qkvo".index(part)], expected, rtol=1e-12)
                seen += 1
        self.assertEqual(seen, LAYERS * (13 * 7 - 3 + 2 * 7))

    def test_types_do_not_change_the_curves(self):
        for table in ("layers/std", "methods/intrinsic_fingerprint/curve", "methods/intrinsic_fingerprint/twin"):
            values, model = self.file[table][:], self.file["layers/model_index"][:]
            of = {id: values[model == self.ids.index(id)] for id in self.ids}
            for a, b in (("llama", "phi3"), ("llama", "mine"), ("llama", "llama-5"), ("mixtral", "mixtral-stacks"),
                         ("llama-f16", "phi3-f16")):
                np.testing.assert_array_equal(of[a], of[b], err_msg=f"{table} {a} {b}")
            for a, b in (("llama", "llama-f16"), ("llama", "llama-f32"), ("gpt2", "gpt2-f32"), ("gpt2", "gpt_neox")):
                np.testing.assert_allclose(of[a], of[b], rtol=1e-12, err_msg=f"{table} {a} {b}")

    def pair(self, a, b):
        return self.pairs[min(a, b), max(a, b)]

    def test_copies_in_another_layout_are_exact_copies(self):
        for a, b in (("llama", "phi3"), ("llama", "mine"), ("llama", "llama-2"), ("llama-2", "llama-5"),
                     ("llama-wrapped", "llama-bare"), ("llama-f16", "phi3-f16"), ("mixtral", "mixtral-stacks")):
            self.assertEqual(self.pair(a, b)["relation"], "EXACT_COPY", (a, b))
            content = next(e for e in self.pair(a, b)["evidence"] if e["method"] == "content" and not e["role"])
            self.assertEqual((content["score"], content["detail"]["equal_tensors"]), (1, len(self.rows[a])), (a, b))

    def test_other_types_and_other_weights_are_no_exact_copies(self):
        for a, b, relation in (("llama", "llama-f16", "SAME_LINEAGE"), ("llama-f32", "phi3", "SAME_LINEAGE"),
                               ("gpt2", "gpt2-f32", "SAME_LINEAGE"), ("gpt2", "gpt_neox", "SAME_LINEAGE"),  # the same neurons
                               ("llama", "mixtral", "NO_EVIDENCE"), ("phi3", "gpt_neox", "ABSTAIN")):
            self.assertEqual(self.pair(a, b)["relation"], relation, (a, b))

    def test_one_pair_in_words(self):
        done = harness.stemma("compare", "a.h5:phi3", "a.h5:llama", cwd=self.directory)
        self.assertIn("EXACT_COPY", done.stdout)
        self.assertIn("equal in 128-bit content hash", done.stdout)


class Tables(EndToEnd):
    def test_family_of_a_new_file(self):
        write_checkpoint(self.directory / "m", {n: bf16(a) for n, a in as_mine(gated(1)).items()}, OWN)
        self.write("tables/mine.yaml", MINE)
        self.assertIn("architecture unknown", self.stemma("inspect", "m").stdout)
        told = self.stemma("inspect", "m", "--architectures", "tables").stdout
        self.assertIn(f"architecture mine, {LAYERS} layers", told)
        self.write("c.yaml", "schema_version: 1\nname: t\nmodels: [m]\narchitectures: [tables]\nanalyzers: {content: {}}\n")
        self.stemma("run", "c.yaml", "--output", "out", ranks=2)
        self.assertEqual([row["architecture"] for row in harness.read_tsv(self.directory / "out/models.tsv")], ["mine"])

    def test_broken_table_is_refused_at_its_place(self):
        write_checkpoint(self.directory / "m", {n: bf16(a) for n, a in as_mine(gated(1)).items()}, OWN)
        lines = MINE.splitlines()
        typo = next(i for i, line in enumerate(lines) if "role: attn.q," in line)
        lines[typo] = lines[typo].replace("attn.q", "attn.p")
        axis = next(i for i, line in enumerate(lines) if "role: mlp.down" in line)
        lines[axis] = lines[axis].replace("[hidden, inter]", "[hiden, inter]")
        self.write("tables/mine.yaml", "\n".join(lines) + "\n")
        self.write("c.yaml", "schema_version: 1\nname: t\nmodels: [m]\narchitectures: [tables]\n")
        column = lines[typo].index("attn.p") + 1
        for arguments, ranks in ((("inspect", "m", "--architectures", "tables"), 1),
                                 (("fingerprint", "m", "-o", "a.h5", "--architectures", "tables"), 2),
                                 (("run", "c.yaml", "--output", "out"), 2)):
            done = self.stemma(*arguments, code=2, ranks=ranks)
            self.assertIn(f"tables/mine.yaml:{typo + 1}:{column}: ", done.stderr)
            self.assertIn("Did you mean attn.", done.stderr)
            self.assertRegex(done.stderr, rf"tables/mine.yaml:{axis + 1}:\d+: .*Did you mean hidden")
        self.assertEqual(list(self.directory.rglob("*.h5")), [])

    def test_table_that_is_no_yaml(self):
        for text, line in (("schema: [\n", 2), ("schema: stemma.architecture/1\nfamily: mine\n\tmatch: {}\n", 3),
                           ("a: &x 1\nb: *x\n", 1)):
            self.write("tables/mine.yaml", text)
            done = self.stemma("inspect", harness.ZOO / "aspen", "--architectures", "tables", code=2)
            self.assertRegex(done.stderr, rf"tables/mine.yaml:{line}:\d+: ")
        self.assertIn("absent", self.stemma("inspect", harness.ZOO / "aspen", "--architectures", "absent", code=2).stderr)

    def test_shapes_that_contradict_the_family(self):
        """The config of another model must not cut fused tensors in the wrong places."""
        fused = {n: bf16(a) for n, a in as_phi3(gated(1)).items()}
        for name, change in (("wrong-groups", {"num_key_value_heads": HEADS}), ("uneven", {"num_key_value_heads": 3}),
                             ("no-heads", {"num_attention_heads": None}), ("huge", {"num_attention_heads": 2**40})):
            write_checkpoint(self.directory / name, fused, {**GQA, "model_type": "phi3", **change})
            told = json.loads(self.stemma("inspect", name, "--json").stdout)["targets"][0]
            roles = {tensor["role"] for tensor in told["tensors"]}
            self.assertFalse([role for role in roles if role.endswith(("attn.q", "attn.k", "attn.v"))], name)
            self.assertIn("unknown/model.layers.0.self_attn.qkv_proj.weight", roles)
            self.assertIn("layers/0/mlp.gate", roles)
            self.assertTrue({"warning"} & {finding["severity"] for finding in told["findings"]}, name)


if __name__ == "__main__":
    unittest.main()

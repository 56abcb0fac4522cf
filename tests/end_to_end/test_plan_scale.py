"""Are a thousand models planned for four thousand ranks on a laptop, from headers alone?"""
import json
import resource
import shutil
import subprocess
import time
import unittest

import harness

MODELS, SHARDS, RANKS = 1000, 4, 4096
LLAMA_8B = harness.llama_config(32, hidden_size=4096, num_attention_heads=32, num_key_value_heads=8, head_dim=128,
                                intermediate_size=14336, vocab_size=128256)


class PlanScale(harness.EndToEnd):
    def write_models(self):
        """Sparse files: 16 GB of weights each, a few kilobytes on disk."""
        shapes = harness.llama_shapes(LLAMA_8B)
        names, weight_map = list(shapes), {}
        first = self.directory / "models" / "m0000"
        first.mkdir(parents=True)
        (first / "config.json").write_text(json.dumps(LLAMA_8B))
        for i in range(SHARDS):
            file = f"model-{i + 1:05}-of-{SHARDS:05}.safetensors"
            mine = names[i * len(names) // SHARDS:(i + 1) * len(names) // SHARDS]
            harness.write_sparse(first / file, {name: shapes[name] for name in mine})
            weight_map.update(dict.fromkeys(mine, file))
        harness.write_index(first, weight_map, sum(2 * int(harness.np.prod(s)) for s in shapes.values()))
        for k in range(1, MODELS):
            copy = self.directory / "models" / f"m{k:04}"
            subprocess.run(["cp", "-r", "--sparse=always", first, copy], check=True)
        return len(names)

    def seconds_of_parsing(self):
        """How long this machine takes to read all headers and indices as JSON, and no more."""
        begin = time.monotonic()
        for model in (self.directory / "models").iterdir():
            json.loads((model / "model.safetensors.index.json").read_text())
            for file in model.glob("*.safetensors"):
                with open(file, "rb") as stream:
                    json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        return time.monotonic() - begin

    def test_a_thousand_models_on_four_thousand_ranks(self):
        if shutil.disk_usage(self.directory).free < 1 << 30:
            self.skipTest("less than 1 GiB of disk is free")
        tensors = self.write_models()
        self.write("scale.yaml", 'schema_version: 1\nmodels:\n  - glob: "models/*/"\n')
        begin = time.monotonic()
        done = self.stemma("plan", "scale.yaml", "--ranks", f"1,{RANKS}", "--json")
        seconds = time.monotonic() - begin
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        print(f"{MODELS} models, {tensors} tensors each: {seconds:.2f} s, {peak / 1e6:.0f} MB", flush=True)
        parsing = self.seconds_of_parsing()
        print(f"the same headers parsed by Python: {parsing:.2f} s", flush=True)
        self.assertLess(seconds, max(5, 12 * parsing) * harness.PATIENCE)
        self.assertLess(peak, 500e6 * harness.PATIENCE)
        document = json.loads(done.stdout)
        self.assertEqual((document["models"], document["failed"]), (MODELS, []))
        one, many = document["plans"]
        parameters = sum(int(harness.np.prod(shape)) for shape in harness.llama_shapes(LLAMA_8B).values())
        self.assertEqual(many["weight_bytes"], 2 * parameters * MODELS)
        self.assertEqual((many["ranks"], many["workers"]), (RANKS, RANKS - 1))
        self.assertGreaterEqual(many["makespan_seconds"], many["lower_bound_seconds"])
        self.assertGreater(many["efficiency"], 0.9)
        self.assertAlmostEqual(one["work_seconds"], many["work_seconds"], delta=1e-9 * one["work_seconds"])
        self.assertAlmostEqual(one["makespan_seconds"], one["work_seconds"], delta=1e-6 * one["work_seconds"])


if __name__ == "__main__":
    unittest.main()

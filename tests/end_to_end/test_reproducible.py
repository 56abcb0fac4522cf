"""Does runtime.reproducible give the same spectra on any number of ranks, and refuse where it cannot?"""
import json
import os
import pathlib
import subprocess
import unittest

import harness
from harness import EndToEnd, llama_config, llama_shapes, write_sparse

MAKE = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release")) / "bench/make_checkpoint"


class Reproducible(EndToEnd):
    def test_every_number_of_ranks_gives_the_same_bits(self):
        subprocess.run([MAKE, "tinyllama", self.directory / "m", "--layers", "2", "--scale", "4"], check=True, capture_output=True)
        self.write("c.yaml", "schema_version: 1\nmodels: [m]\n")
        # A machine that multiplies and solves slowly would gain from teams.
        self.stemma("run", "c.yaml", "runtime.calibration=measure", "--output", "first", ranks=3)
        rates = json.loads((self.directory / "first/calibration.json").read_text())
        self.assertNotEqual((rates["team_efficiency"], rates["step_seconds"]), (0.7, 25e-6), "teams were not measured")
        rates.update(product_flops_per_second=1e6, team_efficiency=1, step_seconds=1e-9)
        self.write("slow.json", json.dumps(rates))
        widths, hashes = {}, {}
        for reproducible in ("false", "true"):
            for ranks in (1, 2, 4, 5):
                name = f"{reproducible}{ranks}"
                self.stemma("run", "c.yaml", "runtime.calibration=slow.json", f"runtime.reproducible={reproducible}",
                            "--output", name, "--fresh", ranks=ranks)
                hashes[name] = self.stemma("verify", "--hash", name).stdout.replace(name, "run")
                plan = self.stemma("plan", "c.yaml", "runtime.calibration=slow.json", f"runtime.reproducible={reproducible}",
                                   "--ranks", str(ranks), "--ranks-per-node", str(ranks), "--json").stdout
                widths[name] = set(json.loads(plan)["plans"][0]["items_by_width"])
        self.assertNotEqual(widths["false5"], {"1"}, "no team, so the test would prove nothing")
        for ranks in (1, 2, 4, 5):
            self.assertEqual(widths[f"true{ranks}"], {"1"})
            self.assertEqual(hashes[f"true{ranks}"], hashes["true1"])

    def test_a_team_that_cannot_be_formed_ends_the_run_before_weights_are_read(self):
        config = llama_config(1, hidden_size=8200, intermediate_size=8200)
        (self.directory / "large").mkdir()
        (self.directory / "large/config.json").write_text(json.dumps(config))
        write_sparse(self.directory / "large/model.safetensors", llama_shapes(config))
        self.write("c.yaml", "schema_version: 1\nmodels: [large]\nruntime: {reproducible: true}\n")
        done = self.stemma("run", "c.yaml", "--fresh", ranks=2, code=2)
        self.assertIn("gate_proj.weight needs a team of exactly 4 ranks (runtime.reproducible: the shorter side of a matrix, "
                      "here 8200, decides), and 2 ranks cannot form one. Suggestion: start at least 5 ranks", done.stderr)
        self.assertFalse(list(self.directory.glob("**/*.h5")))


if __name__ == "__main__":
    unittest.main()

"""Does a plan name its items, and does its script ask Slurm for what the plan says?"""
import json
import math
import re
import subprocess
import unittest

from harness import ZOO, EndToEnd, read_safetensors, read_tsv

SCRIPTS = ("audit.sbatch", "sweep.sbatch")


class Plans(EndToEnd):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", f"schema_version: 1\nname: its\nmodels: ['{ZOO}/aspen', '{ZOO}/birch']\n")

    def plan(self, *arguments):
        return json.loads(self.stemma("plan", "c.yaml", *arguments, "--json").stdout)


class Items(Plans):
    def test_all_of_them(self):
        rows = read_tsv(self.write("items.tsv", self.stemma("plan", "c.yaml", "--items", "--ranks", "4").stdout))
        document = self.plan("--items", "--ranks", "4")
        (plan,) = document["plans"]
        self.assertEqual(len(rows), plan["items"])
        self.assertEqual(sum(int(row["bytes"]) for row in rows), plan["read_bytes"])
        self.assertEqual(max(int(row["memory"]) for row in rows), plan["peak_memory"])
        seconds = [float(row["seconds"]) for row in rows]
        self.assertEqual(seconds, sorted(seconds, reverse=True))
        self.assertEqual({row["fits"] for row in rows}, {"true"})
        self.assertTrue({row["ranks"] for row in rows} <= {"1", "2", "4"})
        tensors = set(read_safetensors(ZOO / "aspen/model.safetensors"))
        self.assertTrue({row["item"] for row in rows} <= tensors)
        self.assertEqual([{key: str(value) for key, value in item.items() if key in ("model", "item", "bytes")} for item in document["items"]],
                         [{key: row[key] for key in ("model", "item", "bytes")} for row in rows])

    def test_one_number_of_ranks(self):
        done = self.stemma("plan", "c.yaml", "--items", "--ranks", "4,8", code=2)
        self.assertEqual(done.stderr, "stemma: --items is of one number of ranks, and --ranks names 2. Choose one\n")


class Script(Plans):
    def script(self, *arguments):
        text = self.stemma("plan", "c.yaml", *arguments, "--sbatch").stdout
        self.assertEqual(subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode, 0)
        options = dict(re.findall(r"(?m)^#SBATCH --([\w-]+)(?:=(.*))?$", text))
        self.assertEqual(text.splitlines()[0], "#!/usr/bin/env bash")
        return text, options

    def test_numbers_of_the_plan(self):
        arguments = ("--ranks", "10", "--ranks-per-node", "4", "--memory-per-rank", "3GiB")
        text, options = self.script(*arguments)
        plan = self.plan(*arguments)["plans"][0]
        self.assertEqual((options["nodes"], options["ntasks"], options["ntasks-per-node"]), ("3", "10", "4"))
        megabytes = int(options["mem-per-cpu"].removesuffix("M"))
        self.assertGreaterEqual(0.9 * megabytes * 2**20, 3 * 2**30)
        self.assertLess(0.9 * (megabytes - 256) * 2**20, 3 * 2**30)
        hours, minutes, seconds = map(int, options["time"].split(":"))
        asked = 3600 * hours + 60 * minutes + seconds
        self.assertEqual(asked, 300 * math.ceil((3 * plan["uneven_makespan_seconds"] + 600) / 300))
        self.assertEqual((options["requeue"], options["signal"]), ("", "B:USR1@180"))
        self.assertEqual(self.plan(*arguments, "--sbatch")["sbatch"].splitlines()[2:], text.splitlines()[2:])

    def test_memory_follows_the_largest_item(self):
        _, options = self.script("--ranks", "2")
        peak = self.plan("--ranks", "2")["plans"][0]["peak_memory"]
        self.assertEqual(int(options["mem-per-cpu"].removesuffix("M")), 256 * math.ceil(1.25 * peak / 0.9 / 2**20 / 256))

    def test_it_runs(self):
        """Where there is no Slurm the script itself runs the audit, with the overrides, on one rank."""
        text, _ = self.script("--ranks", "1", "analyzers={content: {}}", "output=runs/of script")
        path = self.write("job.sh", text)
        program = self.stemma("--version").args[0]
        done = subprocess.run(["bash", path], cwd=self.directory, text=True, capture_output=True, timeout=120, check=False,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/root", "STEMMA": program, "STEMMA_LAUNCHER": "env"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue((self.directory / "runs/of script/verdicts.tsv").exists())

    def test_a_sweep_is_an_array(self):
        with open(self.directory / "c.yaml", "a", encoding="utf-8") as file:
            file.write("sweep: {over: {seed: [1, 2, 3]}}\n")
        text, options = self.script("--ranks", "2")
        self.assertEqual(options["array"], "0-2")
        self.assertRegex(text, r"(?m)^exec bash \S+/sweep\.sbatch c\.yaml \"\$@\"$")

    def test_both_at_once(self):
        self.assertIn("excludes", self.stemma("plan", "c.yaml", "--items", "--sbatch", code=2).stderr)


if __name__ == "__main__":
    unittest.main()

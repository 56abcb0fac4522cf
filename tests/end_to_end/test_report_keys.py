"""Do the keys of report and runtime.rehash change what a run leaves, each as it says?"""
import json
import os
import pathlib
import platform
import shutil
import unittest

import h5py

import harness
from harness import ZOO, EndToEnd, read_tsv

QUESTIONS = "analyzers: {content: {}, histogram: {}, intrinsic_fingerprint: {}, neuron_match: {}}\n"
TABLES = ["models.tsv", "pairs.tsv", "evidence.tsv", "verdicts.tsv", "features.tsv", "families.tsv", "findings.tsv", "failures.tsv",
          "verdicts.json", "manifest.json", "status.json", "report.html"]


class ReportKeys(EndToEnd):
    def setUp(self):
        super().setUp()
        self.models = self.directory / "secret place" / "of bob"
        self.models.mkdir(parents=True)
        for name in ("aspen", "aspen-code", "birch"):
            shutil.copytree(ZOO / name, self.models / name)
        (self.models / "gone").mkdir()  # holds no model: a failure, and a finding
        rows = [f"{name}\tsecret place/of bob/{name}\t{base}\n"
                for name, base in (("aspen", ""), ("aspen-code", "aspen"), ("birch", ""), ("gone", ""))]
        self.write("models.tsv", "id\tpath\tbase\n" + "".join(rows))
        self.write("c.yaml", f"schema_version: 1\nname: r\nmodels: [{{sheet: \"{self.directory}/models.tsv\"}}]\n{QUESTIONS}"
                             "trace: {enabled: false}\n")

    def run_with(self, *arguments, output="out", code=4, **environment):
        self.stemma("run", str(self.directory / "c.yaml"), "--output", output, *arguments, code=code, **environment)
        return self.directory / output

    def test_paths_users_and_machines_are_left_out_where_others_read(self):
        strange = {"USER": "bob-the-user", "SLURM_JOB_NODELIST": "n[1-7]", "SLURM_JOB_ID": "7", "OMPI_MCA_x": "tcp://10.1.2.3:99"}
        for output, how in (("by_key", ["report.redact_paths=true"]), ("by_option", ["--redact-paths"])):
            out = self.run_with(*how, output=output, **strange)
            places = [str(self.directory), "secret place", "bob-the-user", platform.node(), "n[1-7]", "10.1.2.3"]
            for path in [*(out / name for name in TABLES), *(out / "report_data").iterdir()]:
                text = path.read_text()
                for place in places:
                    self.assertNotIn(place, text, path.name)
            self.assertEqual({row["id"]: row["path"] for row in read_tsv(out / "models.tsv")},
                             {name: f"…/of bob/{name}" for name in ("aspen", "aspen-code", "birch", "gone")})
            (failure,) = read_tsv(out / "failures.tsv")
            self.assertEqual((failure["model"], failure["node"]), ("gone", ""))
            self.assertEqual(failure["item"], "…/of bob/gone")
            manifest = json.loads((out / "manifest.json").read_text())
            self.assertEqual({file["path"] for entry in manifest["inputs"] for file in entry["files"]},
                             {f"…/{name}/model.safetensors" for name in ("aspen", "aspen-code", "birch")})
            self.assertEqual([set(host) & {"name"} for host in manifest["machine"]["hosts"]], [set()])
            self.assertEqual(manifest["slurm"], {"job": "7"})
            self.assertIn("…/of bob/aspen", (out / "report.html").read_text())
            # What a later run and whoever checks it need is whole, and said to be.
            with h5py.File(out / "r.h5") as archive:
                self.assertIn(str(self.models / "aspen"), archive["models/path"].asstr()[:])
            self.assertIn(str(self.directory), (out / "config.resolved.yaml").read_text())
            self.assertIn("r.h5, config.yaml, config.resolved.yaml, overrides.txt and log keep them", (out / "log/run.log").read_text())
        whole = self.run_with(output="whole", **strange)
        self.assertIn(str(self.models / "aspen"), (whole / "models.tsv").read_text())
        self.assertIn(platform.node(), (whole / "manifest.json").read_text())
        with h5py.File(whole / "r.h5") as a, h5py.File(out / "r.h5") as b:
            self.assertEqual(a.attrs["canonical_all"], b.attrs["canonical_all"])

    def test_a_page_is_redacted_later(self):
        out = self.run_with()
        self.assertIn(str(self.models), (out / "report.html").read_text())
        self.stemma("report", str(out), "-o", "others.html", "--redact-paths", USER="bob-the-user")
        text = (self.directory / "others.html").read_text()
        for place in (str(self.directory), "secret place", platform.node()):
            self.assertNotIn(place, text)
        self.assertIn("…/of bob/aspen", text)
        # What a run was told holds for later pages, too.
        told = self.run_with("--redact-paths", output="told")
        (told / "report.html").unlink()
        self.stemma("report", str(told))
        self.assertNotIn("secret place", (told / "report.html").read_text())

    def test_what_is_said_before_a_run(self):
        sheet = str(self.directory / "models.tsv")
        for words in (["inspect", "--sheet", sheet], ["inspect", "--sheet", sheet, "--json"], ["plan", "c.yaml"], ["plan", "c.yaml", "--json"]):
            whole = self.stemma(*words, code=4).stdout
            told = self.stemma(*words, "--redact-paths", code=4).stdout
            self.assertNotIn("secret place", told)
            if words[0] == "inspect" and "--json" in words:
                self.assertIn(str(self.models / "gone"), whole)
                self.assertIn("…/of bob/gone", told)

    def test_rows_of_pairs(self):
        every = self.run_with()
        some = self.run_with("report.pairs=candidates", output="some")
        rows = {out: [(row["a"], row["b"]) for row in read_tsv(out / "pairs.tsv")] for out in (every, some)}
        self.assertEqual(len(rows[every]), 6)
        related = [(row["a"], row["b"]) for row in read_tsv(every / "pairs.tsv")
                   if row["declared"] != "no" or row["relation"] not in ("NO_EVIDENCE", "ABSTAIN")]
        self.assertEqual(rows[some], related)
        self.assertEqual(rows[some], [("aspen", "aspen-code")])
        self.assertEqual({(row["a"], row["b"]) for row in read_tsv(some / "evidence.tsv")}, set(related))
        self.assertEqual((every / "verdicts.tsv").read_bytes(), (some / "verdicts.tsv").read_bytes())

    def test_rows_of_features(self):
        head = "model\tmethod\tlayer\tpart\tfeature\tvalue\n"
        usual = (self.run_with() / "features.tsv").read_text()
        self.assertGreater(len(usual), len(head))
        self.assertEqual((self.run_with("report.features=yes", output="yes") / "features.tsv").read_text(), usual)
        none = self.run_with("report.features=no", output="no")
        self.assertEqual((none / "features.tsv").read_text(), head)
        rows = usual.count("\n") - 1
        self.assertIn(f"features.tsv has no rows: {rows:,} are more than report.features allows (0)", (none / "log/run.log").read_text())

    def test_heatmap_for_multiqc(self):
        """What MultiQC's custom content needs: an id, a plot type, names of both axes, and a row of numbers for each of them."""
        out = self.run_with("report.multiqc=true", "report.html=false")
        text = (out / "stemma_mqc.json").read_text()
        found = json.loads(text, parse_constant=self.fail)  # NaN is no JSON
        self.assertEqual(found["plot_type"], "heatmap")
        self.assertRegex(found["id"], r"\A[a-z_]+\Z")
        self.assertTrue(found["section_name"] and found["description"] and found["pconfig"]["id"] and found["pconfig"]["title"])
        names, data = found["xcats"], found["data"]
        self.assertEqual(names, found["ycats"])
        self.assertEqual(sorted(names), ["aspen", "aspen-code", "birch", "gone"])
        self.assertEqual([len(row) for row in data], [len(names)] * len(names))
        self.assertEqual(data, [list(column) for column in zip(*data)])
        shares = {}
        for row in read_tsv(out / "evidence.tsv"):
            if row["method"] == "neuron_match" and not row["role"] and row["value"]:
                shares[row["a"], row["b"]] = float(row["value"])
        self.assertGreater(shares["aspen", "aspen-code"], 0.9)
        for (a, b), share in shares.items():
            self.assertAlmostEqual(data[names.index(a)][names.index(b)], share, delta=1e-4)
        self.assertEqual([data[i][i] for i in range(len(names))], [1] * len(names))
        self.assertIsNone(data[names.index("aspen")][names.index("gone")])
        self.assertFalse((out / "report.html").exists())
        self.assertIn("stemma_mqc.json", {entry["file"] for entry in json.loads((out / "manifest.json").read_text())["outputs"]})
        self.assertFalse((self.run_with(output="without") / "stemma_mqc.json").exists())

    def test_a_page_keeps_to_its_size(self):
        """The page shows the configuration as it was written, so comments make it as large as one likes."""
        configuration = (self.directory / "c.yaml").read_text()
        whole = self.run_with("report.max_size=200MB", output="whole") / "report.html"
        usual = whole.stat().st_size
        self.assertLess(usual, 900_000)
        told = whole.read_text().count('class="dossier"')
        self.assertGreater(told, 0)

        def padded(size):
            line = "# " + "x" * 97 + "\n"
            self.write("c.yaml", configuration + line * (size // len(line)))
            out = self.run_with("report.max_size=1MB", output=f"of_{size}")
            return (out / "report.html").read_text(), (out / "log/run.log").read_text(), out

        text, said, out = padded(1_002_000 - usual)
        self.assertLessEqual(len(text.encode()), 1_000_000)
        self.assertGreater(len(text.encode()), 900_000)
        self.assertEqual(text.count('class="dossier"'), told - 1)
        self.assertIn("are told in full here, so that the page takes no more than 1 MB (report.max_size)", text)
        self.assertNotIn("larger than report.max_size", said)
        for table in (out / "report_data").iterdir():  # what the page lacks is there
            self.assertEqual(table.read_bytes(), (whole.parent / "report_data" / table.name).read_bytes())
        text, said, _ = padded(1_040_000)
        self.assertNotIn('class="dossier"', text)
        self.assertIn("the page is larger than report.max_size", said)

    def test_size_is_bounded(self):
        refused = self.run_with_words("report.max_size=999999", code=2)
        self.assertIn("report.max_size = 999999 is below 1MB", refused.stderr)
        self.assertIn("report.max_size = 201MB is above 200MB", self.run_with_words("report.max_size=201MB", code=2).stderr)

    def run_with_words(self, *arguments, code):
        return self.stemma("run", str(self.directory / "c.yaml"), "--output", "out", *arguments, code=code)


class Rehash(EndToEnd):
    def setUp(self):
        super().setUp()
        shutil.copytree(ZOO / "aspen", self.directory / "aspen")
        self.file = self.directory / "aspen/model.safetensors"
        self.write("c.yaml", f"schema_version: 1\nname: r\nmodels: [aspen]\n{QUESTIONS}trace: {{enabled: false}}\nreport: {{html: false}}\n")

    def hashes(self, *arguments, output="out"):
        """canonical_exact, and how much was read."""
        before = (self.directory / output / "log/run.log").read_text() if (self.directory / output).exists() else ""
        self.stemma("run", "c.yaml", "--output", output, *arguments)
        said = (self.directory / output / "log/run.log").read_text()[len(before):]
        with h5py.File(self.directory / output / "r.h5") as archive:
            return archive.attrs["canonical_exact"], "known already, 0 left" in said

    def test_bytes_that_changed_unnoticed_are_read(self):
        first, known = self.hashes()
        self.assertFalse(known)
        self.assertEqual(self.hashes(), (first, True))
        self.assertEqual(self.hashes("--rehash"), (first, False))
        # Size, time and inode say that nothing has changed.
        facts = os.stat(self.file)
        with open(self.file, "r+b") as file:
            file.seek(-1000, os.SEEK_END)
            some = file.read(2)
            file.seek(-1000, os.SEEK_END)
            file.write(bytes(byte ^ 1 for byte in some))
        os.utime(self.file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        self.assertEqual(self.hashes(), (first, True))
        fresh, _ = self.hashes(output="elsewhere")
        self.assertNotEqual(fresh, first)
        self.assertEqual(self.hashes("runtime.rehash=true"), (fresh, False))

    def test_shards_need_what_others_found(self):
        done = self.stemma("run", "c.yaml", "--output", "out", "--rehash", "--shard", "0/2", code=2)
        self.assertIn("--shard goes by the results of other shards, which --rehash (runtime.rehash) does not", done.stderr)
        self.assertFalse((self.directory / "out").exists())


if __name__ == "__main__":
    unittest.main()

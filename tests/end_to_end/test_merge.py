"""Does a merged archive hold all that its sources hold, in every order of them, and does it refuse what cannot be united?"""
import json
import os
import shutil
import unittest

import h5py
import numpy as np

from harness import ZOO, EndToEnd

TRACED = ("aspen", "aspen-lora-r8", "birch", "birch-lora-r8")  # a run of them traces two pairs


def columns(path):
    """{path: values} of every column and scale, as h5py reads them."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
    return found


def of_model(path, wanted):
    """Everything that a file says of one model, by column, with references into the model's own rows counted from there."""
    with h5py.File(path) as file:
        row = list(file["models/id"].asstr()).index(wanted)
        first, count = int(file["models/tensor_start"][row]), int(file["models/tensor_count"][row])
        said = {"moments": file["moments/quantile"][first:first + count].tolist()}
        for name in ("role", "name", "steps"):
            said[name] = list(file["tensors"][name].asstr()[first:first + count])
        for name in ("content_hash_hi", "status", "shape"):
            said[name] = file["tensors"][name][first:first + count].tolist()
        said["view_of"] = [int(v) - first if v != 2**32 - 1 else None for v in file["tensors/view_of"][first:first + count]]
        said["files"] = [int(b) for b, m in zip(file["files/bytes"], file["files/model_index"], strict=True) if m == row]
        files = [i for i, m in enumerate(file["files/model_index"]) if m == row]
        said["file_index"] = [files.index(v) if v != 2**32 - 1 else None for v in file["tensors/file_index"][first:first + count]]
        for group, payload in (("histograms", ("code", "count")), ("vectors", ("value",)), ("spectra", ("value",))):
            for i, tensor in enumerate(file[group]["tensor_index"]):
                if first <= tensor < first + count:
                    start, length = int(file[group]["row_start"][i]), int(file[group]["row_count"][i])
                    for name in payload:
                        said[group, name, int(tensor) - first] = file[group][name][start:start + length].tolist()
        start, length = int(file["models/layer_start"][row]), int(file["models/layer_count"][row])
        said["layer std"] = np.nan_to_num(file["layers/std"][start:start + length], nan=-1).tolist()
        said["curve"] = np.nan_to_num(file["methods/intrinsic_fingerprint/curve"][start:start + length], nan=-1).tolist()
        labels = list(file["methods/intrinsic_fingerprint/further_curve"].asstr())
        for j, label in enumerate(labels):
            values = file["methods/intrinsic_fingerprint/further"][start:start + length, j]
            if not np.isnan(values).all():
                said["further", label] = np.nan_to_num(values, nan=-1).tolist()
        said["guard"] = np.nan_to_num(file["methods/tensorguard/value"][row], nan=-1).tolist()
        for table in ("failures", "findings"):
            said[table] = sorted(r for r, m in zip(file[table]["rule"].asstr(), file[table]["model_index"], strict=True) if m == row)
        return said


def pairs_of(path):
    """{(a, b): (verdict, sentence, evidence rows, traces)} by ids."""
    with h5py.File(path) as file:
        ids, found = list(file["models/id"].asstr()), {}
        for i in range(len(file["pairs/verdict"])):
            evidence = np.flatnonzero(file["evidence/pair_index"][()] == i)
            traces = np.flatnonzero(file["methods/origin_tracer/pair_index"][()] == i)
            values = []
            for t in traces:
                start, count = (int(file["methods/origin_tracer"][n][t]) for n in ("row_start", "row_count"))
                values.append((file["methods/origin_tracer/subject"].asstr()[t],
                               file["methods/origin_tracer/value"][start:start + count].tolist()))
            key = tuple(ids[file[f"pairs/model_{side}"][i]] for side in "ab")
            found[key] = (int(file["pairs/verdict"][i]), file["pairs/sentence"].asstr()[i],
                          [(file["evidence/method"].asstr()[e], file["evidence/detail_json"].asstr()[e],
                            repr(file["evidence/score"][e])) for e in evidence], values)
        return found


class Merge(EndToEnd):
    def hashes(self, name):
        return self.stemma("verify", "--hash", name).stdout

    def merged(self, *arguments, code=0):
        return self.stemma("merge", *arguments, "--json", code=code)

    def config(self, name, models, text=""):
        entries = ", ".join(f'"{ZOO / m}"' for m in models)
        self.write(f"{name}.yaml", f"schema_version: 1\nname: {name}\nmodels: [{entries}]\n{text}")
        self.stemma("run", f"{name}.yaml", "--output", name)
        return self.directory / name / f"{name}.h5"


class Union(Merge):
    def test_apart_and_merged_is_as_if_made_at_once(self):
        """Both hashes, because no pairs are in it: those of runs carry the backgrounds of their own corpora."""
        self.fingerprint("ab.h5", ZOO / "aspen", ZOO / "cedar")
        self.fingerprint("c.h5", ZOO / "aspen-code", ZOO / "birch")
        self.fingerprint("all.h5", ZOO / "aspen", ZOO / "aspen-code", ZOO / "birch", ZOO / "cedar")
        self.merged("ab.h5", "c.h5", "-o", "m.h5")
        self.merged("c.h5", "ab.h5", "-o", "n.h5")
        self.assertEqual(self.hashes("m.h5"), self.hashes("all.h5"))
        self.assertEqual(self.hashes("n.h5"), self.hashes("all.h5"))
        self.assertIn("is sound", self.stemma("verify", "m.h5").stdout)
        mine, theirs = columns(self.directory / "m.h5"), columns(self.directory / "all.h5")
        for name, values in theirs.items():
            if not name.startswith(("provenance/", "plan/", "config/")) and name not in ("run", "host", "models/run_index"):
                np.testing.assert_array_equal(mine[name], values, name)

    def test_a_source_in_the_union_twice_changes_nothing(self):
        self.fingerprint("ab.h5", ZOO / "aspen", ZOO / "birch")
        self.fingerprint("bc.h5", ZOO / "birch", ZOO / "cedar")
        self.fingerprint("all.h5", ZOO / "aspen", ZOO / "birch", ZOO / "cedar")
        said = json.loads(self.merged("ab.h5", "bc.h5", "-o", "m.h5").stdout)
        self.assertEqual((said["models"], said["repeated"], said["renamed"]), (3, ["birch"], []))
        self.merged("m.h5", "bc.h5", "-o", "again.h5")
        for name in ("m.h5", "again.h5"):
            self.assertEqual(self.hashes(name), self.hashes("all.h5"))
        with h5py.File(self.directory / "again.h5") as file:
            self.assertEqual(sorted(file["provenance/archive"].asstr()), ["ab.h5", "bc.h5"])

    def test_provenance_of_each_source_is_kept(self):
        paths = [self.fingerprint("a.h5", ZOO / "aspen"), self.fingerprint("b.h5", ZOO / "birch", "analyzers.content.sha256=true")]
        self.merged(*paths, "-o", "m.h5")
        with h5py.File(self.directory / "m.h5") as m:
            for path, model in zip(paths, ("aspen", "birch"), strict=True):
                with h5py.File(path) as source:
                    run = m["models/run_index"][list(m["models/id"].asstr()).index(model)]
                    for name in ("uuid", "argv", "started", "ranks"):
                        self.assertEqual(m["provenance"][name][run], source["provenance"][name][0], name)
                    for name in ("resolved_yaml", "original_yaml", "overrides"):
                        self.assertEqual(m["provenance"][name][run], source["config"][name][()], name)
                    for name in ("canonical_exact", "canonical_all", "created", "software_version", "software_commit", "machine"):
                        self.assertEqual(m["provenance"][name].asstr()[run], source.attrs[name], name)
                    methods = json.loads(m["provenance/methods_json"].asstr()[run])["models"]
                    self.assertEqual(methods["content"]["parameters"], json.loads(source["methods/content"].attrs["parameters_json"]))
                    self.assertEqual(methods["spectrum"]["version"], source["methods/spectrum"].attrs["version"])
                    self.assertEqual(json.loads(m["provenance/plan_json"].asstr()[run])["W"], source["plan"].attrs["W"])
            self.assertEqual(m["methods/content"].attrs["version"], 0)  # the runs differ in it
            self.assertGreater(m["methods/spectrum"].attrs["version"], 0)

    def test_models_that_could_not_be_read_travel_with_their_reasons(self):
        bad = self.directory / "bad"
        shutil.copytree(ZOO / "birch", bad)
        weights = next(bad.glob("*.safetensors"))
        weights.write_bytes(weights.read_bytes()[:-1000])
        self.fingerprint("bad.h5", bad, code=4)
        self.fingerprint("good.h5", ZOO / "aspen")
        self.merged("bad.h5", "good.h5", "-o", "m.h5")
        for name, path in (("bad", "bad.h5"), ("aspen", "good.h5")):
            self.assertEqual(of_model(self.directory / "m.h5", name), of_model(self.directory / path, name))
        self.assertNotEqual(of_model(self.directory / "m.h5", "bad")["failures"], [])


class Sweep(Merge):
    def test_points_of_a_sweep_are_kept_side_by_side(self):
        for point, samples in (("p00", 5), ("p01", 7)):
            (self.directory / point).mkdir()
            self.fingerprint(f"{point}/s.h5", ZOO / "aspen", ZOO / "birch", f"analyzers.tensorguard.samples={samples}")
        said = json.loads(self.merged("p00/s.h5", "p01/s.h5", "-o", "m.h5").stdout)
        self.assertEqual([r["ids"] for r in said["renamed"]], [["aspen@p00", "aspen@p01"], ["birch@p00", "birch@p01"]])
        self.assertEqual({r["other"] for r in said["renamed"]}, {"parameters of methods"})
        for point in ("p00", "p01"):
            for model in ("aspen", "birch"):
                self.assertEqual(of_model(self.directory / "m.h5", f"{model}@{point}"),
                                 of_model(self.directory / point / "s.h5", model))
        self.merged("p01/s.h5", "p00/s.h5", "-o", "n.h5")
        self.assertEqual(self.hashes("m.h5"), self.hashes("n.h5"))
        self.assertIn("birch@p00", self.stemma("inspect", "m.h5").stdout)

    def test_other_files_under_one_id_are_other_models(self):
        other = self.directory / "other/aspen"
        shutil.copytree(ZOO / "aspen-code", other)
        self.fingerprint("a.h5", ZOO / "aspen")
        self.fingerprint("b.h5", other)
        said = json.loads(self.merged("a.h5", "b.h5", "-o", "m.h5").stdout)
        self.assertEqual(said["renamed"], [{"id": "aspen", "other": "files", "ids": ["aspen@a", "aspen@b"]}])
        self.assertEqual(of_model(self.directory / "m.h5", "aspen@b"), of_model(self.directory / "b.h5", "aspen"))


class Pairs(Merge):
    def test_pairs_travel_with_evidence_and_traces_and_new_ones_are_compared(self):
        one, two = self.config("one", TRACED), self.config("two", ("cedar", "cedar-code"))
        said = json.loads(self.merged(one, two, "-o", "m.h5").stdout)
        self.assertEqual((said["pairs"], said["pairs_compared"], said["pairs_not_compared"]), (15, 8, 0))
        merged = pairs_of(self.directory / "m.h5")
        sources = {**pairs_of(one), **pairs_of(two)}
        self.assertEqual({key: merged[key] for key in sources}, sources)
        self.assertTrue(any(traces for _, _, _, traces in sources.values()), "nothing was traced, so nothing was tested")
        # What was compared anew is what the verb compare says of the merged models.
        table = json.loads(self.stemma("compare", "m.h5", "--json").stdout)["pairs"]
        for pair in table:
            key = (pair["a"], pair["b"])
            if key in sources:
                continue
            self.assertEqual(merged[key][1], pair["sentence"])
            self.assertEqual([e[0] for e in merged[key][2]], [e["method"] for e in pair["evidence"]])
            np.testing.assert_equal([float(e[2]) for e in merged[key][2]],
                                    [np.nan if e["score"] is None else e["score"] for e in pair["evidence"]])
        self.merged(two, one, "-o", "n.h5")
        self.assertEqual(self.hashes("m.h5"), self.hashes("n.h5"))
        self.assertIn("is sound", self.stemma("verify", "m.h5").stdout)

    def test_pairs_of_other_methods_are_not_compared(self):
        one = self.config("one", ("aspen", "birch"))
        two = self.config("two", ("cedar", "cedar-code"), "analyzers: {tensorguard: {samples: 5}}\n")
        said = json.loads(self.merged(one, two, "-o", "m.h5").stdout)
        self.assertEqual((said["pairs"], said["pairs_compared"], said["pairs_not_compared"]), (2, 0, 4))
        self.assertIn("4 pairs across archives not compared", self.stemma("merge", one, two, "-o", "n.h5").stdout)

    def test_a_pair_keeps_its_direction_when_new_ids_put_its_models_in_another_order(self):
        """x before x-1, but x-1@a before x@a."""
        for name, models in (("a", ("x", "x-1")), ("b", ("x", "x-1"))):
            entries = "".join(f'  - {{path: "{ZOO / zoo}", id: {i}}}\n' for i, zoo in zip(models, ("aspen", "aspen-lora-r8"), strict=True))
            extra = "seed: 2\n" if name == "b" else ""
            self.write(f"{name}.yaml", f"schema_version: 1\nname: {name}\n{extra}models:\n{entries}")
            self.stemma("run", f"{name}.yaml", "--output", name)
        self.merged("a", "b", "-o", "m.h5")
        with h5py.File(self.directory / "a/a.h5") as source, h5py.File(self.directory / "m.h5") as file:
            self.assertEqual(list(file["models/id"].asstr()), ["x-1@a", "x-1@b", "x@a", "x@b"])
            self.assertEqual([tuple(p) for p in zip(file["pairs/model_a"], file["pairs/model_b"], strict=True)], [(0, 2), (1, 3)])
            self.assertEqual(file["pairs/direction"][0], -source["pairs/direction"][0])
        self.assertIn("is sound", self.stemma("verify", "m.h5").stdout)


class Refusals(Merge):
    def setUp(self):
        super().setUp()
        self.a = self.fingerprint("a.h5", ZOO / "aspen")

    def refused(self, words, *arguments, code):
        before = sorted(p.name for p in self.directory.iterdir())
        done = self.stemma("merge", *arguments, code=code)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertRegex(done.stderr, words)
        self.assertEqual(sorted(p.name for p in self.directory.iterdir()), before)

    def test_one_archive(self):
        self.refused("two archives or more are wanted, one was given", "a.h5", "-o", "m.h5", code=2)

    def test_one_archive_twice(self):
        os.link(self.a, self.directory / "same.h5")
        self.refused("same.h5 is named twice", "a.h5", "same.h5", "-o", "m.h5", code=2)

    def test_output_that_is_an_input_or_exists(self):
        self.fingerprint("b.h5", ZOO / "birch")
        self.refused("b.h5 is one of the archives to merge", "a.h5", "b.h5", "-o", "b.h5", code=2)
        self.write("m.h5", "mine")
        self.refused("m.h5 exists", "a.h5", "b.h5", "-o", "m.h5", code=2)

    def test_damaged_archive(self):
        data = bytearray(self.a.read_bytes())
        data[len(data) // 2] ^= 1
        (self.directory / "b.h5").write_bytes(data)
        self.refused("b.h5: archive.damaged", "a.h5", "b.h5", "-o", "m.h5", code=3)

    def test_archive_of_another_version(self):
        self.forge(self.a, "b.h5", lambda file: file.attrs.modify("stemma_archive", "2.0.0"))
        self.refused("b.h5: archive.newer_version.*2.0.0", "a.h5", "b.h5", "-o", "m.h5", code=3)
        self.forge(self.a, "b.h5", lambda file: file.attrs.modify("stemma_archive", "1.1.0"))
        self.refused("b.h5: archive.other_version.*1.1.0", "a.h5", "b.h5", "-o", "m.h5", code=3)

    def test_other_exact_results_of_the_same_model(self):
        """A second archive whose standard deviations lie, and which is sound to the last hash."""
        def lie(file):
            file["layers/std"][1, 0] = np.nextafter(file["layers/std"][1, 0], 1)

        self.stemma("verify", self.forge(self.a, "b.h5", lie))
        self.refused("not_reproducible: found others, first in layers/std, expected the exact results of aspen that .*h5 holds",
                     "a.h5", "b.h5", "-o", "m.h5", code=3)

    def test_features_that_round_otherwise_are_the_same_model(self):
        def rounded(file):
            file["spectra/value"][0] = np.nextafter(file["spectra/value"][0], 1e9)

        self.forge(self.a, "b.h5", rounded)
        self.assertEqual(json.loads(self.merged("a.h5", "b.h5", "-o", "m.h5").stdout)["repeated"], ["aspen"])


if __name__ == "__main__":
    unittest.main()

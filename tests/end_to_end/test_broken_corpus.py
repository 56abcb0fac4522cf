"""Is every broken checkpoint refused by its rule, and does it leave the sound ones beside it undisturbed?"""
import csv
import json
import os
import pathlib
import re
import resource
import shutil
import struct
import tempfile
import unittest

import h5py
import numpy as np

import harness
from harness import DATA, ZOO, read_tsv, write_index, write_safetensors

CORPUS = DATA / "broken/safetensors_generated"
QUESTIONS = "analyzers: {content: {}, histogram: {}, intrinsic_fingerprint: {}}\n"


def file_of(header, data=b"", length=None):
    """A safetensors file; `header` may be any bytes, `length` a lie."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def tensor(dtype="U8", shape=(1,), offsets=(0, 1)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def spelled(dimension="1", offset="1", name="a", dtype='"U8"'):
    """One tensor of a byte, spelled out: the pieces need not be JSON that Python would write."""
    text = f'{{"{name}":{{"dtype":{dtype},"shape":[{dimension}],"data_offsets":[0,{offset}]}}}}'
    return file_of(text.encode(), b"x")


def broken_files():
    """(what, bytes, rule): one file or more for each rule of the format."""
    good = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    pair = lambda first, second: {"a": tensor(shape=[4], offsets=first), "b": tensor(shape=[4], offsets=second)}
    yield "7 bytes", b"\0" * 7, "safetensors.header_too_small"
    yield "N high bytes", struct.pack("<Q", 0xFFFFFF000000003C) + b"{}", "safetensors.header_too_large"
    yield "N above the limit", struct.pack("<Q", 100_000_001) + b"{}", "safetensors.header_too_large"
    yield "N without body", struct.pack("<Q", 60), "safetensors.header_beyond_file"
    yield "N one beyond", file_of(b"{}", length=3), "safetensors.header_beyond_file"
    yield "UTF-8 0xFF", file_of(b'{"\xff":1}'), "safetensors.header_not_utf8"
    yield "UTF-8 overlong", file_of(b'{"\xc0\xaf":1}'), "safetensors.header_not_utf8"
    yield "UTF-8 surrogate", file_of(b'{"\xed\xa0\x80":1}'), "safetensors.header_not_utf8"
    yield "BOM", file_of(b"\xef\xbb\xbf{}"), "safetensors.header_bom"
    yield "JSON open", file_of(b"{"), "safetensors.header_not_json"
    yield "JSON cut in a string", file_of(b'{"abc'), "safetensors.header_not_json"
    yield "JSON cut in an escape", file_of(rb'{"a\u00'), "safetensors.header_not_json"
    yield "JSON cut in a pair", file_of(rb'{"a\ud83d\u'), "safetensors.header_not_json"
    yield "JSON and garbage", file_of(b"{} x"), "safetensors.header_not_json"
    yield "JSON brackets", file_of(b"[" * 100_000), "safetensors.header_not_json"
    yield "JSON NaN", spelled(dimension="NaN"), "safetensors.header_not_json"
    yield "no JSON at all", file_of(b"tensor a: U8"), "safetensors.header_not_json"
    yield "root array", file_of(b"[]"), "safetensors.header_not_object"
    yield "root null", file_of(b"null"), "safetensors.header_not_object"
    yield "deep", file_of(b'{"a":' * 10_000 + b"1" + b"}" * 10_000), "safetensors.header_too_deep"
    yield "twice a tensor", file_of(f'{{"a":{good},"a":{good}}}'.encode(), b"x"), "safetensors.duplicate_key"
    yield "twice escaped", file_of(f'{{"a":{good},"\\u0061":{good}}}'.encode(), b"x"), "safetensors.duplicate_key"
    yield ("twice a dtype", file_of(b'{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', b"x"),
           "safetensors.duplicate_key")
    yield "metadata array", file_of({"__metadata__": []}), "safetensors.metadata_not_strings"
    yield "metadata number", file_of({"__metadata__": {"k": 1}}), "safetensors.metadata_not_strings"
    yield "entry null", file_of({"a": None}), "safetensors.entry_malformed"
    yield "shape missing", file_of({"a": {"dtype": "U8", "data_offsets": [0, 1]}}, b"x"), "safetensors.entry_malformed"
    yield "dtype number", spelled(dtype="8"), "safetensors.entry_malformed"
    yield "dtype F33", spelled(dtype='"F33"'), "safetensors.unknown_dtype"
    yield "rank 9", spelled(dimension=",".join("1" * 9)), "safetensors.rank_too_large"
    yield "one offset", file_of({"a": tensor(offsets=[0])}, b"x"), "safetensors.offsets_not_a_pair"
    yield "three offsets", file_of({"a": tensor(offsets=[0, 1, 1])}, b"x"), "safetensors.offsets_not_a_pair"
    for number in ("-1", "-0", "1.0", "1e3", "18446744073709551616", '"1"', "true", "null"):
        yield f"dimension {number}", spelled(dimension=number), "safetensors.not_an_unsigned_integer"
        yield f"offset {number}", spelled(offset=number), "safetensors.not_an_unsigned_integer"
    yield "name empty", spelled(name=""), "safetensors.name_invalid"
    yield "name with NUL", spelled(name="a\\u0000b"), "safetensors.name_invalid"
    yield "name of a megabyte", spelled(name="n" * (1 << 20)), "safetensors.name_invalid"
    yield "offsets reversed", file_of({"a": tensor(offsets=[1, 0])}, b"x"), "safetensors.offset_reversed"
    yield "hole at the start", file_of({"a": tensor(offsets=[1, 2])}, b"xx"), "safetensors.offset_hole"
    yield "hole", file_of(pair([0, 4], [5, 9]), b"x" * 9), "safetensors.offset_hole"
    yield "overlap", file_of(pair([0, 4], [3, 7]), b"x" * 7), "safetensors.offset_overlap"
    yield ("overlap of 100,000", file_of({f"t{i}": tensor("F32", [2, 2], [0, 16]) for i in range(100_000)}, b"x" * 16),
           "safetensors.offset_overlap")
    yield "product", file_of({"a": tensor("I32", [2, 2**63 - 1], [0, 16])}, b"x" * 16), "safetensors.shape_overflow"
    yield "bits", file_of({"a": tensor("F64", [2**61], [0, 16])}, b"x" * 16), "safetensors.size_overflow"
    yield "F4 of 3", file_of({"a": tensor("F4", [1, 3], [0, 2])}, b"xx"), "safetensors.not_whole_bytes"
    yield "liar", file_of({"a": tensor("F32", [1024, 1024], [0, 1])}, b"x"), "safetensors.size_mismatch"
    yield "trailing byte", file_of({"a": tensor(shape=[4], offsets=[0, 4])}, b"x" * 5), "safetensors.trailing_bytes"
    yield "truncated", file_of({"a": tensor(shape=[4], offsets=[0, 4])}, b"xx"), "safetensors.truncated"
    yield "empty file", b"", "format.refused"
    yield "HTML page", b"<!doctype html><title>404</title>", "format.refused"
    yield "JSON page", b'{"error": "Repository not found"}', "format.refused"
    yield "gzip", b"\x1f\x8b\x08" + b"\0" * 40, "format.refused"
    yield ("LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n",
           "lfs_pointer")


def rule_of_corpus(rule):
    """Our rules for a rule of the corpus, whose head lists them; a text may break several at once."""
    syntax = {"header_not_json", "header_not_object", "header_too_deep", "header_bom"}
    entry = {"unknown_dtype", "entry_malformed", "not_an_unsigned_integer", "offsets_not_a_pair", "metadata_not_strings",
             "header_too_deep"}
    ours = {"R1": {"header_too_small"}, "R2": {"header_too_large"}, "R3": {"header_beyond_file"}, "R4": {"header_not_utf8"},
            "R5": syntax, "R6": entry, "R7": {"offset_reversed", "offset_hole", "offset_overlap"}, "R8": {"shape_overflow"},
            "R9": {"size_overflow", "shape_overflow"}, "R10": {"not_whole_bytes"}, "R11": {"size_mismatch"},
            "R12": {"trailing_bytes", "truncated"}, "S1": {"duplicate_key"}, "S2": {"entry_malformed", "header_too_deep"}}
    return {f"safetensors.{name}" for name in ours[rule]}


def two_shards(directory, **changes):
    """A checkpoint of two parts and an index, changed before it is written: {file: tensors} and {tensor: file}."""
    directory.mkdir()
    files = {"one.safetensors": {"a": np.ones(4, np.float32)}, "two.safetensors": {"b": np.ones(4, np.float32)}}
    weight_map = {"a": "one.safetensors", "b": "two.safetensors", **changes.get("weight_map", {})}
    for name, tensors in {**files, **changes.get("files", {})}.items():
        if isinstance(tensors, bytes):
            (directory / name).write_bytes(tensors)
        elif tensors is not None:
            write_safetensors(directory / name, tensors)
    write_index(directory, weight_map, 32)
    return directory


def broken_directories(root):
    """(what, path, rule): what can be wrong with the files of a model beyond each file's own format."""
    yield "shard missing", two_shards(root / "missing", files={"two.safetensors": None}), "missing_shard"
    yield "shard broken", two_shards(root / "broken", files={"two.safetensors": b"{"}), "unreadable_shard"
    yield "shard without its tensor", two_shards(root / "foreign", weight_map={"c": "two.safetensors"}), "index_mismatch"
    for what, name in (("parent", "../two.safetensors"), ("root", "/etc/passwd"), ("folder", "x/two.safetensors"),
                       ("backslash", "x\\two.safetensors"), ("empty", ""), ("dots", ".."), ("NUL", "t\0.safetensors"),
                       ("long", "t" * 300 + ".safetensors")):
        yield f"name {what}", two_shards(root / f"name_{what}", weight_map={"b": name}), "path.unsafe_name"
    twice = two_shards(root / "twice")
    (twice / "model.safetensors.index.json").write_text('{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}')
    yield "index with a key twice", twice, "json.duplicate_key"
    deep = two_shards(root / "deep")
    (deep / "model.safetensors.index.json").write_text("[" * 100_000)
    yield "index that never ends", deep, "json.syntax"
    for what, parts in (("gap", (1, 3)), ("number above", (1, 4))):
        folder = root / f"set_{what}"
        folder.mkdir()
        for part in parts:
            write_safetensors(folder / f"model-{part:05}-of-00003.safetensors", {f"t{part}": np.ones(4, np.float32)})
        yield f"set with a {what}", folder, "missing_shard"
    (root / "folder/model.safetensors").mkdir(parents=True)
    yield "directory as file", root / "folder", "file.open_failed"
    (root / "pipe").mkdir()
    os.mkfifo(root / "pipe/model.safetensors")
    yield "named pipe", root / "pipe", "file.open_failed"
    (root / "dangling").mkdir()
    (root / "dangling/model.safetensors").symlink_to(root / "blobs/gone")
    yield "link to nothing", root / "dangling", "file.open_failed"
    (root / "nothing").mkdir()
    yield "empty directory", root / "nothing", "no_model_found"


class Corpus(unittest.TestCase):
    """One run over the sound models, one over them and everything broken."""

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.made, cls.corpus, paths = {}, {}, {}

        def add(what, path, rule):
            id = f"made-{len(cls.made)}-" + re.sub(r"[^A-Za-z0-9]+", "-", what)
            paths[id], cls.made[id] = path, {rule}

        for i, (what, data, rule) in enumerate(broken_files()):
            path = cls.directory / f"files/{i}/model.safetensors"
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            add(what, path.parent, rule)
        blank = cls.directory / "blank.safetensors"  # a header of 100 MB that is a hole
        blank.write_bytes(struct.pack("<Q", 100_000_000))
        os.truncate(blank, 100_000_008)
        add("header of zeros", blank, "safetensors.header_not_json")
        (cls.directory / "folders").mkdir()
        for what, path, rule in broken_directories(cls.directory / "folders"):
            add(what, path, rule)
        if (CORPUS / "manifest.tsv").is_file():
            with open(CORPUS / "manifest.tsv", encoding="utf-8", newline="") as manifest:
                for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE):
                    if row["verdict"] == "refuse":
                        id = row["file"].removesuffix(".safetensors")
                        paths[id], cls.corpus[id] = CORPUS / row["file"], rule_of_corpus(row["rule"])
            cls.corpus["refuse_empty_file"] = {"format.refused"}  # said before the format is asked
        models = "".join(f"  - {json.dumps({'path': str(path), 'id': id})}\n" for id, path in paths.items())
        cls.sound = cls.run_program("sound", "")
        cls.all = cls.run_program("all", models)
        cls.archives = {name: h5py.File(cls.directory / name / f"{name}.h5", "r") for name in ("sound", "all")}
        for archive in cls.archives.values():
            cls.addClassCleanup(archive.close)

    @classmethod
    def run_program(cls, name, models):
        config = cls.directory / f"{name}.yaml"
        config.write_text(f"schema_version: 1\nname: {name}\nmodels:\n  - glob: {ZOO}/*/\n{models}{QUESTIONS}")
        return harness.stemma("run", config, "--output", name, ranks=2, cwd=cls.directory)

    def table(self, run, name):
        return read_tsv(self.directory / run / f"{name}.tsv")

    def test_exit_codes(self):
        self.assertEqual(self.sound.returncode, 0, self.sound.stderr)
        self.assertEqual(self.all.returncode, 4, self.all.stderr)
        n = len(self.made) + len(self.corpus)
        self.assertIn(f"8 of {n + 8} models readable", self.all.stderr)
        self.assertEqual(self.all.stderr.count("  warn  "), n)
        self.assertIn(f"{n} failed", self.all.stdout)

    def check_rules(self, expected):
        rows = self.table("all", "failures")
        found = {id: [row["rule"] for row in rows if row["model"] == id] for id in expected}
        self.assertEqual({id: rules for id, rules in found.items() if len(rules) != 1}, {})
        self.assertEqual({id: rules[0] for id, rules in found.items() if rules[0] not in expected[id]}, {})

    def test_every_made_file_fails_once_by_its_rule(self):
        self.assertGreater(len(self.made), 80)
        self.check_rules(self.made)

    @unittest.skipUnless(CORPUS.is_dir(), f"the corpus of broken files is absent: {CORPUS}; set STEMMA_TEST_DATA")
    def test_every_refused_file_of_the_corpus_fails_once_by_its_rule(self):
        self.assertEqual(len(self.corpus), 152)
        self.check_rules(self.corpus)

    def test_nothing_else_fails(self):
        rows = self.table("all", "failures")
        self.assertEqual({row["model"] for row in rows}, set(self.made) | set(self.corpus))
        self.assertEqual({row["stage"] for row in rows}, {"survey"})
        for row in rows:
            self.assertIn(row["rule"], row["sentence"])
            self.assertTrue(row["sentence"].isprintable(), row)
        self.assertEqual(self.table("sound", "failures"), [])

    def test_archive_lists_the_same_failures(self):
        failures = self.archives["all"]["failures"]
        columns = [failures[name].asstr()[:] for name in ("item", "rule", "problem", "suggestion")]
        ids, model = self.archives["all"]["models/id"].asstr()[:], failures["model_index"][:]
        found = sorted((ids[m], *row) for m, *row in zip(model, *columns))
        expected = sorted((row["model"], row["item"], row["rule"], row["sentence"].replace(r"\\", "\\"), row["suggestion"])
                          for row in self.table("all", "failures"))  # a table doubles backslashes
        self.assertEqual(found, expected)

    def test_models_say_how_they_ended(self):
        status = {row["id"]: row["status"] for row in self.table("all", "models")}
        self.assertEqual(len(status), 8 + len(self.made) + len(self.corpus))
        broken = set(self.made) | set(self.corpus)
        self.assertEqual({id for id, how in status.items() if how == "failed"}, broken)
        self.assertEqual({how for id, how in status.items() if id not in broken}, {"complete"})

    def test_sound_models_are_as_if_alone(self):
        ids = {row["id"] for row in self.table("sound", "models")}
        for name, key in (("features", "model"), ("models", "id"), ("findings", "model")):
            mine = [row for row in self.table("all", name) if row[key] in ids]
            self.assertEqual(mine, self.table("sound", name), name)
        self.assertGreater(len(self.table("sound", "features")), 1000)

    def test_archived_values_of_sound_models_are_the_same(self):
        compared = 0
        numbers = {"model_index", "view_of", "duplicate_of", "tensor_index", "file_index"}  # of rows, which do move
        for group, count in (("tensors", "tensor"), ("moments", "tensor"), ("layers", "layer")):
            rows = {run: self.rows_of_sound_models(run, count) for run in self.archives}
            for name, column in self.archives["sound"][group].items():
                if name in numbers or column.shape[:1] != (len(rows["sound"]),):
                    continue
                values = {run: self.archives[run][group][name][:][rows[run]] for run in self.archives}
                np.testing.assert_array_equal(values["sound"], values["all"], err_msg=f"{group}/{name}")
                compared += 1
        self.assertGreater(compared, 30)

    def rows_of_sound_models(self, run, table):
        archive = self.archives[run]
        sound = set(self.archives["sound"]["models/id"].asstr()[:])
        models = {name: archive[f"models/{name}"][:] for name in (f"{table}_start", f"{table}_count")}
        return [int(row) for id, first, n in zip(archive["models/id"].asstr()[:], *models.values()) if id in sound
                for row in range(first, first + n)]

    def test_pairs_of_sound_models_are_the_same(self):
        ids = {row["id"] for row in self.table("sound", "models")}

        def rows(run, name):
            """Without the correction for the number of pairs, and without the details, which many pairs do not have."""
            return [{key: value for key, value in row.items() if key != "log10_p_corrected"} for row in self.table(run, name)
                    if row["a"] in ids and row["b"] in ids and not row.get("role")]

        for name in ("pairs", "evidence"):
            self.assertEqual(rows("all", name), rows("sound", name))
            self.assertGreaterEqual(len(rows("sound", name)), 28)

    def test_archive_is_sound(self):
        done = harness.stemma("verify", self.directory / "all")
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.directory}/all/all.h5: archive is sound\n"))

    def test_memory_stays_small(self):
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.assertLess(peak, (1 << 30) * harness.PATIENCE)  # headers of 100 MB, promises of exabytes

if __name__ == "__main__":
    unittest.main()

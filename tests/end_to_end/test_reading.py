"""What happens to a checkpoint whose files change while it is read, and to one whose parts are not those of its index?"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import unittest

import h5py
import numpy as np

import harness
from harness import ZOO, EndToEnd, read_tsv, write_safetensors

QUESTIONS = "analyzers: {content: {}, histogram: {}, intrinsic_fingerprint: {}}\n"

TRAP = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first reading of TRAP_FILE at or behind byte TRAP_FROM finds it cut to TRAP_SIZE bytes. */
static void spring(int descriptor, off_t at) {
  const char* path = getenv("TRAP_FILE");
  struct stat read_now, trapped;
  if (!path || at < atol(getenv("TRAP_FROM"))) return;
  if (fstat(descriptor, &read_now) || stat(path, &trapped)) return;
  if (read_now.st_dev == trapped.st_dev && read_now.st_ino == trapped.st_ino && trapped.st_size > atol(getenv("TRAP_SIZE")) &&
      truncate(path, atol(getenv("TRAP_SIZE")))) abort();
}
#define PREAD(name)                                                                                  \
  ssize_t name(int descriptor, void* bytes, size_t n, off_t at) {                                    \
    static ssize_t (*real)(int, void*, size_t, off_t);                                               \
    if (!real) real = (ssize_t (*)(int, void*, size_t, off_t))dlsym(RTLD_NEXT, #name);               \
    spring(descriptor, at);                                                                          \
    return real(descriptor, bytes, n, at);                                                           \
  }
PREAD(pread)
PREAD(pread64)
"""


@unittest.skipUnless(shutil.which("cc"), "no C compiler to build a library that cuts a file when its weights are read")
class Reading(EndToEnd):
    """Weights begin to be read at a moment that no test could hit from outside: a library between the program and its
    system calls cuts a file at exactly that moment."""

    def setUp(self):
        super().setUp()
        for name in ("aspen", "birch"):
            shutil.copytree(ZOO / name, self.directory / name)
        (self.directory / "trap.c").write_text(TRAP)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", "trap.so", "trap.c", "-ldl"], cwd=self.directory, check=True)
        self.file = self.directory / "birch/model.safetensors"
        self.size = self.file.stat().st_size
        header = 8 + struct.unpack("<Q", self.file.read_bytes()[:8])[0]
        self.cut = header + (self.size - header) // 2
        self.trap = {"LD_PRELOAD": str(self.directory / "trap.so"), "TRAP_FILE": str(self.file), "TRAP_FROM": str(header),
                     "TRAP_SIZE": str(self.cut),
                     "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def config(self, *models):
        lines = [f"  - {json.dumps({'path': str(path), 'id': pathlib.Path(path).name})}\n" for path in models]
        self.write("c.yaml", f"schema_version: 1\nname: t\nmodels:\n{''.join(lines)}{QUESTIONS}")

    def test_file_cut_while_it_is_read(self):
        self.config("aspen")
        self.stemma("run", "c.yaml", "--output", "alone")
        alone = read_tsv(self.directory / "alone/features.tsv")
        self.config("aspen", "birch")
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                shutil.copy(ZOO / "birch/model.safetensors", self.file)
                out = self.directory / f"out{ranks}"
                self.stemma("run", "c.yaml", "--output", out, code=4, ranks=ranks, **self.trap)
                self.assertEqual(self.file.stat().st_size, self.cut)
                failures = read_tsv(out / "failures.tsv")
                self.assertEqual({row["model"] for row in failures}, {"birch"})
                self.assertEqual({row["stage"] for row in failures}, {"read"})
                self.assertLessEqual({row["rule"] for row in failures}, {"file.short_read", "file.changed_while_reading"})
                features = [row for row in read_tsv(out / "features.tsv") if row["value"]]
                self.assertEqual(features, alone)  # nothing of birch, not even what lay before the cut
                status = {row["id"]: (row["status"], row["content"] != "") for row in read_tsv(out / "models.tsv")}
                self.assertEqual(status, {"aspen": ("complete", True), "birch": ("partial", False)})
                self.stemma("verify", out)

    def test_strict_ends_before_any_weight_is_read(self):
        broken = self.directory / "bad"
        broken.mkdir()
        write_safetensors(broken / "model.safetensors", {"a": np.ones(4, np.float32)})
        with open(broken / "model.safetensors", "ab") as file:
            file.write(b"x")
        self.config("aspen", "birch", "bad")
        for ranks in (1, 2):
            done = self.stemma("run", "c.yaml", "--output", f"out{ranks}", "--strict", code=3, ranks=ranks, **self.trap)
            self.assertIn("bad: model.safetensors: ", done.stderr)
            self.assertEqual(done.stderr.count("safetensors.trailing_bytes"), 1, done.stderr)
            self.assertEqual(self.file.stat().st_size, self.size)  # the trap lies where weights begin
            self.assertEqual(list((self.directory / f"out{ranks}").glob("*.h5*")), [])
        self.stemma("run", "c.yaml", "--output", "lenient", code=4, **self.trap)
        self.assertEqual(self.file.stat().st_size, self.cut)


class Shards(EndToEnd):
    def setUp(self):
        super().setUp()
        tensors = harness.read_safetensors(ZOO / "aspen/model.safetensors")
        config = json.loads((ZOO / "aspen/config.json").read_text())
        self.model = harness.write_checkpoint(self.directory / "model", tensors, config, shards=3)
        self.second = self.model / "model-00002-of-00003.safetensors"
        self.tensors = harness.read_safetensors(self.second)

    def run_one(self, name, code=0):
        self.write("c.yaml", f"schema_version: 1\nname: t\nmodels: [model]\n{QUESTIONS}")
        self.stemma("run", "c.yaml", "--output", name, code=code, ranks=2)
        tables = {t: read_tsv(self.directory / name / f"{t}.tsv") for t in ("features", "failures", "findings", "models")}
        self.stemma("verify", name)
        return tables

    def test_foreign_tensor_is_not_used(self):
        alone = self.run_one("alone")
        write_safetensors(self.second, {**self.tensors, "smuggled.weight": np.ones((3, 3), np.float32)})
        tables = self.run_one("out")
        self.assertEqual(tables["features"], alone["features"])
        self.assertEqual(tables["models"][0]["content"], alone["models"][0]["content"])
        self.assertEqual([(row["rule"], row["severity"], row["tensor"]) for row in tables["findings"]],
                         [("unindexed_tensor", "warning", "smuggled.weight")])
        with h5py.File(self.directory / "out/t.h5", "r") as archive:
            self.assertNotIn("smuggled.weight", archive["tensors/name"].asstr()[:])

    def test_copy_in_another_shard_is_not_used(self):
        alone = self.run_one("alone")
        name = "model.embed_tokens.weight"
        first = self.model / "model-00001-of-00003.safetensors"
        holder, other = ((first, self.second) if name in harness.read_safetensors(first) else (self.second, first))
        tensors = harness.read_safetensors(other)
        write_safetensors(other, {**tensors, name: np.zeros_like(harness.read_safetensors(holder)[name])})
        tables = self.run_one("out")
        self.assertEqual(tables["features"], alone["features"])
        self.assertEqual([(row["rule"], row["file"], row["tensor"]) for row in tables["findings"]],
                         [("shadowed_tensor", other.name, name)])

    def test_missing_shard_leaves_no_half_of_a_model(self):
        self.second.unlink()
        tables = self.run_one("out", code=4)
        self.assertEqual([(row["model"], row["rule"]) for row in tables["failures"]], [("model", "missing_shard")])
        self.assertIn(self.second.name, tables["failures"][0]["sentence"])
        self.assertEqual(tables["features"], [])


if __name__ == "__main__":
    unittest.main()

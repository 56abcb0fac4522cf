"""Does reading past the page cache give the same archive, and does a mount that refuses it cost one sentence?"""
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
from harness import EndToEnd

MAKE = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release")) / "bench/make_checkpoint"

# A file system without O_DIRECT: opening with that flag is EINVAL.
REFUSAL = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#define OPEN(name)                                                                                   \
  int name(const char* path, int flags, ...) {                                                       \
    if (flags & O_DIRECT) { errno = EINVAL; return -1; }                                             \
    va_list more; va_start(more, flags); int mode = va_arg(more, int); va_end(more);                 \
    return ((int (*)(const char*, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode);             \
  }
OPEN(open)
OPEN(open64)
"""
SENTENCE = "takes no O_DIRECT, so it was read through the page cache"


class DirectReading(EndToEnd):
    def setUp(self):
        super().setUp()
        subprocess.run([MAKE, "tinyllama", self.directory / "m", "--layers", "3", "--scale", "4", "--shards", "2"], check=True,
                       capture_output=True)
        self.write("c.yaml", "schema_version: 1\nmodels: [m]\nanalyzers: {content: {sha256: true}, histogram: }\n")

    def hashes(self, direct, ranks, **environment):
        done = self.stemma("run", "c.yaml", f"runtime.io.direct={direct}", "--output", direct, "--fresh", ranks=ranks, **environment)
        return self.stemma("verify", "--hash", direct).stdout.replace(direct, "run"), done.stderr

    def test_the_archive_is_the_same(self):
        expected, _ = self.hashes("never", 1)
        self.assertRegex(expected, r"[0-9a-f]{64}")
        for direct in ("auto", "always"):
            for ranks in (1, 2):
                with self.subTest(direct=direct, ranks=ranks):
                    found, said = self.hashes(direct, ranks)
                    self.assertEqual(found, expected)
                    self.assertRegex(said, r"read ratio 1\.0[0-4]")

    @unittest.skipUnless(shutil.which("cc") and harness.PATIENCE == 1, "no C compiler, or sanitizers that want to be loaded first")
    def test_a_refusal_is_said_once(self):
        self.write("refusal.c", REFUSAL)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", "refusal.so", "refusal.c", "-ldl"], cwd=self.directory, check=True)
        expected, said = self.hashes("never", 1)
        self.assertNotIn(SENTENCE, said)
        for ranks in (1, 2):
            found, said = self.hashes("always", ranks, LD_PRELOAD=str(self.directory / "refusal.so"))
            self.assertEqual(found, expected)
            self.assertEqual(said.count(SENTENCE), 1, said)
        self.assertIn("runtime.io.direct: never", said)


if __name__ == "__main__":
    unittest.main()

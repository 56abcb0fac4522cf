"""Do the keys of verdicts decide, at the very value that a pair reaches and not beside it?"""
import json
import math
import unittest

import numpy as np

from harness import EndToEnd, llama_config, llama_tensors, read_tsv, write_checkpoint
from neurons import compared

LAYERS, UNITS = 3, 96
CONFIG = llama_config(LAYERS)
PARTS = ("gate_proj", "up_proj", "down_proj")


def keeping(base, kept, seed):
    """The base with MLPs of other numbers, but for its first `kept[i]` neurons of layer i."""
    other, child = llama_tensors(CONFIG, seed), dict(base)
    for i, count in enumerate(kept):
        for part in PARTS:
            name = f"model.layers.{i}.mlp.{part}.weight"
            mixed = other[name].copy()
            rows = np.s_[:, :count] if part == "down_proj" else np.s_[:count]
            mixed[rows] = base[name][rows]
            child[name] = mixed
    return child


class VerdictKeys(EndToEnd):
    """A child that keeps so few neurons that it is hardly told from a stranger, and one that keeps some in each layer."""

    def setUp(self):
        super().setUp()
        base = llama_tensors(CONFIG, 1)
        write_checkpoint(self.directory / "base", base, CONFIG)
        write_checkpoint(self.directory / "weak", keeping(base, (3, 3, 2), 2), CONFIG)
        write_checkpoint(self.directory / "child", keeping(base, (60, 36, 15), 3), CONFIG)

    def pair(self, archive, *overrides):
        (pair,) = compared(self, archive, *overrides).values()
        return pair

    def level_of(self, archive):
        """Where the pair is found, by Benjamini and Yekutieli over its two tests, from the p-values of its rows."""
        rows = self.pair(archive)["neurons"]
        ps = sorted(10 ** rows[role]["log10_p"] for role in ("", "places"))
        harmonic = 1 + 1 / 2
        return min(min(1, p * 2 * harmonic / rank) for rank, p in enumerate(ps, 1))

    def test_fdr_of_archives(self):
        archive = self.fingerprint("weak.h5", "base", "weak")
        level = self.level_of(archive)
        self.assertGreater(level, 1e-9)
        self.assertLess(level, 0.1)
        found = self.pair(archive, f"verdicts.fdr={level * 1.001:.12g}")
        self.assertIn("inconsistent with independent initialisation", found["sentence"])
        self.assertNotEqual(found["relation"], "NO_EVIDENCE")
        missed = self.pair(archive, f"verdicts.fdr={level * 0.999:.12g}")
        self.assertEqual(missed["relation"], "NO_EVIDENCE")

    def test_fdr_of_weights(self):
        def traced(*overrides):
            (pair,) = json.loads(self.stemma("trace", "base", "weak", *overrides, "--json").stdout)["pairs"]
            return pair

        pair = traced("verdicts.fdr=0.2")
        neurons = next(value for value in pair.values() if isinstance(value, dict) and "log10_p_places" in value)
        self.assertEqual(neurons["pairs_asked_together"], 1)
        ps = [neurons["log10_p_places"]]
        if 2 * neurons["agreeing_layers"] >= neurons["layers_read"]:
            ps.append(neurons["log10_p_robust"])
        level = 2 * 10 ** min(ps)  # of two tests the better one
        self.assertGreater(level, 1e-11)
        self.assertLess(level, 0.15)
        words = "inconsistent with independent initialisation"
        self.assertIn(words, traced(f"verdicts.fdr={level * 1.01:.12g}")["sentence"])
        self.assertNotIn(words, traced(f"verdicts.fdr={level * 0.99:.12g}")["sentence"])

    def test_shares(self):
        archive = self.fingerprint("child.h5", "base", "child")
        pair = self.pair(archive)
        shares = sorted((pair["neurons"][f"layers/{i}"]["score"] for i in range(LAYERS)), reverse=True)
        for share, kept in zip(shares, (60, 36, 15)):
            self.assertGreater(share, 0.8 * kept / UNITS)
        self.assertGreater(shares[1], shares[2])

        def outcome(share, layers):
            found = self.pair(archive, f"verdicts.min_share={share!r}", f"verdicts.min_layers_share={layers!r}")
            agreeing = found["neurons"][""]["detail"]["agreeing_blocks"]
            self.assertIn(f"neurons agree in {agreeing} of {LAYERS} MLPs", found["sentence"])
            self.assertEqual(found["neurons"][""]["log10_p"], pair["neurons"][""]["log10_p"])
            return agreeing, found["relation"]

        self.assertEqual(outcome(0.1, 0.5), (3, "SAME_LINEAGE"))
        self.assertEqual((3, pair["relation"]), outcome(0.1, 0.5))
        self.assertEqual(outcome(shares[1], 0.5), (2, "SAME_LINEAGE"))
        self.assertEqual(outcome(shares[1], 2 / 3), (2, "SAME_LINEAGE"))
        self.assertEqual(outcome(shares[1], 0.67), (2, "PARTIAL_LINEAGE"))
        self.assertEqual(outcome(math.nextafter(shares[1], 1), 0.5), (1, "PARTIAL_LINEAGE"))
        self.assertEqual(outcome(math.nextafter(shares[1], 1), 0.0), (1, "SAME_LINEAGE"))

    def test_a_run_keeps_what_it_was_asked(self):
        self.write("audit.yaml", "schema_version: 1\nmodels: [base, child]\noutput: out\ntrace: {enabled: false}\n"
                   "verdicts: {fdr: 1e-5, min_share: 0.25, min_layers_share: 1}\n")
        hashes = set()
        for ranks in (1, 2):
            self.stemma("run", "audit.yaml", "--fresh", ranks=ranks)
            document = json.loads((self.directory / "out/verdicts.json").read_text())
            self.assertEqual(document["fdr"], 1e-5)
            hashes.add(document["archive"]["canonical_exact"])
            (row,) = read_tsv(self.directory / "out/pairs.tsv")
            self.assertEqual(row["relation"], "PARTIAL_LINEAGE")
        self.assertEqual(len(hashes), 1)
        resolved = (self.directory / "out/config.resolved.yaml").read_text()
        self.assertIn("  fdr: 1e-05\n  min_share: 0.25\n  min_layers_share: 1\n", resolved)
        page = (self.directory / "out/report.html").read_text()
        self.assertIn("limit of the robust test, grade M: 25 % of the neurons (0.75)", page)
        self.stemma("run", "audit.yaml", "verdicts.min_layers_share=0.5", "trace.enabled=true", "--fresh")
        (row,) = read_tsv(self.directory / "out/pairs.tsv")
        self.assertEqual((row["stage"], row["relation"]), ("confirmed", "SAME_LINEAGE"))
        again = self.stemma("compare", "out", "verdicts.min_layers_share=1", "--json")
        self.assertEqual(json.loads(again.stdout)["pairs"][0]["relation"], "SAME_LINEAGE")
        self.assertEqual(again.stderr, "1 pair keeps the verdict of the run that read the weights, by its own rule.\n")


if __name__ == "__main__":
    unittest.main()

"""What do archives alone say of models that were cut, deepened, upcycled or quantised: class, map of blocks, who came first?

Surgery on aspen without training; noise on every matrix stands for it, a tenth of the standard deviation. Every model is there
under two names, before and behind its source in the alphabet, and what can be laundered as well. birch is the stranger.
"""
import pathlib
import shutil
import tempfile
import unittest

import numpy as np

import harness
from harness import ZOO, EndToEnd
from launder import ALL, launder_directory, read_model, write_model
from neurons import compared
from surgery import as_experts, drawn, in_four_bits, largest, with_layers, with_neurons, with_stream

LAYERS, SOURCE = 6, "m-aspen"
IDENTITY = "0-5:0-5"
UNKNOWN, LATER = 0, 1


def as_they_stand(experts):
    """Every expert of a layer from the MLP of the same layer."""
    return " ".join(f"{i}:{i}.0-{experts - 1}" for i in range(LAYERS))


#: Expert e of layer i is the MLP of layer ROTATED[i][e]: no two of a layer are alike.
ROTATED = [[(i + e) % LAYERS for e in range(3)] for i in range(LAYERS)]
KEPT_EXPERTS = [0, 2]


def noisy(t, rng, share=0.1):
    return {name: a + share * a.std() * rng.standard_normal(a.shape) if a.ndim == 2 else a for name, a in t.items()}


def without_experts(t, config, kept):
    """Experts of these numbers only, and their rows of the router."""
    out = {}
    for name, a in t.items():
        if ".experts." in name:
            head, tail = name.split(".experts.")
            expert, rest = tail.split(".", 1)
            if int(expert) in kept:
                out[f"{head}.experts.{kept.index(int(expert))}.{rest}"] = a
        else:
            out[name] = a[kept] if "block_sparse_moe.gate" in name else a
    return out, {**config, "num_local_experts": len(kept)}


def with_rows(t, config, rows):
    """Other rows of the vocabulary."""
    return {name: a[rows] if name in ("model.embed_tokens.weight", "lm_head.weight") else a for name, a in t.items()}, {
        **config, "vocab_size": len(rows)}


def padded(t, config, rng):
    """Eight layers: after the second and the fourth one of independent numbers, as large as its neighbour."""
    out, config = with_layers(t, config, [0, 1, 1, 2, 3, 3, 4, 5])
    for i in (2, 5):
        out |= {name: a.std() * rng.standard_normal(a.shape) for name, a in out.items()
                if name.startswith(f"model.layers.{i}.") and a.ndim == 2}
    return out, config


def made(kind, t, config, rng):
    same = [[i] * 4 for i in range(LAYERS)]
    return {
        "depth": lambda: with_layers(t, config, [0, 1, 3, 5]),
        "width": lambda: with_stream(*with_neurons(t, config, largest(200)), 120),
        "narrow": lambda: with_stream(*with_neurons(t, config, largest(200)), 96),
        "mlp": lambda: with_neurons(t, config, drawn(200, rng)),
        "deep": lambda: with_layers(t, config, [0, 1, 2, 3, 2, 3, 4, 5]),
        "swapped": lambda: with_layers(t, config, [0, 2, 1, 3, 4, 5]),
        "lost-and-doubled": lambda: with_layers(t, config, [0, 1, 1, 3, 4, 5]),
        "new-layers": lambda: padded(t, config, rng),
        "moe": lambda: as_experts(t, config, same, rng, noise=0.1),
        "moe-half": lambda: as_experts(t, config, same, rng, fresh=0.5, noise=0.1),
        "moe-rotated": lambda: as_experts(t, config, ROTATED, rng, noise=0.1),
        "int4": lambda: in_four_bits(t, config),
        "words-lost": lambda: with_rows(t, config, np.arange(240)),
        "words-added": lambda: with_rows(t, config, np.r_[0:256, 0:32]),
    }[kind]()


#: kind: (the map from aspen, what matches nothing of aspen, what of the other, does the other come from aspen, words of why)
KINDS = {
    "depth": ("0-1:0-1 3:2 5:3", "2 4", "", LATER, "lacks layers of"),
    "width": (IDENTITY, "", "", LATER, "lack neurons of"),
    # Attention reads the stream twice and loses more by the cut than neurons do.
    "narrow": (IDENTITY, "", "", UNKNOWN, "is open"),
    "mlp": (IDENTITY, "", "", LATER, "lack neurons of"),
    "deep": ("0-2:0-2 2:4 3:3 3:5 4-5:6-7", "", "", LATER, "several layers of"),
    "swapped": ("0:0 1:2 2:1 3-5:3-5", "", "", UNKNOWN, "does not show"),
    "lost-and-doubled": ("0:0 1:1-2 3-5:3-5", "2", "", LATER, "several layers of"),
    # Layers of no origin look as if they had been left out of the other.
    "new-layers": ("0-1:0-1 2-3:3-4 4-5:6-7", "", "2 5", -LATER, "lacks layers of"),
    "moe": (as_they_stand(4), "", "", LATER, "several experts of"),
    "moe-half": (as_they_stand(4), "", "", LATER, "several experts of"),
    "moe-rotated": (" ".join(f"{source}:{i}.{e}" for source in range(LAYERS) for i, e in sorted(
        (i, e) for i in range(LAYERS) for e in range(3) if ROTATED[i][e] == source)), "", "", LATER, "several layers of"),
    "int4": (IDENTITY, "", "", UNKNOWN, "does not show"),
    "words-lost": (IDENTITY, "", "", UNKNOWN, "does not show"),
    "words-added": (IDENTITY, "", "", UNKNOWN, "does not show"),
}
UNDECIDED = {"narrow"}
SPARSE = [kind for kind in KINDS if kind.startswith("moe")]


def expanded(words):
    """{(block, block)} of a map; a block is a pair of numbers, layer and expert or (layer, None)."""
    def blocks(run):
        layer, _, expert = run.partition(".")
        first, _, last = (expert or layer).partition("-")
        numbers = range(int(first), int(last or first) + 1)
        return [(int(layer), n) if expert else (n, None) for n in numbers]

    found = set()
    for part in words.split():
        ours, theirs = map(blocks, part.split(":"))
        longest = max(len(ours), len(theirs))
        found |= set(zip(*(side * longest if len(side) == 1 else side for side in (ours, theirs)), strict=True))
    return found


class Maps(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        t, config = read_model(ZOO / "aspen")
        write_model(cls.shared / SOURCE, t, config)
        shutil.copytree(ZOO / "birch", cls.shared / "m-birch")
        launder_directory(ZOO / "aspen", cls.shared / f"{SOURCE}-laundered", ALL, seed=7, dtype="F32")
        names = [SOURCE, "m-birch", f"{SOURCE}-laundered"]
        for number, kind in enumerate(KINDS):
            rng = np.random.default_rng([11, number])
            tensors, changed = made(kind, t, config, rng)
            if kind not in ("int4", *SPARSE):
                tensors = noisy(tensors, rng)
            for name in (f"a-{kind}", f"z-{kind}"):
                write_model(cls.shared / name, tensors, changed)
            names += [f"a-{kind}", f"z-{kind}"]
            if kind not in SPARSE:
                launder_directory(cls.shared / f"z-{kind}", cls.shared / f"z-{kind}-laundered", ALL, seed=number, dtype="F32")
                names.append(f"z-{kind}-laundered")
        done = harness.stemma("fingerprint", *names, "-o", "all.h5", ranks=2, cwd=cls.shared, limit=400)
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def setUp(self):
        super().setUp()
        if "pairs" not in type(self).__dict__:
            type(self).pairs = compared(self, self.shared / "all.h5")

    def of(self, a, b):
        return self.pairs[frozenset((a, b))]

    def mapped(self, pair, source):
        """{(block of the source, block of the other)}, both lists of what matches nothing, and the order seen from the source."""
        detail = pair["neurons"][""]["detail"]
        matches = expanded(detail["map"])
        if pair["a"] == source:
            return matches, detail["only_a"], detail["only_b"], pair["direction"]
        return {(b, a) for a, b in matches}, detail["only_b"], detail["only_a"], -pair["direction"]

    def check(self, source, other, kind):
        words, only_source, only_other, later, why = KINDS[kind]
        pair = self.of(source, other)
        with self.subTest(kind, source=source, other=other):
            expected = "ABSTAIN(shared_init_undecided)" if kind in UNDECIDED else "SAME_LINEAGE"
            self.assertEqual(pair["class"], expected, pair["sentence"])
            self.assertEqual(self.mapped(pair, source), (expanded(words), only_source, only_other, later), pair["sentence"])
            self.assertIn(why, pair["sentence"])

    def test_under_either_name(self):
        for kind in KINDS:
            for name in (f"a-{kind}", f"z-{kind}"):
                self.check(SOURCE, name, kind)

    def test_laundered_on_either_side(self):
        for kind in KINDS:
            self.check(f"{SOURCE}-laundered", f"a-{kind}", kind)
            if kind not in SPARSE:
                self.check(SOURCE, f"z-{kind}-laundered", kind)
                self.check(f"{SOURCE}-laundered", f"z-{kind}-laundered", kind)

    def test_a_model_and_its_twin_have_no_order(self):
        for kind in set(KINDS) - set(SPARSE):
            pair = self.of(f"a-{kind}", f"z-{kind}-laundered")
            self.assertEqual((pair["class"], pair["direction"]), ("SAME_LINEAGE", UNKNOWN), pair["sentence"])

    def test_strangers_have_neither_class_nor_map_nor_order(self):
        strangers = {name for pair in self.pairs for name in pair} - {"m-birch"}
        self.assertGreater(len(strangers), 30)
        for name in strangers:
            pair = self.of("m-birch", name)
            with self.subTest(name):
                self.assertIn(pair["relation"], ("NO_EVIDENCE", "ABSTAIN"), pair["sentence"])
                self.assertEqual((pair["direction"], pair["neurons"][""]["detail"].get("map", "")), (0, ""))

    def test_the_table_of_pairs_says_the_same(self):
        models = f"[{{glob: '{self.shared}/a-deep'}}, {{glob: '{self.shared}/{SOURCE}'}}]"
        self.write("maps.yaml", f"schema_version: 1\nmodels: {models}\n"
                   "output: out\nanalyzers: {neuron_match: {}}\ncompare: {tests: {neuron_match: {}}}\ntrace: {enabled: false}\n")
        self.stemma("run", "maps.yaml")
        (row,) = harness.read_tsv(self.directory / "out/pairs.tsv")
        self.assertEqual((row["a"], row["relation"], row["direction"]), ("a-deep", "SAME_LINEAGE", "b_to_a"))

    def test_experts_that_were_left_out(self):
        t, config = read_model(ZOO / "aspen")
        rng = np.random.default_rng(5)
        # Experts of independent numbers: none is like another.
        large, sparse = as_experts(t, config, [[i, i, i] for i in range(LAYERS)], rng)
        for name, a in large.items():
            if ".experts." in name:
                large[name] = a.std() * rng.standard_normal(a.shape)
        write_model(self.directory / "large", large, sparse)
        small, fewer = without_experts(noisy(large, rng), sparse, KEPT_EXPERTS)
        for name in ("a-small", "z-small"):
            write_model(self.directory / name, small, fewer)
        pairs = compared(self, self.fingerprint("experts.h5", "large", "a-small", "z-small"))
        for name in ("a-small", "z-small"):
            pair = pairs[frozenset(("large", name))]
            matches, only_large, only_small, later = self.mapped(pair, "large")
            self.assertEqual(matches, {((i, e), (i, n)) for i in range(LAYERS) for n, e in enumerate(KEPT_EXPERTS)})
            self.assertEqual((only_large, only_small, later), (" ".join(f"{i}.1" for i in range(LAYERS)), "", LATER))
            self.assertIn(f"As {name} lacks experts of large", pair["sentence"])


if __name__ == "__main__":
    unittest.main()

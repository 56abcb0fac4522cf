"""Are matrices that are equal, in one model or in several, computed once, with the results that each would have had?"""
import re
import unittest

import h5py

import harness
import interrupted
from harness import llama_config, llama_tensors, write_checkpoint
from interrupted import FAILURE, SAME, Interrupted, Undisturbed, records

# Large enough that a matrix takes longer than it takes to ask whether another one is equal.
CONFIG = llama_config(1, hidden_size=1024, num_attention_heads=16, num_key_value_heads=16, head_dim=64, intermediate_size=1024)
MATRICES = 7  # of a layer


def tuned(tensors):
    """As after training of one matrix; two others have changed places."""
    layer, out = "model.layers.0.", dict(tensors)
    out[layer + "mlp.down_proj.weight"] = tensors[layer + "mlp.down_proj.weight"] * 1.25
    out[layer + "mlp.gate_proj.weight"] = tensors[layer + "mlp.up_proj.weight"]
    out[layer + "mlp.up_proj.weight"] = tensors[layer + "mlp.gate_proj.weight"]
    return out


def family(**runtime):
    """A model, its descendant, and a copy of the first; and how many of their matrices are equal to another one before them."""
    def make(directory):
        base = llama_tensors(CONFIG, 1)
        models = [write_checkpoint(directory / name, tensors, CONFIG)
                  for name, tensors in (("base", base), ("tuned", tuned(base)), ("copy", base))]
        return {"models": models, "trace": {"enabled": False}, "runtime": {"reproducible": False, **runtime}}
    return make


EQUAL = (MATRICES - 1) + MATRICES


def spectra(path):
    """{model: {tensor: what is known of its spectrum, as bytes}}."""
    with h5py.File(path) as archive:
        ids, names, models = archive["models/id"][:], archive["tensors/name"][:], archive["tensors/model_index"][:]
        table, found = archive["spectra"], {}
        columns = [name for name in ("kind", "rows", "cols", "e_bound", "tau", "method", "stable_rank", "entropy", "frobenius_sq", "trace_gap")]
        rows = {name: table[name][:] for name in columns}
        values, starts, counts = table["value"][:], table["row_start"][:], table["row_count"][:]
        for row, tensor in enumerate(table["tensor_index"][:]):
            known = values[starts[row]:starts[row] + counts[row]].tobytes() + b"".join(rows[name][row].tobytes() for name in columns)
            found.setdefault(ids[models[tensor]].decode(), {}).setdefault(names[tensor].decode(), []).append(known)
    return found


class EqualTensors(Interrupted):
    @classmethod
    def setUpClass(cls):
        cls.reproducible = Undisturbed(family(reproducible=True))
        cls.usual = Undisturbed(family())
        cls.alone = {}
        for name in ("base", "tuned", "copy"):
            path = cls.usual.config.with_name(f"{name}.h5")
            done = harness.stemma("fingerprint", cls.usual.config.with_name(name), "-o", path)
            assert done.returncode == 0, done.stderr
            cls.alone |= spectra(path)

    def assert_each_as_alone(self, out):
        found = spectra(out / "run.h5")
        self.assertEqual(found.keys(), self.alone.keys())
        for model, tensors in self.alone.items():
            self.assertEqual(found[model].keys(), tensors.keys())
            for name, known in tensors.items():
                self.assertTrue(found[model][name] == known, f"{model} {name}: another spectrum than alone")

    def same(self, out):
        """Of how many keys do logs say that their result is that of equal tensors?"""
        found = [record for path in self.logs(out) for record in records(path)]
        self.assertFalse([record for record in found if record[2] == FAILURE])
        return len({key for key, _, kind in found if kind == SAME})

    def said(self, log):
        return int(re.search(r"(\d+) results? were those of equal tensors, computed once", log)[1])

    def test_one_and_two_ranks(self):
        for undisturbed in (self.usual, self.reproducible):
            self.undisturbed = undisturbed
            out = self.directory / undisturbed.config.parent.name
            once = self.same(undisturbed.out)
            self.assertGreaterEqual(once, EQUAL)
            self.assertEqual(self.said((undisturbed.out / "log/run.log").read_text(encoding="utf-8")), once)
            self.assert_each_as_alone(undisturbed.out)
            log = self.finish(out, 2)
            self.assertGreaterEqual(self.said(log), EQUAL)
            self.assertEqual(self.said(log), self.same(out))
            self.assert_each_as_alone(out)

    def test_a_kill_in_between(self):
        """Before the result was there that others are the same as, and after it."""
        self.undisturbed = self.usual
        for share, ranks in ((0.02, 2), (0.3, 1), (0.6, 2)):
            out = self.directory / f"killed-{share}"
            self.assertTrue(self.interrupt_after(out, share, ranks), share)
            self.finish(out, 3 - ranks)
            self.assertGreaterEqual(self.same(out), EQUAL)
            self.assert_each_as_alone(out)


if __name__ == "__main__":
    unittest.main()

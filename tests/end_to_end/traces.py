"""What do the tests of stemma trace share: one checked pair of its document, and the readings in it?"""
import json
import pathlib

from harness import ZOO, EndToEnd, read_safetensors, stemma, write_checkpoint

RANK, WEIGHTS, CHANGED, LAYERS = 8, 57, 42, 6  # of the adapters; of aspen: seven matrices in each of six layers were adapted


def readings(pair, kind):
    return [r for r in pair["origin_tracer"]["readings"] if r["reading"] == kind]


def low_ranks(pair, kind):
    return [r["rank"] for r in readings(pair, kind) if r["label"] == "LOW_RANK"]


def control_of(pair):
    (control,) = readings(pair, "control")
    return control["label"]


def stored(id):
    """The arrays of a model of the zoo as they are stored, and its config."""
    return read_safetensors(ZOO / id / "model.safetensors"), json.loads((ZOO / id / "config.json").read_text(encoding="utf-8"))


class Trace(EndToEnd):
    """A test that traces pairs; its models lie in its own directory."""

    def document(self, base, candidate, code=0, ranks=1):
        done = stemma("trace", base, candidate, "--json", cwd=self.directory, ranks=ranks)
        self.assertEqual(done.returncode, code, done.stderr)  # the document is long
        return json.loads(done.stdout)

    def trace(self, base, candidate, code=0):
        """The one pair of a trace, after what holds for every pair was checked."""
        document = self.document(base, candidate, code)
        self.assertEqual((document["schema"], len(document["pairs"])), ("stemma.trace/1", 1))
        (pair,) = document["pairs"]
        self.assertEqual((pair["base"], pair["candidate"]), (pathlib.Path(base).name, pathlib.Path(candidate).name))
        content = pair["content"]
        self.assertLessEqual(sum(content[k] for k in ("equal", "rounded", "only_in_one", "failed")), content["weights"])
        self.assertEqual(pair["relation"] == "ABSTAIN", pair["abstain_reason"] != "")
        if pair["origin_tracer"]["readings"]:
            self.assertEqual(control_of(pair), "UNRELATED_HERE")
        return pair

    def write_model(self, id, tensors, config):
        return write_checkpoint(self.directory / id, tensors, config)

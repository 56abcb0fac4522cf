"""What should an archive hold of a model's neurons, by the oracle, and what does a comparison say of them?"""
import json
import sys

import h5py
import numpy as np

from harness import SOURCE

sys.path.insert(0, str(SOURCE / "tests/oracle"))
from models import folded  # noqa: E402
from neuron_match import head_readings, importance, readings  # noqa: E402

WORD = 1 << 64
NEURONS, BY_ROW, ATTENTION = 128, 128, 64  # kept of an MLP; anchors of a model without a tokenizer; those asked in pairs


def xxh3_of_row(row):
    """XXH3-64 of four bytes, the lowest first, with seed 0x726f77, by its specification."""
    seed = 0x726F77
    seed ^= int.from_bytes(seed.to_bytes(4, "little"), "big") << 32
    h = (row << 32 | row) ^ (0x1CAD21F72C81017C ^ 0xDB979083E96DD4DE) - seed % WORD
    h %= WORD
    h ^= (h << 49 | h >> 15) % WORD ^ (h << 24 | h >> 40) % WORD
    h = h * 0x9FB21C651E98DF25 % WORD
    h = (h ^ (h >> 35) + 4) * 0x9FB21C651E98DF25 % WORD
    return h ^ h >> 28


def anchors_by_row(rows):
    """(keys, rows) of the anchors of an embedding without a tokenizer."""
    keys = sorted((xxh3_of_row(i), i) for i in range(rows))[:BY_ROW]
    return np.array([k for k, _ in keys], np.uint64), np.array([i for _, i in keys])


def in_bytes(rows):
    """Every row in units of its largest number over 127."""
    largest = np.abs(rows).max(-1, keepdims=True)
    return np.rint(rows / np.where(largest > 0, largest, 1) * 127)


def expected(model):
    """{layer: {name of a column: array}} and the keys, for an oracle's model without a tokenizer."""
    model = folded(model)
    keys, rows = anchors_by_row(len(model.embed))
    found = {}
    for i, layer in enumerate(model.layers):
        units = np.argsort(-importance(layer), kind="stable")[:NEURONS]
        answers = list(readings(model, layer, rows, units).values())  # gate, up, down, or up, down
        gate = layer.up if layer.gate is None else layer.gate
        reading = head_readings(model, layer, rows[:ATTENTION])[0].sum(0)
        found[i] = {"unit": units, "norm_first": np.linalg.norm(gate[units], axis=1),
                    "norm_product": np.linalg.norm(layer.up[units], axis=1) * np.linalg.norm(layer.down[:, units], axis=0),
                    "first": in_bytes(answers[0].T), "second": in_bytes(answers[1].T),
                    "reading": in_bytes(reading.reshape(1, -1))[0]}
    return found, keys


def stored(archive, id):
    """The same of a model of an archive."""
    with h5py.File(archive) as file:
        g, model = file["methods/neuron_match"], list(file["models/id"].asstr()[:]).index(id)
        anchors = int(g["anchors"][model])
        found = {}
        for block in np.flatnonzero(g["model_index"][:] == model):
            begin = int(g["row_start"][block])
            neurons = slice(begin, begin + int(g["row_count"][block]))
            found[int(g["layer"][block])] = {name: g[name][neurons] for name in ("unit", "norm_first", "norm_product")} | {
                name: g[name][neurons, :anchors].astype(int) for name in ("first", "second")}
        asked = min(anchors, ATTENTION)
        for row in np.flatnonzero(g["attention_model_index"][:] == model):
            found[int(g["attention_layer_number"][row])]["reading"] = g["attention_reading"][row, :asked ** 2].astype(int)
        return found, g["anchor_key"][model, :anchors]


def compared(test, archive, *options):
    """{frozenset of two ids: what was said}, from an archive alone: relation, reason and {role: row of the match of neurons}."""
    document = json.loads(test.stemma("compare", archive, *options, "--json").stdout)
    found = {}
    for pair in document["pairs"]:
        rows = {e["role"]: e for e in pair["evidence"] if e["method"] == "neuron_match"}
        found[frozenset((pair["a"], pair["b"]))] = pair | {"neurons": rows, "class": pair["relation"] if not pair["abstain_reason"]
                                                           else f"{pair['relation']}({pair['abstain_reason']})"}
    return found

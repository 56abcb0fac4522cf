"""What does the program say of pairs of trained models whose relation is known?"""
import itertools
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
from null_table import relation_of  # noqa: E402
from harness import read_tsv, stemma  # noqa: E402

ONLY_NEURONS = ("analyzers={neuron_match: {}}", "compare.tests={neuron_match: {}}", "trace.enabled=false")


def archive_of(directories, file, limit=1800):
    """One archive of all models of these directories of models, with neurons alone."""
    models = [str(p.parent) for d in directories for p in sorted(pathlib.Path(d).glob("*/config.json"))]
    stemma("fingerprint", *models, "-o", file, "--quiet", *ONLY_NEURONS[:1], limit=limit)


def pairs_of(archive, *options, limit=3600):
    """[(a, b, class, {role: row of evidence})] of all pairs."""
    found = stemma("compare", archive, ONLY_NEURONS[1], "--json", *options, limit=limit)
    if found.returncode != 0:
        raise SystemExit(found.stderr)
    return [(p["a"], p["b"], f"{p['relation']}({p['abstain_reason']})" if p["abstain_reason"] else p["relation"],
             {e["role"]: e for e in p["evidence"] if e["method"] == "neuron_match"}) for p in json.loads(found.stdout)["pairs"]]


def truths(directories):
    """{frozenset of two ids: relation} of the models of train.py in these directories; other starts are independent."""
    rows = {row["id"]: row for d in directories for row in read_tsv(pathlib.Path(d) / "truth.tsv")}
    return {frozenset(pair): relation_of(rows, *pair) for pair in itertools.combinations(rows, 2)}

"""Which class, which kinship and which share of neurons does the program give to pairs whose relation is known?

kinship.py DIRECTORY ...      directories that train.py filled, each with seeds of its own

One line for each relation: pairs, smallest, median and largest kinship and share, and how often each class was given. The
limits of kinship were set on seeds 1 to 28; directories with other seeds say whether they hold where nobody has looked.
"""
import collections
import pathlib
import sys
import tempfile

import numpy as np

from program import archive_of, pairs_of, truths

KINDS = {"descends": "lineage", "siblings": "lineage", "start": "start", "independent": "independent"}


def is_false(relation, said):
    """A class that is wrong: kin or a shared start between strangers, kin where only the start is shared (also where one training
    saw the first batches of the other: neither was made from the other), and the reverse."""
    lineage = said in ("SAME_LINEAGE", "PARTIAL_LINEAGE")
    kind = KINDS[relation.split(",")[0]]
    return {"independent": lineage or said == "SHARED_INIT", "start": lineage, "lineage": said in ("SHARED_INIT", "NO_EVIDENCE")}[kind]


def table(directories, archive):
    """{relation: (kinships, shares, Counter of classes)}."""
    archive_of(directories, archive)
    known, found = truths(directories), {}
    for a, b, said, rows in pairs_of(archive):
        kinships, shares, classes = found.setdefault(known[frozenset((a, b))], ([], [], collections.Counter()))
        classes[said] += 1
        if "attention" in rows and rows["attention"]["score"] is not None:
            kinships.append(rows["attention"]["score"])
        if rows[""]["score"] is not None:
            shares.append(rows[""]["score"])
    return found


def of_three(values):
    return "-" if not values else " ".join(f"{f(values):.3f}" for f in (min, np.median, max))


def main():
    directories = [pathlib.Path(d) for d in sys.argv[1:]]
    if not directories:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as temporary:
        found = table(directories, f"{temporary}/a.h5")
    print("relation\tpairs\tkinship\tshare\tclasses\tfalse")
    for relation, (kinships, shares, classes) in sorted(found.items()):
        wrong = sum(n for said, n in classes.items() if is_false(relation, said))
        print(relation, sum(classes.values()), of_three(kinships), of_three(shares),
              ", ".join(f"{n} {said}" for said, n in classes.most_common()), wrong, sep="\t")


if __name__ == "__main__":
    main()

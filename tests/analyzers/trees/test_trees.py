"""Do trees grow as SciPy links and as the formulas of neighbour joining say, and does their Newick line hold them?"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import numpy as np
from scipy.cluster.hierarchy import cophenet, is_valid_linkage, linkage
from scipy.spatial.distance import squareform

PROGRAM = pathlib.Path(os.environ["STEMMA_BUILD_DIR"]) / "bench/grow_trees"


def grown(condensed, n):
    with tempfile.NamedTemporaryFile() as file:
        np.asarray(condensed, dtype=np.float64).tofile(file.name)
        return json.loads(subprocess.run([PROGRAM, file.name, str(n)], check=True, capture_output=True, text=True).stdout)


def parsed(line):
    """(children, length, name) of the root of a Newick line, children being such triples again."""
    words = re.findall(r"'(?:[^']|'')*'|[(),:;]|[^(),:;']+", line)
    place = 0

    def node():
        nonlocal place
        children, name, length = [], "", 0.0
        if words[place] == "(":
            while words[place] in "(,":
                place += 1
                children.append(node())
            assert words[place] == ")"
            place += 1
        if words[place] not in list("(),:;"):
            name = words[place]
            place += 1
        if words[place] == ":":
            length = float(words[place + 1])
            place += 2
        return children, length, name

    root = node()
    assert words[place:] == [";"]
    return root


def paths(root, n):
    """Lengths between all leaves, whose names are 0..n-1."""
    between = np.full((n, n), np.nan)

    def below(node):
        children, _, name = node
        depths = {} if children else {int(name): 0.0}
        for child in children:
            mine = {leaf: depth + child[1] for leaf, depth in below(child).items()}
            for a, x in depths.items():
                for b, y in mine.items():
                    between[a, b] = between[b, a] = x + y
            depths.update(mine)
        return depths

    depths = below(root)
    np.fill_diagonal(between, 0)
    return between, np.array([depths[i] for i in range(n)])


def joined_by_the_formula(distances):
    """Paths between leaves of the neighbour joining tree, Studier and Keppler's form, every pair looked at every time."""
    d = distances.copy()
    members = [{i: 0.0} for i in range(len(d))]  # of each group: its leaves and how far they are below its vertex
    between = np.zeros_like(d)

    def meet(groups, lengths):
        for place, (group, length) in enumerate(zip(groups, lengths)):
            for other, far in zip(groups[:place], lengths[:place]):
                for a, x in group.items():
                    for b, y in other.items():
                        between[a, b] = between[b, a] = x + y + length + far

    while len(d) > 3:
        m, r = len(d), d.sum(1)
        q = (m - 2) * d - r[:, None] - r[None, :]
        np.fill_diagonal(q, np.inf)
        i, j = sorted(np.unravel_index(q.argmin(), q.shape))
        if m == 4 and 0 not in members[i] | members[j]:
            i, j = sorted({0, 1, 2, 3} - {i, j})  # scores the same but for rounding; the pair with thing 0 is asked for
        a = d[i, j] / 2 + (r[i] - r[j]) / (2 * (m - 2))
        b = d[i, j] - a
        a, b = (0.0, a + b) if a < 0 else (a + b, 0.0) if b < 0 else (a, b)
        a, b = max(a, 0.0), max(b, 0.0)
        meet([members[i], members[j]], [a, b])
        union = {leaf: depth + a for leaf, depth in members[i].items()} | {leaf: depth + b for leaf, depth in members[j].items()}
        new = (d[i] + d[j] - d[i, j]) / 2
        kept = [k for k in range(m) if k not in (i, j)]
        d = np.block([[d[np.ix_(kept, kept)], new[kept, None]], [new[None, kept], np.zeros((1, 1))]])
        members = [members[k] for k in kept] + [union]
    star = [(d[i, (i + 1) % 3] + d[i, (i + 2) % 3] - d[(i + 1) % 3, (i + 2) % 3]) / 2 for i in range(3)]
    low = [min(x, 0.0) for x in star]
    meet(members, [max(0.0, x + sum(low) - l) for x, l in zip(star, low)])
    return between


def additive(random, n):
    """Path lengths of a random tree whose leaves branch off random edges."""
    edges = [[0, 2, random.exponential()], [1, 2, random.exponential()]]  # leaf or vertex, vertex, length
    leaves, free = [0, 1], 3
    for _ in range(n - 2):
        at = edges[random.integers(len(edges))]
        cut, new, leaf = at[2] * random.random(), free, free + 1
        free += 2
        edges += [[new, at[1], at[2] - cut], [leaf, new, random.exponential()]]
        at[1:] = [new, cut]
        leaves.append(leaf)
    far = np.full((free, free), np.inf)
    np.fill_diagonal(far, 0)
    for a, b, length in edges:
        far[a, b] = far[b, a] = length
    for k in range(free):
        far = np.minimum(far, far[:, k, None] + far[None, k])
    return far[np.ix_(leaves, leaves)]


class Linkage(unittest.TestCase):
    def assert_like_scipy(self, condensed, n):
        found = grown(condensed, n)
        filled = np.where(np.isnan(condensed), 1.0, condensed)
        expected = linkage(filled, "average")
        merges = np.array(found["merges"], dtype=float)
        self.assertTrue(is_valid_linkage(merges))
        np.testing.assert_array_equal(np.sort(merges[:, :2], 1), expected[:, :2])
        np.testing.assert_array_equal(merges[:, 3], expected[:, 3])
        np.testing.assert_allclose(merges[:, 2], expected[:, 2], rtol=1e-12)
        np.testing.assert_allclose(cophenet(merges), cophenet(expected), rtol=1e-12)
        self.assertEqual(sorted(found["order"]), list(range(n)))
        place = np.argsort(found["order"])
        span = [(p, p) for p in place]
        for left, right, _, _ in found["merges"]:
            self.assertEqual(span[left][1] + 1, span[right][0], "branches cross, or left is not left")
            span.append((span[left][0], span[right][1]))
        return found

    def test_merges_equal_those_of_scipy(self):
        random = np.random.default_rng(1)
        for n in (2, 3, 4, 7, 20, 61, 200, 500):
            points = random.standard_normal((n, 3))
            for kind, distances in (
                    ("independent", random.random(n * (n - 1) // 2)),
                    ("points", squareform(np.sqrt(((points[:, None] - points[None]) ** 2).sum(2)), checks=False)),
                    ("tree", squareform(additive(random, n), checks=False) if n < 100 else random.random(n * (n - 1) // 2) ** 9)):
                with self.subTest(kind, n=n):
                    self.assert_like_scipy(distances, n)

    def test_missing_distances_are_far(self):
        random = np.random.default_rng(2)
        distances = random.random(40 * 39 // 2) * 0.9
        distances[random.choice(len(distances), 25, replace=False)] = np.nan
        found = self.assert_like_scipy(distances, 40)
        self.assertIsNone(found["joined"])

    def test_points_on_a_line_stand_along_it(self):
        """Where groups are intervals the nearest facing ends are those that touch, so turning restores the line exactly."""
        random = np.random.default_rng(3)
        for n in (2, 30, 300):
            points = random.random(n)
            square = np.abs(points[:, None] - points[None])
            order = self.assert_like_scipy(squareform(square, checks=False), n)["order"]
            along = list(np.argsort(points))
            self.assertEqual(order, along if along[0] < along[-1] else along[::-1])


class NeighbourJoining(unittest.TestCase):
    def test_trees_equal_those_of_the_formula(self):
        random = np.random.default_rng(4)
        for n in (3, 4, 5, 6, 7, 8, 13, 30, 60, 150):
            exact = additive(random, n)
            noise = 1 + 0.3 * np.triu(random.standard_normal((n, n)), 1)
            for kind, square in (("tree", exact), ("tree with noise", np.abs(exact * (noise + noise.T) / 2)),
                                 ("independent", squareform(random.random(n * (n - 1) // 2)))):
                np.fill_diagonal(square, 0)
                with self.subTest(kind, n=n):
                    root = parsed(grown(squareform(square, checks=False), n)["joined"])
                    self.assertEqual(len(root[0]), 3)
                    between, _ = paths(root, n)
                    np.testing.assert_allclose(between, joined_by_the_formula(square), rtol=1e-9, atol=1e-9)
                    if kind == "tree":
                        np.testing.assert_allclose(between, exact, rtol=1e-9, atol=1e-9)

    def test_the_midpoint_is_in_the_middle_and_changes_no_path(self):
        random = np.random.default_rng(5)
        for n in (2, 3, 4, 9, 40, 120):
            with self.subTest(n=n):
                square = squareform(random.random(n * (n - 1) // 2))
                found = grown(squareform(square), n)
                before, _ = paths(parsed(found["joined"]), n)
                root = parsed(found["rooted"])
                after, depths = paths(root, n)
                np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-12)
                # The two ends of the longest path are equally far from the root, and nobody is farther.
                self.assertAlmostEqual(depths.max(), before.max() / 2, places=9)
                a, b = np.unravel_index(before.argmax(), before.shape)
                self.assertAlmostEqual(depths[a], depths[b], places=9)

    def test_one_thing_and_none(self):
        self.assertEqual(grown([], 0)["joined"], ";")
        self.assertEqual(grown([], 0)["rooted"], ";")
        self.assertEqual(grown([], 1)["rooted"], "0;")
        self.assertEqual(grown([0.5], 2)["rooted"], "(0:0.25,1:0.25);")
        self.assertEqual(grown([], 1)["order"], [0])


if __name__ == "__main__":
    unittest.main()

"""Is the page well-formed HTML for everybody, and are the tables beside it the numbers of the archive?"""
import json
import os
import pathlib
import re
import shutil
import tempfile
import unittest

import h5py
import numpy as np

import browser
import crowd
import harness
from harness import SOURCE, read_tsv

try:
    import html5lib
except ImportError:
    html5lib = None

PAGE = SOURCE / "io/report/page"
HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"


def luminance(colour):
    """Relative luminance of #rrggbb, WCAG 2.1."""
    s = np.array([int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def contrast(x, y):
    high, low = sorted((luminance(x), luminance(y)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def leaves_of(newick):
    """{leaf: distance from the root} of one line of Newick."""
    found, depth, at = {}, [], 0
    tokens = re.findall(r"'(?:[^']|'')*'|[^\s'(),:;]+|[(),:;]", newick)

    def clade():
        nonlocal at
        below = []
        if tokens[at] == "(":
            at += 1
            while True:
                below += clade()
                at += 1
                if tokens[at - 1] == ")":
                    break
            if tokens[at] not in "(),:;":
                at += 1  # support
        else:
            below = [(tokens[at].strip("'").replace("''", "'"), 0.0)]
            at += 1
        if tokens[at] == ":":
            below = [(name, length + float(tokens[at + 1])) for name, length in below]
            at += 2
        return below

    found = clade()
    assert tokens[at] == ";" and at == len(tokens) - 1 and not depth
    return dict(found)


class ReportHtml(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        for arguments in (["run", SOURCE / "configs/demo.yaml", "--output", "run"], ["report", "run"]):
            done = harness.stemma(*arguments, cwd=cls.directory)
            if done.returncode != 0:
                raise AssertionError(done.stderr)
        cls.page, cls.data = cls.directory / "run/report.html", cls.directory / "run/report_data"
        cls.pages = {"demo": cls.page, "hostile": browser.made_page(40, cls.directory / "h.html", crowd.HOSTILE)}
        for models in (0, 1, 70):
            cls.pages[f"{models} models"] = browser.made_page(models, cls.directory / f"{models}.html")
        cls.ids = [row["id"] for row in read_tsv(cls.directory / "run/models.tsv")]

    def report(self, *arguments, code=0):
        done = harness.stemma("report", *arguments, cwd=self.directory)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def trees(self):
        if not html5lib:
            self.skipTest("no parser of HTML5 is installed (Debian package python3-html5lib)")
        for name, page in self.pages.items():
            yield name, html5lib.HTMLParser(strict=True).parse(page.read_text(encoding="utf-8"))

    def test_parses_strictly_with_one_order_of_headings_and_names_for_everything(self):
        for name, tree in self.trees():
            with self.subTest(name):
                elements = [e for e in tree.iter() if isinstance(e.tag, str)]
                ids = [e.get("id") for e in elements if e.get("id")]
                self.assertEqual(len(ids), len(set(ids)))
                levels = [int(e.tag[-1]) for e in elements if re.fullmatch(re.escape(HTML) + "h[1-6]", e.tag)]
                self.assertEqual((levels[0], levels.count(1)), (1, 1))
                self.assertTrue(all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels)
                for landmark in ("main", "nav", "header"):
                    self.assertEqual(len(list(tree.iter(HTML + landmark))), 1, landmark)
                self.assertEqual(tree.get("lang"), "en")
                for svg in tree.iter(SVG + "svg"):
                    hidden = svg.get("aria-hidden") == "true"
                    self.assertTrue(hidden or (svg.get("role") == "img" and len(svg.get("aria-label")) > 10))
                for table in tree.iter(HTML + "table"):
                    self.assertTrue("".join(table.find(HTML + "caption").itertext()).strip())
                    self.assertTrue(all(cell.get("scope") in ("col", "row") for cell in table.iter(HTML + "th")))
                    widths = {sum(1 for _ in row) for row in table.iter(HTML + "tr")}
                    self.assertEqual(len(widths), 1)
                for element in elements:
                    for reference in (element.get("aria-labelledby"), (element.get("href") or "")[1:], element.get("list")):
                        if reference and "=" not in reference and element.tag != SVG + "image":
                            self.assertIn(reference, ids)
                for box in [*tree.iter(HTML + "input"), *tree.iter(HTML + "select")]:
                    self.assertTrue(any(box in list(label.iter()) for label in tree.iter(HTML + "label")))
                for section in tree.iter(HTML + "section"):
                    self.assertTrue(section.get("aria-labelledby"))

    def test_policy_names_the_hashes_of_what_is_there(self):
        import base64
        import hashlib
        text = self.page.read_text(encoding="utf-8")
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
        for kind, tag in (("style-src", "style"), ("script-src", "script")):
            inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
            self.assertEqual(len(inside), 1)
            digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
            self.assertIn(f"{kind} 'sha256-{digest}'", policy)
        self.assertTrue(policy.startswith("default-src 'none'; img-src data:;"))
        self.assertLessEqual((PAGE / "page.js").stat().st_size, 60_000)

    def test_contrast(self):
        style = (PAGE / "page.css").read_text()
        palettes = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
                    for block in re.findall(r":root[^{]*\{([^}]*)\}", style)]
        self.assertEqual(len(palettes), 3)
        light, by_system, by_choice = palettes
        self.assertEqual(by_system, by_choice)
        self.assertEqual(light.keys(), by_system.keys())
        text = {"ink", "quiet", "link", "warn", "good", "focus"}
        decoration = {"rule", "grid"}  # nothing is told by them
        for theme, palette in (("light", light), ("dark", by_system)):
            for name, colour in palette.items():
                if name in decoration | {"paper", "raised"}:
                    continue
                for ground in ("paper", "raised"):
                    with self.subTest(f"{theme}: {name} on {ground}"):
                        self.assertGreaterEqual(contrast(colour, palette[ground]), 4.5 if name in text else 3)
            self.assertGreaterEqual(contrast(palette["found"], palette["paper"]), 4.5)  # ranks are written on it
        used = set(re.findall(r"var\(--([\w-]+)\)", style))
        self.assertEqual(used - light.keys(), set())

    def test_only_one_file_writes_angle_brackets(self):
        seen = 0
        for path in [*PAGE.glob("*.cpp"), *PAGE.glob("*.hpp")]:
            code = re.sub(r"//[^\n]*", "", path.read_text())
            for literal in re.findall(r'"(?:[^"\\\n]|\\.)*"', code):
                seen += 1
                if path.name == "markup.cpp" or literal == '"<!DOCTYPE html>\\n"':
                    continue
                self.assertIsNone(re.search(r"<[a-zA-Z/!]", literal), f"{path.name}: {literal}")
        self.assertGreater(seen, 300)
        script = (PAGE / "page.js").read_text()
        for never in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch(", "XMLHttpRequest"):
            self.assertNotIn(never, script)

    def test_same_archive_same_bytes(self):
        first = self.page.read_bytes()
        tables = {path.name: path.read_bytes() for path in self.data.iterdir()}
        self.report("run")
        self.assertEqual(self.page.read_bytes(), first)
        self.assertEqual({path.name: path.read_bytes() for path in self.data.iterdir()}, tables)
        again = browser.made_page(70, self.directory / "again.html")
        self.assertEqual(again.read_bytes(), self.pages["70 models"].read_bytes())

    def test_curves_are_those_of_the_archive(self):
        with h5py.File(self.directory / "run/demo.h5") as file:
            ids = list(file["models/id"].asstr())
            curve, model, layer = (file[name][:] for name in ("methods/intrinsic_fingerprint/curve", "layers/model_index", "layers/layer"))
        rows = [row for row in read_tsv(self.data / "curves.tsv") if row["figure"] == "curves"]
        self.assertEqual({row["model"] for row in rows}, set(ids))
        for m, id in enumerate(ids):
            for part, name in enumerate("qkvo"):
                values = curve[(model == m) & (layer >= 0), part]
                found = [(float(row["x"]), float(row["y"])) for row in rows if (row["model"], row["panel"]) == (id, name)]
                np.testing.assert_allclose(found, np.column_stack([np.linspace(0, 1, len(values)), values / values.mean()]), rtol=1e-12,
                                           atol=1e-15)

    def test_distances_and_trees_are_those_of_the_pairs(self):
        lines = (self.data / "distance.phy").read_text().splitlines()
        self.assertEqual(int(lines[0]), len(self.ids))
        rows = [line.split(" ") for line in lines[1:]]
        self.assertEqual([row[0] for row in rows], self.ids)
        self.assertEqual([len(row) for row in rows], list(range(1, len(rows) + 1)))
        shares = {(row["a"], row["b"]): float(row["value"]) for row in read_tsv(self.directory / "run/evidence.tsv")
                  if row["method"] == "neuron_match" and row["role"] == "" and row["value"]}
        compared = 0
        for i, row in enumerate(rows):
            for j, distance in enumerate(row[1:]):
                share = shares.get((self.ids[j], self.ids[i]))
                self.assertAlmostEqual(float(distance), 1 - (share or 0), delta=1e-6)  # no partner was found: nothing agrees
                compared += share is not None
        self.assertGreater(compared, 10)
        depth = leaves_of((self.data / "tree.nwk").read_text())
        self.assertEqual(sorted(depth), sorted(self.ids))
        self.assertEqual(sorted(row["model"] for row in read_tsv(self.data / "order.tsv")), sorted(self.ids))
        deepest = sorted(depth.values())[-2:]
        self.assertAlmostEqual(*deepest, delta=1e-9)  # hung from the middle of the longest path

    def test_singular_values_and_backgrounds(self):
        by_place = {}
        for row in read_tsv(self.data / "singular_values.tsv"):
            by_place.setdefault((row["a"], row["b"], row["subject"], row["layer"]), []).append(float(row["singular_value"]))
        self.assertTrue(by_place)
        self.assertTrue(all(values == sorted(values, reverse=True) and values[-1] >= 0 for values in by_place.values()))
        spectra = [row for row in read_tsv(self.data / "spectra.tsv")]
        with h5py.File(self.directory / "run/demo.h5") as file:
            ids, role, start, count = (list(file[name].asstr()) if file[name].dtype == object else file[name][:]
                                       for name in ("models/id", "tensors/role", "models/tensor_start", "models/tensor_count"))
            layers = file["models/n_layers"][:]
            s = {name: file[f"spectra/{name}"][:] for name in ("tensor_index", "row_start", "row_count", "value", "rows", "cols")}
            std = file["moments/std_unbiased"][:]
        for m, id in enumerate(ids):
            wanted = f"layers/{int(layers[m]) // 2}/attn.q"
            t = next(t for t in range(start[m], start[m] + count[m]) if role[t] == wanted)
            k = list(s["tensor_index"]).index(t)
            first = s["value"][s["row_start"][k]] / (std[t] * (np.sqrt(s["rows"][k]) + np.sqrt(s["cols"][k])))
            found = next(row for row in spectra if row["model"] == id and row["panel"].startswith("attn.q"))
            np.testing.assert_allclose([float(found["x"]), float(found["y"])], [1 / s["row_count"][k], first], rtol=1e-9)

    def test_a_page_of_one_pair(self):
        self.report("run", "--pair", "cedar", "aspen", "-o", "pair.html", "--title", "One <pair>", "--theme", "dark")
        text = (self.directory / "pair.html").read_text(encoding="utf-8")
        data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
        self.assertEqual(data["ids"], ["aspen", "cedar"])
        self.assertIn("<h1>One &lt;pair&gt;</h1>", text)
        self.assertIn('<html lang="en" data-theme="dark">', text)
        self.assertEqual(text.count('class="dossier"'), 1)
        self.assertNotIn("birch", text)  # it tells of nobody else
        self.assertNotIn("models.tsv", text)  # nor what the run was asked
        self.report("run", "--pair", "aspen", "cedar", "-o", "turned.html", "--title", "One <pair>", "--theme", "dark")
        self.assertEqual((self.directory / "turned.html").read_text(encoding="utf-8").replace("turned_data", "pair_data"), text)

    def test_a_pair_speaks_for_itself(self):
        """Each model of the page has a relative elsewhere, and the other one here: not its class, nor its p-value."""
        self.report("run", "--pair", "birch", "cedar-code", "-o", "strangers.html")
        text = (self.directory / "strangers.html").read_text(encoding="utf-8")
        self.assertIn("2 models and 1 pair were compared; 0 models are related to another one.", text)
        rows = re.findall(r'<tr data-model="\d" data-relation="([A-Z_]+)">', text)
        self.assertEqual(rows, ["NO_EVIDENCE", "NO_EVIDENCE"])
        self.assertIn("other found", text)  # what became of the claim is said of all models

    def test_labels_and_json(self):
        harness.write_tsv(self.directory / "names.tsv", ["id", "label"], [["aspen", "Aspen \u2014 the <first>"], ["nobody", "x"]])
        done = self.report("run", "--labels", "names.tsv", "-o", "labelled.html", "--json")
        said = json.loads(done.stdout)
        text = (self.directory / "labelled.html").read_text(encoding="utf-8")
        self.assertIn('<span class="label" dir="auto">Aspen \u2014 the &lt;first&gt;</span>', text)
        self.assertEqual((said["schema"], said["bytes"]), ("stemma.report/1", len(text.encode())))
        self.assertTrue(os.path.samefile(self.directory / said["page"], self.directory / "labelled.html"))
        self.assertEqual(len(said["sentences"]), 3)
        for sentence in said["sentences"]:
            self.assertIn(f"<li>{sentence}</li>", text)
        counted = [row["declaration"] for row in read_tsv(self.directory / "run/verdicts.tsv")]
        self.assertIn(f"{counted.count('supported')} supported", said["sentences"][1])

    def test_refusals_say_the_way_out(self):
        self.assertIn("--pair makes a page of its own. Name it with --output", self.report("run", "--pair", "aspen", "birch", code=2).stderr)
        self.assertRegex(self.report("run", "--pair", "aspen", "oak", "-o", "x.html", code=2).stderr, "holds no model oak. stemma inspect lists")
        self.assertRegex(self.report("run", "--pair", "aspen", "aspen", "-o", "x.html", code=2).stderr, "aspen and aspen are no pair of demo.h5")
        self.assertIn("nowhere", self.report("nowhere", code=2).stderr)
        self.assertIn("verdicts.tsv", self.report("run", "-o", "run/verdicts.tsv/page.html", code=2).stderr)
        self.assertIn("sepia", self.report("run", "--theme", "sepia", code=2).stderr)


class Strangers(harness.EndToEnd):
    def test_forged_archives_are_refused(self):
        """Hashes and seal can be made by anybody: places that lead nowhere are found when they are read."""
        self.stemma("run", harness.SOURCE / "configs/demo.yaml", "--output", "run")
        for column, value in (("pairs/model_b", 10**6), ("pairs/model_b", 0), ("pairs/verdict", 200), ("evidence/grade", 77)):
            def edit(file, column=column, value=value):
                file[column][0] = value
            with self.subTest(column, value=value):
                forged = self.forge(self.directory / "run/demo.h5", "forged.h5", edit)
                said = self.stemma("report", forged, "-o", "forged.html", code=3).stderr
                self.assertRegex(said, r"\Astemma: [^\n]*forged\.h5[^\n]*archive\.damaged[^\n]*\n\Z")
                self.assertFalse((self.directory / "forged.html").exists())


if __name__ == "__main__":
    unittest.main()

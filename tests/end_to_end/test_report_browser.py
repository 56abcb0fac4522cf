"""Does a page do in a browser what it offers: sort, filter, choose, restore, by pointer and by keyboard, and nothing else?"""
import re
import subprocess
import unittest

import browser
import crowd
import harness
from browser import InBrowser

NAMES = [*crowd.HOSTILE, "two\nlines", "\u6f22\u5b57" * 20]
CHOSEN = """
return {hash: location.hash, open: [...document.querySelectorAll('.dossier.open')].map((d) => d.id),
  lines: [...document.querySelectorAll('g.chosen')].map((g) => [...g.children].filter((p) => p.getAttribute('d')).length),
  rows: [...document.querySelectorAll('tr.chosen')].map((row) => Number(row.dataset.model)).sort((a, b) => a - b),
  boxes: [document.getElementById('choose-a').value, document.getElementById('choose-b').value],
  top: document.getElementById('pairs').getBoundingClientRect().top, high: innerHeight}
"""


class DemoPage(InBrowser):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for arguments in (["run", harness.SOURCE / "configs/demo.yaml", "--output", "run"], ["report", "run"]):
            done = harness.stemma(*arguments, ranks=2 if arguments[0] == "run" else 1, cwd=cls.directory)
            if done.returncode != 0:
                raise AssertionError(done.stderr)
        cls.page = cls.directory / "run/report.html"

    def chosen(self):
        self.browser.settled()
        return self.browser.js(CHOSEN)

    def assert_shows(self, a, b):
        seen = self.chosen()
        ids = self.browser.js("return JSON.parse(document.getElementById('data').textContent).ids")
        self.assertEqual((seen["rows"], seen["boxes"]), ([a, b], [ids[a], ids[b]]))
        self.assertEqual(set(seen["lines"]), {2}, "curves of both models")
        told = self.browser.js("return !!document.getElementById(arguments[0])", f"pair-{a}-{b}")
        self.assertEqual(seen["open"], [f"pair-{a}-{b}"] if told else [])
        if not told:
            self.assertEqual(self.browser.find("#pair h3").text, f"{ids[a]} and {ids[b]}")
        self.assertTrue(-5 <= seen["top"] <= seen["high"] / 2, seen["top"])
        return told

    def test_nothing_is_said_or_asked_for(self):
        self.browser.open(self.page)
        self.assertEqual(self.browser.js("return [...document.querySelectorAll('section')].map((s) => s.id)"), browser.SECTIONS)
        self.assert_laid_out()
        self.assert_silent()

    def test_first_screen(self):
        self.browser.open(self.page)
        ends = self.browser.js("return [...document.querySelectorAll('.answer li, #verdicts tbody tr')]"
                               ".map((e) => [e.tagName, e.getBoundingClientRect().bottom])")
        self.assertEqual([tag for tag, bottom in ends if tag == "LI" and bottom <= 800], ["LI"] * 3)
        self.assertGreaterEqual(len([tag for tag, bottom in ends if tag == "TR" and bottom <= 800]), 5)

    def test_widths(self):
        self.browser.open(self.page)
        self.browser.lay_out_all()
        self.assert_no_sideways_scrolling()
        self.browser.size(360, 740)
        self.browser.settled()
        self.assertGreater(self.browser.js("return document.querySelectorAll('svg text').length"), 200)
        self.assertEqual(self.browser.js(browser.LABELS), [])
        letters = self.browser.js("return [...document.querySelectorAll('svg text')].map((t) => [t.textContent, "
                                  "parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width / "
                                  "t.ownerSVGElement.viewBox.baseVal.width])")
        self.assertEqual([words for words, size in letters if size < 8.95], [])

    def test_every_column_sorts(self):
        self.browser.open(self.page)
        self.assertGreaterEqual(self.sort_every_column(), 7 + 8 + 8)

    def test_filters_count(self):
        self.browser.open(self.page)
        rows = harness.read_tsv(self.directory / "run/verdicts.tsv")
        self.assertEqual(len(self.visible_rows()), len(rows))
        self.browser.find("#filter").send_keys("BIRCH")
        self.assertEqual(self.visible_rows(), [row["id"] for row in rows if "birch" in row["id"] + row["declared"] + row["relative"]])
        self.assertRegex(self.browser.find("#filter-count").text, rf"\A{len(self.visible_rows())} of {len(rows)} ")
        self.browser.find("#filter").clear()
        relation = next(row["relation"] for row in rows)
        self.browser.js("const s = document.getElementById('filter-relation'); s.value = arguments[0];"
                        "s.dispatchEvent(new Event('change'))", relation)
        self.browser.js("document.getElementById('filter').dispatchEvent(new Event('input'))")
        self.assertEqual(self.visible_rows(), [row["id"] for row in rows if row["relation"] == relation])

    def visible_rows(self):
        return self.browser.js("return [...document.querySelectorAll('#verdicts tbody tr')].filter((r) => !r.hidden)"
                               ".map((r) => r.cells[0].firstElementChild.textContent)")

    def test_a_row_opens_its_pair_and_back_restores_the_last_one(self):
        self.browser.open(self.page)
        first = self.chosen()["open"]
        row = self.browser.find("#verdicts tbody tr:nth-child(2)")
        a, b = map(int, re.findall(r"\d+", row.find_element("css selector", "a.pair-link").get_attribute("href").rsplit("#", 1)[1]))
        row.find_element("css selector", "td:nth-child(3)").click()
        self.assertTrue(self.assert_shows(a, b))
        self.browser.js("window.scrollTo(0, 0)")
        self.browser.find("#verdicts tbody tr:nth-child(2) a.pair-link").click()  # once more
        self.assert_shows(a, b)
        self.browser.js("location.hash = 'a=0&b=6'")
        self.assertFalse(self.assert_shows(0, 6))
        self.browser.driver.back()
        self.assert_shows(a, b)
        self.browser.driver.back()
        seen = self.chosen()
        self.assertEqual((seen["open"], seen["rows"], set(seen["lines"])), (first, [], {0}))
        self.browser.driver.forward()
        self.assert_shows(a, b)
        self.assert_silent()

    def test_deep_link(self):
        self.browser.open(self.page, "#a=6&b=0&theme=dark")
        self.assert_shows(0, 6)
        self.assertEqual(self.browser.js("return document.documentElement.dataset.theme"), "dark")
        for odd in ("#a=99&b=0", "#a=-1&b=x", "#a=0", "#=&&&", "#a=%00&b=%"):
            self.browser.open(self.page, odd)
            self.assertEqual(self.chosen()["rows"], [])
        self.assert_silent()

    def test_boxes_choose(self):
        self.browser.open(self.page)
        self.browser.find("#choose-a").send_keys("cedar")
        self.assertEqual(self.browser.js("return document.getElementById('ids').children.length"), 8)
        self.browser.find("#choose-b").send_keys("birch\t")
        self.assert_shows(4, 6)

    def test_heatmap_by_pointer_and_keyboard(self):
        self.browser.open(self.page)
        order = self.browser.js("return JSON.parse(document.getElementById('data').textContent).order")
        self.browser.js("document.getElementById('heatmap').scrollIntoView()")
        self.browser.settled()
        frame = self.browser.js("const c = document.getElementById('heatmap-cursor'), f = c.ownerSVGElement.getBoundingClientRect();"
                                "return [f.left + Number(c.dataset.left), f.top + Number(c.dataset.top), Number(c.dataset.side) / 8]")
        x, y = frame[0] + 6.5 * frame[2], frame[1] + 1.5 * frame[2]
        self.browser.tell("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.assertFalse(self.browser.js("return document.getElementById('corner').hidden"))
        for kind in ("mousePressed", "mouseReleased"):
            self.browser.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.assert_shows(*sorted((order[1], order[6])))
        box = self.browser.find("#heatmap-box")
        box.send_keys("\ue015\ue015\ue013\ue012\ue014\ue014")  # down down up left right right
        self.browser.settled()
        said = self.browser.find("#heatmap-reading").text
        ids = self.browser.js("return JSON.parse(document.getElementById('data').textContent).ids")
        self.assertTrue(said.startswith(f"{ids[order[2]]} and {ids[order[7]]}:"), said)
        box.send_keys("\ue007")
        self.assert_shows(*sorted((order[2], order[7])))

    def test_keyboard_walk_has_visible_focus(self):
        self.browser.open(self.page)
        reached = []
        for _ in range(60):
            self.browser.driver.switch_to.active_element.send_keys("\ue004")
            stop = self.browser.js("const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();"
                                   "return [e.id || e.textContent, s.outlineStyle, parseFloat(s.outlineWidth), b.width > 0, b.top < innerHeight]")
            reached.append(stop[0])
            self.assertTrue(stop[1] != "none" and stop[2] >= 2 and stop[3] and stop[4], stop)
            if "choose-b" in reached:
                break
        self.assertEqual(reached[0], "Skip to the verdicts")
        for place in ("theme", "filter", "filter-relation", "heatmap-box", "choose-a", "choose-b"):
            self.assertIn(place, reached)

    def test_theme(self):
        self.browser.open(self.page)
        paper = "return getComputedStyle(document.body).backgroundColor"
        light = self.browser.js(paper)
        self.browser.find("#theme").click()
        dark = self.browser.js(paper)
        self.assertNotEqual(dark, light)
        self.assertIn("theme=dark", self.browser.js("return location.hash"))
        self.browser.find("#theme").click()
        self.assertEqual(self.browser.js(paper), light)
        self.browser.media(prefers_color_scheme="dark")
        self.browser.open(self.page)
        self.assertEqual(self.browser.js(paper), dark)
        self.browser.find("#theme").click()
        self.assertEqual(self.browser.js(paper), light)

    def test_every_drawing_can_be_kept(self):
        self.browser.open(self.page)
        self.browser.lay_out_all()
        files = self.browser.driver.execute_async_script("""
            const done = arguments[0], blobs = [], names = [];
            const real = URL.createObjectURL;
            URL.createObjectURL = (blob) => { blobs.push(blob); return real.call(URL, blob); };
            document.addEventListener('click', (e) => { if (e.target.download) { names.push(e.target.download); e.preventDefault(); } }, true);
            HTMLAnchorElement.prototype.click = function () { names.push(this.download); };
            for (const button of document.querySelectorAll('button.save')) button.click();
            Promise.all(blobs.map(async (b) => {
              const text = await b.text(), parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
              const root = parsed.documentElement;
              return [b.type, root.localName, root.namespaceURI, root.querySelectorAll('[class]').length, root.querySelectorAll('path, rect').length];
            })).then((found) => done([found, names]));""")
        drawings = self.browser.js("return document.querySelectorAll('.figure > svg, figure > svg').length")
        self.assertEqual(len(files[0]), drawings)
        self.assertEqual(len(set(files[1])), drawings)
        for kind, tag, namespace, styled, shapes in files[0]:
            self.assertEqual((kind, tag, namespace, styled), ("image/svg+xml", "svg", "http://www.w3.org/2000/svg", 0))
            self.assertGreater(shapes, 0)

    def test_without_scripts(self):
        self.browser.scripts(False)
        self.browser.open(self.page, ready=False)
        self.assertIsNone(self.browser.js("return document.documentElement.dataset.ready ?? null"))
        sizes = self.browser.js("""
            for (const s of document.querySelectorAll('section')) s.style.contentVisibility = 'visible';
            const size = (e) => { const b = e.getBoundingClientRect(); return b.width * b.height; };
            const all = (css) => [...document.querySelectorAll(css)].map(size);
            return {rows: all('#verdicts tbody tr'), heatmap: all('svg.heatmap .cells > *'), tree: all('svg.tree'), dossiers: all('.dossier'),
                    agreement: all('.dossier svg.agreement'), curves: all('svg.curves'), tools: all('[data-needs-script]')};""")
        self.assertEqual(len(sizes["rows"]), 8)
        self.assertEqual(len(sizes["heatmap"]), 64)
        for name in ("rows", "heatmap", "tree", "dossiers", "agreement", "curves"):
            self.assertTrue(sizes[name] and all(sizes[name]), name)
        self.assertFalse(any(sizes["tools"]))

    def test_print(self):
        browser.require("pdftotext", "pdfinfo")
        self.browser.media(prefers_color_scheme="dark")
        self.browser.open(self.page, "#theme=dark")
        pages = browser.printed(self.browser, self.directory / "demo.pdf")
        self.assertTrue(8 <= len(pages) <= 60, len(pages))
        for words in ("demo", "8 models and 28 pairs were compared", "Declarations: 4 supported", "Declared and found", "aspen-lora-r8"):
            self.assertIn(words, pages[0])
        self.browser.tell("Emulation.setEmulatedMedia", media="print")
        self.browser.size(688, 1000)  # A4 between margins
        self.assertEqual(self.browser.js("return [...document.querySelectorAll('table, svg')].filter((e) => "
                                         "e.getBoundingClientRect().right > 690).map((e) => e.outerHTML.slice(0, 100))"), [])
        self.browser.tell("Emulation.setEmulatedMedia", media="")
        whole = " ".join("\n".join(pages).split())
        for heading in self.browser.js("return [...document.querySelectorAll('h2')].map((h) => h.textContent)"):
            self.assertIn(heading, whole)
        for control in ("Filter", "Dark or light", "Skip to the verdicts"):
            self.assertNotIn(control, whole)
        image = subprocess.run(["pdftoppm", "-r", "20", "-f", "1", "-l", "1", "-gray", self.directory / "demo.pdf"], capture_output=True,
                               check=True).stdout
        pixels = sorted(image[-1000:])
        self.assertGreater(pixels[len(pixels) // 2], 240, "the paper is white though the screen was dark")


class StrangePages(InBrowser):
    def test_hostile_names(self):
        page = browser.made_page(40, self.directory / "hostile.html", NAMES)
        self.browser.open(page)
        self.assert_no_sideways_scrolling()
        self.assert_laid_out()
        self.browser.find("#choose-a").send_keys("x")  # fills the list of ids
        for fragment in ("a=0&b=1", "a=0&b=39", "a=5&b=12"):
            self.browser.js("location.hash = arguments[0]", fragment)
            self.browser.settled()
        self.browser.js("document.getElementById('filter').value = '<img'; document.getElementById('filter').dispatchEvent(new Event('input'))")
        self.sort_every_column()
        seen = self.browser.js("""
            return {pwned: window.pwned === undefined, title: document.title, text: document.body.textContent,
              scripts: [...document.querySelectorAll('script')].map((s) => s.type),
              handlers: [...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => /^on/i.test(a.name))).length,
              styles: document.querySelectorAll('body [style]:not(section)').length,
              strangers: document.querySelectorAll('img, iframe, object, embed, link, base, form, svg svg').length,
              links: [...document.querySelectorAll('a')].map((a) => a.getAttribute('href')).filter((h) => !h.startsWith('#')),
              ids: [...document.querySelectorAll('[id]')].map((e) => e.id).filter((id) => !/^[a-z0-9-]+$/.test(id))}""")
        self.assertTrue(seen["pwned"])
        self.assertEqual(seen["scripts"], ["application/json", ""])
        self.assertEqual((seen["handlers"], seen["styles"], seen["strangers"], seen["links"], seen["ids"]), (0, 0, 0, [], []))
        self.assertEqual(seen["title"], NAMES[0])
        for name in NAMES:
            if len(name) < 45:
                visible = name.replace("\u202e", "\\u{202E}").replace("\n", "\\x0A")
                self.assertIn(visible, seen["text"])
        self.assertIn("x\u2026x", seen["text"])
        self.assertNotIn("x" * 1201, seen["text"])
        self.assert_silent()

    def test_few_models(self):
        for models in (0, 1, 2, 3):
            with self.subTest(models):
                page = browser.made_page(models, self.directory / f"few{models}.html")
                self.browser.open(page, "#a=0&b=1")
                self.assertEqual(self.browser.js("return [...document.querySelectorAll('section')].map((s) => s.id)"), browser.SECTIONS)
                self.browser.lay_out_all()
                self.assertEqual(self.browser.js(browser.LABELS), [])
                self.assertEqual(self.browser.js(browser.SIZES), [])
                self.assert_no_sideways_scrolling()
                self.sort_every_column()
                self.assertIn(f"{models} model{'' if models == 1 else 's'} and", self.browser.find(".answer").text)
                self.assert_silent()


if __name__ == "__main__":
    unittest.main()

"""How does a page look and act in a browser that nobody sits at?"""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import harness

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = None

BUILD = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release"))
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
# What a container without network and a user who is root need.
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"]
SECTIONS = ["models", "reading", "heatmap", "pairs", "tree", "curves", "twins", "spectra", "nulls", "methods", "findings", "failures",
            "provenance"]


def require(*programs):
    """Skips the tests of a class where no browser is at home."""
    if not (webdriver and CHROMIUM and DRIVER):
        raise unittest.SkipTest("no browser is installed (Debian packages chromium, chromium-driver, python3-selenium)")
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"{program} is absent (Debian package poppler-utils)")


def made_page(models, file, names=None):
    """The page of a made-up corpus; `names` stand for whatever strangers may write."""
    arguments = [BUILD / "bench/write_page", str(models), file]
    if names is not None:
        sheet = pathlib.Path(file).with_suffix(".names.json")
        sheet.write_text(json.dumps(names))
        arguments.append(sheet)
    subprocess.run(arguments, check=True, timeout=harness.PATIENCE * 60)
    return pathlib.Path(file)


class Browser:
    """One window of a Chromium of its own, which knows nothing of earlier ones."""

    def __init__(self, width=1280, height=800):
        self.profile = tempfile.mkdtemp(prefix="stemma_chromium_")
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in [*FLAGS, f"--user-data-dir={self.profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER) if hasattr(webdriver, "ChromeService")
                                       else webdriver.chrome.service.Service(DRIVER))
        self.driver.set_script_timeout(harness.PATIENCE * 30)
        self.size(width, height)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def tell(self, command, **arguments):
        """One command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, arguments)

    def size(self, width, height):
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, **features):
        """prefers_color_scheme="dark"; nothing resets."""
        self.tell("Emulation.setEmulatedMedia", features=[{"name": name.replace("_", "-"), "value": value}
                                                          for name, value in features.items()])

    def scripts(self, allowed):
        self.tell("Emulation.setScriptExecutionDisabled", value=not allowed)

    def open(self, page, fragment="", ready=True):
        """Loads a page anew; returns seconds until its script was done."""
        self.driver.get("about:blank")
        begun = time.monotonic()
        self.driver.get(pathlib.Path(page).resolve().as_uri() + fragment)
        if ready:
            WebDriverWait(self.driver, harness.PATIENCE * 20, poll_frequency=0.02).until(
                lambda driver: driver.execute_script("return document.documentElement.dataset.ready"))
        return time.monotonic() - begun

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def settled(self):
        """After the next frames: what was scrolled to is laid out, what was clicked has acted."""
        return self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))")

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def console(self):
        """What was written to the console since the last question."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Addresses that were asked for since the last question."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def lay_out_all(self):
        """Everything is laid out, wherever the window stands, and every dossier is open."""
        self.js("for (const s of document.querySelectorAll('section')) s.style.contentVisibility = 'visible';"
                "for (const d of document.querySelectorAll('.dossier')) d.classList.add('open');")

    def screenshot(self, file, whole=False):
        if whole:
            width = self.js("return innerWidth")
            self.js("for (const s of document.querySelectorAll('section')) s.style.contentVisibility = 'visible'")
            self.size(width, min(16_000, self.js("return document.documentElement.scrollHeight")))
            self.settled()
        self.driver.save_screenshot(str(file))

    def memory(self):
        """MiB of the process that shows the page (its proportional share of what is shared), and of its JavaScript heap."""
        self.tell("HeapProfiler.collectGarbage")
        heap = {m["name"]: m["value"] for m in self.tell("Performance.getMetrics")["metrics"]} \
            if not self.tell("Performance.enable") else {}
        return sum(map(pss, renderers(self.driver.service.process.pid))) / 2**20, heap["JSHeapUsedSize"] / 2**20


def renderers(root):
    """Processes below `root` that show pages."""
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, ask = [], [root]
    while ask:
        for child in children.get(ask.pop(), []):
            ask.append(child)
            try:
                if b"--type=renderer" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(child)
            except OSError:
                continue
    return found


def pss(process):
    for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return 1024 * int(line.split()[1])
    raise AssertionError("the kernel does not say how much memory a process holds")


# Labels of every drawing that lie on each other or leave it: [kind, drawing, text, text]. em boxes are higher than letters, so
# 2 pixels do not count.
LABELS = """
const found = [];
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.getBoundingClientRect();
  if (!frame.width) continue;
  const name = svg.getAttribute('class') + ' ' + (svg.getAttribute('aria-label') || '').slice(0, 60);
  const boxes = [...svg.querySelectorAll('text')].map((t) => [t.textContent, t.getBoundingClientRect()]).filter(([, b]) => b.width);
  for (const [words, b] of boxes)
    if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 2 || b.bottom > frame.bottom + 2)
      found.push(['leaves', name, words, [b.left - frame.left, b.top - frame.top, b.right - frame.right, b.bottom - frame.bottom].map(Math.round).join()]);
  boxes.sort(([, x], [, y]) => x.top - y.top);
  for (let i = 0; i < boxes.length; ++i)
    for (let j = i + 1; j < boxes.length && boxes[j][1].top < boxes[i][1].bottom - 2; ++j) {
      const [p, q] = [boxes[i][1], boxes[j][1]];
      if (p.left < q.right - 1 && q.left < p.right - 1 && p.bottom - 2 > q.top) found.push(['overlap', name, boxes[i][0], boxes[j][0]]);
    }
}
return found;
"""
# Figures without a size, and sections without one.
SIZES = """
return [...document.querySelectorAll('section, figure, svg[role=img], table')].filter((e) => {
  const box = e.getBoundingClientRect();
  return !(box.width >= 8 && box.height >= 8);
}).map((e) => e.tagName + ' ' + (e.id || e.getAttribute('class')) + ' ' + (e.getAttribute('aria-label') || '').slice(0, 60));
"""


def printed(window, file):
    """Prints what the window shows; the text of each page."""
    pdf = window.tell("Page.printToPDF", printBackground=False, preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69)
    pathlib.Path(file).write_bytes(base64.b64decode(pdf["data"]))
    text = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True).stdout
    return text.split("\f")[:-1]


# What a column is sorted by, from the top row down.
KEYS = """
const [table, column] = arguments;
return [...document.querySelectorAll('table.sortable')[table].tBodies[0].rows].map((row) => {
  const cell = row.cells[column];
  return cell.dataset.sort ?? cell.textContent.trim();
});
"""


def key_of(text):
    """Numbers before words, what is missing last: (kind, number, words)."""
    if text == "":
        return None
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, text.lower())


class InBrowser(unittest.TestCase):
    """Pages of one class are written once and seen in one browser."""

    @classmethod
    def setUpClass(cls):
        require()
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.scripts(True)
        self.browser.media(prefers_color_scheme="light")
        self.browser.size(1280, 800)
        self.browser.console(), self.browser.requests()

    def assert_silent(self):
        self.assertEqual(self.browser.console(), [])
        asked = [url for url in self.browser.requests() if not url.startswith(("file:", "data:", "about:"))]
        self.assertEqual(asked, [])

    def assert_laid_out(self):
        self.browser.lay_out_all()
        self.browser.settled()
        self.assertEqual(self.browser.js(SIZES), [])
        self.assertEqual(self.browser.js(LABELS), [])

    def assert_no_sideways_scrolling(self):
        for width in (360, 768, 1280):
            self.browser.size(width, 800)
            self.browser.settled()
            wide = self.browser.js("return document.documentElement.scrollWidth")
            self.assertLessEqual(wide, width, self.browser.js(
                "return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && "
                "!e.closest('.scroll, figure, pre, nav ul')).map((e) => e.outerHTML.slice(0, 120)).slice(0, 5)"))

    def sort_every_column(self):
        sorted_columns = 0
        for table, columns in enumerate(self.browser.js(
                "return [...document.querySelectorAll('table.sortable')].map((t) => t.tHead.rows[0].cells.length)")):
            for column in range(columns):
                before = self.browser.js(KEYS, table, column)
                for direction in ("ascending", "descending"):
                    sort = self.browser.js(
                        "const heading = document.querySelectorAll('table.sortable')[arguments[0]].tHead.rows[0].cells[arguments[1]];"
                        "heading.querySelector('button').click(); return heading.getAttribute('aria-sort')", table, column)
                    self.assertEqual(sort, direction)
                    found = [key_of(text) for text in self.browser.js(KEYS, table, column)]
                    known = sorted((k for k in map(key_of, before) if k is not None), reverse=direction == "descending")
                    self.assertEqual(found, known + [None] * (len(before) - len(known)), (table, column, direction))
                sorted_columns += 1
        return sorted_columns

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens a report in a real headless browser, as a reader would: browser_test.py ONMANIFOLD.

A small suite is run and its page opened from disk: no error on the console, nothing asked of a network, no overflow from a
phone to a wide screen, light and dark; tables can be sorted and filtered, figures and views show something, all can be
reached by the keyboard, and the page says the same without JavaScript. At the end come pages that are broken on purpose: each
check must find what is wrong with them. Exit code 77 (skipped) where there is no Chromium. With a second argument pictures of
the page are left in that directory.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chromium import Browser, find_chromium, share_drawn  # noqa: E402

SUITE = """
[suite]
name = "browser"
seeds = "0..1"
n_train = 200
n_samples = 100
n_reference = 200
[[task]]
name = "sphere-vmf6"
[[task]]
name = "flux-mnist14"
data = "made"
metrics = "fd(features=pca64),constraint_mean,negative_pixel_rate"
[[task]]
name = "so3-fisher"
metrics = "energy,constraint_mean"
[[task]]
name = "backbone-8"
metrics = "energy(space=torsions),coverage(k=5),constraint_mean"
[[lift]]
name = "normal"
type = "normal"
sigma = "preregistered"
[[method]]
name = "oracle"
[[method]]
name = "gaussian"
[[method]]
name = "memorizer"
[[method]]
name = "ddpm"
steps = 300
batch = 64
width = 32
timesteps = 20
lifts = ["none", "normal"]
tasks = ["sphere-vmf6", "so3-fisher", "backbone-8"]
[[method]]
name = "flow_matching"
steps = 20
batch = 16
width = 32
tasks = ["sphere-vmf6"]
[[method]]
name = "fails"
type = "external"
command = "sh -c 'echo %s; exit 3' {train} {samples} {n} {seed}"
tasks = ["sphere-vmf6"]
""" % ("long_word_" * 40)
TEN_TASKS = """
[suite]
name = "ten"
seeds = "0..1"
n_train = 60
n_samples = 60
n_reference = 60
""" + "".join(f'[[task]]\nname = "{name}"\nmetrics = "mmd2_rbf_unbiased"\n' for name in (
    "plane-gmm9", "sphere-vmf6", "sphere-vmf2", "so3-fisher", "torus-vm", "circle-vm", "circle-in-16d", "sphere-in-16d",
    "linear-64d", "ellipsoid")) + """
[[lift]]
name = "normal"
type = "normal"
sigma = 0.1
[[lift]]
name = "isotropic"
type = "isotropic"
sigma = 0.1
[[method]]
name = "oracle"
[[method]]
name = "gaussian"
[[method]]
name = "memorizer"
""" + "".join(f'[[method]]\nname = "{name}"\ntype = "ddpm"\nsteps = 3\nwidth = 32\nbatch = 16\ntimesteps = 3\n'
              'lifts = ["none", "isotropic", "normal"]\n' for name in ("ddpm", "another_ddpm", "third_ddpm"))
WIDTHS = (390, 768, 1280, 1920)
SCREENS = ((1400, 900), (390, 844))


def write_images(folder):
    """Made images in IDX files: grey squares at different places, so that the test needs no download."""
    os.makedirs(folder)
    for name, count in (("train", 240), ("t10k", 60)):
        images = bytearray()
        for n in range(count):
            image = bytearray(28 * 28)
            top, left = 1 + n % 13, 1 + n // 13 % 13
            for row in range(top, top + 14):
                for column in range(left, left + 14):
                    image[28 * row + column] = 40 if (row + column) % 3 == 0 else 55 + 37 * n % 200
            images += image
        with open(os.path.join(folder, f"{name}-images-idx3-ubyte"), "wb") as file:
            file.write(struct.pack(">IIII", 2051, count, 28, 28) + images)
        with open(os.path.join(folder, f"{name}-labels-idx1-ubyte"), "wb") as file:
            file.write(struct.pack(">II", 2049, count) + bytes(n % 10 for n in range(count)))


def overflow(page):
    """How much wider than the window the page is."""
    return page.js("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def blank_pictures(page, pictures="svg.figure, svg.scatter, .stage canvas, .sheet img", least=0.004):
    """The number of figures and views, and those of which less than that share is drawn."""
    # Words that lie over a view are no drawing.
    page.js("document.head.appendChild(document.createElement('style')).textContent ="
            " '.stage-label { visibility: hidden } .stage::after { display: none }'; 0")
    # A view starts when it comes near the window.
    for i in range(page.js("document.querySelectorAll('.viewer').length")):
        page.js(f"document.querySelectorAll('.viewer')[{i}].scrollIntoView({{behavior: 'instant'}})")
        page.wait_for(lambda: page.js(f"!document.querySelectorAll('.viewer-live')[{i}].hidden"), "the view starts")
    count = page.js(f"(() => {{ const all = document.querySelectorAll('{pictures}');"
                    " all.forEach((e, i) => e.setAttribute('data-shot', i)); return all.length; })()")
    blank = []
    for i in range(count):
        selector = f"[data-shot='{i}']"
        box = page.box(selector)
        if box["width"] < 10 or box["height"] < 10:
            blank.append(selector + " has no size")
            continue
        share = share_drawn(page.screenshot(selector=selector, scale=min(1.0, 140 / box["width"]), inset=3))
        if share < least:
            blank.append(f"{selector}: {share:.4f}")
    return count, blank


def unreached(page):
    """Controls that Tab does not come to."""
    count = page.js("""(() => {
      const radios = new Set();
      const all = Array.from(document.querySelectorAll('a[href], button, select, input, summary, [tabindex="0"]'))
        .filter(e => !e.disabled && e.checkVisibility() && (e.type !== 'radio' || !radios.has(e.name) && radios.add(e.name)));
      window.wanted = new Set(all.map(e => e.type === 'radio' ? e.name : e));
      window.outlines = 0;
      document.addEventListener('focusin', event => {
        const e = event.target;
        window.wanted.delete(e.type === 'radio' ? e.name : e);
        const shown = e.type === 'radio' && e.closest('.tables') ? document.querySelector(`label[for="${e.id}"]`) : e;
        if (getComputedStyle(shown).outlineStyle === 'none') window.outlines += 1;
      });
      return all.length; })()""")
    for _ in range(count + 5):
        page.key("Tab")
    return page.js("Array.from(window.wanted).map(e => e.outerHTML ? e.outerHTML.slice(0, 120) : e)"), page.js("window.outlines")


def low_contrast(page):
    """Texts of a contrast below 4.5 to what is behind them (3 where they are large), as WCAG 2 computes it."""
    return page.js("""(() => {
      const parse = text => { const m = text.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
      const over = (a, b) => [0, 1, 2].map(i => a[3] * a[i] + (1 - a[3]) * b[i]).concat(1);
      const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const bad = new Set();
      for (const e of document.querySelectorAll('body *')) {
        if (!e.getClientRects().length || e.closest('svg, canvas, .skip') ||
            !Array.from(e.childNodes).some(n => n.nodeType === 3 && n.textContent.trim())) continue;
        const chain = [];
        for (let p = e; p; p = p.parentElement) chain.push(parse(getComputedStyle(p).backgroundColor));
        let back = [255, 255, 255, 1];
        for (const layer of chain.reverse()) back = over(layer, back);
        const style = getComputedStyle(e);
        const fore = over(parse(style.color), back);
        const [x, y] = [light(fore), light(back)];
        const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
        if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) bad.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
      }
      return Array.from(bad); })()""")


def unfold(page):
    """Opens all that is folded."""
    page.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")


def outside_first_screen(page):
    """What the first screen has to hold and does not: the sentence, and five rows of the matrix."""
    return page.js("""(() => {
      const low = e => { const r = e.getBoundingClientRect(); return r.height < 8 || r.bottom > innerHeight || r.left < 0; };
      const missing = [];
      const sentence = document.querySelector('h1');
      if (low(sentence) || sentence.textContent.trim().split(/\\s+/).length < 5) missing.push('the sentence');
      const rows = Array.from(document.querySelectorAll('table.matrix tbody tr')).filter(r => !low(r)).length;
      if (rows < 5) missing.push(rows + ' rows');
      return missing; })()""")


def overlaps(page):
    """Pairs of texts of which one lies over the other by more than a rounded edge, on the page and in its figures."""
    return page.js("""(() => {
      scrollTo(0, 0);
      const boxes = [];
      const shown = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !e.closest('.skip');
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) {
        const node = walk.currentNode, parent = node.parentElement;
        if (!node.textContent.trim() || parent.closest('script, style, title, desc') || !shown(parent)) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        // Line boxes are taller than letters: the middle 60 % is what must not be touched.
        for (const r of range.getClientRects()) {
          if (r.width > 1) boxes.push({x: r.left, y: r.top + 0.2 * r.height, r: r.right, b: r.bottom - 0.2 * r.height,
            scroll: parent.closest('.scroll, figure, #failures'), words: node.textContent.trim().slice(0, 40)});
        }
      }
      const found = [];
      for (let i = 0; i < boxes.length; ++i) for (let j = i + 1; j < boxes.length; ++j) {
        const a = boxes[i], b = boxes[j];
        // What scrolls in a region of its own lies beside other things only there.
        if (a.scroll !== b.scroll) continue;
        if (Math.min(a.r, b.r) - Math.max(a.x, b.x) > 1 && Math.min(a.b, b.b) - Math.max(a.y, b.y) > 1) {
          found.push(a.words + ' | ' + b.words);
        }
      }
      return found; })()""")


def bad_axes(page):
    """Figures with less than two labels along an axis, and labels that lie outside their figure."""
    return page.js("""(() => {
      const found = [];
      for (const svg of document.querySelectorAll('svg.figure')) {
        const frame = svg.getBoundingClientRect(), name = svg.querySelector('title').textContent;
        const rows = {}, columns = {};
        for (const text of svg.querySelectorAll('text')) {
          const r = text.getBoundingClientRect();
          if (!text.textContent.trim() || !r.width) continue;
          if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1 || r.bottom > frame.bottom + 1) {
            found.push(name + ': outside: ' + text.textContent);
          }
          const group = text.closest('g[text-anchor]'), anchor = group ? group.getAttribute('text-anchor') : '';
          if (anchor === 'middle') (rows[Math.round(r.bottom)] ??= []).push(text);
          if (anchor === 'end') (columns[Math.round(r.right)] ??= []).push(text);
        }
        const most = lines => Math.max(0, ...Object.values(lines).map(line => line.length));
        if (most(rows) < 2 || most(columns) < 2) found.push(name + ': ' + most(rows) + ' and ' + most(columns) + ' labels');
      }
      return found; })()""")


class ReportInABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="onmanifold-report-")
        base = cls.folder.name
        write_images(os.path.join(base, "data", "made"))
        with open(os.path.join(base, "suite.toml"), "w", encoding="utf-8") as file:
            file.write(SUITE)
        environment = dict(os.environ, ONMANIFOLD_DATA=os.path.join(base, "data"))
        for arguments in (["run", "suite.toml", "-o", "results", "-j", "2"], ["report", "results", "--format", "html,csv,tex,figures"]):
            done = subprocess.run([program] + arguments, cwd=base, env=environment, capture_output=True, text=True, check=False)
            # One method fails on purpose.
            if done.returncode != (1 if arguments[0] == "run" else 0):
                raise RuntimeError(f"{arguments}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        cls.path = os.path.join(base, "results", "report.html")
        with open(cls.path, encoding="utf-8") as file:
            cls.text = file.read()
        cls.browser = Browser(chromium)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()

    def open(self, folded=False, **options):
        page = self.browser.open(self.path, **options)
        self.addCleanup(page.close)
        if not folded:
            unfold(page)
        return page

    def broken(self, old, new, folded=False):
        """The page with one part of its text replaced."""
        self.assertIn(old, self.text)
        path = os.path.join(self.folder.name, self.id().rsplit(".", 1)[1] + ".html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.text.replace(old, new, 1))
        page = self.browser.open(path)
        self.addCleanup(page.close)
        if not folded:
            unfold(page)
        return page

    # ---- The first screen.

    def test_the_first_screen_answers(self):
        page = self.open(folded=True)
        for width, height in SCREENS:
            page.resize(width, height)
            self.assertEqual(outside_first_screen(page), [], f"{width} × {height}")
            self.assertEqual(overlaps(page), [], f"{width} × {height}")
            self.assertLessEqual(overflow(page), 0)
            if pictures:
                page.screenshot(os.path.join(pictures, f"first-{width}.png"))
        self.assertEqual(page.js("document.querySelectorAll('main details[open]').length"), 0)
        self.assertEqual(page.errors(), [])

    def test_the_matrix_leads_to_tasks(self):
        page = self.open(folded=True)
        opened = "Array.from(document.querySelectorAll('main details[open] h2')).map(h => h.textContent)"
        page.click("table.matrix tbody.learners td:nth-child(3)")
        page.wait_for(lambda: page.js(opened) == ["flux-mnist14"], "the second task opens")
        # By the keyboard, and a second time after it was closed again.
        page.js("document.querySelector('main details[open]').open = false")
        for _ in range(2):
            page.js("document.querySelector('table.matrix thead th:nth-child(3) a').focus()")
            page.key("Enter")
            page.wait_for(lambda: page.js(opened) == ["flux-mnist14"], "the second task opens")
            page.js("document.querySelector('main details[open]').open = false")
        # A metric leads into the folded definitions.
        page.js("location.hash = 'def-tvd'")
        page.wait_for(lambda: page.js(opened) == ["Definitions of the metrics"], "the definitions open")
        page.js("document.querySelector('nav.folds button').click()")
        self.assertEqual(page.js("document.querySelectorAll('main > section > details:not([open])').length"), 0)

    def test_the_matrix_is_sorted_by_a_task(self):
        page = self.open(folded=True)
        column = page.js("Array.from(document.querySelectorAll('table.matrix thead th')).findIndex("
                         "h => h.textContent.includes('so3-fisher'))")
        page.click(f"table.matrix thead th:nth-child({column + 1}) button")
        values = page.js("Array.from(document.querySelectorAll('table.matrix tbody.learners tr')).map("
                         f"r => parseFloat(r.cells[{column}].textContent)).filter(v => !isNaN(v))")
        self.assertGreaterEqual(len(values), 2)
        self.assertEqual(values, sorted(values))

    def test_loads_quietly_and_quickly(self):
        page = self.open()
        page.js("window.scrollTo(0, document.body.scrollHeight)")
        self.assertEqual(page.errors(), [])
        self.assertEqual(page.requests(), [])
        # 2 s is the promise for the whole suite `paper`; this page is a small one, on a machine that may be busy.
        self.assertLess(page.load_seconds, 10)

    def test_fits_every_width_in_light_and_dark(self):
        for dark in (False, True):
            page = self.open(dark=dark)
            backgrounds = page.js("getComputedStyle(document.body).backgroundColor")
            red = int(re.search(r"\d+", backgrounds).group())
            self.assertTrue(red < 60 if dark else red > 200, backgrounds)
            for width in WIDTHS:
                page.resize(width, 900)
                self.assertLessEqual(overflow(page), 0, f"{width} px, dark {dark}")
                if pictures:
                    page.screenshot(os.path.join(pictures, f"page-{width}-{'dark' if dark else 'light'}.png"), full=True)
            self.assertEqual(low_contrast(page), [])
            self.assertEqual(page.errors(), [])

    def test_figures_and_views_are_drawn(self):
        for dark in (False, True):
            page = self.open(dark=dark)
            # In the dark only what has colours of its own there: one of each kind is enough.
            count, blank = blank_pictures(page, "section:first-child svg.figure, .stage canvas") if dark else blank_pictures(page)
            self.assertGreater(count, 1 if dark else 30)
            self.assertEqual(blank, [])
            # The interactive view itself, not the words that stand for it where there is no WebGL.
            self.assertTrue(page.js("!document.querySelector('.viewer-live').hidden"))
            self.assertEqual(page.errors(), [])

    def test_axes_are_labelled_inside_their_figures(self):
        page = self.open()
        self.assertGreater(page.js("document.querySelectorAll('svg.figure').length"), 10)
        self.assertEqual(bad_axes(page), [])

    def test_rotations_are_coloured_by_how_far_they_were(self):
        page = self.open()
        viewer = "document.querySelector('.viewer[data-scene=\"scene-%s\"]')" % page.js(
            "Array.from(document.querySelectorAll('main > section')).find(s => (s.querySelector('h2') || s).textContent === 'so3-fisher').id"
            ".slice(5)")
        page.js(f"{viewer}.scrollIntoView({{behavior: 'instant'}})")
        page.wait_for(lambda: page.js(f"!{viewer}.querySelector('.viewer-live').hidden"), "the view starts")
        # Drawn at the nearest rotation: there is nothing to choose between, and a distance all the same.
        self.assertEqual(page.js(f"{viewer}.querySelectorAll('input[type=radio]').length"), 0)
        self.assertGreater(page.js(f"parseFloat({viewer}.querySelector('.scale-end').textContent)"), 0.01)
        self.assertIn("projected", page.js(f"{viewer}.querySelector('.stage-label.second').textContent"))
        self.assertEqual(page.errors(), [])

    def test_images_stand_above_their_nearest_training_images(self):
        page = self.open()
        words = page.js("Array.from(document.querySelectorAll('.sheet.images img')).map(i => i.alt)")
        self.assertIn("Images of gaussian above the nearest training images", words)
        self.assertEqual(len(words), 4)

    def test_sorts_within_groups(self):
        page = self.open()
        table = page.js("(() => { const t = Array.from(document.querySelectorAll('table[data-arms]'))"
                        ".find(t => t.closest('section').textContent.startsWith('sphere-vmf6')"
                        " && t.getClientRects().length); t.id = 'sorted'; return t.id; })()")
        rows = ("Array.from(document.querySelectorAll('#%s tr')).slice(1).map(r => "
                "[r.parentElement.className, r.cells[0].textContent, r.cells[2].textContent])" % table)
        before = page.js(rows)
        header = f"#{table} thead th:nth-child(3)"
        self.assertEqual(page.js(f"document.querySelector('{header}').getAttribute('aria-sort')"), None)
        page.click(header + " button")
        up = page.js(rows)
        # The same rows in the same groups, the learners in order.
        self.assertEqual([row[0] for row in up], [row[0] for row in before])
        self.assertEqual(sorted(up), sorted(before))
        def learners(listed):
            """Their values; one arm has none, and stands last in either order."""
            texts = [row[2].split("±")[0] for row in listed if row[0] == "learners"]
            self.assertEqual(texts[-1], "—")
            return [float(text) for text in texts[:-1]]
        values = learners(up)
        self.assertGreater(len(values), 2)
        self.assertEqual(values, sorted(values))
        self.assertEqual(page.js(f"document.querySelector('{header}').getAttribute('aria-sort')"), "ascending")
        # By the keyboard: worst first, and then as it was.
        page.js(f"document.querySelector('{header} button').focus()")
        page.key("Enter")
        values = learners(page.js(rows))
        self.assertEqual(values, sorted(values, reverse=True))
        page.key("Space")
        self.assertEqual(page.js(rows), before)
        # Where high values are good they come first.
        high = f"#{table} thead th[data-best=high]"
        column = page.js(f"document.querySelector('{high}').cellIndex")
        page.click(high + " button")
        values = page.js(f"Array.from(document.querySelectorAll('#{table} tbody.learners tr'))"
                         f".map(r => parseFloat(r.cells[{column}].textContent)).filter(v => !isNaN(v))")
        self.assertEqual(values, sorted(values, reverse=True))
        self.assertEqual(page.js(f"document.querySelector('{high}').getAttribute('aria-sort')"), "descending")
        self.assertEqual(page.errors(), [])

    def test_filters(self):
        page = self.open()
        task = page.js("(() => { const s = Array.from(document.querySelectorAll('section'))"
                       ".find(s => (s.querySelector('h2') || s).textContent === 'sphere-vmf6'); return s.id; })()")
        shown = (f"Array.from(document.querySelectorAll('#{task} table[data-arms]')).filter(t => t.getClientRects().length)[0]"
                 ".querySelectorAll('tbody.learners tr:not([hidden])').length")
        everything = page.js(shown)
        self.assertEqual(everything, 4)
        page.js(f"document.querySelector('#{task} .filters input').focus()")
        page.type("ddpm nor")
        self.assertEqual(page.js(shown), 1)
        self.assertIn("1 of 4", page.js(f"document.querySelector('#{task} .filters [role=status]').textContent"))
        # What is no learner stays for comparison.
        self.assertTrue(page.js(f"document.querySelector('#{task} tbody.apart tr').getClientRects().length > 0"))
        page.click(f"#{task} .filters button")
        self.assertEqual(page.js(shown), everything)
        page.js(f"(() => {{ const s = document.querySelectorAll('#{task} .filters select')[0]; s.value = 'flow_matching';"
                " s.dispatchEvent(new Event('change')); })()")
        self.assertEqual(page.js(shown), 1)
        page.click(f"#{task} .filters button")
        kinds = (f"Array.from(document.querySelectorAll('#{task} table[data-arms]')[0].tHead.rows[0].cells)"
                 ".filter(c => !c.hidden).map(c => c.dataset.samples || '')")
        self.assertEqual(set(page.js(kinds)), {"", "raw", "projected"})
        page.js(f"(() => {{ const s = document.querySelectorAll('#{task} .filters select')[2]; s.value = 'raw';"
                " s.dispatchEvent(new Event('change')); })()")
        self.assertEqual(set(page.js(kinds)), {"", "raw"})
        self.assertEqual(page.errors(), [])

    def test_failures_are_in_plain_sight(self):
        page = self.open()
        self.assertIn("sphere-vmf6/fails/none/seed-0", page.js("document.getElementById('failures').textContent"))
        self.assertTrue(page.js("document.getElementById('failures').getClientRects().length > 0"))

    def test_tabs_choose_a_table(self):
        page = self.open()
        visible = "Array.from(document.querySelectorAll('.tables')).map(t => Array.from(t.querySelectorAll('.pane'))" \
                  ".filter(p => p.getClientRects().length).length)"
        self.assertEqual(set(page.js(visible)), {1})
        page.click(".tables > label:nth-of-type(2)")
        self.assertTrue(page.js("document.querySelectorAll('.tables .pane')[1].getClientRects().length > 0"))
        self.assertEqual(set(page.js(visible)), {1})

    def test_numbers_lead_to_definitions_and_downloads_hold_them(self):
        page = self.open()
        dead = page.js("Array.from(document.querySelectorAll('a[href^=\"#\"]')).map(a => a.getAttribute('href'))"
                       ".filter(h => !document.getElementById(decodeURIComponent(h.slice(1))))")
        self.assertEqual(dead, [])
        plain = page.js("Array.from(document.querySelectorAll('th[data-samples]')).filter(t => !t.querySelector('a')).length")
        self.assertEqual(plain, 0)
        empty = page.js("Array.from(document.querySelectorAll('.definitions > div')).filter(d => d.querySelector('dd')"
                        ".textContent.length < 30).map(d => d.textContent)")
        self.assertEqual(empty, [])
        for name in ("report.csv", "report.tex"):
            with open(os.path.join(os.path.dirname(self.path), name), encoding="utf-8") as file:
                written = file.read()
            held = page.js("""(async () => {
              const link = document.querySelector('a[download^="%s"]');
              const bytes = Uint8Array.from(atob(link.href.slice(link.href.indexOf(',') + 1)), c => c.charCodeAt(0));
              const stream = new Blob([bytes]).stream();
              return new Response('packed' in link.dataset ? stream.pipeThrough(new DecompressionStream('gzip')) : stream).text();
              })()""" % name)
            self.assertEqual(held, written)
        folder = os.path.join(os.path.dirname(self.path), "figures")
        names = sorted(os.listdir(folder))
        for ending in ("png", "pdf"):
            self.assertEqual([n for n in names if n.endswith(ending)], [n[:-3] + ending for n in names if n.endswith(".svg")])
        with open(os.path.join(folder, "intervals.pdf"), "rb") as file:
            self.assertTrue(file.read().startswith(b"%PDF-"))
        with open(os.path.join(folder, "sphere-vmf6-seeds.png"), "rb") as file:
            self.assertGreater(share_drawn(file.read()), 0.01)

    def test_all_is_reached_by_the_keyboard(self):
        page = self.open(folded=True)
        self.assertEqual(unreached(page)[0], [])
        page = self.open()
        left, without_outline = unreached(page)
        self.assertEqual(left, [])
        self.assertEqual(without_outline, 0)
        self.assertEqual(page.errors(), [])

    def test_names_and_landmarks(self):
        page = self.open()
        self.assertEqual(page.js("['header', 'nav', 'main', 'footer'].filter(n => !document.querySelector(n))"), [])
        self.assertEqual(page.js("document.documentElement.lang"), "en")
        self.assertEqual(page.js("document.querySelectorAll('h1').length"), 1)
        self.assertEqual(page.js("Array.from(document.querySelectorAll('table')).filter(t => !t.caption || "
                                 "t.querySelectorAll('th:not([scope])').length).length"), 0)
        nameless = page.js("""Array.from(document.querySelectorAll('input, select, button, a, svg[role=img], img, canvas')).filter(e =>
          !(e.getAttribute('aria-label') || e.textContent.trim() || e.alt || (e.labels && e.labels.length) ||
            e.querySelector && e.querySelector('title'))).map(e => e.outerHTML.slice(0, 120))""")
        self.assertEqual(nameless, [])
        levels = page.js("Array.from(document.querySelectorAll('h1, h2, h3, h4')).map(h => +h.tagName[1])")
        self.assertTrue(all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels)
        # Whoever asks for less motion is not scrolled smoothly.
        page.media(reduced_motion=True)
        self.assertEqual(page.js("getComputedStyle(document.documentElement).scrollBehavior"), "auto")

    def test_without_javascript(self):
        page = self.open(scripts=False)
        # Scripts of the page do not run; the protocol still looks at it.
        self.assertEqual(page.js("document.querySelectorAll('button.sort, .filters').length"), 0)
        self.assertEqual(page.js("Array.from(document.querySelectorAll('.tables')).filter(t => Array.from(t.querySelectorAll("
                                 "'.pane')).filter(p => p.getClientRects().length).length !== 1).length"), 0)
        self.assertTrue(page.js("document.querySelector('.viewer-message').getClientRects().length > 0"))
        self.assertEqual(overflow(page), 0)

    def test_prints_every_table_with_its_words(self):
        page = self.open()
        page.media(kind="print")
        self.assertEqual(page.js("Array.from(document.querySelectorAll('.tables > .pane, .tables > label'))"
                                 ".filter(e => !e.getClientRects().length).length"), 0)
        self.assertEqual(page.js("Array.from(document.querySelectorAll('nav, .filters, button'))"
                                 ".filter(e => e.getClientRects().length).length"), 0)
        pdf = page.send("Page.printToPDF", printBackground=False)["data"]
        self.assertGreater(len(pdf), 20000)

    # ---- What is broken must be found.

    def test_control_a_script_that_fails(self):
        page = self.broken("function makeSortable(table) {", "function makeSortable(table) { undefined_name(table);")
        self.assertTrue(any("undefined_name" in error for error in page.errors()), page.errors())

    def test_control_a_request(self):
        page = self.broken("<h1>", "<img src=\"http://192.0.2.1/pixel.png\" alt=\"\"><h1>")
        time.sleep(0.2)
        page.js("1")
        # The policy of the page forbids it, which the console tells.
        self.assertTrue(page.errors() or page.requests())

    def test_control_a_blank_plot(self):
        page = self.broken("<svg class=\"figure\"", "<svg data-shot=\"0\" class=\"figure blank\"")
        page.js("document.querySelector('.blank').style.filter = 'opacity(0)'")
        self.assertEqual(len(blank_pictures(page, "#overview svg.figure")[1]), 1)

    def test_control_axes(self):
        page = self.open()
        page.js("Array.from(document.querySelector('#task-0 svg.figure').querySelectorAll('text')).filter(t => /^[0-9.]+$/.test(t.textContent.trim()))"
                ".forEach(t => { t.textContent = ''; })")
        page.js("document.querySelector('#overview svg.figure text').setAttribute('x', 5000)")
        self.assertEqual(len(bad_axes(page)), 2, bad_axes(page))

    def test_control_a_view_that_draws_nothing(self):
        page = self.broken("renderer.render(scene, camera);", "")
        self.assertEqual(len(blank_pictures(page, ".stage canvas")[1]), 2)

    def test_control_a_first_screen_that_is_too_long(self):
        page = self.broken("<h1>", "<p style=\"height: 700px\"></p><h1>", folded=True)
        page.resize(1400, 900)
        self.assertEqual(len(outside_first_screen(page)), 1)

    def test_control_texts_that_overlap(self):
        page = self.broken("<p class=\"lead\">", "<p class=\"lead\" style=\"margin-top: -30px\">", folded=True)
        self.assertGreater(len(overlaps(page)), 0)

    def test_control_overflow(self):
        page = self.broken("<h1>", "<div style=\"width: 2000px\">wide</div><h1>")
        self.assertGreater(overflow(page), 0)

    def test_control_contrast(self):
        page = self.broken("<h1>", "<h1 style=\"color: #ddd\">")
        self.assertEqual(len(low_contrast(page)), 1)

    def test_control_out_of_reach_of_the_keyboard(self):
        page = self.broken("type: 'button', 'class': 'sort'", "type: 'button', tabindex: '-1', 'class': 'sort'")
        self.assertGreater(len(unreached(page)[0]), 0)


class TenTasks(unittest.TestCase):
    """A page of ten tasks: short while nothing is opened, and its first screen still answers."""

    def test_is_short_and_answers(self):
        with tempfile.TemporaryDirectory(prefix="onmanifold-report-") as base, Browser(chromium) as browser:
            with open(os.path.join(base, "ten.toml"), "w", encoding="utf-8") as file:
                file.write(TEN_TASKS)
            for arguments in (["run", "ten.toml", "-o", "results", "-j", "2"], ["report", "results", "--format", "html"]):
                subprocess.run([program] + arguments, cwd=base, capture_output=True, check=True)
            page = browser.open(os.path.join(base, "results", "report.html"))
            # On a busy machine; 1 s is the promise, measured by itself.
            self.assertLess(page.load_seconds, 10)
            for width, height in SCREENS:
                page.resize(width, height)
                self.assertEqual(outside_first_screen(page), [], f"{width} × {height}")
                self.assertEqual(overlaps(page), [], f"{width} × {height}")
                self.assertLessEqual(overflow(page), 0)
                if pictures:
                    page.screenshot(os.path.join(pictures, f"ten-{width}.png"), full=True)
            page.resize(*SCREENS[0])
            self.assertLessEqual(page.js("document.documentElement.scrollHeight"), 3000)
            unfold(page)
            self.assertGreater(page.js("document.documentElement.scrollHeight"), 3000)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    pictures = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
    if pictures:
        os.makedirs(pictures, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        print("SKIPPED: no chromium; scripts/install-dependencies.sh --browser installs it")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)

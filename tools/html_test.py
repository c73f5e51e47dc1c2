#!/usr/bin/env python3
"""Looks at the pages of `dmsim explain --html` in a real browser: headless Chromium.

usage: tools/html_test.py DMSIM [CRASH-FILE...]

Without crash files it makes some from the scenarios in scenarios/seeds. Each page is rendered wide,
narrow and on paper. A script added to a copy of the page measures what was rendered and leaves it in the
document, which Chromium then dumps; the screenshot is looked at pixel by pixel. Ends with
`N passed, N failed`.
"""
import html
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

SEEDS = [
    ("scenarios/seeds/mirror-unstable-page.yaml", "mmap-store-pdflush"),
    ("scenarios/seeds/mirror-unstable-page.yaml", "mmap-store-kswapd"),
    ("scenarios/seeds/mirror-nosync-promoted.yaml", "as-2006"),
]
CUT_COLOUR = (0xB0, 0x00, 0x20)

MEASURE = """
<script>
window.addEventListener('load', () => {
  const seen = {};
  const width = document.documentElement.clientWidth;
  seen.width = width;
  seen.scroll_width = document.documentElement.scrollWidth;
  seen.lanes = [...document.querySelectorAll('#timeline .lane')].map(g => g.dataset.lane);
  seen.steps = document.querySelectorAll('ol.story li').length;
  seen.badges = new Set([...document.querySelectorAll('.badge')].map(b => b.dataset.step)).size;
  seen.bars = document.querySelectorAll('#timeline .bar').length;
  seen.resources = performance.getEntriesByType('resource').map(r => r.name);
  const svg = document.querySelector('#timeline').getBoundingClientRect();
  seen.svg = [svg.left, svg.top, svg.width, svg.height];
  const cut = document.querySelector('#cut .cut-line');
  if (cut) { const r = cut.getBoundingClientRect(); seen.cut = [r.left, r.top, r.width]; }
  const texts = [...document.querySelectorAll('#timeline text')].map(
      t => [t.textContent, t.getBoundingClientRect()]);
  seen.texts = texts.length;
  seen.smallest_text = Math.min(...[...document.querySelectorAll('#timeline text')].map(
      t => parseFloat(getComputedStyle(t).fontSize)));
  seen.overlaps = [];
  const e = 0.75;
  for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {
    const a = texts[i][1], b = texts[j][1];
    // A line box is taller than its letters: a quarter of its height may be shared.
    const share = Math.min(a.height, b.height) / 4;
    if (a.left + e < b.right && b.left + e < a.right &&
        a.top + share < b.bottom && b.top + share < a.bottom)
      seen.overlaps.push(texts[i][0] + ' / ' + texts[j][0]);
  }
  seen.outside = [];
  for (const element of document.querySelectorAll('body *')) {
    const r = element.getBoundingClientRect();
    if (r.width > 0 && (r.right > width + 1 || r.left < -1))
      seen.outside.push(element.tagName + '.' + element.getAttribute('class') + ' ' + r.right);
  }
  for (const [text, r] of texts)
    if (r.left < svg.left - 1 || r.right > svg.right + 1 || r.bottom > svg.bottom + 1)
      seen.outside.push('text ' + text);
  // A label that runs out of its lane would be taken for the neighbour's.
  const grounds = [...document.querySelectorAll('#timeline .lane .ground')].map(g => g.getBoundingClientRect());
  seen.astray = [];
  for (const [text, r] of texts)
    for (const g of grounds)
      if (r.left >= g.left && r.left < g.right && r.right > g.right + 2) seen.astray.push(text);
  seen.untitled = [...document.querySelectorAll('#timeline .bar, #timeline .mark, #timeline .stretch')]
      .filter(g => !g.querySelector('title') || !g.querySelector('title').textContent.trim()).length;
  seen.table = [...document.querySelectorAll('#legs tr')].map(r => [...r.children].map(c => c.textContent));
  document.body.dataset.check = JSON.stringify(seen);
});
</script>
"""

passed = 0
failed = 0


def expect(condition, what, detail=""):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}: {detail}")


def chromium(profile, *arguments):
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--hide-scrollbars", f"--user-data-dir={profile}", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return done.stdout.decode("utf-8", "replace")


def read_png(path):
    """Rows of (r, g, b) as bytes; 8-bit RGB and RGBA, which is what Chromium writes."""
    with open(path, "rb") as file:
        data = file.read()
    at, pixels, width, height, channels = 8, b"", 0, 0, 3
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", body[:10])
            channels = {2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            pixels += body
        at += size + 12
    raw, stride, rows = zlib.decompress(pixels), width * channels, []
    above = bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        how, row = raw[start], bytearray(raw[start + 1:start + 1 + stride])
        for x in range(stride if how else 0):
            left = row[x - channels] if x >= channels else 0
            up, corner = above[x], above[x - channels] if x >= channels else 0
            if how == 1:
                row[x] = (row[x] + left) & 255
            elif how == 2:
                row[x] = (row[x] + up) & 255
            elif how == 3:
                row[x] = (row[x] + (left + up) // 2) & 255
            else:
                guess = left + up - corner
                near = [abs(guess - left), abs(guess - up), abs(guess - corner)]
                row[x] = (row[x] + (left, up, corner)[near.index(min(near))]) & 255
        rows.append(row)
        above = row
    return width, channels, rows


def share_of_colour(row, channels, first, last, colour):
    count = 0
    for x in range(first, last):
        pixel = row[x * channels:x * channels + 3]
        count += all(abs(pixel[i] - colour[i]) < 40 for i in range(3))
    return count / max(1, last - first)


def look_at(name, page, folder, width):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    expect("</body>" in text, name, "the page has no end")
    expect(not re.search(r'(?:src|href)="(?!#)', text), name, "the page refers to something outside")
    copy = os.path.join(folder, "measured.html")
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text.replace("</body>", MEASURE + "</body>"))
    profile = os.path.join(folder, "profile")
    dom = chromium(profile, f"--window-size={width},2400", "--virtual-time-budget=2000", "--dump-dom",
                   "file://" + copy)
    found = re.search(r'data-check="([^"]*)"', dom)
    expect(found is not None, name, "the measuring script has not run")
    if not found:
        return
    seen = json.loads(html.unescape(found.group(1)))
    has_cut = "power.on" in text or 'id="cut"' in text
    expect(len(seen["lanes"]) >= 4, name, f"few lanes: {seen['lanes']}")
    for lane in ("leg0", "leg1", "log0"):
        expect(lane in seen["lanes"], name, f"no lane {lane}: {seen['lanes']}")
    expect(seen["bars"] >= 3, name, f"few bars: {seen['bars']}")
    expect(4 <= seen["steps"] <= 27, name, f"{seen['steps']} steps")
    expect(seen["badges"] == seen["steps"], name,
           f"{seen['badges']} of {seen['steps']} steps are in the picture")
    expect(not seen["overlaps"], name, f"texts overlap: {seen['overlaps'][:6]}")
    expect(not seen["outside"], name, f"outside: {seen['outside'][:6]}")
    expect(not seen["astray"], name, f"out of their lanes: {seen['astray'][:6]}")
    expect(seen["scroll_width"] <= seen["width"], name, "the page is wider than its window")
    expect(seen["untitled"] == 0, name, f"{seen['untitled']} marks say nothing to a pointer")
    expect(seen["resources"] == [], name, f"loads {seen['resources']}")
    expect(len(seen["table"]) >= 3, name, f"the table: {seen['table']}")
    picture = os.path.join(folder, "page.png")
    # As high as the page, so that the whole picture is in it.
    height = int(seen["svg"][1] + seen["svg"][3]) + 40
    chromium(profile, f"--window-size={width},{height}", f"--screenshot={picture}", "file://" + page)
    pixel_width, channels, rows = read_png(picture)
    expect(pixel_width == width, name, f"the screenshot is {pixel_width} wide")
    if has_cut:
        expect("cut" in seen and seen["cut"][2] > 0.75 * seen["svg"][2], name, "the cut does not reach across")
        left, top, length = (int(value) for value in seen["cut"])
        best = max(share_of_colour(rows[y], channels, left, left + length, CUT_COLOUR)
                   for y in range(max(0, top - 3), min(len(rows), top + 5)))
        expect(best > 0.8, name, f"the cut's line is seen for {best:.0%} of its length")
    blank = all(row == rows[0] for row in rows)
    expect(not blank, name, "the screenshot is blank")


def look_at_paper(name, page, folder):
    paper = os.path.join(folder, "page.pdf")
    chromium(os.path.join(folder, "profile"), "--no-pdf-header-footer", f"--print-to-pdf={paper}",
             "file://" + page)
    expect(os.path.exists(paper), name, "cannot be printed")
    if not os.path.exists(paper):
        return
    with open(paper, "rb") as file:
        pages = len(re.findall(rb"/Type\s*/Page\b", file.read()))
    expect(1 <= pages <= 4, name, f"takes {pages} pages of paper")


def make_crash(dmsim, scenario, variant, folder):
    subprocess.run([dmsim, "run", scenario, "--variant", variant, "--crashes", folder, "--jobs", "1"],
                   capture_output=True, check=False)
    name = os.path.basename(scenario).removesuffix(".yaml")
    return os.path.join(folder, f"{name}.{variant}.yaml")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if shutil.which("chromium") is None:
        sys.exit("html_test: chromium is not installed (see tools/packages.txt)")
    dmsim = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        crashes = sys.argv[2:] or [make_crash(dmsim, *seed, folder) for seed in SEEDS]
        for crash in crashes:
            name = os.path.basename(crash)
            page = os.path.join(folder, "page.html")
            done = subprocess.run([dmsim, "explain", crash, "--html", page], capture_output=True, check=False)
            expect(done.returncode == 0, name, done.stderr.decode())
            if done.returncode != 0:
                continue
            for width in (1500, 820):
                look_at(f"{name} at {width}", page, folder, width)
            look_at_paper(name, page, folder)
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 else 1)


main()

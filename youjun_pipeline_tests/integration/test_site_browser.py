"""The site in a real browser: no errors in the console, filters and sorting work, the layout fits phones and paper.

Chromium opens each page from the disk, with a probe script added to a copy of the page. The probe writes its results into the
page, which is then dumped. Without Chromium these tests are skipped. Keep out: the content of the pages (test_site).
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.site import build_site
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.integration.published_rows import publish_rows
from youjun_pipeline_tests.integration.site_rows import rows_named

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium: apt-get install chromium")

PHASE = "district/120114/phase/2023-startup"
SCHOOL = "district/120114/school/2120114018.html"
PAGES = {
    "index": "index.html",
    "region": "region/12.html",
    "district": "district/120114/index.html",
    "quality": "district/120114/quality.html",
    "wall": f"{PHASE}/index.html",
    "plan": f"{PHASE}/plan.html",
    "indicator": f"{PHASE}/r4.html",
    "school": SCHOOL,
    "leader": f"{PHASE}/leader.html",
    "ledger": f"{PHASE}/ledger.html",
    "basis": f"{PHASE}/g.html",
    "trend": "district/120114/trend.html",
}
MOST_PIXELS = 6000
A4 = (595, 842)


@pytest.fixture(scope="module")
def site(sample_site: Path) -> Path:
    return sample_site


def browse(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert BROWSER
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr",
        # nothing outside has a name: a page that asked for something would say so in the console
        "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000", "--window-size=1500,1000",
        *arguments, url,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)


def complaints(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if "CONSOLE" in line]


# A window is never narrower than 500 pixels; a frame in it is as narrow as a phone.
FRAME = """<!doctype html><iframe src="{url}" width="{width}" height="900" style="border:0"></iframe>
<script>addEventListener('message', (event) => {{ document.body.dataset.found = event.data; }});</script>"""


def probe(
    site: Path,
    page: str,
    script: str,
    folder: Path,
    width: int = 1440,
    library: Path | None = None,
    query: str = "",
) -> Any:
    """What `script` (the body of a function) returns on `page` after it has loaded; the console must have no messages.

    A `library` is loaded first; its messages in the console do not count.
    """
    original = site / page
    copy, frame = original.with_name(f"probe-{original.name}"), original.with_name("probe-frame.html")
    act = f"Promise.resolve((() => {{ {script} }})()).then((found) => parent.postMessage(JSON.stringify(found), '*'));"
    later = f"addEventListener('load', () => setTimeout(() => {{ {act} }}, 1500));"
    if library:
        later = library.read_text(encoding="utf-8") + ";" + later
    (site / "assets" / "probe.js").write_text(later, encoding="utf-8")
    tag = f'<script src="{"../" * page.count("/")}assets/probe.js"></script></head>'
    copy.write_text(original.read_text(encoding="utf-8").replace("</head>", tag), encoding="utf-8")
    frame.write_text(FRAME.format(url=html.escape(copy.name + query), width=width), encoding="utf-8")
    try:
        result = browse(folder, frame.as_uri(), "--dump-dom")
    finally:
        for made in (copy, frame, site / "assets" / "probe.js"):
            made.unlink()
    assert library or complaints(result.stderr) == []
    found = re.search(r'data-found="([^"]*)"', result.stdout)
    assert found, result.stdout[:2000]
    return json.loads(html.unescape(found[1]))


LOOK = """
    return {
        width: innerWidth,
        overflow: document.documentElement.scrollWidth - innerWidth,
        height: document.documentElement.scrollHeight,
        headerButtons: document.querySelectorAll('thead button').length,
        charts: document.querySelectorAll('.chart').length,
        drawn: document.querySelectorAll('.chart svg').length,
        note: document.querySelector('[role=note]').getBoundingClientRect().height > 0,
        publication: document.getElementById('publication').textContent,
    };
"""


# Every page on a phone; on a desk those that have charts or the widest tables.
@pytest.mark.parametrize(
    ("page", "width"),
    [*((page, 390) for page in PAGES), *((page, 1440) for page in ("region", "wall", "indicator", "trend"))],
)
def test_page_opens_in_silence_and_fits_the_window(site: Path, tmp_path: Path, page: str, width: int) -> None:
    found = probe(site, PAGES[page], LOOK, tmp_path, width)
    assert found["width"] == width
    assert found["overflow"] <= 0
    assert found["drawn"] == found["charts"] == {"indicator": 4, "region": 1, "trend": 3}.get(page, 0)
    assert found["note"]
    assert found["headerButtons"] == 0, "a button vanishes from a header that is repeated on paper"
    if width == 390:
        assert found["height"] <= MOST_PIXELS, "a phone shows the first rows and parts, and more when asked"
    assert re.match(
        r"发布于 \d{4}-\d\d-\d\d \d\d:\d\d（北京时间），统计截止 2026-01-01", found["publication"]
    )


def test_a_table_can_be_taken_along_and_a_number_leads_to_its_cells(site: Path, tmp_path: Path) -> None:
    found = probe(
        site,
        PAGES["school"],
        """
        const link = document.querySelector('.bars a[href^="#a-2023-startup-r4"]');
        location.hash = link.getAttribute('href');
        dispatchEvent(new Event('hashchange'));
        const how = document.getElementById(link.getAttribute('href').slice(1));
        const table = document.querySelector('.scroll > table');
        const links = document.querySelectorAll('a.take').length;
        return { open: how.open, seen: how.offsetHeight > 60, csv: csvOf(table), links };
        """,
        tmp_path,
    )
    assert found["open"] and found["seen"]
    assert found["csv"].startswith('\ufeff"资源配置",') and found["csv"].count("\r\n") == 8
    assert found["links"] > 3


def test_a_school_is_found_by_its_initials(site: Path, tmp_path: Path) -> None:
    found = probe(
        site,
        "search.html",
        """
        const input = document.querySelector('#search input');
        input.value = 'ycdssxx';
        const found = () => [...document.querySelectorAll('#found a')].map((a) => [a.textContent, a.getAttribute('href')]);
        return search().then(found);
        """,
        tmp_path,
    )
    assert [name for name, _ in found] == ["杨村第十三小学", "杨村第十四小学"], "十三 and 十四 begin alike"
    assert found[1][1] == "district/120114/school/2120114036.html"


def test_schools_stand_side_by_side_and_nothing_foreign_is_loaded(site: Path, tmp_path: Path) -> None:
    two = ["district/120114/school/2120114018.html", "district/120114/school/2120114036.html"]
    asked = "&".join(
        f"s={page}" for page in [two[0], "https://example.org/school/x.html", "../x.html", two[1]]
    )
    found = probe(
        site,
        "compare.html",
        """
        const table = document.getElementById('compared');
        const row = [...table.tBodies[0].rows].find((r) => r.cells[0].textContent.startsWith('R4 '));
        const target = window.YOUJUN_TARGET('district/120114/school/2120114001.html');
        return {
            head: [...table.tHead.rows[0].cells].map((c) => c.firstChild.textContent),
            row: [...row.cells].map((c) => c.textContent), link: row.querySelector('a').getAttribute('href'),
            target: new URLSearchParams(target).getAll('s').length, picks: !document.getElementById('pick').hidden,
            csv: table.closest('section').querySelector('a.take') !== null,
            scripts: [...document.scripts].map((s) => s.getAttribute('src')).filter((s) => s?.includes('schools.js')),
        };
        """,
        tmp_path,
        query=f"?{asked}",
    )
    assert found["head"] == ["项目", "黄庄街泉昇小学", "杨村第十四小学"]
    assert found["row"] == ["R4 教学用房（小学，㎡/生）", "✕ 3.62 ≥ 4.5，缺 1,033.3 ㎡", "✓ 4.82 ≥ 4.5"]
    assert found["link"] == f"{two[0]}#a-2023-startup-r4-primary"
    assert (found["target"], found["picks"], found["csv"]) == (3, True, True)
    assert found["scripts"] == ["district/120114/schools.js"]


AXE = """
    return axe.run({ runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] } }).then((found) =>
        found.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => [v.id, v.nodes[0].html]));
"""


@pytest.mark.long
@pytest.mark.parametrize(
    "page",
    ["index", "district", "wall", "leader", "ledger", "indicator", "basis", "school", "trend", "quality"],
)
def test_axe_finds_nothing_serious(site: Path, tmp_path: Path, page: str) -> None:
    axe = Path(pytest.importorskip("axe_core_python").__file__).with_name("axe.min.js")
    assert probe(site, PAGES[page], AXE, tmp_path, library=axe) == []


def test_a_header_stands_on_every_sheet(site: Path, tmp_path: Path) -> None:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("needs pdftotext: apt-get install poppler-utils")
    target = tmp_path / "page.pdf"
    browse(tmp_path, (site / PAGES["wall"]).as_uri(), f"--print-to-pdf={target}", "--no-pdf-header-footer")
    text = subprocess.run([reader, "-layout", target, "-"], capture_output=True, text=True, check=True).stdout
    sheets = [
        sheet
        for sheet in text.split("\f")
        if sheet.count("小学") + sheet.count("初中") > 20 and "㎡" not in sheet
    ]
    on_map = [sheet for sheet in sheets if re.search(r"\d/7", sheet)]
    assert len(on_map) >= 3
    assert all("体艺教师" in sheet and "音美教室" in sheet for sheet in on_map)


def test_filters_narrow_the_map_together(site: Path, tmp_path: Path) -> None:
    found = probe(
        site,
        PAGES["wall"],
        """
        const bar = document.querySelector('.toolbar[data-table=map]');
        const rows = () => [...document.querySelectorAll('#map tbody tr')].filter((r) => r.offsetHeight > 0)
            .map((r) => r.cells[0].textContent.trim());
        const set = (element, value) => { element.value = value; element.dispatchEvent(new Event('input', { bubbles: true })); };
        const [stage, fails] = bar.querySelectorAll('select');
        const result = { all: rows().length };
        set(fails, 'y'); result.failing = rows().length;
        set(stage, '初中'); result.junior = rows();
        set(bar.querySelector('input'), '光明道'); result.named = rows();
        result.said = bar.querySelector('output').textContent;
        return result;
        """,
        tmp_path,
    )
    assert found["all"] == 121
    assert found["failing"] == 52
    assert len(found["junior"]) == 13
    assert found["named"] == ["光明道中学"]
    assert found["said"] == "显示 1 / 121 行"


def test_headers_sort_by_keyboard_with_blanks_last(site: Path, tmp_path: Path) -> None:
    found = probe(
        site,
        PAGES["indicator"],
        """
        const table = document.getElementById('schools-primary');
        const button = table.querySelectorAll('thead th')[2].querySelector('[role=button]');
        button.focus();
        const focused = document.activeElement === button;
        table.tBodies[0].rows[0].cells[2].dataset.v = '';
        const values = () => [...table.tBodies[0].rows].map((r) => r.cells[2].dataset.v);
        button.click(); const first = values(), one = button.closest('th').getAttribute('aria-sort');
        button.click(); const second = values(), two = button.closest('th').getAttribute('aria-sort');
        return { focused, first, second, one, two };
        """,
        tmp_path,
    )
    assert found["focused"]
    assert (found["one"], found["two"]) == ("ascending", "descending"), "the worst first: R4 is a least"
    assert found["first"][-1] == found["second"][-1] == ""
    ascending = [float(v) for v in found["first"][:-1]]
    assert ascending == sorted(ascending)
    assert [float(v) for v in found["second"][:-1]] == ascending[::-1]


def test_school_page_turns_to_the_phase_in_its_address(site: Path, tmp_path: Path) -> None:
    rows = rows_named("实验小学")
    for given in rows.values():
        later = [row | {"phase_id": "second"} for row in given if "phase_id" in row]
        given += [row | {"phase_order": 2} if "phase_order" in row else row for row in later]
    publish_rows(tmp_path / "published", rows)
    with connect(tmp_path / "published" / FILE_NAME, read_only=True) as con:
        small = build_site(con, tmp_path / "published").path.parent
    (school,) = [p.relative_to(small).as_posix() for p in small.rglob("school/*.html")]
    found = probe(
        small,
        school,
        """
        const shown = () => [...document.querySelectorAll('.tab')].filter((t) => !t.hidden).map((t) => t.id);
        const first = shown();
        location.hash = 'a-2023-startup';
        dispatchEvent(new Event('hashchange'));
        return { first, second: shown(), current: document.querySelector('[data-tabs] [aria-current]').getAttribute('href') };
        """,
        tmp_path,
    )
    assert found == {"first": ["a-second"], "second": ["a-2023-startup"], "current": "#a-2023-startup"}


def test_a_name_that_is_a_script_stays_a_name_in_the_charts_too(tmp_path: Path) -> None:
    name = """<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>"""
    publish_rows(tmp_path / "published", rows_named(name))
    with connect(tmp_path / "published" / FILE_NAME, read_only=True) as con:
        small = build_site(con, tmp_path / "published").path.parent
    found = probe(
        small,
        f"{PHASE}/r4.html",
        """
        const labels = [...document.querySelectorAll('.chart svg text')].map((t) => t.textContent);
        const labelled = labels.some((l) => l.startsWith('<img src=x'));
        return { title: document.title, images: document.images.length, labelled };
        """,
        tmp_path,
    )
    assert found["images"] == 0
    assert found["title"].endswith(name)
    assert found["labelled"]


@pytest.mark.parametrize(
    ("page", "paper", "most"),
    [("wall", A4[::-1], 16), ("indicator", A4, 8), ("school", A4, 3), ("district", A4, 8)],
)
def test_print_view_fits_a4(site: Path, tmp_path: Path, page: str, paper: tuple[int, int], most: int) -> None:
    target = tmp_path / "page.pdf"
    result = browse(
        tmp_path, (site / PAGES[page]).as_uri(), f"--print-to-pdf={target}", "--no-pdf-header-footer"
    )
    assert complaints(result.stderr) == []
    boxes = [
        tuple(round(float(n)) for n in box.split()[2:])
        for box in re.findall(r"/MediaBox \[([^\]]+)\]", _pdf_text(target))
    ]
    assert 1 <= len(boxes) <= most
    assert all(abs(w - paper[0]) <= 1 and abs(h - paper[1]) <= 1 for w, h in boxes), boxes


def _pdf_text(path: Path) -> str:
    """The objects of a PDF, including those in compressed streams."""
    data = path.read_bytes()
    parts = [data.decode("latin-1")]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        try:
            parts.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return "\n".join(parts)

"""Every kind of page in a browser: nothing to complain of, nothing beyond a phone's edge."""

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from gaopt.journal.history import History
from gaopt.journal.paths import ComparisonDir, StudyDir
from gaopt.report.comparison.report import write as write_comparison
from gaopt.report.plots.lr_find import lr_find
from gaopt.report.study import write
from tests.comparisons import comparison
from tests.unit.test_experiment import history as experimented
from tests.unit.test_report import config, searched
from tests.unit.test_report_kinds import KINDS

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
VIEWS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
BEYOND = """() => {
  const figures = [...document.querySelectorAll("figure svg, .plot")];
  const right = Math.max(document.documentElement.scrollWidth, ...figures.map(f => f.getBoundingClientRect().right));
  return right - innerWidth;
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By its kind, each page that gaopt writes for a browser."""
    folder = tmp_path_factory.mktemp("pages")
    studies = {"search": History(searched(config())), "experiment": experimented([0.9, 0.91], [0.93, 0.92])}
    studies |= {kind: History(events) for kind, events in KINDS.items()}
    for kind, history in studies.items():
        write(history, StudyDir(folder / kind))
    write_comparison(comparison(seeds=(0, 1)), ComparisonDir(folder / "comparison"))
    drawn = lr_find("range", [1e-4, 1e-3, 1e-2], [2.0, 1.0, 3.0], {"steep": 1e-4, "valley": 1e-3})
    assert drawn
    (folder / "lr-find.svg").write_text(drawn.svg, "utf-8")
    kinds = {kind: StudyDir(folder / kind).report for kind in (*studies, "comparison")}
    return kinds | {"lr-find": folder / "lr-find.svg"} | {f"{p.stem}.svg": p for p in folder.glob("*/figures/*.svg")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: no page was opened")
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip(f"there is no {CHROMIUM}: no page was opened")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield found
        found.close()


@pytest.mark.slow
def test_a_page_has_nothing_to_complain_of(pages: dict[str, Path], browser: Any) -> None:
    for view, (kind, path) in product(VIEWS, pages.items()):
        if path.suffix == ".svg" and view != "desktop":
            continue  # a picture of its own, the same everywhere
        page, said, where = browser.new_page(**VIEWS[view]), [], (kind, view)
        page.on("console", lambda message, said=said: said.append(message.text[:300]))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.goto(path.as_uri())
        assert said == [], where
        if path.suffix == ".html":
            assert page.locator("figure svg").count(), where
            assert page.evaluate(BEYOND) <= 0, where
        page.close()

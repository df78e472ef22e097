"""Text of unknown origin is shown as it is, wherever it is shown: no tag, no markup, no command to a terminal."""

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis.strategies import text
from rich.console import Console

from gaopt.config import Genetic, PoolConfig, StudyConfig
from gaopt.journal.events import Birth, Bred, Closed, Event, Failed, Judged, Opened, Reported, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import ComparisonDir, StudyDir
from gaopt.printable import printable, printable_lines
from gaopt.report.comparison.report import write as write_comparison
from gaopt.screen.console import page
from gaopt.screen.live import Lines
from gaopt.space.gene import Choice, Gene
from gaopt.space.space import Space
from gaopt.study.progress import progress
from tests import comparisons
from tests.integration.test_cli import invoke

RED = "\x1b[31m"
HOSTILE = f"</script><script>alert(1)</script><img src=x onerror=y>{RED}\r\u202e[/] [red]|`\"&'"
"""A tag, what ends a script, a command to a terminal, text turned round, rich's markup, and Markdown's signs."""
GENES = Space(**{"lr": Gene(0, 1), f"gene {HOSTILE}": Choice((f"value {HOSTILE}", "other"))})


def events(running: bool = False) -> list[Event]:
    config = StudyConfig(
        GENES, "gaopt.objectives.toy:valley", "genetic", genetic=Genetic(3, 2), pool=PoolConfig("inline"),
        settings={"settings": {f"key {HOSTILE}": f"setting {HOSTILE}"}},
    )  # fmt: skip
    first, second = ({"lr": 0.5, f"gene {HOSTILE}": f"{which}"} for which in (f"value {HOSTILE}", "other"))
    births = tuple(Birth(n, genes, "random") for n, genes in enumerate((first, second, first, second)))
    metrics = {"top1": 0.5, f"metric {HOSTILE}": 0.25}
    begun = [Opened(config.plain(), f"version {HOSTILE}", f"host {HOSTILE}", 1), Bred(0, births), Started(0)]
    done = [
        *(Reported(0, epoch, metrics, ((0.5, 0.1, 0.9),)) for epoch in (1, 2)),
        Scored(0, 0.5, metrics, 2, 1.0),
        Failed(1, "error", f"message {HOSTILE}", 1.0, 1, f"Traceback {HOSTILE}"),
        Judged(0, metrics),
    ]
    return [*begun, *done, Started(2), *([] if running else [Scored(2, 0.25, metrics, 2, 1.0), Closed("interrupted")])]


@pytest.fixture
def hostile(results: Path) -> StudyDir:
    """A study whose every text is hostile, its name too."""
    home = StudyDir(results / f"name {HOSTILE.replace('/', '')}")
    home.make()
    with Journal(home.journal, write=True) as journal:
        for event in events():
            journal.append(event)
    return home


class Tags(HTMLParser):
    """The elements of a page, and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attributes}


def control(text: str) -> list[str]:
    """What of a text is no character to be seen."""
    return [character for character in text.replace("\n", "") if not character.isprintable()]


def test_a_report_holds_no_tag_of_a_study(hostile: StudyDir, capfd: pytest.CaptureFixture[str]) -> None:
    assert invoke(capfd, "report", str(hostile.path))[0] == 0
    text = hostile.report.read_text("utf-8")
    tags = Tags(text)
    assert not {"script", "img"} & tags.found
    assert not {name for name in tags.attributes if name.startswith("on")}
    for said in ("gene", "value", "setting", "message", "version", "name"):
        assert f"{said} &lt;" in text, said  # it is there, and escaped
    assert "default-src 'none'" in text
    markdown = hostile.markdown.read_text("utf-8")
    outside = re.sub(r"^```.*?^```$", "", markdown, flags=re.M | re.S)  # within a fence nothing is a tag
    assert r"message \</script\>\<script\>alert(1)" in outside
    assert not re.search(r"(?<!\\)<", outside)
    assert len(re.findall("^```", markdown, re.M)) == 4
    figures = [path.read_text("utf-8") for path in (hostile.path / "figures").glob("*.svg")]
    assert figures
    for figure in figures:
        names = {each.tag.split("}")[-1] for each in ElementTree.fromstring(figure).iter()}
        assert not {"script", "img", "image", "foreignObject"} & names
    assert not any(map(control, [text, markdown, *figures]))


@pytest.mark.parametrize("verb", ["status", "list"])
def test_a_terminal_is_told_no_command_of_a_study(
    hostile: StudyDir, verb: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = invoke(capfd, *([verb, str(hostile.path)] if verb == "status" else [verb]))
    assert code == 0
    assert "name" in out
    assert not control(out)


def test_the_live_page_and_the_lines_of_a_search_hold_no_command_of_a_study() -> None:
    history, lines, live = History(), io.StringIO(), io.StringIO()
    tell = Lines(lines)
    for event in events(running=True):
        history.add(event)
        tell(history, event)
    now = progress(f"name {HOSTILE}", history, held=True, now=10.0)
    Console(file=live, width=2000, force_terminal=False).print(page(now, 10.0, 2000))
    for stream in (lines, live):
        said = stream.getvalue()
        assert "gene </script>" in said
        assert r"\x1b[31m\r\u202e[/] [red]|`" in said
        assert not control(said)


def test_json_is_escaped_and_whole(hostile: StudyDir, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "status", str(hostile.path), "--json")
    assert code == 0
    assert not control(out)
    assert f"value {HOSTILE}" in json.loads(out)["best"]["genes"].values()


def test_an_error_is_told_without_a_command(results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = StudyDir(results / "broken")
    home.make()
    with Journal(home.journal, write=True) as journal:
        journal.append(Opened({"study": {"objective": f"{HOSTILE}", f"{HOSTILE}": 1}}, "1", "here", 1))
    code, out, err = invoke(capfd, "status", "broken")
    assert (code, out) == (2, "")
    assert not control(err)


def test_a_comparison_s_page_holds_no_tag_of_a_study(tmp_path: Path) -> None:
    home = ComparisonDir(tmp_path / f"name {HOSTILE.replace('/', '')}")
    home.make()
    made = comparisons.comparison(methods=("assisted", f"method {HOSTILE}"), space=GENES)
    write_comparison(made, home)
    own = home.report.read_text("utf-8")
    tags = Tags(own)
    assert "img" not in tags.found
    assert not {name for name in tags.attributes if name.startswith("on")}
    assert "<script" not in own
    assert not control(own)
    assert not control(home.markdown.read_text("utf-8"))
    for figure in (home.path / "figures").glob("*.svg"):
        assert not {"script", "img"} & {each.tag.split("}")[-1] for each in ElementTree.parse(figure).iter()}


@pytest.mark.parametrize("text", ["plain", "é 日本 😀", "a b"])
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(text())
def test_whatever_is_shown_is_one_line_that_can_be_seen(found: str) -> None:
    assert printable(found).isprintable()
    assert not control(printable_lines(found))

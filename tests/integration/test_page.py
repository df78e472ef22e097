"""The service's page in a browser: its fold is the History's, every view is sound, and it freezes into one file."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.serve import snapshot as columns
from gaopt.serve.access import POLICY
from gaopt.serve.catalog import empty
from gaopt.serve.interactive import PAGE, bundle, interactive, interactive_comparison
from gaopt.serve.reader import message
from tests.conftest import ROOT
from tests.integration.test_pages import BEYOND, VIEWS, browser  # noqa: F401 - a fixture
from tests.unit.test_report_kinds import KINDS

HOST = "http://gaopt.test"
SUMMARY = empty("digits") | {"state": "finished", "note": "", "tags": ["a"], "queue": None, "owner": None}
FOLD = """async (given) => {
  const { fold, whole } = await import("/static/fold.js");
  const snapshot = whole(given.snapshot);
  const found = given.events.map((event) => fold(snapshot, event));
  return { snapshot, gap: fold(snapshot, { number: snapshot.number + 2, kind: "Closed", data: {} }), found };
}"""
HUB = """async () => {
  globalThis.EventSource = class {
    constructor(path) { setTimeout(() => globalThis.served ? (served.add(path), this.onopen()) : this.onerror(), 10); }
    addEventListener() {}
    close() {}
  };
  globalThis.told = [];
  globalThis.port = { postMessage: (message) => told.push(message) };
  await import("/static/stream-worker.js");
  onconnect({ ports: [port] });
  for (const follow of "abcdef") port.onmessage({ data: { follow, after: null } });
}"""
FOLDED = ("individuals", "generations", "repeats", "number", "workers")


def served(page: Any, answers: dict[str, Any]) -> list[str]:
    """Answer a page from the files and these; what it complains of is added to the list."""
    said: list[str] = []

    def answer(route: Any) -> None:
        path = urlsplit(route.request.url).path
        headers = {"Content-Security-Policy": POLICY}
        if path.startswith("/static/"):
            media = mimetypes.guess_type(path)[0] or ""
            route.fulfill(body=(PAGE / path.removeprefix("/static/")).read_bytes(), content_type=media, headers=headers)
        elif path.startswith("/api/v1"):
            found = answers.get(path.removeprefix("/api/v1"))
            streams = path.endswith("/events")
            media, body = (
                ("text/event-stream", found or ": \n\n") if streams else ("application/json", json.dumps(found))
            )
            route.fulfill(status=200 if streams or found is not None else 404, body=body, content_type=media)
        else:
            route.fulfill(body=(PAGE / "index.html").read_text("utf-8"), content_type="text/html", headers=headers)

    page.on("console", lambda message: said.append(message.text[:300]))
    page.on("pageerror", lambda error: said.append(str(error)))
    # Requests of a shared worker pass by; without one the page follows the streams itself.
    page.add_init_script("delete globalThis.SharedWorker")
    page.context.route(f"{HOST}/**", answer)
    return said


def plain(number: int, event: Any) -> dict[str, Any]:
    """An event as a stream sends it."""
    lines = dict(line.split(": ", 1) for line in message(number, event).decode().splitlines() if line)
    return {"number": int(lines["id"]), "kind": lines["event"], "data": json.loads(lines["data"])}


def folded(history: History, number: int) -> dict[str, Any]:
    return json.loads(json.dumps(columns.snapshot(history, number, {**SUMMARY, "state": "running"})))


def compare(page: Any, events: list[Any], start: int) -> None:
    """The columns after all events are the History's, whether the page came at the start or later."""
    history = History(events[:start])
    before = folded(history, start)
    for event in events[start:]:
        history.add(event)
    after = folded(history, len(events))
    rest = [plain(number, event) for number, event in enumerate(events[start:], start + 1)]
    before["individuals"]["genes"] = before["individuals"]["genes"] or {name: [] for name in after["space"]}
    got = page.evaluate(FOLD, {"snapshot": before, "events": rest})
    assert set(got["found"]) == {"new"}
    assert got["gap"] == "gap"
    for name in ("expected", "deviation"):  # only some servers tell what was expected
        if name not in after["individuals"]:
            del got["snapshot"]["individuals"][name]
    found, expected = got["snapshot"], {name: after[name] for name in FOLDED}
    found["individuals"]["seconds"] = [round(value, 3) for value in found["individuals"]["seconds"]]
    assert {name: found[name] for name in FOLDED} == expected
    assert set(found["metrics"]) >= set(after["metrics"])


def test_the_page_folds_events_as_the_history_does(browser: Any) -> None:  # noqa: F811
    page = browser.new_page()
    said = served(page, {})
    page.goto(f"{HOST}/static/login.html")
    real = list(Journal(ROOT / "results" / "digits" / "study.db"))
    for events in (real, *KINDS.values()):
        for start in (0, len(events) // 3, len(events) - 1):
            compare(page, list(events), start)
    assert not said
    page.close()


@pytest.fixture(scope="module")
def digits() -> dict[str, Any]:
    """What the REST interface answers of a real study."""
    with Journal(ROOT / "results" / "digits" / "study.db") as journal:
        history = History(journal)
    best = history.best
    assert best
    summary = SUMMARY | {
        "best": {"individual": best.id, "fitness": best.fitness, "genes": best.genes},
        "done": 30, "trainings": 30, "generation": 4, "generations": 5, "started": history.created,
    }  # fmt: skip
    detail = {"config": history.config, "data": None, "allowed": ["extend"], "links": {}}
    entry = {"id": 1, "name": "roses", "state": "queued", "position": 0, "owner": "ann", "created": 1.0, "error": None}
    plan = {"config": {}, "trainings": 30, "generations": 5, "population": 10, "epochs": 90, "doubts": []}
    preset = {
        "name": "quick",
        "title": "A look.",
        "generations": 5,
        "population": 10,
        "space": {},
        "data": "digits",
    }
    return {
        "/ready": {"ray": None},
        "/studies": {"studies": [summary, SUMMARY | {"name": "<b>roses", "state": "cut off"}], "next": None},
        "/studies/digits": summary | detail,
        "/studies/digits/snapshot": columns.snapshot(history, 1, summary),
        "/studies/digits/epochs": {"number": 1, "curves": columns.curves(history, range(30))},
        "/studies/digits/failures": {"failures": []},
        "/studies/digits/individuals/12": columns.individual(history, history.individuals[12]),
        "/presets": {"presets": [preset]},
        "/plan": plan | {"seconds": None, "at_once": None, "cost": None},
        "/queue": {"slots": 1, "entries": [entry]},
        "/compare": {
            "studies": [summary, SUMMARY | {"name": "other"}],
            "verdict": ["No difference can be shown."],
            "methods": [{"name": "digits", "scores": [0.9], "mean": 0.9, "low": None, "high": None}],
            "best_so_far": {"digits": {"epochs": [1, 9], "fitness": [0.5, 0.9]}},
            "differences": {"study.seed": [0, 1]},
        },
    }


PAGES = {
    "/": "<b>roses",
    "/studies/digits?select=12": "i12",
    "/compare?study=digits&study=other": "No difference can be shown.",
    "/new": "Start 30 trainings",
    "/queue": "roses",
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_sound(digits: dict[str, Any], browser: Any, view: str) -> None:  # noqa: F811
    context = browser.new_context(**VIEWS[view])
    for path, shown in PAGES.items():
        page = context.new_page()
        said = served(page, digits)
        page.goto(HOST + path)
        page.get_by_text(shown, exact=False).first.wait_for()
        if page.locator(".canvas").count():
            page.locator("canvas").first.wait_for()
            box = page.locator("canvas").first.bounding_box()
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)  # what is pointed at is told, within the policy
        assert said == [], path
        assert page.evaluate(BEYOND) <= 0, path
        page.close()
    context.close()


def test_the_page_goes_on_from_its_snapshot(digits: dict[str, Any], browser: Any) -> None:  # noqa: F811
    events = list(Journal(ROOT / "results" / "digits" / "study.db"))
    seen = len(events) // 3
    study = digits["/studies/digits"] | {"state": "running", "best": None}
    before = columns.snapshot(History(events[:seen]), seen, study)
    rest = "".join(message(number, event).decode() for number, event in enumerate(events[seen - 9 :], seen - 8))
    page = browser.new_page()
    said = served(page, digits | {"/studies/digits/snapshot": before, "/studies/digits/events": rest})
    page.goto(f"{HOST}/studies/digits")
    page.get_by_text("1–15 of 30").wait_for()
    page.get_by_text("0.9667").first.wait_for()
    page.locator("#curves canvas").first.wait_for()
    assert not said
    page.close()


def test_streams_outlive_a_restart_and_a_sleep(digits: dict[str, Any], browser: Any) -> None:  # noqa: F811
    page = browser.new_page()
    served(page, digits)
    page.clock.install()
    page.goto(f"{HOST}/static/login.html")
    page.evaluate(HUB)
    page.clock.run_for(9000)  # milliseconds in which no server answers
    page.evaluate("globalThis.served = new Set()")
    page.clock.run_for(60000)
    assert page.evaluate("[...served].sort().join('')") == "abcdef"
    page.clock.run_for(240000)
    page.evaluate("told.length = 0; port.onmessage({ data: { ping: true } })")
    assert page.evaluate("told") == [{"forgotten": True}]
    page.add_init_script(
        "globalThis.sent = []; globalThis.port = { postMessage: (each) => each.follow && sent.push(each) };"
        "globalThis.SharedWorker = function () { this.port = port; }"
    )
    page.goto(f"{HOST}/studies/digits")
    page.wait_for_function("sent.length === 1")
    page.evaluate("port.onmessage({ data: { forgotten: true } })")
    assert page.evaluate("sent") == 2 * [{"follow": "/api/v1/studies/digits/events", "after": 1}]
    page.close()


def test_what_is_wrong_stands_beside_its_field(digits: dict[str, Any], browser: Any) -> None:  # noqa: F811
    page = browser.new_page()
    served(page, digits)
    wrong = {"detail": "population: too few", "errors": [{"where": ["body", "population"], "message": "too few"}]}
    page.route("**/plan", lambda route: route.fulfill(status=422, json=wrong))
    page.goto(f"{HOST}/new")
    page.locator("#population-wrong").get_by_text("too few", exact=True).wait_for()
    wrong |= {"detail": "assisted.generations is 0", "errors": None}
    page.get_by_label("Seed").fill("1")
    page.locator("#generations-wrong").get_by_text("assisted.generations is 0").wait_for()
    assert page.locator(".wrong:not(:empty)").count() == 1
    page.close()


def test_one_selection_is_shared_and_kept_in_the_address(digits: dict[str, Any], browser: Any) -> None:  # noqa: F811
    page = browser.new_page()
    served(page, digits)
    page.goto(f"{HOST}/studies/digits?select=12")
    ticked = page.locator(".individuals input:checked")
    ticked.first.wait_for()
    assert ticked.count() == 1
    page.get_by_label("Select i3", exact=True).check()
    assert page.url.endswith("?select=12,3")
    assert page.locator("#chosen thead th").all_inner_texts() == ["i12", "i3"]
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.get_by_role("button", name="Table", exact=True).first.click()
    rows = page.locator("#search tbody tr")
    rows.nth(29).wait_for()
    assert rows.count() == 30
    page.close()


def test_the_page_freezes_into_one_file(digits: dict[str, Any], browser: Any, tmp_path: Path) -> None:  # noqa: F811
    found = interactive(
        digits["/studies/digits/snapshot"], digits["/studies/digits/epochs"]["curves"], digits["/studies/digits"]
    )
    assert len(found.encode()) < 2e6
    compared = interactive_comparison(digits["/compare"])
    for name, text, said_there in (("study", found, "Learning curves"), ("compared", compared, "No difference")):
        path = tmp_path / f"{name}.html"
        path.write_text(text, "utf-8")
        page, said = browser.new_page(), []
        page.on("console", lambda message, said=said: said.append(message.text[:300]))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.on("request", lambda request, said=said, own=path.name: said.append(request.url.split(own)[-1]))
        page.goto(path.as_uri())
        page.get_by_text(said_there).first.wait_for()
        page.locator("canvas").first.wait_for()
        assert said == [""]  # one request, for the file itself
        page.close()


def test_names_cannot_end_the_script_that_holds_them(digits: dict[str, Any]) -> None:
    snapshot = digits["/studies/digits/snapshot"]
    study = snapshot["study"] | {"name": "</script><b>"}
    assert "</script><b>" not in interactive(snapshot | {"study": study}, {})
    assert "</script" not in bundle()


def test_what_is_vendored_is_what_was_built() -> None:
    folder = PAGE / "vendor"
    sums = dict(line.split()[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sums}
    assert set(sums) == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}
    assert os.path.getsize(folder / "echarts.min.js") < 700_000

"""Hooks, against a web server and a command."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gaopt.cli import notify
from gaopt.journal.paths import StudyDir
from tests.conftest import toy
from tests.integration.test_cli import invoke


class Receiver(HTTPServer):
    """Keeps what is posted; the first tries it may refuse, and it answers none while it is closed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: list[dict[str, Any]] = []
        self.refusing, self.open = 0, threading.Event()
        self.open.set()
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.open.wait()
        if self.server.refusing:
            self.server.refusing -= 1
            self.send_error(503)
            return
        self.server.messages.append(body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(notify, "WAITS", (0.0, 0.01, 0.02))
    monkeypatch.setattr(notify, "BETWEEN", 0.0)
    path = tmp_path / "valley.toml"
    path.write_text(tomli_w.dumps(toy(population=4, generations=2).plain()))
    return str(path)


def test_a_url_is_told_of_new_bests_and_of_the_end(
    config: str, receiver: Receiver, results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.refusing = 2  # tries
    code, out, _ = invoke(capfd, "run", config, "--name", "mine", "--set", f"notify.url={receiver.url}", "--json")
    last = receiver.messages[-1]
    best = json.loads(out.splitlines()[-1])["best"]
    assert code == 0
    assert (last["event"], last["study"], last["state"], last["done"]) == ("finished", "mine", "finished", 6)
    assert last["best"] == best
    assert last["text"].startswith(
        f"mine: finished, best {best['fitness']:.4f} by individual {best['individual']}, 6 of"
    )
    assert {one["event"] for one in receiver.messages[:-1]} <= {"best"}

    receiver.messages.clear()  # its best is told again by nobody
    assert invoke(capfd, "resume", "mine", "--notify", receiver.url)[0] == 0
    assert [one["event"] for one in receiver.messages] == ["finished"]


def test_new_bests_are_told_at_once_and_then_not_too_often(
    config: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notify, "BETWEEN", 60.0)
    slow = [
        "--set",
        "study.objective=tests.faulty:naps",
        "--set",
        "settings.epochs=1",
        "--set",
        "settings.seconds=0.5",
    ]
    assert invoke(capfd, "run", config, *slow, "--notify", receiver.url)[0] == 0
    first, last = receiver.messages
    assert (first["event"], first["state"], first["best"]["individual"]) == ("best", "running", 0)
    assert last["event"] == "finished"


def test_a_command_gets_the_same_on_its_stdin(config: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = f'cat > "{tmp_path}/$GAOPT_STUDY-$GAOPT_EVENT.json"'
    assert invoke(capfd, "run", config, "--name", "mine", "--notify-command", command)[0] == 0
    assert json.loads((tmp_path / "mine-finished.json").read_text())["done"] == 6


FAILING = [
    ("--notify", "http://127.0.0.1:1/secret", "note: http://127.0.0.1/… was not told of 'mine: finished, "),
    ("--notify-command", "echo too bad >&2; exit 3", "`echo too bad >&2; exit 3` was not told of 'mine: finished, "),
]


@pytest.mark.parametrize(("option", "value", "said"), FAILING)
def test_a_hook_that_fails_is_one_line_and_the_study_goes_on(
    option: str, value: str, said: str, config: str, results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = invoke(capfd, "run", config, "--name", "mine", option, value)
    assert code == 0
    assert sum(said in line for line in err.splitlines()) == 1
    assert "secret" not in err
    assert ("Connection refused" in err) or ("exit code 3: too bad" in err)
    assert "secret" not in StudyDir(results / "mine").config.read_text()


def test_one_that_does_not_answer_holds_nothing_up(
    config: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.open.clear()
    monkeypatch.setattr(notify, "AT_END", 0.1)
    assert invoke(capfd, "run", config, "--notify", receiver.url)[0] == 0
    assert not receiver.messages
    receiver.open.set()


def test_a_study_that_fails_is_told_of(config: str, receiver: Receiver, capfd: pytest.CaptureFixture[str]) -> None:
    failing = ["--set", "study.objective=tests.faulty:fails", "--set", "faults.max_alike_failures=2"]
    assert invoke(capfd, "run", config, *failing, "--notify", receiver.url)[0] == 1
    assert [(one["event"], one["best"]) for one in receiver.messages] == [("failed", None)]


@pytest.mark.parametrize("url", ["ftp://x", "hooks.example.com", "http://", "http://["])
def test_what_is_no_url_is_refused_before_anything(
    url: str, config: str, results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = invoke(capfd, "run", config, "--notify", url)
    assert (code, results.exists()) == (2, False)
    assert err == f"gaopt: url is {url!r}: must be an address that begins with http:// or https://\n"

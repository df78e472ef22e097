"""The verbs that speak to a service, against one that runs as a process."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import tomli_w

from gaopt.journal.lock import StudyLock, holder
from gaopt.journal.paths import StudyDir
from tests.conftest import ROOT, toy
from tests.integration.test_cli import invoke
from tests.serving import Running, command, eventually, outside

NAPS = "tests.faulty:naps"
"""An objective that takes its time."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    results = tmp_path_factory.mktemp("service") / "results"
    running = outside(results, "--objective", NAPS, "--notify-command", f"cat >> {results}.told")
    yield running
    running.end()


@pytest.fixture(autouse=True)
def connected(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find it by the file in its results folder."""
    monkeypatch.setenv("GAOPT_RESULTS", str(service.results))
    for name in ("GAOPT_SERVICE", "GAOPT_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "valley.toml"
    path.write_text(tomli_w.dumps(toy(population=4, generations=3).plain()))
    return str(path)


def napping(tmp_path: Path, epochs: int = 200) -> str:
    """The config of a study that takes its time: by default it is stopped long before its end."""
    tables = toy(population=4, generations=3).plain()
    tables["study"]["objective"] = NAPS
    path = tmp_path / "naps.toml"
    path.write_text(tomli_w.dumps(tables | {"settings": {"epochs": epochs, "seconds": 0.3}}))
    return str(path)


@pytest.mark.smoke
def test_a_config_is_sent_run_and_followed(service: Running, config: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "submit", config, "--generations", "2", "--seed", "7", "--json", "--follow")
    lines = [json.loads(line) for line in out.splitlines()]
    submitted, result = lines[0], lines[-1]
    assert (code, err) == (0, "")
    assert submitted["name"].startswith("valley-")
    assert submitted["link"].endswith(f"/studies/{submitted['name']}")
    kinds = [line["event"] for line in lines[1:-1]]
    assert (kinds[0], kinds[-1], kinds.count("Bred")) == ("Opened", "Closed", 2)
    assert lines[1]["config"]["study"]["seed"] == 7
    assert (result["event"], result["state"], result["done"]) == ("Result", "finished", 6)

    code, out, _ = invoke(capfd, "watch", submitted["name"])
    assert (code, out.count("fitness ")) == (0, sum(kind in ("Scored", "Failed") for kind in kinds))
    code, out, _ = invoke(capfd, "logs", submitted["name"], "--follow")
    assert (code, "6 trainings in 2 generations" in out, out.splitlines()[-1][:8]) == (0, True, "report: ")
    told = Path(f"{service.results}.told").read_text()
    assert f'"link": "{submitted["link"]}"' in told


def test_the_program_in_the_documents_starts_a_study_and_follows_it(service: Running, config: str) -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "service.md").read_text("utf-8"), re.S)
    assert found
    assert '{"preset": "quick", "generations": 3}' in found.group(1)
    code = found.group(1).replace('{"preset": "quick", "generations": 3}', repr({"config": Path(config).read_text()}))
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=service.results.parent, capture_output=True, text=True, timeout=120
    )
    *scored, best = run.stdout.splitlines()
    assert run.returncode == 0, run.stderr
    assert max(float(line.split()[1]) for line in scored) == ast.literal_eval(best)["fitness"]


def test_the_queue_is_shown_changed_and_what_runs_is_stopped(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = [invoke(capfd, "submit", napping(tmp_path), "--name", f"naps-{n}")[1].strip() for n in range(4)]
    assert names == ["naps-0", "naps-1", "naps-2", "naps-3"]
    eventually(StudyDir(Path(os.environ["GAOPT_RESULTS"], "naps-0")).journal.is_file)
    entries = {one["name"]: one["id"] for one in json.loads(invoke(capfd, "queue", "--json")[1])["entries"]}
    code, out, _ = invoke(capfd, "queue", "move", str(entries["naps-3"]), "1")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()[-3:]] == ["naps-3", "naps-1", "naps-2"]
    for name in names[1:]:
        assert invoke(capfd, "queue", "cancel", str(entries[name]))[0] == 0
    assert invoke(capfd, "queue", "cancel", str(entries["naps-1"]))[::2] == (
        2, f"gaopt: the entry {entries['naps-1']} does not wait: it is cancelled\n"
    )  # fmt: skip
    assert invoke(capfd, "stop", "naps-0")[:2] == (0, "naps-0 stopping\n")
    code, _, err = invoke(capfd, "watch", "naps-0")
    assert (code, err) == (1, "gaopt: the study 'naps-0' is interrupted\n")


def test_elsewhere_an_address_and_a_token_are_enough(
    service: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAOPT_RESULTS", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    code, _, err = invoke(capfd, "queue", "--service", service.address)
    assert (code, "set GAOPT_TOKEN, or write it to" in err) == (2, True)
    (tmp_path / "gaopt").mkdir()
    (tmp_path / "gaopt" / "token").write_text(service.token + "\n")
    assert invoke(capfd, "queue", "--service", service.address)[0] == 0
    monkeypatch.setenv("GAOPT_TOKEN", "another …")
    assert invoke(capfd, "queue", "--service", service.address)[::2] == (2, "gaopt: the token is unknown\n")
    monkeypatch.setenv("GAOPT_SERVICE", f"{service.address}/login?token={service.token}")  # the link that is printed
    assert invoke(capfd, "queue")[0] == 0


REFUSED = [
    ("queue", 1, "there is no service with the results in", "start one with `gaopt serve`"),
    ("queue --service http://127.0.0.1:1", 1, "no service answers at http://127.0.0.1:1 (Connection refused)", ""),
    ("queue --service http://x:port", 2, "must be an address such as http://127.0.0.1:8400", ""),
    ("queue --service ftp://x", 2, "must be an address such as http://127.0.0.1:8400", ""),
    ("watch x --service http://127.0.0.1:1", 1, "no service answers", ""),
    ("stop nothing", 2, "there is no study 'nothing'", ""),
    ("submit nothing", 1, "there is no service", ""),
    ("dashboard --service http://127.0.0.1:1", 1, "no service answers", ""),
]


@pytest.mark.parametrize(("given", "code", "said", "more"), REFUSED)
def test_who_finds_no_service_is_told(
    given: str, code: int, said: str, more: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("GAOPT_RESULTS", str(tmp_path))
    monkeypatch.setenv("GAOPT_TOKEN", "t")
    told, out, err = invoke(capfd, *given.split())
    assert (told, out) == (code, "")
    assert said in err
    assert more in err


BAD = [
    ("submit nothing", "there is no preset and no file 'nothing'"),
    ("submit quick --pop many", "population: Input should be a valid integer"),
    ("submit quick --set recipe.epoch=1", "unknown key recipe.epoch: did you mean 'epochs'?"),
    ("submit quick --data /etc", "not below a folder that the service may read"),
    ("submit quick --set notify.url=http://127.0.0.1:9", "notify.url is given: the service would call it"),
    ("watch nothing", "there is no study 'nothing'"),
    ("logs nothing", "there is no study 'nothing'"),
]


@pytest.mark.parametrize(("given", "said"), BAD)
def test_what_the_service_refuses_is_told_in_its_words(
    given: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = invoke(capfd, *given.split())
    assert (code, said in err) == (2, True), err


def test_a_watcher_has_each_event_once_though_the_service_is_killed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = outside(tmp_path / "results", "--objective", NAPS)
    port = int(first.address.rpartition(":")[2])
    environment = {**os.environ, "GAOPT_RESULTS": str(first.results)}
    following = command("submit", napping(tmp_path, epochs=2), "--follow", "--json")
    watcher = subprocess.Popen(following, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert watcher.stdout
    lines = [next(watcher.stdout) for _ in range(4)]
    first.end(signal.SIGKILL)
    second = outside(first.results, "--objective", NAPS, port=port)
    out, _ = watcher.communicate(timeout=300)
    second.end()
    kinds = [json.loads(line)["event"] for line in lines + out.splitlines()]
    assert watcher.returncode == 0
    assert (kinds.count("Scored"), kinds.count("Closed"), kinds[-1]) == (8, 1, "Result")


def test_a_study_that_no_service_runs_is_stopped_where_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAOPT_RESULTS", str(tmp_path / "own"))
    home = StudyDir(tmp_path / "own" / "mine")
    run = subprocess.Popen(command("run", napping(tmp_path), "--name", "mine"), cwd=ROOT, stderr=subprocess.PIPE)
    while holder(home.path) != run.pid or not home.journal.is_file():
        assert run.poll() is None
        time.sleep(0.1)
    assert invoke(capfd, "stop", "mine")[:2] == (0, "mine stopping\n")
    run.communicate(timeout=60)
    assert run.returncode == 143
    assert invoke(capfd, "stop", "mine")[::2] == (2, "gaopt: the study 'mine' is not running\n")


def test_only_a_process_that_has_the_lock_open_is_taken_for_its_holder(tmp_path: Path) -> None:
    lock = StudyLock(tmp_path)
    assert holder(tmp_path) == os.getpid()
    (tmp_path / "study.lock").write_text((tmp_path / "study.lock").read_text().replace(str(os.getpid()), "1"))
    assert holder(tmp_path) is None
    lock.release()
    assert holder(tmp_path) is None


class _Ray(BaseHTTPRequestHandler):
    """What it answers whoever has no token."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html><title>Ray Dashboard</title></html>")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_the_dashboard_of_a_ray_on_this_machine_is_found_and_opened(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = list[str]()
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    with HTTPServer(("127.0.0.1", 0), _Ray) as ray:
        monkeypatch.setattr("gaopt.execution.ray.health.DASHBOARD", (1, ray.server_port))
        Thread(target=ray.serve_forever, daemon=True).start()
        code, out, err = invoke(capfd, "dashboard")
        ray.shutdown()
    assert (code, [out.strip()], "get-auth-token" in err) == (0, opened, True)
    monkeypatch.setattr("gaopt.execution.ray.health.DASHBOARD", (1,))
    assert "no Ray dashboard answers" in invoke(capfd, "dashboard")[2]


@pytest.mark.usefixtures("dashboards")
def test_a_machine_that_trains_has_a_ray_that_starts(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "doctor", "--json")
    found = {line["check"]: line for line in json.loads(out)}
    assert (code, found["Ray"]["state"], "starts: " in found["Ray"]["found"]) == (0, "ok", True), out

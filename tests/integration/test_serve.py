"""The service as a process: killed, watched by many, stopped, two at once; and its whole description tried."""

import asyncio
import csv
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from click.testing import CliRunner

from gaopt.cli import cli
from gaopt.journal.events import Closed
from gaopt.journal.journal import Journal
from gaopt.serve import access
from gaopt.serve.app import create
from gaopt.serve.service import Service
from tests.serving import Running, command, eventually, inside, outside, toml

SLOW = toml(population=100, generations=10_000)
"""Runs until it is stopped."""


@contextmanager
def serving(results: Path, *options: str) -> Iterator[Running]:
    running = outside(results, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end()


def last_event(results, name):
    with Journal(results / name / "study.db") as journal:
        return list(journal)[-1]


async def watch(address, bearer, name):
    """The ids of all events of a study until it is over, by a client that comes again wherever it was cut off."""
    found: list[int] = []
    async with httpx.AsyncClient(headers=bearer, timeout=30) as client:
        while True:
            known = {"Last-Event-ID": str(found[-1])} if found else {}
            try:
                async with client.stream("GET", f"{address}/api/v1/studies/{name}/events", headers=known) as answer:
                    answer.raise_for_status()
                    async for line in answer.aiter_lines():
                        if line.startswith("id: "):
                            found.append(int(line[4:]))
                        elif line.startswith('data: {"reason":"finished"'):
                            return found
            except httpx.HTTPError:
                await asyncio.sleep(0.1)  # the service was killed


async def killed(results, names, config, watchers, kills, pause):
    """Queue studies, watch them, and kill the service again and again. Returns by study what its watchers got."""
    running = outside(results, "--slots", "2")
    port = int(running.address.rpartition(":")[2])
    for seed, name in enumerate(names):
        asked = running.ask("POST", "/studies", json={"config": config, "name": name, "seed": seed})
        assert asked.status_code == 201, asked.text
    many = [watch(running.address, running.bearer, names[n % len(names)]) for n in range(watchers)]
    tasks = [asyncio.create_task(one) for one in many]
    for _ in range(kills):
        await asyncio.sleep(pause)
        await asyncio.to_thread(running.end, signal.SIGKILL)
        running = await asyncio.to_thread(outside, results, "--slots", "2", port=port)
    try:
        found = await asyncio.wait_for(asyncio.gather(*tasks), 600)
    finally:
        await asyncio.to_thread(running.end)
    return {name: found[n :: len(names)] for n, name in enumerate(names)}


def table(home):
    """Its individuals, without how long they took."""
    with open(home / "individuals.csv") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def check_killed(folder, monkeypatch, studies, watchers, kills, pause, **size):
    names, config = [f"study-{n}" for n in range(studies)], folder / "config.toml"
    config.write_text(toml(**size))
    found = asyncio.run(killed(folder / "served", names, config.read_text(), watchers, kills, pause))
    monkeypatch.setenv("GAOPT_RESULTS", str(folder / "alone"))
    for seed, name in enumerate(names):
        done = CliRunner().invoke(cli, ["run", str(config), "--name", name, "--seed", str(seed)])
        assert done.exit_code == 0, done.output
        assert table(folder / "served" / name) == table(folder / "alone" / name)
        with Journal(folder / "served" / name / "study.db") as journal:
            numbers = [number for number, _ in journal.since(0)]
        assert all(each == numbers for each in found[name])


def test_a_service_that_is_killed_loses_nothing(tmp_path, monkeypatch):
    check_killed(tmp_path, monkeypatch, studies=5, watchers=10, kills=2, pause=3, population=10, generations=5)


def test_a_study_is_stopped_found_again_and_goes_on(tmp_path):
    results = tmp_path / "served"
    with serving(results) as first:
        first.ask("POST", "/studies", json={"config": SLOW, "name": "long"})
        first.ask("POST", "/studies", json={"config": SLOW, "name": "waits"})
        eventually(lambda: first.state("long") == "running")
        again = subprocess.run(command("serve", "--port", "0", "--runner", "process", "--results", str(results)),
                               capture_output=True, text=True)  # fmt: skip
        assert (again.returncode, again.stderr.count("\n")) == (2, 1)
        assert "another service uses the results" in again.stderr
        assert "long goes on" in first.end()
    with serving(results) as second, serving(tmp_path / "other") as other:
        assert other.ask("POST", "/studies", json={"config": toml(), "name": "long"}).status_code == 201
        assert (second.state("long"), second.state("waits")) == ("running", "queued")
        assert second.ask("POST", "/studies/waits/stop").json()["state"] == "cancelled"
        assert not (results / "waits").exists()
        eventually(lambda: second.ask("GET", "/studies/long").json()["generation"] > 0)
        assert second.ask("POST", "/studies/long/stop").status_code == 202
        eventually(lambda: second.state("long") == "interrupted")
        assert last_event(results, "long").reason == "interrupted"
        done = second.ask("GET", "/studies/long").json()
        refused = second.ask("POST", "/studies/long/extend", json={"generations": 1})
        assert refused.status_code == 400, refused.text
        assert second.ask("POST", "/studies/long/resume").status_code == 202
        eventually(lambda: second.ask("GET", "/studies/long").json()["done"] > done["done"])
        assert second.ask("POST", "/studies/long/stop").status_code == 202
        eventually(lambda: not second.ask("GET", "/queue").json()["entries"])
        assert isinstance(last_event(results, "long"), Closed)
        eventually(lambda: other.state("long") == "finished")
        assert other.ask("POST", "/studies/long/extend", json={"generations": 3}).status_code == 202
        eventually(
            lambda: other.state("long") == "finished" and other.ask("GET", "/studies/long").json()["generations"] == 3
        )
        for file in ("report", "report.interactive", "files/individuals.csv", "files/config.toml", "log"):
            assert other.ask("GET", f"/studies/long/{file}").is_success, file
        image = other.ask("POST", "/studies/long/predict", files={"image": ("x.png", b"\x89PNG")})
        assert (image.status_code, "no best model" in image.text) == (400, True)


def test_the_whole_description_is_kept(tmp_path, monkeypatch):
    """schemathesis asks every route for what its description allows, and for what it does not."""
    config = tmp_path / "schemathesis.toml"
    # 400 is what no description can tell: a config whose keys do not go together, a cursor of another list.
    config.write_text('[checks.positive_data_acceptance]\nexpected-statuses = ["2xx", 400, 401, 403, 404, 409, 429]\n')
    monkeypatch.setattr(access, "CHANGES", 10**9)
    monkeypatch.setattr(Service, "_measure", lambda *_: (1.0, 1))  # else each plan would train for seconds
    study = tmp_path / "config.toml"
    study.write_text(toml())
    assert CliRunner().invoke(cli, ["run", str(study), "--name", "digits-1"]).exit_code == 0
    with inside() as served, socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        app = create(served.service, [f"127.0.0.1:{port}"], port)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run",
                 f"http://127.0.0.1:{port}/api/v1/openapi.json", "-H", f"Authorization: Bearer {served.token}",
                 "--request-timeout", "120", "--max-examples", "5", "--exclude-path-regex", "/events$", "--seed", "1",
                 "--phases", "examples,coverage,fuzzing", "--no-color"],
                capture_output=True, text=True, cwd=tmp_path,
            )  # fmt: skip
        finally:
            server.should_exit = True
            thread.join()
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) generated", done.stdout)[1]) > 300

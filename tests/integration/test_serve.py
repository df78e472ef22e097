"""The service as a process: killed, watched by many, stopped, two at once."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gaopt.journal.events import Closed
from gaopt.journal.journal import Journal
from tests.serving import VALLEY, Running, command, eventually, listing, outside, toml

SLOW = toml(population=500, generations=1000)
"""Runs until it is stopped."""


@contextmanager
def serving(results: Path, *options: str) -> Iterator[Running]:
    running = outside(results, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            for one in running.ask("GET", "/queue").json()["entries"]:
                running.ask("POST", f"/studies/{one['name']}/stop")
            eventually(lambda: not running.ask("GET", "/queue").json()["entries"])
            running.end()


def closed(results, name):
    """Why a study was put down last; None while it runs."""
    with Journal(results / name / "study.db") as journal:
        last = list(journal)[-1]
    return last.reason if isinstance(last, Closed) else None


async def watch(address, bearer, name, over):
    """The ids of all events of a study until it is over, by a client that comes again wherever it was cut off."""
    found: list[int] = []
    async with httpx.AsyncClient(headers=bearer, timeout=30) as client:
        while True:
            known = {"Last-Event-ID": str(found[-1])} if found else {}
            try:
                async with client.stream("GET", f"{address()}/api/v1/studies/{name}/events", headers=known) as answer:
                    answer.raise_for_status()
                    async for line in answer.aiter_lines():
                        if line.startswith("id: "):
                            found.append(int(line[4:]))
                        elif line.startswith("data: ") and '"reason": "finished"' in line.replace('":"', '": "'):
                            return found
            except (httpx.HTTPError, OSError):
                await asyncio.sleep(0.1)  # it was killed


async def killed_and_watched(results, studies, watchers, kills, pause):
    """Queue studies, let them be watched, and kill the service again and again. Returns what each watcher got."""
    running = outside(results, "--slots", "2")
    port = int(running.address.rpartition(":")[2])
    names = [f"s{n}" for n in range(studies)]
    for n, name in enumerate(names):
        asked = running.ask("POST", "/studies", json={"config": toml(seed=n, population=20, generations=10), "name": name})
        assert asked.status_code == 201, asked.text
    tasks = [
        asyncio.create_task(watch(lambda: running.address, running.bearer, names[n % studies], None))
        for n in range(watchers)
    ]
    for _ in range(kills):
        await asyncio.sleep(pause)
        running.process.send_signal(signal.SIGKILL)
        running.process.communicate()
        running = await asyncio.to_thread(outside, results, "--slots", "2", port=port)
    found = await asyncio.gather(*tasks)
    await asyncio.to_thread(running.end)
    return {name: found[n::studies] for n, name in enumerate(names)}


def check_killed_and_watched(tmp_path, studies, watchers, kills, pause):
    results = tmp_path / "served"
    found = asyncio.run(killed_and_watched(results, studies, watchers, kills, pause))
    for n, name in enumerate(found):
        config = tmp_path / "alone.toml"
        config.write_text(toml(seed=n, population=20, generations=10))
        alone = tmp_path / "alone" / name / "individuals.csv"
        subprocess.run(command("run", str(config), "--name", name), check=True, capture_output=True,
                       env={**__import__("os").environ, "GAOPT_RESULTS": str(alone.parent.parent)})
        assert deciding(alone) == deciding(results / name / "individuals.csv")
        with Journal(results / name / "study.db") as journal:
            numbers = [number for number, _ in journal.since(0)]
        for each in found[name]:
            assert each == numbers


def deciding(path):
    """A table of individuals without its times."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    times = [n for n, name in enumerate(rows[0]) if "second" in name or "start" in name or "end" in name]
    return [[cell for n, cell in enumerate(row) if n not in times] for row in rows]


def test_killed_again_and_again_nothing_is_lost(tmp_path):
    check_killed_and_watched(tmp_path, studies=5, watchers=10, kills=2, pause=4)

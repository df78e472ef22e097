"""How far one process of the service carries: a large study, many studies, many who watch.

`python -m benchmarks.service` prints a table; --quick makes everything ten times smaller.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx
import psutil

from benchmarks.driver import config, made
from gaopt.journal.events import Reported
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from tests.conftest import MEMORY
from tests.serving import Running, outside

EPOCHS = 10
WATCHED = 10_000
"""Events that a watcher reads before it comes again."""
RECONNECTS, WATCHERS, LIVE, STUCK = 200, 100, 1_000, 20


async def read(running: Running, name: str, after: int, last: int, delays: list[float] | None = None) -> int:
    """Watch a study from one event to another. Returns how many came.

    Args:
        delays: takes the seconds between each event and its coming.
    """
    address, found = f"{running.address}/api/v1/studies/{name}/events?after={after}", 0
    async with (
        httpx.AsyncClient(headers=running.bearer, timeout=600) as client,
        client.stream("GET", address) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                found += 1
                number = int(line[4:])
                assert number == after + found, f"event {number} came after {after + found - 1}"
            elif delays is not None and line.startswith("data: ") and '"at":' in line and found:
                delays.append(time.time() - float(line.rpartition('"at":')[2].rstrip("}")))
            if found == last - after:
                return found
    return found


class Bench:
    """A service over a large study and many small ones."""

    def __init__(self, running: Running, individuals: int, studies: int) -> None:
        self._running, self._individuals, self._studies = running, individuals, studies
        self._process = psutil.Process(running.process.pid)

    def _memory(self) -> float:
        return float(self._process.memory_info().rss) / 1e6

    def _cpu(self) -> float:
        return sum(self._process.cpu_times()[:2])

    def _asked(self, path: str, runs: int = 9) -> tuple[float, float, float, int]:
        """(Seconds of the first time, and then; of these the service's own; bytes that are sent)."""
        times, sent, cpu = [], 0, 0.0
        for _ in range(runs + 1):
            start = time.perf_counter()
            with httpx.stream(
                "GET", f"{self._running.address}/api/v1{path}", headers=self._running.bearer, timeout=120
            ) as answer:
                answer.raise_for_status()
                answer.read()
                sent = answer.num_bytes_downloaded
            times.append(time.perf_counter() - start)
            cpu = cpu or self._cpu()
        return times[0], median(times[1:]), (self._cpu() - cpu) / runs, sent

    def asked(self) -> list[tuple[str, str]]:
        rows = []
        for what, path in (
            (f"snapshot of {self._individuals:,} individuals", "/studies/large/snapshot"),
            ("its failures", "/studies/large/failures"),
            ("one individual", "/studies/large/individuals/7"),
            (f"{self._studies} studies listed", f"/studies?limit={self._studies}"),
            ("metrics of all", "/metrics"),
        ):
            first, then, cpu, sent = self._asked(path)
            told = (
                f"{then * 1e3:.0f} ms, {cpu * 1e3:.0f} ms of a core (first {first * 1e3:,.0f} ms), {sent / 1e3:,.0f} kB"
            )
            rows.append((what, told))
        return rows

    def reconnects(self, times: int) -> list[tuple[str, str]]:
        """A client that reads all, loses its connection, and reads all again."""
        last = min(WATCHED, self._individuals * EPOCHS)
        for _ in range(times // 10):
            asyncio.run(read(self._running, "large", 0, last))
        before, start = self._memory(), time.perf_counter()
        for _ in range(times):
            asyncio.run(read(self._running, "large", 0, last))
        took, after = time.perf_counter() - start, self._memory()
        told = f"{before:.0f} → {after:.0f} MB ({after / before - 1:+.0%}), {took / times * 1e3:.0f} ms each"
        return [(f"{last:,} events read {times} times", told)]

    def watched(self, watchers: int, events: int) -> list[tuple[str, str]]:
        """Many watch while a driver writes, and some open the stream and never read."""
        home = StudyDir(self._running.results / "live")
        number = made(config("genetic", 10, 5), home, 10) or 0
        with Journal(home.journal) as journal:
            number = max(n for n, _ in journal.since(0))

        async def driver() -> None:
            with Journal(home.journal, write=True) as journal:
                for epoch in range(1, events + 1):
                    journal.append(Reported(0, epoch, {"top1": 0.5}))
                    await asyncio.sleep(0.005)

        async def stuck() -> asyncio.StreamWriter:
            host, port = self._running.address.removeprefix("http://").split(":")
            _, writer = await asyncio.open_connection(host, int(port), limit=1)
            request = f"GET /api/v1/studies/large/events HTTP/1.1\r\nHost: {host}:{port}\r\n"
            writer.write(f"{request}Authorization: {self._running.bearer['Authorization']}\r\n\r\n".encode())
            return writer

        async def together() -> None:
            writers = [await stuck() for _ in range(STUCK)]
            tasks = [read(self._running, "live", number, number + events, delays) for _ in range(watchers)]
            await asyncio.gather(*tasks, driver())
            for writer in writers:
                writer.close()

        delays: list[float] = []
        before, cpu = self._memory(), self._cpu()
        asyncio.run(together())
        memory, cost = self._memory() - before, (self._cpu() - cpu) / events / watchers
        late = f"{median(delays):.2f} s late, {max(delays):.2f} s at most"
        told = f"{cost * 1e6:.0f} µs of a core each, {late}; {memory:+.0f} MB"
        return [(f"{events:,} events to {watchers} watchers, and {STUCK} that never read", told)]


def table(smaller: int = 1) -> list[str]:
    """A Markdown table, a row for each figure."""
    individuals, studies = 10_000 // smaller, 500 // smaller
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        results = Path(folder) / "results"
        made(config("genetic", 10, individuals // 5), StudyDir(results / "large"), individuals, EPOCHS)
        made(config("genetic", 10, 5), StudyDir(results / "small"), 30, EPOCHS)
        for n in range(studies - 2):
            shutil.copytree(results / "small", results / f"small-{n}")
        running = outside(results)
        try:
            bench = Bench(running, individuals, studies)
            rows = [*bench.asked(), *bench.reconnects(RECONNECTS // smaller), *bench.watched(WATCHERS // smaller, LIVE)]
        finally:
            running.end()
    return ["| the service | |", "|---|---|", *(f"| {what} | {told} |" for what, told in rows)]


if __name__ == "__main__":
    print("\n".join(table(10 if "--quick" in sys.argv else 1)))

"""Nodes and heads of Ray that are lost, and studies that are told to stop by a signal."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomli_w

from gaopt import PoolConfig, StudyConfig
from gaopt.config import Faults
from gaopt.journal.events import Event, Reported, Retried, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import ROOT, toy
from tests.faults.studies import Tally, below, ends, events, gaopt, left_alone, lost, name, table, trained_twice
from tests.faulty import finished, so_far

BOUND = 60
"""Seconds in which a driver whose Ray has died must have said so, and ended."""


def node_lost(folder: Path, most: int = 5) -> Tally:
    """Nodes of a cluster are killed while they train, and others join in their place."""
    home, alone = StudyDir(folder / "study"), undisturbed(folder)
    with cluster(nodes=2) as there:
        losses = _Losses(there, home, most)
        run(study(address=there.address), home, watch=losses)
    again = [event.reason for event in events(home, Retried)]
    how = f"raylet and workers of a node killed, another joined: {len(again)} trainings begun again"
    right = table(home, "pid") == alone and set(again) == {"node lost"} and len(again) >= losses.done
    return Tally(most, losses.done if right else 0, losses.lost(), how)


def head_lost(folder: Path, most: int = 4) -> Tally:
    """The head of a local cluster, and its raylet, are killed in turn; each time the study is resumed."""
    home, rng, plain, families, seen = (
        StudyDir(folder / "results" / "lost"),
        random.Random(0),
        0,
        list[int](),
        set[int](),
    )
    (folder / "toy.toml").write_text(tomli_w.dumps(study().plain()), "utf-8")
    for kill in range(most):
        begin = ("resume", home.name) if kill else ("run", str(folder / "toy.toml"), "--name", home.name)
        driver = gaopt(home.path.parent, *begin, said=subprocess.PIPE)
        wait_for(home, events=written(home) + rng.randint(3, 12), driver=driver)
        families += (family := list(below(driver.pid)))
        seen |= set(ends(home))
        os.kill(next(pid for pid in family if name(pid) == ("gcs_server", "raylet")[kill % 2]), signal.SIGKILL)
        plain += _stops_in_good_order(driver)
    last = gaopt(home.path.parent, "resume", home.name, said=subprocess.PIPE)
    last.communicate(timeout=BOUND * 5)
    right = last.returncode == 0 and table(home, "pid") == undisturbed(folder) and _all_gone(families)
    how = "gcs_server, raylet: SIGKILL in turn, resumed each time"
    return Tally(most, plain if right else 0, lost(home, seen), how)


def head_of_a_cluster_lost(folder: Path) -> Tally:
    """The head of a cluster that the driver joined is killed; the study is gone on with on this machine alone."""
    home = StudyDir(folder / "results" / "joined")
    (folder / "toy.toml").write_text(tomli_w.dumps(study().plain()), "utf-8")
    with cluster(nodes=1) as there:
        begin = ("run", str(folder / "toy.toml"), "--name", home.name, "--address", there.address)
        driver = gaopt(home.path.parent, *begin, said=subprocess.PIPE)
        wait_for(home, events=8, driver=driver)
        seen = set(ends(home))
        os.kill(there.head_node.all_processes["gcs_server"][0].process.pid, signal.SIGKILL)
        plain = _stops_in_good_order(driver)
    last = gaopt(home.path.parent, "resume", home.name, "--address", "local", said=subprocess.PIPE)
    last.communicate(timeout=BOUND * 5)
    right = plain and last.returncode == 0 and table(home, "pid") == undisturbed(folder)
    return Tally(1, int(right), lost(home, seen), "that of a cluster that was joined, then resumed on this machine")


def study(address: str = "", faults: Faults = Faults()) -> StudyConfig:  # noqa: B008 - frozen
    return replace(
        toy(population=6, generations=3),
        objective="tests.faulty:naps",
        pool=PoolConfig(gpus=0, dashboard=False, address=address),
        faults=faults,
        settings={"settings": {"epochs": 3, "seconds": 0.5}},
    )


def undisturbed(folder: Path) -> str:
    """What becomes of that study where nothing is lost."""
    return table(left_alone(folder, study(), settings={"settings": {"epochs": 3, "seconds": 0.0}}), "pid")


@contextmanager
def cluster(nodes: int) -> Iterator[Any]:
    """A cluster of several nodes on this machine, whose head trains nothing; this process is in none."""
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # as the pool does: no news of nodes on stdout
    import ray
    from ray.cluster_utils import Cluster

    before = os.getcwd()
    os.chdir(ROOT)  # the workers import from here
    there = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(nodes):
            there.add_node(num_cpus=1)
        yield there
    finally:
        ray.shutdown()
        for node in there.list_all_nodes():
            lose(node)
        os.chdir(before)


def lose(node: Any) -> None:
    """As if the machine had lost its power: its workers end with it, which alone would live on for a second or more."""
    for process in node.all_processes.get("raylet", ()):
        raylet = process.process.pid
        with suppress(ProcessLookupError):
            os.kill(raylet, signal.SIGSTOP)  # it begins no worker meanwhile
        for pid in [raylet, *below(raylet)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)


class _Losses:
    """Watches a study, and kills the node of a training as soon as it reports, if it was begun since the last time."""

    def __init__(self, there: Any, home: StudyDir, most: int) -> None:
        self._there, self._home, self._most = there, home, most
        self._begun: set[int] = set()
        self._ended: list[int] = []
        self.done = 0

    def lost(self) -> int:
        """Of the trainings that had ended when a node was lost, how many no journal knows or were made again."""
        after = finished(self._home)
        again = sum(one in after[:had] for had in self._ended for one in after[had:])
        return again + len(set(after) - set(ends(self._home)))

    def __call__(self, history: History, event: Event) -> None:
        if isinstance(event, Started):
            self._begun.add(event.individual)
        elif isinstance(event, Reported) and event.individual in self._begun and self.done < self._most:
            self._lose(event.individual, raylet=_parent(int(event.metrics["pid"])))

    def _lose(self, individual: int, raylet: int) -> None:
        ended = so_far(self._home)
        time.sleep(0.2)  # their last words are on their way
        if individual in so_far(self._home):
            return  # the driver was behind, and nothing of its training is left to lose
        [victim] = [node for node in self._there.worker_nodes if _raylet(node) == raylet]
        lose(victim)
        self._ended.append(len(ended))
        self._there.worker_nodes.remove(victim)
        self._there.add_node(num_cpus=1)
        self._begun.clear()
        self.done += 1


def _stops_in_good_order(driver: subprocess.Popen[str]) -> bool:
    """Whether a driver whose Ray has died ends in time, with a sentence."""
    try:
        out, told = driver.communicate(timeout=BOUND)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.communicate()
        return False
    return driver.returncode == 1 and "go on with: gaopt resume" in told and "Traceback" not in told and not out


def _all_gone(family: list[int]) -> bool:
    """Whether nobody is left of what a driver had started: Ray's agents miss their head after a minute."""
    deadline = time.monotonic() + 90
    while (left := [pid for pid in family if name(pid)]) and time.monotonic() < deadline:
        time.sleep(0.2)
    return not left


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text("utf-8").partition("PPid:")[2].split()[0])


def _raylet(node: Any) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


def wait_for(home: StudyDir, events: int, driver: subprocess.Popen[str]) -> None:
    while written(home) < events and driver.poll() is None:
        time.sleep(0.05)


def written(home: StudyDir) -> int:
    return len(list(Journal(home.journal))) if home.journal.is_file() else 0


SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def all_told(folder: Path) -> Tally:
    """A terminal's Ctrl-C, `timeout`, Slurm and a terminal that is closed tell the driver's workers and Ray as well."""

    def tell(home: StudyDir, driver: subprocess.Popen[str], number: int) -> list[int]:
        before = so_far(home)
        os.killpg(driver.pid, number)
        return before

    return _told(folder, tell, "SIGINT, SIGTERM, SIGHUP in turn to all processes, resumed each time", SIGNALS)


def told_while_behind(folder: Path) -> Tally:
    """The driver was stopped, and its trainings went on, and ended."""

    def tell(home: StudyDir, driver: subprocess.Popen[str], number: int) -> list[int]:
        driver.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        before = so_far(home)
        time.sleep(0.2)  # what it says then is on its way
        driver.send_signal(number)
        driver.send_signal(signal.SIGCONT)
        return before

    return _told(
        folder, tell, "to a driver that is behind with listening: what ended meanwhile has its score", [signal.SIGTERM]
    )


def _told(
    folder: Path, tell: Callable[[StudyDir, subprocess.Popen[str], int], list[int]], how: str, signals: Sequence[int]
) -> Tally:
    """
    Args:
        tell: sends a study's driver a signal, and returns the trainings that had ended before.
    """
    home, rng, plain, gone = StudyDir(folder / "results" / "told"), random.Random(0), 0, 0
    (folder / "toy.toml").write_text(tomli_w.dumps(study().plain()), "utf-8")
    for turn, number in enumerate(signals):
        begin = ("resume", home.name) if turn else ("run", str(folder / "toy.toml"), "--name", home.name)
        driver = gaopt(home.path.parent, *begin, said=subprocess.PIPE, alone=True)
        wait_for(home, events=written(home) + rng.randint(2, 5), driver=driver)
        before = tell(home, driver, number)
        _, told = driver.communicate(timeout=BOUND)
        gone += len(set(before) - set(ends(home)))
        plain += driver.returncode == 128 + number and "go on with: gaopt resume" in told and "Traceback" not in told
    last = gaopt(home.path.parent, "resume", home.name)
    right = last.wait(timeout=BOUND * 5) == 0 and table(home, "pid") == undisturbed(folder)
    return Tally(len(signals), plain if right else 0, gone + trained_twice(home), how)

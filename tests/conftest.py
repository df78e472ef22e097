"""What several test files share."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from gaopt import Gene, Genetic, PoolConfig, Space, StudyConfig
from gaopt.journal.events import Birth, Bred, Event, Failed, Opened, Outcome, Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.strategies.base import Strategy

ROOT = Path(__file__).parent.parent
MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that must be free in memory for the tests' own folders to lie there: a journal syncs at every event, and so do
thousands of tests."""
LONG = ("test_table", "test_cli", "test_contract", "test_comparing", "test_cluster", "test_ray_jobs", "test_nodes")
"""Files that take minutes: begun first, that no process has one to do when the others are through."""

MANY = int(os.environ.get("GAOPT_FUZZ", 0))
"""Inputs of each property; else a few, the same each time."""
settings.register_profile("few", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("many", max_examples=MANY or 1, deadline=None, print_blob=True)
settings.load_profile("many" if MANY else "few")


def pytest_configure(config: pytest.Config) -> None:
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, and some runners, have it ignored, and children inherit that


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(item.path.parent.name)  # unit, integration or faults
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


def space() -> Space:
    return Space(lr=Gene(1e-6, 1e-2, "log"), wd=Gene(0.0, 0.1), mom=Gene(0.1, 1.5))


def toy(objective: str = "valley", **genetic: float) -> StudyConfig:
    """A study that costs nothing."""
    return StudyConfig(
        space=space(),
        objective=f"gaopt.objectives.toy:{objective}",
        strategy="genetic",
        genetic=Genetic(**genetic),  # type: ignore[arg-type]
        pool=PoolConfig(kind="inline"),
    )


def begun(config: StudyConfig, home: StudyDir) -> StudyConfig:
    """A study that was opened, and no more: its config."""
    home.make()
    with Journal(home.journal, write=True) as journal:
        journal.append(Opened(config.plain(), "1", "host", 1))
    return config


def scored(fitnesses: list[float | None]) -> History:
    """A first generation with these fitnesses; None for a failure."""
    births = [Birth(n, {"lr": 1e-3, "wd": 0.01 * n, "mom": 0.5}, "random") for n in range(len(fitnesses))]
    outcomes: list[Outcome] = [
        Failed(n, "diverged", "the loss was nan") if fitness is None else Scored(n, fitness)
        for n, fitness in enumerate(fitnesses)
    ]
    return History([Bred(0, tuple(births)), *outcomes])


def lived(strategy: Strategy, outcome: Callable[[Birth], Outcome], *before: Event) -> list[Event]:
    """All events of a search whose trainings end at once."""
    history, happened = History(before), [*before]
    while decision := strategy.decide(history, 10):
        assert isinstance(decision, Bred)
        for event in (decision, *map(outcome, decision.births)):
            history.add(event)
            happened.append(event)
    return happened


class Live:
    """A pickle of this makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mknod, (str(self.path),)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small networks are too little work for more: threads that wait for each other take most of the time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def home(tmp_path: Path) -> StudyDir:
    return StudyDir(tmp_path / "study")


@pytest.fixture
def dashboards() -> Iterator[None]:
    """For tests about the ports of Ray's dashboard: one at a time, in whatever process it runs."""
    with open(Path(tempfile.gettempdir(), f"gaopt-tests-{os.getuid()}.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(autouse=True, scope="module")
def frozen() -> Iterator[None]:
    """What is there before the tests of a file is not gone over for garbage, as all would be whenever a training fails:
    torch and what comes with it are a million objects."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Studies of a test lie in its own folder."""
    monkeypatch.setenv("GAOPT_RESULTS", str(tmp_path / "results"))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return tmp_path / "results"

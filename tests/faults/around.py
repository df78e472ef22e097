"""What changes around a driver: its clock, its ports, a second driver, the code, data and config of its study."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np
import tomli_w
from PIL import Image

from gaopt import StudyConfig
from gaopt.cli import run as driver
from gaopt.errors import StudyError
from gaopt.journal.events import Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import resolve
from gaopt.study.loop import run
from gaopt.study.progress import progress
from tests.conftest import ROOT, toy
from tests.faults.studies import Tally, ends, events, gaopt, left_alone, lost, on_ray, same, study, table
from tests.faulty import finished

DAY = 86_400


TRUE = time.time


class SetBack:
    """The time, by a clock that is set back a day once it was asked so many times, by whomever."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self) -> float:
        self._left -= 1
        return TRUE() - (DAY if self._left < 0 else 0)


def set_back(folder: Path, most: int = 20) -> Tally:
    """At so many of the events of a search."""
    config = study("sound", population=4, generations=4)
    alone = left_alone(folder, config)
    whole = sum(1 for _ in Journal(alone.journal))
    well = gone = tried = 0
    for after in range(1, whole, max(1, whole // most)):
        home, clock = StudyDir(folder / str(after)), SetBack(after)
        with patch("time.time", clock), patch("gaopt.study.loop.Journal", partial(Journal, clock=clock)):
            begun = time.monotonic()
            history = run(config, home)
        tried += 1
        well += right(home, history, clock, time.monotonic() - begun) and same(home, alone) == len(history.individuals)
        gone += lost(home, finished(home))
    return Tally(tried, well, gone, "during a search, the clock of the driver's process (not the machine's)")


def right(home: StudyDir, history: History, clock: SetBack, lasted: float) -> bool:
    """Whether durations and order are those of a study of so many seconds, though its dates are not."""
    steps = [b.at - a.at for a, b in pairwise(Journal(home.journal))]
    elapsed = progress("set back", history, held=True, now=clock()).elapsed
    ordered = [outcome.individual for _, outcome in history.ends] == [e.individual for e in events(home, Scored)]
    durations = all(0 < i.seconds < lasted for i in history.scored) and 0 < elapsed <= lasted + 0.1
    return min(steps) < 1 - DAY and ordered and durations


def taken(folder: Path, times: int = 2) -> Tally:
    """All ports are taken of which the dashboard takes one; three stand for its own, which others free meanwhile."""
    config = on_ray(study("sound", population=2))
    alone, before, well, gone = left_alone(folder, config), os.getcwd(), 0, 0
    os.chdir(ROOT)
    with ExitStack() as held:
        held.callback(os.chdir, before)
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        ports = [server.getsockname()[1] for server in servers]
        held.enter_context(patch("gaopt.execution.ray.dashboard.DASHBOARD", ports))
        for number in range(times):
            home = StudyDir(folder / str(number))
            with closing(driver.open_pool(config, resolve(config.objective), lambda: None)) as pool:
                run(config, home, pool=pool)
                well += not pool.dashboard and same(home, alone) == 2
            gone += lost(home, finished(home))
    return Tally(times, well, gone, "a server on each port that the dashboard may take")


def lasting() -> StudyConfig:
    """One study for both drivers; the first takes its time."""
    return study("sound", population=6, generations=10)


def two_drivers(folder: Path, times: int = 10) -> Tally:
    """A driver in a process of its own, a second one beside it, the first killed, the second again."""
    alone = StudyDir(folder / "alone")
    run(lasting(), alone)
    survived = gone = 0
    for number in range(times):
        home = StudyDir(folder / str(number))
        holder = subprocess.Popen([sys.executable, "-m", "tests.faults.around", home.path], cwd=ROOT)
        done = _begun(home, number % 5 + 1, holder)
        told = _told(home)
        holder.kill()
        holder.wait()
        run(lasting(), home)
        survived += told == f"process {holder.pid} on {socket.gethostname()}" and table(home) == table(alone)
        gone += lost(home, done)
    return Tally(times, survived, gone, "a second process takes up a study that runs; then the first is killed")


def _begun(home: StudyDir, scores: int, holder: subprocess.Popen[bytes]) -> list[int]:
    """Wait until the trainings of so many individuals have ended; who they are."""
    while not home.journal.is_file() or len(done := ends(home)) < scores:
        assert holder.poll() is None
        time.sleep(0.01)
    return done


def _told(home: StudyDir) -> str:
    """Who holds a study, as a second driver reads it; "" if nothing stops it."""
    try:
        run(lasting(), home)
    except StudyError as error:
        return str(error).rpartition(" is in use by ")[2]
    return ""


CODE = "def score(task, report):\n    return task.genes['lr'] * {factor}\n"


def command(folder: Path, *arguments: str) -> tuple[int, str]:
    """`gaopt` in a folder, with what lies in it: its exit code, and what it said on stderr."""
    process = gaopt(folder / "results", *arguments, cwd=folder, said=subprocess.PIPE)
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def code(folder: Path) -> Tally:
    def change(folder: Path) -> None:
        (folder / "mine.py").write_text(CODE.format(factor=2))

    return _row(folder, _code, change, "other code mine").called("an objective's code")


def config(folder: Path) -> Tally:
    told = "settings.colour = 'red', now it is 'blue'"
    return _row(folder, _code, _by_hand, told).called("config.toml by hand")


def data(folder: Path) -> Tally:
    return _row(folder, _images, _pixel, "other data").called("one pixel of an image")


def _row(folder: Path, begin: Callable[[Path], list[str]], change: Callable[[Path], object], said: str) -> Tally:
    """A finished study, then one thing changed, then gone on with to one more generation."""
    ended, why = command(folder, "run", *begin(folder), "--name", "mine")
    assert ended == 0, why
    home = StudyDir(folder / "results" / "mine")
    before = home.journal.read_bytes()
    seen = ends(home)
    change(folder)
    refused, why = command(folder, "resume", "mine", "--generations", "3")
    untouched = home.journal.read_bytes() == before
    allowed, _ = command(folder, "resume", "mine", "--generations", "3", "--allow-changed")
    history = History(Journal(home.journal))
    fine = refused == 2 and said in why and untouched and allowed == 0
    recorded = any(said in what for opened, _ in history.openings for what in opened.changed)
    return Tally(1, int(fine and recorded), lost(home, seen), "")


def _code(folder: Path) -> list[str]:
    (folder / "mine.py").write_text(CODE.format(factor=1))
    config = toy(population=4, generations=2)
    mine = replace(config, objective="mine:score", settings={"settings": {"colour": "red"}})
    (folder / "mine.toml").write_text(tomli_w.dumps(mine.plain()), "utf-8")
    return ["mine.toml"]


def _images(folder: Path) -> list[str]:
    rng = np.random.default_rng(0)
    for number in range(24):
        place = folder / "images" / f"class{number % 2}" / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8) // (number % 2 + 1)).save(place)
    small = ("assisted.population=2", "assisted.generations=2")
    keys = ("data.size=8", "data.limit=0", "net.name=resnet20", "recipe.epochs=1", "recipe.batch=8", "recipe.crop=0")
    sets = [part for key in (*small, *keys, "pool.kind=inline") for part in ("--set", key)]
    return ["images", "--data", "images", *sets]


def _pixel(folder: Path) -> None:
    path = folder / "images" / "class0" / "0.png"
    pixels = np.array(Image.open(path))
    pixels[0, 0] ^= 255
    Image.fromarray(pixels).save(path)


def _by_hand(folder: Path) -> None:
    path = folder / "results" / "mine" / "config.toml"
    path.write_text(path.read_text("utf-8").replace('"red"', '"blue"'))


if __name__ == "__main__":
    # It must last longer, by far, than a second driver waits for the lock.
    run(lasting(), sys.argv[1], watch=lambda *_: time.sleep(0.1))

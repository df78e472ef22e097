"""Code, data or config changed before a resume: refused with what changed, or, where allowed, written down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from gaopt.history import History
from gaopt.home import Home
from gaopt.journal import Journal
from tests.conftest import ROOT
from tests.reliability.row import Tally

CODE = "def score(task, report):\n    return task.genes['lr'] * {factor}\n"
TOY = """
[study]
objective = "mine:score"
strategy = "genetic"
[genetic]
population = 4
generations = 2
[pool]
kind = "inline"
[settings]
colour = "red"
[space.lr]
low = 0.1
high = 1.0
"""


def gaopt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in a folder, with what lies in it."""
    places = {"PYTHONPATH": str(ROOT), "GAOPT_RESULTS": str(folder / "results")}
    command, environment = [sys.executable, "-m", "gaopt", *arguments], {**os.environ, **places}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def something_changed(folder: Path, what: Iterable[str] = ("code", "config", "data")) -> Tally:
    """A finished study each, then one thing changed, then gone on with to one more generation."""
    tallies = [_row(folder / name, *CHANGES[name]) for name in what]
    return sum(tallies, Tally(0, 0, 0, "")).called("an objective's code; config.toml by hand; one pixel of an image")


def _row(folder: Path, begin: Callable[[Path], list[str]], change: Callable[[Path], object], said: str) -> Tally:
    folder.mkdir(parents=True)
    begun = gaopt(folder, "run", *begin(folder), "--name", "mine")
    assert begun.returncode == 0, begun.stderr
    home = Home(folder / "results" / "mine")
    before = home.journal.read_bytes()
    done = len(History(Journal(home.journal)).scored)
    change(folder)
    refused = gaopt(folder, "resume", "mine", "--generations", "3")
    untouched = home.journal.read_bytes() == before
    allowed = gaopt(folder, "resume", "mine", "--generations", "3", "--allow-changed")
    history = History(Journal(home.journal))
    fine = refused.returncode == 2 and said in refused.stderr and untouched and allowed.returncode == 0
    recorded = any(said in what for opened, _ in history.openings for what in opened.changed)
    return Tally(1, int(fine and recorded), max(0, done - len(history.scored)), "")


def _code(folder: Path) -> list[str]:
    (folder / "mine.py").write_text(CODE.format(factor=1))
    (folder / "mine.toml").write_text(TOY)
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


CHANGES = {
    "code": (_code, lambda folder: (folder / "mine.py").write_text(CODE.format(factor=2)), "other code mine"),
    "config": (_code, _by_hand, "settings.colour = 'red', now it is 'blue'"),
    "data": (_images, _pixel, "other data"),
}

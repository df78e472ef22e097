"""Code, data or config changed before a resume: refused with what changed, or, where allowed, written down."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import tomli_w
from PIL import Image

from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from tests.conftest import toy
from tests.ends import ends, lost
from tests.faults.row import Tally
from tests.processes import gaopt

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

"""The folder of a study, and of a comparison: every path in it is spelled here."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from gaopt.errors import StudyError
from gaopt.journal.atomic_write import abandoned, replace_file, tidy

_BEGUN = {"study.lock", "study.db.part", "study.db.part-journal", "notes.json"}
"""All that a driver leaves which was killed before its study had an event, or its comparison a plan; and parts; and
notes on a study that waits in a service's queue."""

_WRITTEN = ("study.*", "work/*", "work/*/*.safetensors*")
"""What is written in place, or removed. Other links in its own folder an objective may have made itself."""


@dataclass(frozen=True)
class StudyDir:
    """The folder of one study."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def handle(self) -> str:
        """What it is found by on a command line: its name, or the path of one that lies elsewhere."""
        return self.name if self.path.parent == results() else str(self.path)

    @property
    def journal(self) -> Path:
        return self.path / "study.db"

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def weights(self) -> Path:
        return self.path / "best.safetensors"

    @property
    def best(self) -> Path:
        return self.path / "best.json"

    @property
    def predictions(self) -> Path:
        """What the best model makes of each test image."""
        return self.path / "predictions.csv"

    @property
    def examples(self) -> Path:
        """The test images of which a report shows what the best model makes."""
        return self.path / "examples.json"

    @property
    def final(self) -> StudyDir:
        """The study in which the best setting is trained again: `gaopt finish`."""
        return StudyDir(self.path / "final")

    @property
    def finished(self) -> Path:
        """Of such a study: what came of it, and which of its models are used."""
        return self.path / "finished.json"

    def model(self, individual: int) -> StudyDir:
        """Of such a study: a folder with the model of an individual, as that of a search has its best."""
        return StudyDir(self.path / "models" / str(individual))

    @property
    def outputs(self) -> Path:
        """Of such a model: its probabilities for each test image, and their labels."""
        return self.path / "test.safetensors"

    @property
    def notes(self) -> Path:
        """What people wrote of the study on the service's page."""
        return self.path / "notes.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def interactive(self) -> Path:
        """The service's page of the study as one file."""
        return self.path / "interactive.html"

    @property
    def markdown(self) -> Path:
        return self.path / "report.md"

    def table(self, name: str) -> Path:
        """One of individuals, generations, epochs, cycle."""
        return self.path / f"{name}.csv"

    def figure(self, name: str) -> Path:
        """A figure as a file of its own, for report.md."""
        return self.path / "figures" / f"{name}.svg"

    def export(self, name: str) -> Path:
        """The folder of an export, by its format."""
        return self.path / "export" / name

    def lr_find(self, kind: str) -> Path:
        """What a range test leaves in a folder of its own: its figure (svg), all of it (json)."""
        return self.path / f"lr-find.{kind}"

    def scratch(self, individual: int) -> Path:
        """What an individual needs to go on, or to be judged: its checkpoint and weights."""
        return self.path / "work" / str(individual)

    def check_readable(self) -> None:
        """Refuse a folder into which this user may not look, by a StudyError."""
        try:
            check_listable(self.path)
        except OSError as error:
            raise StudyError(f"{self.path} cannot be read: {error.strerror}") from None

    def check_new(self) -> None:
        """Refuse a folder that holds anything but the traces of a driver killed before its first event.

        Raises:
            StudyError: something lies there that no driver left which was killed before its first event.
        """
        self.check_readable()
        if self.path.exists() and not (self.path.is_dir() and all(map(_begun, self.path.iterdir()))):
            raise StudyError(f"{self.path} exists and is no study: give another name")

    def make(self) -> None:
        """Make the folder if it is not there.

        Raises:
            StudyError: it cannot be made, or a link in it leads out of it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyError(f"the folder {self.path} cannot be made: {error.strerror}") from error
        self.check_links()

    def check_links(self) -> None:
        """A study that came from elsewhere could lead anywhere what is written and removed in it.

        Raises:
            StudyError: a link leads out of it, or a pipe, a device or a folder is where a file should be.
        """
        folders = (self.path / "figures", self.path / "work")  # which may be links to nothing: glob passes over such
        for path in (*folders, *(path for pattern in _WRITTEN for path in self.path.glob(pattern))):
            self.inside(path)
            if path.exists() and not (path.is_file() or path.is_dir()):
                raise StudyError(f"{path} is a pipe or a device: remove it")
        if self.config.is_dir():
            raise StudyError(f"{self.config} is a folder: remove it")

    def inside(self, path: Path) -> Path:
        """A path below the study's folder, if no link leads it out of there.

        Raises:
            StudyError: one does, or leads round in a circle.
        """
        real = Path(os.path.realpath(path))  # Path.resolve raises where it goes round in a circle
        if not real.is_relative_to(os.path.realpath(self.path)):
            raise StudyError(f"{path} leads out of the study, to {real}: remove the link")
        if real.is_symlink():
            raise StudyError(f"{path} leads round in a circle: remove the link")
        return path

    def write(self, path: Path, text: str) -> None:
        """Replace a file whole, in a folder that is made if need be: a reader, or a kill, never sees half of it.

        Raises:
            Unwritable: there is no room, say. The file is as it was.
            StudyError: a link leads out of the study.
        """
        self.inside(path.parent)
        replace_file(path, text)

    def tidy(self) -> None:
        """Remove what processes left that were killed while they wrote a file."""
        for folder in (self.path, self.path / "figures"):
            tidy(folder)

    def sweep(self, individuals: Container[int], keep: Container[int] = ()) -> None:
        """Remove the scratch folders of these individuals, but for those to keep."""
        work = self.path / "work"
        for folder in work.iterdir() if os.access(work, os.R_OK | os.X_OK) and not work.is_symlink() else ():
            if folder.name.isdecimal() and int(folder.name) in individuals and int(folder.name) not in keep:
                shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class ComparisonDir(StudyDir):
    """The folder of a comparison: its searches and its finals are studies below it."""

    @property
    def plan(self) -> Path:
        """What is compared, as TOML."""
        return self.path / "comparison.toml"

    def finals(self, seed: int) -> StudyDir:
        return StudyDir(self.inside(self.path / "finals" / str(seed)))

    def search(self, method: str, seed: int) -> StudyDir:
        return StudyDir(self.inside(self.path / "searches" / f"{method}-{seed}"))


def results() -> Path:
    """Where studies lie: GAOPT_RESULTS, or results/ under the current folder."""
    return Path(os.path.expanduser(os.environ.get("GAOPT_RESULTS") or "results"))


def check_listable(folder: Path) -> None:
    """Raise a PermissionError for a folder into which this user may not look: what is there would seem not to be."""
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _begun(path: Path) -> bool:
    """Whether a driver may have left it that was killed before there was anything to go on with."""
    return path.name in _BEGUN or abandoned(path)

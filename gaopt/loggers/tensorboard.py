"""TensorBoard: curves as they grow, and the tab HParams."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaopt.config import from_tables
from gaopt.export import tensorboard as written
from gaopt.export.trials import Trial, value_name
from gaopt.journal.events import Closed
from gaopt.journal.individual import Individual
from gaopt.loggers.base import Logger

if TYPE_CHECKING:
    from gaopt.api.study import Study


@dataclass
class _Run:
    folder: Path
    started: float
    writer: Any

    def write(self, *events: Any) -> None:
        for event in events:
            self.writer.write(event.SerializeToString())
        self.writer.flush()


class TensorBoard(Logger):
    """Writes a run per individual (`i13`) and the best so far; open it with `tensorboard --logdir FOLDER`.

    Args:
        folder: by default results/STUDY/tensorboard.

    Examples:
        >>> gaopt.search(objective, space, name="mine", callbacks=[gaopt.loggers.TensorBoard()])
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        super().__init__()
        self._folder, self._metrics = folder, dict[str, None]()

    def open(self, study: Study) -> _Run:
        self._root = Path(self._folder or study.path / "tensorboard")
        self._space = from_tables(study.history.config).space
        self._metrics = {value_name(study.history): None}
        return self._new(self._root, study.history.updated)

    def _new(self, folder: Path, at: float, *events: Any) -> _Run:
        run = _Run(folder, at, written.records(folder, at, events))
        run.writer.flush()
        return run

    def begin(self, study: Study, individual: Individual) -> _Run:
        folder = self._root / f"i{individual.id}"
        for old in folder.glob("events.out.tfevents.*.gaopt"):
            old.unlink()  # of a training that was stopped: its epochs come again
        return self._new(folder, individual.started, written.begun(individual, self._space, individual.started))

    def log(self, run: _Run, at: float, step: int, metrics: Mapping[str, float]) -> None:
        run.write(written.scalars(at, metrics, step))

    def end(self, run: _Run, trial: Trial) -> None:
        run.write(*written.ended(trial, run.started))
        run.writer.close()
        if new := trial.metrics.keys() - self._metrics.keys():
            self._metrics |= dict.fromkeys(sorted(new))
            self._study.write(written.experiment(self._space, self._metrics, run.started))

    def close(self, run: _Run, study: Study, event: Closed) -> None:
        run.writer.close()

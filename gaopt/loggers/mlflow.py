"""MLflow: a parent run for the study, and below it a run for each training."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaopt.export.mlflow import BATCH, SqlAlchemyStore, keys, milliseconds
from gaopt.export.place import database
from gaopt.export.trials import Trial, cell
from gaopt.journal.events import Closed
from gaopt.journal.individual import Individual
from gaopt.loggers.base import Logger

if TYPE_CHECKING:
    from gaopt.api.study import Study

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # 7 hold a search up for 4 minutes if nobody answers

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

STATUS = {"COMPLETE": "FINISHED", "PRUNED": "FINISHED", "FAIL": "FAILED"}
"""Of a training; of one that was stopped KILLED."""


class MLflow(Logger):
    """Writes an experiment with a run of the study, and below it one for each training.

    Args:
        tracking_uri: of the server or the file; by default MLFLOW_TRACKING_URI, else an SQLite file,
            results/STUDY/mlflow/mlflow.db, to be opened with `mlflow ui --backend-store-uri sqlite:///…/mlflow.db`.
        experiment: its name; by default the study's.

    Examples:
        >>> gaopt.search(objective, space, name="mine", callbacks=[gaopt.loggers.MLflow("http://localhost:5000")])
    """

    def __init__(self, tracking_uri: str | None = None, experiment: str | None = None) -> None:
        super().__init__()
        self._uri, self._name = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI"), experiment

    def open(self, study: Study) -> str:
        self._client: Any = MlflowClient(self._uri or _file(study.path / "mlflow" / "mlflow.db"))
        name = self._name or study.name
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name)
        own = f"attributes.run_name = '{study.name}' and tags.gaopt = 'study'"
        for run in self._client.search_runs([self._experiment], own, max_results=1):
            self._client.update_run(run.info.run_id, "RUNNING")
            return str(run.info.run_id)
        config = study.history.config
        tags = {"gaopt": "study", **{key: str(config["study"].get(key)) for key in ("objective", "strategy", "seed")}}
        return self._begin(study.name, study.history.created, tags)

    def _begin(self, name: str, at: float, tags: Mapping[str, str]) -> str:
        run = self._client.create_run(self._experiment, milliseconds(at), dict(tags), name)
        return str(run.info.run_id)

    def begin(self, study: Study, individual: Individual) -> str:
        birth = individual.birth
        tags = {"mlflow.parentRunId": self._study, "generation": str(individual.generation), "origin": birth.origin}
        tags["parents"] = " ".join(map(str, birth.parents))
        run = self._begin(f"i{individual.id}", individual.started, tags)
        self._client.log_batch(run, (), [Param(*each) for each in _renamed(individual.genes, str)])
        return run

    def log(self, run: str, at: float, step: int, metrics: Mapping[str, float]) -> None:
        values = [Metric(name, value, milliseconds(at), step) for name, value in _renamed(metrics)]
        for start in range(0, len(values), BATCH):
            self._client.log_batch(run, values[start : start + BATCH])

    def end(self, run: str, trial: Trial) -> None:
        at = trial.ended or 0.0
        if trial.value is not None:
            self.log(run, at, trial.individual.epoch or 1, {trial.score: trial.value} | trial.late)
        for key in ("reason", "message"):
            if key in trial.about:
                self._client.set_tag(run, key, str(cell(trial.about[key])))
        self._client.set_terminated(run, STATUS.get(trial.state, "KILLED"), milliseconds(at) if at else None)

    def close(self, run: str, study: Study, event: Closed) -> None:
        if study.progress.best:
            best = study.best
            self._client.set_tag(run, "best", f"i{best.id}")
            for name, value in _renamed(best.genes, str):
                self._client.set_tag(run, f"best.{name}", value)
        ended = {"finished": "FINISHED", "interrupted": "KILLED"}.get(event.reason, "FAILED")
        self._client.set_terminated(run, ended, milliseconds(event.at))


def _renamed(values: Mapping[str, Any], as_what: Any = float) -> list[tuple[str, Any]]:
    """By names as MLflow allows them."""
    return [(name, as_what(value)) for name, value in zip(keys(values).values(), values.values(), strict=True)]


def _file(path: Path) -> str:
    """The address of an SQLite file, made if it is not there: as the export does it, that takes a second."""
    if not path.exists():
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        path.parent.mkdir(parents=True, exist_ok=True)
        with database(path, lambda url: SqlAlchemyStore(url, "mlflow-artifacts:/")):
            pass
    return f"sqlite:///{path.absolute()}"

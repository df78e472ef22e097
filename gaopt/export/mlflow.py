"""A study for MLflow: its tracking store as an SQLite file, with one experiment, and in it a run per individual.

Runs have no artifacts. Where they would be is "mlflow-artifacts:", the place of whoever serves the file: by default
MLflow would write down the current folder.
"""

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read on import: an export calls nobody

from mlflow.entities import ExperimentTag, Metric, Param, RunStatus, RunTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from gaopt.export.place import database
from gaopt.export.trials import State, Trial, Trials, cell

STATUS: dict[State, int] = {"FAIL": RunStatus.FAILED, "RUNNING": RunStatus.RUNNING}
"""Of all others FINISHED: the tag "state" tells those on a rung from the rest."""
BATCH = 100  # of parameters, as many as MLflow takes at once; it takes more metrics


def write(study: Trials, folder: Path) -> None:
    """Write mlflow.db. Individuals that were never begun are left out."""
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    with database(folder / "mlflow.db", lambda url: SqlAlchemyStore(url, "mlflow-artifacts:/")) as store:
        tags = [ExperimentTag(key, str(value)) for key, value in study.about.items()]
        experiment = store.create_experiment(study.name, tags=tags)
        runs: dict[int, str] = {}
        params, metrics = keys(study.space), keys(study.metrics, taken=(study.score,))
        for trial in study.trials:
            if trial.state != "WAITING":
                runs[trial.individual.id] = _run(store, experiment, study, trial, runs)
                _log(store, runs[trial.individual.id], trial, params, metrics)


def _run(store: Any, experiment: str, study: Trials, trial: Trial, runs: dict[int, str]) -> str:
    tags = {"state": trial.state} | {key: str(cell(value)) for key, value in trial.about.items()}
    if trial.individual.id == study.best:
        tags["best"] = "true"
    if trial.parent is not None:
        tags["mlflow.parentRunId"] = runs[trial.parent]  # shown below the finalist
    started = milliseconds(trial.started or trial.ended)
    named = [RunTag(key, value) for key, value in tags.items()]
    return str(store.create_run(experiment, "", started, named, f"i{trial.individual.id}").info.run_id)


def _log(store: Any, run: str, trial: Trial, params: dict[str, str], metrics: dict[str, str]) -> None:
    values = [
        Metric(metrics[name], value, milliseconds(report.at), epoch)
        for epoch, report in sorted(trial.individual.reports.items())
        for name, value in report.metrics.items()
    ]
    if trial.value is not None:
        end = {trial.score: trial.value} | {metrics[name]: value for name, value in trial.late.items()}
        last = max(trial.individual.reports, default=0)
        values += [Metric(key, value, milliseconds(trial.ended), last) for key, value in end.items()]
    genes = [Param(params[name], str(value)) for name, value in trial.individual.genes.items()]
    for start in range(0, max(len(genes), len(values)), BATCH):
        store.log_batch(run, values[start : start + BATCH], genes[start : start + BATCH], [])
    ended = None if trial.state == "RUNNING" else milliseconds(trial.ended)
    store.update_run_info(run, STATUS.get(trial.state, RunStatus.FINISHED), ended, None)


def keys(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Each name as MLflow allows one, no two alike: letters, digits, and a few signs between them."""
    keys: dict[str, str] = {}
    for name in names:
        key = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).lstrip(".") or "_"
        while key in (*keys.values(), *taken):
            key += "_"
        keys[name] = key
    return keys


def milliseconds(seconds: float | None) -> int:
    return round(1000 * (seconds or 0.0))

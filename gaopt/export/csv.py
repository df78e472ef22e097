"""A study as tables: those of the report, and one of trials as Optuna's `trials_dataframe` has it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gaopt.export.trials import Trial, Trials, cell
from gaopt.report import tables


def write(study: Trials, folder: Path) -> None:
    """Write individuals.csv, generations.csv, epochs.csv, cycle.csv, and trials.csv."""
    for table in tables.ALL:
        (folder / f"{table.__name__}.csv").write_text(tables.csv(table(study.history)), "utf-8")
    rows = [_row(trial) for trial in study.trials]
    attributes = list(dict.fromkeys(name for row in rows for name in row if name.startswith("user_attrs_")))
    first = ("number", "value", "datetime_start", "datetime_complete", "duration")
    columns = [*first, *(f"params_{name}" for name in study.space), *attributes, "state"]
    (folder / "trials.csv").write_text(tables.csv(rows, columns), "utf-8")


def _row(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.individual.id,
        "value": trial.value,
        "datetime_start": _time(trial.started),
        "datetime_complete": _time(trial.ended),
        "duration": _duration(trial),
        **{f"params_{name}": value for name, value in trial.individual.genes.items()},
        **{f"user_attrs_{name}": cell(value) for name, value in trial.known.items()},
        "state": trial.state,
    }


def _time(seconds: float | None) -> str:
    """With its zone: a file may be read elsewhere."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(" ", "microseconds")


def _duration(trial: Trial) -> str:
    """As pandas writes one: "0 days 00:01:02.500000"."""
    if trial.started is None or trial.ended is None:
        return ""
    lasted = timedelta(seconds=max(0.0, trial.ended - trial.started))
    return f"{lasted.days} days {datetime.min + lasted % timedelta(days=1):%H:%M:%S.%f}"

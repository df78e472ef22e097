"""Loggers, each read back as its tool does."""

import json
import struct
import sys
import time
import types
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import gaopt
from gaopt import Choice, Gene, Space, Study, loggers
from gaopt.cli import cli
from gaopt.errors import BadInput
from gaopt.journal.events import Event, Started
from gaopt.objectives.base import Report, Score, Task
from tests.unit.test_export import hparams, in_folder

SPACE = Space(lr=Gene(1e-4, 1e-1, "log"), optimizer=Choice(("sgd", "adam")))


def train(task: Task, report: Report) -> Score:
    for epoch in (1, 2, 3):
        report(epoch, {"valid loss": task.genes["lr"] / epoch})
    if task.individual == 2:
        raise ValueError("bad")
    return Score(task.genes["lr"], {"final": 1.0})


class Interrupt:
    """Stops a search once, with a training running."""

    at = 4

    def on_event(self, study: Study, event: Event) -> None:
        if isinstance(event, Started) and event.individual == self.at:
            self.at = -1
            raise KeyboardInterrupt


def searched(*callbacks: Any) -> Study:
    """Interrupted with four trained, and gone on with."""
    interrupt = Interrupt()
    for _ in range(2):
        try:
            study = gaopt.search(
                train, SPACE, 6, name="mine", minimize=True, callbacks=[*callbacks, interrupt], progress=False
            )
        except KeyboardInterrupt:
            assert len(gaopt.open("mine").history.scored) == 3
    return study


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


def test_tensorboard_has_a_run_an_individual_and_the_best_so_far(results: Path) -> None:
    board = loggers.TensorBoard()
    study = searched(board)
    folder = results / "mine" / "tensorboard"
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {f"i{n}" for n in range(6)}
    for id, individual in study.history.individuals.items():
        version, begun, *points, end = in_folder(folder / f"i{id}")
        assert version.file_version == "brain.Event:2"
        assert hparams(begun).session_start_info.hparams["lr"].number_value == individual.genes["lr"]
        assert [point.step for point in points] == ([1, 2, 3] if id == 2 else [1, 2, 3, 3])
        assert hparams(end).session_end_info.status == (2 if id == 2 else 1)
        if id != 2:
            assert {v.tag for v in points[-1].summary.value} == {"hparam/value", "final"}
    best = [value.simple_value for path in sorted(folder.glob("events*")) for value in _scalars(path, "best")]
    assert best[-1] == pytest.approx(study.best.value)


def _scalars(path: Path, tag: str) -> Iterator[Any]:
    from tests.unit.test_export import records

    for record in records(path):
        yield from (value for value in record.summary.value if value.tag == tag)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of SQLAlchemy, at what MLflow does with it
def test_mlflow_has_a_parent_run_and_one_below_it_for_each_training(results: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: pip install 'gaopt[mlflow]'")
    study = searched(loggers.MLflow())
    client = mlflow.MlflowClient(f"sqlite:///{results}/mine/mlflow/mlflow.db")
    (experiment,) = [each for each in client.search_experiments() if each.name == "mine"]
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if run.info.run_name == "mine"]
    assert (parent.info.status, parent.data.tags["best"]) == ("FINISHED", f"i{study.best.id}")
    assert parent.data.metrics["best"] == study.best.value
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    found = sorted((run.info.run_name, run.info.status) for run in children)
    done = [(f"i{n}", "FAILED" if n == 2 else "FINISHED") for n in range(6)]
    assert found == sorted([*done, ("i4", "KILLED")])
    first = next(run for run in children if run.info.run_name == "i0")
    assert first.data.params == {name: str(value) for name, value in study.history.individuals[0].genes.items()}
    assert first.data.metrics["value"] == study.history.individuals[0].genes["lr"]
    assert [(m.step, m.value) for m in client.get_metric_history(first.info.run_id, "valid_loss")] == [
        (epoch, report.metrics["valid loss"]) for epoch, report in study.history.individuals[0].reports.items()
    ]
    (failed,) = [run for run in children if run.info.status == "FAILED"]
    assert "bad" in failed.data.tags["message"]


def test_weights_and_biases_has_a_group_with_a_run_for_each_training(results: Path) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    study = searched(loggers.WandB("trials", mode="offline"))
    files, deadline = sorted((results / "mine" / "wandb").glob("offline-run-*/run-*.wandb")), time.monotonic() + 30
    while (runs := [_offline(path) for path in files]) and not all("exit" in run for run in runs):
        assert time.monotonic() < deadline, "another process writes the files"
        time.sleep(0.1)
    assert {(run["run"].run_group, run["run"].project) for run in runs} == {("mine", "trials")}
    names = sorted((run["run"].display_name, run["exit"].exit_code) for run in runs)
    assert names == sorted([*((f"i{n}", int(n == 2)) for n in range(6)), ("i4", 1), ("mine", 0), ("mine", 1)])
    first = next(run for run in runs if run["run"].display_name == "i0")
    assert {each.key: json.loads(each.value_json) for each in first["run"].config.update}["lr"] == (
        study.history.individuals[0].genes["lr"]
    )
    assert [step["_step"] for step in first["history"]] == [1, 2, 3]
    assert first["history"][-1]["value"] == study.history.individuals[0].genes["lr"]


def _offline(path: Path) -> dict[str, Any]:
    """What a run left on the disk: records in the format of LevelDB's log, none of them over a block's end."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, found = path.read_bytes(), 7, {"history": []}
    while at + 7 <= len(data):
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        assert kind == 1
        if at + 7 + length > len(data):
            break
        record, at = Record.FromString(data[at + 7 : at + 7 + length]), at + 7 + length
        if record.HasField("history"):
            items = record.history.item
            found["history"].append({"".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items})
        for name in ("run", "exit"):
            if record.HasField(name):
                found[name] = getattr(record, name)
    return found


def test_trackio_has_a_run_for_each_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a stand-in with the one trait of trackio's that matters: `init` ends the last run of its context."""
    current: ContextVar[Any] = ContextVar("current", default=None)
    runs: list[Any] = []

    class Run:
        def __init__(self, **options: Any) -> None:
            self.options, self.logged, self.ended = options, [], False

        def log(self, metrics: dict, step: int | None = None) -> None:
            assert not self.ended
            self.logged.append((step, metrics))

        def finish(self) -> None:
            self.ended = True

    def init(project: str, name: str, group: str, config: dict, resume: str, embed: bool) -> Run:
        if current.get():
            current.get().finish()
        print("* Trackio project initialized:", project)
        runs.append(Run(name=name, group=group, config=config))
        current.set(runs[-1])
        return runs[-1]

    module = types.ModuleType("trackio")
    module.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    module.init = init  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trackio", module)
    study = searched(loggers.Trackio("trials"))
    assert [run.options["name"] for run in runs] == (
        ["mine", "mine-i0", "mine-i1", "mine-i2", "mine-i3", "mine-i4", "mine", "mine-i4", "mine-i5"]
    )
    assert {run.options["group"] for run in runs} == {"mine"}
    assert all(run.ended for run in runs)
    lr = study.history.individuals[0].genes["lr"]
    assert runs[1].logged[-1] == (3, {"value": lr, "final": 1.0})
    assert "bad" in runs[3].logged[-1][1]["message"]
    assert runs[6].logged[-1] == (
        None,
        {"best": study.best.value, "best_individual": study.best.id, **study.best.genes},
    )


def test_a_verb_writes_what_it_is_told_to(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("toy.toml").write_text(
        '[study]\nobjective = "gaopt.objectives.toy:sphere"\nstrategy = "genetic"\n[space.x]\nlow = 0.0\nhigh = 1.0\n'
        '[genetic]\npopulation = 2\ngenerations = 2\n[pool]\nkind = "inline"\n'
    )
    done = CliRunner().invoke(cli, ["run", "toy.toml", "--name", "toy", "--log", "tensorboard"])
    assert done.exit_code == 0, done.output
    assert len(list((results / "toy" / "tensorboard").glob("i*"))) == 3
    done = CliRunner().invoke(cli, ["resume", "toy", "--generations", "3", "--log", "tensorboard"])
    assert done.exit_code == 0, done.output
    assert len(list((results / "toy" / "tensorboard").glob("i*"))) == 4
    monkeypatch.setattr(loggers, "find_spec", lambda name: None)
    done = CliRunner().invoke(cli, ["run", "toy.toml", "--name", "other", "--log", "mlflow"])
    assert isinstance(done.exception, BadInput)
    assert "mlflow is not installed, and the logger MLflow needs it: pip install" in str(done.exception)
    assert not (results / "other").exists()

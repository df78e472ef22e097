"""A study in the formats of other tools, read back with what those tools read it with."""

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState

from gaopt import export
from gaopt.config import Genetic, PoolConfig, StudyConfig
from gaopt.export import trials
from gaopt.export.optuna import distribution
from gaopt.journal.events import Birth, Bred, Closed, Event, Failed, Judged, Opened, Reported, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.space.gene import Choice, Gene
from gaopt.space.space import Space
from tests.conftest import ROOT
from tests.integration.test_cli import invoke
from tests.unit.test_report_kinds import ADAM, SPACE, again, births, rungs, trained


def config(**changed: Any) -> StudyConfig:
    made = StudyConfig(SPACE, "gaopt.objectives.toy:valley", "genetic", genetic=Genetic(4, 1))
    return replace(made, pool=PoolConfig("inline"), **changed)


def mixed() -> list[Event]:
    """One scored and judged, one failed, one running, one waiting."""
    opened = Opened(config().plain(), "0.4.0", "a-host", 1)
    started = [Started(0), Started(1), Started(2)]
    failed = Failed(1, "diverged", "the loss was nan", 1.5)
    return [opened, Bred(0, births()), *started, *trained(0, 0.75), failed, Judged(0, {"top1": 0.7})]


def clocked(events: list[Event]) -> Iterator[Event]:
    return (replace(event, at=1_700_000_000.0 + n) for n, event in enumerate(events))


def history(events: list[Event]) -> History:
    return History(clocked(events))


def opened_with_optuna(study: trials.Trials, folder: Path) -> optuna.Study:
    path = export.write(study, "optuna", folder / "made")
    return optuna.load_study(study_name=study.name, storage=f"sqlite:///{path}")


@pytest.fixture
def in_optuna(tmp_path: Path) -> Iterator[Callable[..., optuna.Study]]:
    """A history as Optuna opens it."""
    found: list[optuna.Study] = []

    def opened(told: History, **known: bool) -> optuna.Study:
        found.append(opened_with_optuna(trials.study("mine", told, **known), tmp_path / str(len(found))))
        return found[-1]

    yield opened
    for study in found:
        study._storage._backend.engine.dispose()  # type: ignore[attr-defined]


def written(home: StudyDir, events: list[Event]) -> StudyDir:
    home.make()
    times = iter(range(len(events)))
    with Journal(home.journal, write=True, clock=lambda: 1_700_000_000.0 + next(times)) as journal:
        for event in events:
            journal.append(event)
    return home


@pytest.fixture
def mine(results: Path) -> StudyDir:
    """A study in which two finalists were trained again."""
    return written(StudyDir(results / "mine"), [*again(), Closed("finished")])


# Optuna


def test_optuna_finds_the_same_best_in_a_real_study(tmp_path: Path) -> None:
    told = History(Journal(StudyDir(ROOT / "results" / "digits").journal))
    found = opened_with_optuna(trials.study("digits", told), tmp_path)
    assert told.best
    assert found.best_trial.number == told.best.id
    assert (found.best_params, found.best_value) == (told.best.genes, told.best.fitness)
    assert list(found.best_trial.intermediate_values.values())[-1] == told.best.fitness
    assert len(found.trials) == len(told.individuals)
    assert found.best_trial.distributions["lr"] == optuna.distributions.FloatDistribution(1e-6, 1e-2, log=True)
    found._storage._backend.engine.dispose()  # type: ignore[attr-defined]


def test_optuna_finds_the_same_best_where_the_means_of_finalists_decide(in_optuna: Any) -> None:
    told = history(again())
    found = in_optuna(told)
    assert told.best
    assert found.best_trial.number == told.best.id == 1
    assert found.best_value == told.means[1]
    assert found.trials[0].value == told.means[0]
    assert found.trials[0].user_attrs["trainings"] == [0.90, 0.80, 0.82]
    repeats = [trial for trial in found.trials if trial.user_attrs["origin"] == "repeat"]
    assert [(t.value, t.user_attrs["parents"]) for t in repeats] == [(0.80, [0]), (0.82, [0]), (0.89, [1]), (0.87, [1])]
    assert max(repeat.value for repeat in repeats) > found.best_value
    infeasible = [trial.number for trial in found.trials if trial.system_attrs["constraints"] == [1.0]]
    assert infeasible == [repeat.number for repeat in repeats]


def test_states_times_and_attributes_are_those_of_the_journal(in_optuna: Any) -> None:
    scored, failed, running, waiting = in_optuna(history(mixed()), held=True).trials
    states = (TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING, TrialState.WAITING)
    assert (scored.state, failed.state, running.state, waiting.state) == states
    assert scored.datetime_start.timestamp() == 1_700_000_002.0
    assert scored.duration.total_seconds() == 7.0
    assert scored.user_attrs["test_top1"] == 0.7
    assert scored.intermediate_values == {1: 0.1875, 2: 0.375, 3: 0.5625, 4: 0.75}
    assert (failed.user_attrs["reason"], failed.user_attrs["message"]) == ("diverged", "the loss was nan")
    assert failed.value is None
    assert waiting.system_attrs["fixed_params"] == ADAM | {"batch": 64}
    put_down = in_optuna(history(mixed())).trials[2:]  # its driver is gone
    assert [trial.state for trial in put_down] == [TrialState.WAITING, TrialState.WAITING]


def test_an_individual_left_on_a_rung_is_pruned_with_its_score_there(in_optuna: Any) -> None:
    found = in_optuna(history(rungs()))
    assert [t.state.name for t in found.trials] == ["PRUNED", "COMPLETE", "PRUNED", "FAIL"]
    assert [t.value for t in found.trials] == [0.3, 0.9, 0.4, None]
    assert found.trials[0].intermediate_values == {1: 0.3}
    assert found.trials[1].user_attrs["fitness_at_0.25"] == 0.6
    assert found.best_trial.number == 1


def test_a_gene_is_a_distribution_that_contains_what_was_tried() -> None:
    for gene, values, found in [
        (Gene(1, 9, integer=True), [3.0], "IntDistribution(high=9, log=False, low=1, step=1)"),
        (Gene(1, 9, integer=True), [2.5], "FloatDistribution(high=9.0, log=False, low=1.0, step=None)"),
        (Gene(0, 10, integer=True, step=4), [8.0], "IntDistribution(high=8, log=False, low=0, step=4)"),
        (Gene(1e-3, 1, "log"), [5.0], "FloatDistribution(high=5.0, log=True, low=0.001, step=None)"),
        (Gene(0, 1, step=0.3), [0.5], "FloatDistribution(high=1.0, log=False, low=0.0, step=None)"),
        (Choice((32, 64)), [128], "CategoricalDistribution(choices=(32, 64, 128))"),
    ]:
        assert str(distribution(gene, values)) == found


# the metric that a fitness is the end of


def test_a_loss_that_is_less_the_fitness_is_followed_with_its_sign() -> None:
    space = Space(x=Gene(0, 1))
    born = tuple(Birth(n, {"x": 0.5}, "random") for n in range(2))
    ends = [e for n in range(2) for e in (Reported(n, 1, {"a": 2.0, "loss": 9.0 + n}), Scored(n, -9.0 - n))]
    told = history([Opened(config(space=space).plain(), "0.4.0", "host", 1), Bred(0, born), *ends])
    assert trials.followed(told) == ("loss", -1.0)
    assert [trial.curve for trial in trials.study("x", told).trials] == [{1: -9.0}, {1: -10.0}]
    other = [replace(e, metrics={"other": 7.0}) if isinstance(e, Reported) else e for e in rungs()]
    assert [trial.curve for trial in trials.study("x", history(other)).trials] == [{1: 0.3}, {}, {1: 0.4}, {}]


# TensorBoard


def records(path: Path) -> list[Any]:
    """The events of a file, as TensorBoard reads them: (length, its checksum, data, their checksum) each."""
    from tensorboardX.proto.event_pb2 import Event as Record

    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        found.append(Record.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    return found


def hparams(record: Any) -> Any:
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    (value,) = record.summary.value
    assert value.metadata.plugin_data.plugin_name == "hparams"
    return HParamsPluginData.FromString(value.metadata.plugin_data.content)


def in_folder(folder: Path) -> list[Any]:
    (path,) = folder.glob("events.out.tfevents.*")
    return records(path)


def test_tensorboard_has_a_curve_an_individual(tmp_path: Path) -> None:
    path = export.write(trials.study("mine", history(mixed())), "tensorboard", tmp_path / "out")
    version, start, *points, end = in_folder(path / "i0")
    assert version.file_version == "brain.Event:2"
    values = [(point.step, {v.tag: v.simple_value for v in point.summary.value}) for point in points]
    assert [(step, round(found["top1"], 4)) for step, found in values[:-1]] == [
        (1, 0.1875), (2, 0.375), (3, 0.5625), (4, 0.75)
    ]  # fmt: skip
    assert {name for _, found in values[:-1] for name in found} == {
        "lr", "mom", "top1", "top3", "train_loss", "valid_loss"
    }  # fmt: skip
    assert (values[-1][0], values[-1][1]["hparam/fitness"]) == (4, 0.75)
    assert values[-1][1]["test_top1"] == pytest.approx(0.7)
    assert start.wall_time == 1_700_000_002.0
    assert end.wall_time == hparams(end).session_end_info.end_time_secs == 1_700_000_009.0


# MLflow


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of SQLAlchemy, at what MLflow does with it
def test_mlflow_opens_it(tmp_path: Path) -> None:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: pip install 'gaopt[mlflow]'")
    path = export.write(trials.study("mine", history(again())), "mlflow", tmp_path / "out")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{path}")
    (experiment,) = client.search_experiments(filter_string="name = 'mine'")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert len(runs) == 8
    assert runs["i1"].data.params == {"optimizer": "adam", "lr": "0.001", "beta": "0.99", "batch": "32"}
    assert runs["i1"].data.tags["best"] == "true"
    assert runs["i1"].data.metrics["fitness"] == pytest.approx(0.88)
    assert runs["i6"].data.tags["mlflow.parentRunId"] == runs["i1"].info.run_id
    curve = client.get_metric_history(runs["i0"].info.run_id, "top1")
    assert [(point.step, point.value) for point in curve] == [(n, 0.9 * n / 4) for n in range(1, 5)]
    assert str(tmp_path) not in experiment.artifact_location
    path = export.write(trials.study("mine", history(rungs())), "mlflow", tmp_path / "rungs")
    found = mlflow.MlflowClient(tracking_uri=f"sqlite:///{path}").search_runs(["1"])
    states = {run.info.run_name: (run.info.status, run.data.tags["state"]) for run in found}
    assert states == {
        "i0": ("FINISHED", "PRUNED"),
        "i1": ("FINISHED", "COMPLETE"),
        "i2": ("FINISHED", "PRUNED"),
        "i3": ("FAILED", "FAIL"),
    }


# tables


def test_the_tables_are_those_of_the_report_and_one_of_trials_like_optuna_s(tmp_path: Path, in_optuna: Any) -> None:
    told = history(again())
    path = export.write(trials.study("mine", told), "csv", tmp_path / "out")
    names = {each.name for each in path.parent.iterdir()}
    assert names == {f"{n}.csv" for n in ("individuals", "generations", "epochs", "cycle", "trials")} | {"export.json"}
    ours, theirs = pd.read_csv(path), in_optuna(told).trials_dataframe()
    kept = [name for name in theirs if not name.startswith("system_attrs_")]
    assert set(ours) == set(kept)
    assert list(ours["number"]) == list(theirs["number"])
    assert list(ours["value"]) == list(theirs["value"])
    assert list(ours["state"]) == list(theirs["state"])
    assert list(ours["params_optimizer"]) == list(theirs["params_optimizer"])
    lasted = pd.to_timedelta(ours["duration"])
    assert lasted.isna().all()  # nothing says when they were begun
    table = pd.read_csv(export.write(trials.study("mine", history(mixed())), "csv", tmp_path / "timed"))
    assert pd.to_timedelta(table["duration"])[0] == pd.Timedelta(seconds=7)
    assert pd.to_datetime(table["datetime_start"])[0] == pd.Timestamp("2023-11-14 22:13:22", tz="UTC")


# the verb


def test_the_verb_writes_beside_the_study_says_where_and_replaces_its_own(
    mine: StudyDir, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        code, out, err = invoke(capfd, "export", "mine", "--to", "optuna")
        assert (code, out) == (0, f"{mine.path / 'export' / 'optuna' / 'optuna.db'}\n")
        assert err == f"open it with: optuna-dashboard sqlite:///{out}"
    assert {each.name for each in (mine.path / "export").iterdir()} == {"optuna"}
    assert {each.name for each in mine.export("optuna").iterdir()} == {"optuna.db", "export.json"}


def test_an_unfinished_study_is_exported_and_one_without_a_score_refused(
    results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    written(StudyDir(results / "half"), mixed())
    code, _, err = invoke(capfd, "export", "half", "--to", "csv")
    assert code == 0
    assert err == "the study 'half' is not finished (cut off): this is what there is of it\n"
    home = written(StudyDir(results / "none"), mixed()[:5])
    code, out, err = invoke(capfd, "export", "none", "--to", "csv")
    assert (code, out, err) == (2, "", "gaopt: the study 'none' has no score yet: there is nothing to export\n")
    assert not (home.path / "export").exists()


@pytest.mark.parametrize("name", ["optuna", "tensorboard", "csv"])
def test_nothing_of_the_machine_is_exported(name: str, mine: StudyDir) -> None:
    export.write(export.read(mine), name, mine.export(name))
    for path in mine.export(name).rglob("*"):
        if path.is_file():
            assert str(mine.path.parent).encode() not in path.read_bytes()
            assert os.uname().nodename not in path.name


def test_what_is_no_export_of_this_study_is_never_replaced(
    mine: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    written(StudyDir(mine.path.parent / "other"), [*again(), Closed("finished")])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    assert invoke(capfd, "export", "other", "--to", "csv", "--out", str(tmp_path / "out"))[0] == 0
    assert invoke(capfd, "export", "mine", "--to", "csv", "--out", str(tmp_path / "csv"))[0] == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for folder, name, said in [
        ("full", "csv", "exists and is no export of gaopt"),
        ("file", "csv", "exists and is no export of gaopt"),
        ("out", "csv", "is another export, {'study': 'other', 'format': 'csv'}"),
        ("csv", "optuna", "is another export, {'study': 'mine', 'format': 'csv'}"),
    ]:
        code, out, err = invoke(capfd, "export", "mine", "--to", name, "--out", str(tmp_path / folder))
        assert (code, out) == (2, "")
        assert said in err
        assert err.endswith("give another --out\n")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_a_person_put_into_an_export_is_never_lost(mine: StudyDir, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("csv", "tensorboard"):
        assert invoke(capfd, "export", "mine", "--to", name)[0] == 0
        notes = mine.export(name) / "more" / "notes.txt"
        notes.parent.mkdir(exist_ok=True)
        notes.write_text("mine")
        before = {path: path.read_bytes() for path in mine.path.rglob("*") if path.is_file()}
        code, _, err = invoke(capfd, "export", "mine", "--to", name)
        assert (code, "is of no export" in err) == (2, True)
        assert {path: path.read_bytes() for path in mine.path.rglob("*") if path.is_file()} == before


def test_an_export_that_fails_leaves_the_earlier_one(mine: StudyDir, monkeypatch: pytest.MonkeyPatch) -> None:
    study, folder = export.read(mine), mine.export("csv")
    path = export.write(study, "csv", folder)
    before = path.read_bytes()
    broken = replace(study, trials=[replace(study.trials[0], individual=None)])  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        export.write(broken, "csv", folder)
    assert path.read_bytes() == before
    assert [each.name for each in folder.parent.iterdir()] == ["csv"]

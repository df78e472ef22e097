"""A study for TensorBoard: a run an individual, with its curves, and what the tab HParams needs.

The files are written record by record: a writer of tensorboardX would name them by the clock and the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorboardX import RecordWriter
from tensorboardX.proto.api_pb2 import DataType, Experiment, HParamInfo, MetricInfo, MetricName, Status
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata

from gaopt.export.trials import State, Study, Trial
from gaopt.space.gene import AnyGene, Choice

FITNESS = "hparam/fitness"
"""As others call what the tab compares; a metric may be called "fitness" too."""
STATUS: dict[State, str] = {"FAIL": "STATUS_FAILURE", "RUNNING": "STATUS_RUNNING"}
"""Of a session; of all others STATUS_SUCCESS."""


def write(study: Study, folder: Path) -> None:
    """Write a folder an individual that was begun ("i13"), and what the parameters are beside them."""
    _records(folder, study.created, [_event(study.created, _experiment(study))])
    for trial in study.trials:
        if trial.state != "WAITING":
            started = trial.started or study.created
            _records(folder / f"i{trial.number}", started, _events(trial, study.space, started))


def _records(folder: Path, at: float, events: Iterable[Event]) -> None:
    folder.mkdir(exist_ok=True)
    writer = RecordWriter(str(folder / f"events.out.tfevents.{int(at)}.gaopt"))
    for event in (Event(wall_time=at, file_version="brain.Event:2"), *events):
        writer.write(event.SerializeToString())
    writer.close()


def _events(trial: Trial, space: Mapping[str, AnyGene], started: float) -> Iterable[Event]:
    ended = trial.ended or started
    session = SessionStartInfo(start_time_secs=started)
    for name, value in trial.params.items():
        _set(session.hparams[name], space[name], value)
    yield _event(started, _plugin("session_start_info", session_start_info=session))
    for epoch, report in sorted(trial.reports.items()):
        ends = dict(zip(("lr", "mom"), report.cycle[-1][1:], strict=True)) if report.cycle else {}
        yield _event(report.at, _scalars(ends | report.metrics), epoch)
    last = max(trial.reports, default=1)
    if trial.value is not None:
        yield _event(ended, _scalars({FITNESS: trial.value} | trial.late), last)
    status = Status.Value(STATUS.get(trial.state, "STATUS_SUCCESS"))
    over = SessionEndInfo(status=status, end_time_secs=trial.ended or 0.0)
    yield _event(ended, _plugin("session_end_info", session_end_info=over))


def _event(at: float, summary: Summary, step: int = 0) -> Event:
    return Event(wall_time=at, step=step, summary=summary)


def _scalars(metrics: dict[str, float]) -> Summary:
    return Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()])


def _experiment(study: Study) -> Summary:
    """All parameters and metrics, for no single individual need have all of them."""
    found = Experiment(
        name=study.name,
        time_created_secs=study.created,
        hparam_infos=[_parameter(name, gene) for name, gene in study.space.items()],
        metric_infos=[MetricInfo(name=MetricName(tag=name)) for name in (FITNESS, *study.metrics)],
    )
    return _plugin("experiment", experiment=found)


def _parameter(name: str, gene: AnyGene) -> HParamInfo:
    """A range has no bounds here: the tab would hide a value given by hand that lies outside."""
    info = HParamInfo(name=name, type=DataType.Value(_kind(gene)))
    for value in gene.choices if isinstance(gene, Choice) else ():
        _set(info.domain_discrete.values.add(), gene, value)
    return info


def _kind(gene: AnyGene) -> str:
    """Choices of several types are words."""
    types = {type(value) for value in gene.choices} if isinstance(gene, Choice) else {float}
    return "DATA_TYPE_BOOL" if types == {bool} else "DATA_TYPE_FLOAT64" if types <= {int, float} else "DATA_TYPE_STRING"


def _set(found: Any, gene: AnyGene, value: Any) -> None:
    """A `google.protobuf.Value`."""
    match _kind(gene):
        case "DATA_TYPE_BOOL":
            found.bool_value = value
        case "DATA_TYPE_FLOAT64":
            found.number_value = value
        case _:
            found.string_value = str(value)


def _plugin(tag: str, **content: Any) -> Summary:
    """Of the plugin hparams, whose data lie in the metadata of an empty value."""
    data = SummaryMetadata.PluginData(plugin_name="hparams", content=HParamsPluginData(**content).SerializeToString())
    return Summary(value=[Summary.Value(tag=f"_hparams_/{tag}", metadata=SummaryMetadata(plugin_data=data))])

"""A study for TensorBoard: a run an individual, with its curves, and what the tab HParams needs.

The files are written record by record: a writer of tensorboardX would name them by the clock and the host.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorboardX import RecordWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData, SessionEndInfo
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboardX.summary import hparams

from gaopt.export.trials import State, Study, Trial
from gaopt.space.gene import AnyGene, Choice

FITNESS = "hparam/fitness"  # as others call what the tab compares; a metric may be called "fitness" too
STATUS: dict[State, str] = {"FAIL": "STATUS_FAILURE", "RUNNING": "STATUS_RUNNING"}
"""Of a session; of all others STATUS_SUCCESS."""


def write(study: Study, folder: Path) -> None:
    """Write a folder an individual that was begun ("i13"), and what the parameters are beside them."""
    # All parameters and metrics, for no single individual need have all of them.
    kinds = {
        name: _value(gene, gene.choices[0] if isinstance(gene, Choice) else 0.0) for name, gene in study.space.items()
    }
    experiment, _, _ = hparams(kinds, dict.fromkeys((FITNESS, *study.metrics)))
    _records(folder, study.created, [_event(study.created, experiment)])
    for trial in study.trials:
        if trial.state != "WAITING":
            started = trial.started or study.created
            _records(folder / f"i{trial.individual.id}", started, _events(trial, study.space, started))


def _records(folder: Path, at: float, events: Iterable[Event]) -> None:
    folder.mkdir(exist_ok=True)
    writer = RecordWriter(str(folder / f"events.out.tfevents.{int(at)}.gaopt"))
    for event in (Event(wall_time=at, file_version="brain.Event:2"), *events):
        writer.write(event.SerializeToString())
    writer.close()


def _events(trial: Trial, space: Mapping[str, AnyGene], started: float) -> Iterable[Event]:
    ended = trial.ended or started
    _, start, _ = hparams({name: _value(space[name], value) for name, value in trial.individual.genes.items()}, {})
    yield _event(started, start)
    for epoch, report in sorted(trial.individual.reports.items()):
        ends = dict(zip(("lr", "mom"), report.cycle[-1][1:], strict=True)) if report.cycle else {}
        yield _event(report.at, _scalars(ends | report.metrics), epoch)
    last = max(trial.individual.reports, default=1)
    if trial.value is not None:
        yield _event(ended, _scalars({FITNESS: trial.value} | trial.late), last)
    over = SessionEndInfo(status=STATUS.get(trial.state, "STATUS_SUCCESS"), end_time_secs=trial.ended or 0.0)
    content = HParamsPluginData(session_end_info=over).SerializeToString()
    data = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="hparams", content=content))
    yield _event(ended, Summary(value=[Summary.Value(tag="_hparams_/session_end_info", metadata=data)]))


def _event(at: float, summary: Summary, step: int = 0) -> Event:
    return Event(wall_time=at, step=step, summary=summary)


def _scalars(metrics: dict[str, float]) -> Summary:
    return Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()])


def _value(gene: AnyGene, value: Any) -> Any:
    """A parameter as the tab knows one: true or false, a number, or a word. Choices of several types are words."""
    kinds = {type(choice) for choice in gene.choices} if isinstance(gene, Choice) else {float}
    return value if kinds == {bool} or kinds <= {int, float} else str(value)

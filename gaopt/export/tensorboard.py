"""A study for TensorBoard: a run per individual, with its curves, and what the tab HParams needs.

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

from gaopt.export.trials import State, Trial, Trials, told
from gaopt.journal.individual import Individual
from gaopt.space.gene import AnyGene, Choice

SCORE = "hparam/"  # as others call what the tab compares; a metric may be called "fitness" too
STATUS: dict[State, str] = {"FAIL": "STATUS_FAILURE", "RUNNING": "STATUS_RUNNING", "WAITING": "STATUS_UNKNOWN"}
"""Of a session; of all others STATUS_SUCCESS."""


def write(study: Trials, folder: Path) -> None:
    """Write a folder an individual that was begun ("i13"), and what the parameters are beside them."""
    records(folder, study.created, [experiment(study.space, (study.score, *study.metrics), study.created)]).close()
    for trial in study.trials:
        if trial.state != "WAITING":
            started = trial.started or study.created
            epochs = [scalars(report.at, told(report), n) for n, report in sorted(trial.individual.reports.items())]
            events = (begun(trial.individual, study.space, started), *epochs, *ended(trial, started))
            records(folder / f"i{trial.individual.id}", started, events).close()


def records(folder: Path, at: float, events: Iterable[Event]) -> RecordWriter:
    """A new file of events, in which more may be written."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = RecordWriter(str(folder / f"events.out.tfevents.{int(at)}.gaopt"))
    for event in (Event(wall_time=at, file_version="brain.Event:2"), *events):
        writer.write(event.SerializeToString())
    return writer


def experiment(space: Mapping[str, AnyGene], metrics: Iterable[str], at: float) -> Event:
    """All parameters and metrics, the value first, for no single individual need have all of them."""
    kinds = {name: _value(gene, gene.choices[0] if isinstance(gene, Choice) else 0.0) for name, gene in space.items()}
    score, *others = metrics
    found, _, _ = hparams(kinds, dict.fromkeys((SCORE + score, *others)))
    return _event(at, found)


def begun(individual: Individual, space: Mapping[str, AnyGene], at: float) -> Event:
    """The parameters of an individual."""
    _, start, _ = hparams({name: _value(space[name], value) for name, value in individual.genes.items()}, {})
    return _event(at, start)


def ended(trial: Trial, started: float) -> Iterable[Event]:
    """What an individual came to."""
    at = trial.ended or started
    last = max(trial.individual.reports, default=1)
    if trial.value is not None:
        yield scalars(at, {SCORE + trial.score: trial.value} | trial.late, last)
    over = SessionEndInfo(status=STATUS.get(trial.state, "STATUS_SUCCESS"), end_time_secs=trial.ended or 0.0)
    content = HParamsPluginData(session_end_info=over).SerializeToString()
    data = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="hparams", content=content))
    yield _event(at, Summary(value=[Summary.Value(tag="_hparams_/session_end_info", metadata=data)]))


def _event(at: float, summary: Summary, step: int = 0) -> Event:
    return Event(wall_time=at, step=step, summary=summary)


def scalars(at: float, metrics: Mapping[str, float], step: int) -> Event:
    """Metrics at an epoch."""
    return _event(
        at, Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]), step
    )


def _value(gene: AnyGene, value: Any) -> Any:
    """A parameter as the tab knows one: true or false, a number, or a word. Choices of several types are words."""
    kinds = {type(choice) for choice in gene.choices} if isinstance(gene, Choice) else {float}
    return value if kinds == {bool} or kinds <= {int, float} else str(value)

"""What all loggers do: a run for the study, and one for each training of an individual."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gaopt.export.trials import Trial, told, trial
from gaopt.journal import events
from gaopt.journal.individual import Individual

if TYPE_CHECKING:
    from gaopt.api.study import Study


class Logger(ABC):
    """A callback that keeps a run for the study and one for each training, in whatever a tool calls a run.

    It does not write what happened before it was attached. A training that is begun again is a run of its own.
    """

    def __init__(self) -> None:
        self._study: Any = None
        self._runs: dict[int, Any] = {}

    def on_event(self, study: Study, event: events.Event) -> None:
        match event:
            case events.Opened():
                self._study, self._runs = self.open(study), {}
            case events.Started(individual):
                self._runs[individual] = self.begin(study, study.history.individuals[individual])
            case events.Reported(individual, epoch):
                if individual in self._runs:  # else one that is measured on the test split
                    self.log(self._runs[individual], event.at, epoch, told(event))
            case events.Scored(individual) | events.Failed(individual) | events.Retried(individual):
                self.end(self._runs.pop(individual), trial(study.history.individuals[individual], study.history))
                self._tell(study, event.at)
            case events.Judged(_, metrics):
                test = {f"test_{name}": value for name, value in metrics.items()}
                self.log(self._study, event.at, study.progress.done, test)
            case events.Closed():
                while self._runs:
                    individual, run = self._runs.popitem()
                    self.end(run, trial(study.history.individuals[individual], study.history))
                self.close(self._study, study, event)

    def _tell(self, study: Study, at: float) -> None:
        """How good the best is after so many trainings."""
        now = study.progress
        if now.value is not None:
            self.log(self._study, at, now.done, {"best": now.value})

    @abstractmethod
    def open(self, study: Study) -> Any:
        """The run of the study: a new one, or the earlier one of a study that goes on."""

    @abstractmethod
    def begin(self, study: Study, individual: Individual) -> Any:
        """The run of a training, with its genes."""

    @abstractmethod
    def log(self, run: Any, at: float, step: int, metrics: Mapping[str, float]) -> None:
        """Write metrics, `at` in seconds since 1970; steps are epochs of a training, and trainings of the study."""

    @abstractmethod
    def end(self, run: Any, trial: Trial) -> None:
        """A training is over: COMPLETE, PRUNED or FAIL; in another state it was stopped, and will be begun again."""

    @abstractmethod
    def close(self, run: Any, study: Study, event: events.Closed) -> None:
        """The study was put down."""

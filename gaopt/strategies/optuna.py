"""The searches of Optuna by its own ask and tell (Akiba and others, *Optuna*, 2019).

A study of Optuna is made anew from the history for every question, so that nothing is lost when a search is killed.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from gaopt.config import StudyConfig
from gaopt.errors import ConfigError
from gaopt.journal.events import Birth, Bred
from gaopt.journal.history import History, Individual
from gaopt.space.gene import AnyGene, Choice
from gaopt.space.space import Genes
from gaopt.strategies.base import Done, Wait, keyed
from gaopt.strategies.initial_design import NOTHING, Known

SAMPLERS = {"optuna-tpe": "TPESampler", "optuna-gp": "GPSampler"}
TRIES = 100  # questions for an individual that the constraints allow; then one is drawn at random


class Sampled:
    """One individual at a time, asked for as soon as there is room: the others of that time are known as running."""

    def __init__(self, config: StudyConfig, known: Known = NOTHING) -> None:
        if find_spec("optuna") is None:
            raise ConfigError("Optuna is not installed, and its searches need it: install gaopt[peers]")
        self._space, self._sampler = config.space, SAMPLERS[config.strategy]
        self._trainings, self._seed = config.trainings, config.seed

    def decide(self, history: History, room: int) -> Bred | Wait | Done:
        number = len(history.individuals)
        if number >= self._trainings:
            return Done()
        if room < 1 and history.unfinished:
            return Wait()
        return Bred(history.generation + 1, (Birth(number, self._asked(history, number), "sampled"),))

    def _asked(self, history: History, number: int) -> Genes:
        kinds = {name: kind(gene) for name, gene in self._space.items()}
        for attempt in range(TRIES):
            study = self._study(history, kinds, keyed(self._seed, number, attempt).randrange(2**32))
            genes = self._space.expressed(study.ask(kinds).params)
            if self._space.allows(genes):
                return genes
        return self._space.sample(keyed(self._seed, number, TRIES))

    def _study(self, history: History, kinds: Mapping[str, Any], seed: int) -> Any:
        import optuna

        with quiet():
            study = optuna.create_study(direction="maximize", sampler=sampler(self._sampler, seed))
            study.add_trials([trial for i in history.individuals.values() if (trial := _trial(i, kinds))])
        return study


def sampler(name: str, seed: int, **options: Any) -> Any:
    """A sampler of Optuna with its own defaults, but for these options."""
    import optuna

    if name == "GPSampler":
        import torch

        torch.set_num_threads(1)  # several are slower on matrices of fifty rows
    with quiet():
        return getattr(optuna.samplers, name)(seed=seed, **options)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna's log, and its warnings that a feature is experimental, are not for those who compare."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def kind(gene: AnyGene) -> Any:
    """A gene as Optuna has it."""
    from optuna import distributions

    if isinstance(gene, Choice):
        return distributions.CategoricalDistribution(gene.choices)
    log, step = gene.scale == "log", gene.step
    if gene.integer:
        low, high = int(gene.low), int(gene.low) + int((gene.high - gene.low) // (step or 1)) * int(step or 1)
        return distributions.IntDistribution(low, high, log=log, step=int(step or 1))
    return distributions.FloatDistribution(gene.low, gene.high, log=log, step=step or None)


def _trial(individual: Individual, kinds: Mapping[str, Any]) -> Any:
    """What Optuna is told of an individual; nothing of one that was only trained for a short time."""
    from optuna.trial import TrialState, create_trial

    if individual.status == "early":
        return None
    states = {"scored": TrialState.COMPLETE, "failed": TrialState.FAIL}
    return create_trial(
        state=states.get(individual.status, TrialState.RUNNING),
        params=individual.genes,
        distributions={name: kinds[name] for name in individual.genes},
        value=individual.fitness if individual.status == "scored" else None,
    )

"""What a search is held against: genes drawn at random, given by hand, or all that there are."""

from dataclasses import replace

from gaopt.config import Operators, StudyConfig
from gaopt.errors import ConfigError
from gaopt.journal.events import Birth, Bred
from gaopt.journal.history import History
from gaopt.strategies.base import Done, Wait
from gaopt.strategies.genetic import GeneticSearch
from gaopt.strategies.initial_design import NOTHING, Known


class Fixed:
    """Individuals with the genes of [fixed], each with the next seed, begun when there is room."""

    def __init__(self, config: StudyConfig, known: Known = NOTHING) -> None:
        self._genes, self._repeats = config.space.check(config.fixed), config.grid.repeats

    def decide(self, history: History, room: int) -> Bred | Wait | Done:
        number = len(history.individuals)
        if number >= self._repeats:
            return Done()
        if room < 1 and history.unfinished:
            return Wait()
        return Bred(history.generation + 1, (Birth(number, self._genes, "given", trial=number),))


class RandomSearch(GeneticSearch):
    """Individuals drawn evenly, half of the first generation by the priors, in generations as of `genetic`."""

    def __init__(self, config: StudyConfig, known: Known = NOTHING) -> None:
        super().__init__(config, known)
        self._config = replace(config.genetic, retrain=False)
        self._chosen = Operators(immigrants=max(config.genetic.litters))

    def _places(self, history: History) -> int:
        return self._numbers.offspring


class Grid:
    """Every combination of the genes, all with the study's seed, then all with the next one, and so on."""

    def __init__(self, config: StudyConfig, known: Known = NOTHING) -> None:
        if broken := [name for name, gene in config.space.items() if not gene.levels]:
            raise ConfigError(f"the gene {broken[0]!r} has no steps: a grid needs its step, choices, or integer = true")
        self._space, self._repeats = config.space, config.grid.repeats

    def decide(self, history: History, room: int) -> Bred | Wait | Done:
        each = [(trial, genes) for trial in range(self._repeats) for genes in self._space.combinations()]
        born = len(history.individuals)  # more than none where a study goes on with more seeds than before
        births = [Birth(id, genes, "given", trial=trial) for id, (trial, genes) in enumerate(each) if id >= born]
        return Bred(history.generation + 1, tuple(births), tuple(history.individuals)) if births else Done()

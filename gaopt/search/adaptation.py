"""How wide mutation is, learnt from how the offspring so far have done.

The one-fifth success rule: on simple landscapes an evolution gains most where a fifth of the offspring are fitter than
their parents (Rechenberg, *Evolutionsstrategie*, 1973). More say that it could take longer steps, fewer that it
overshoots. The factor is that of Auger, *Benchmarking the (1+1) evolution strategy with one-fifth success rule on the
BBOB-2009 function testbed*, 2009; here it is applied once a generation, and both ways.
"""

from __future__ import annotations

import math

from gaopt.journal.history import History, Individual

FACTOR, SUCCESS = 1.5, 0.2
NARROWEST, WIDEST = 0.01, 1.0


def step(history: History, first: float) -> float:
    """The step of the next generation, as a share of a gene's range, from that of the first one to be bred."""
    narrowest, found = min(NARROWEST, first), first
    for share in successes(history):
        found = min(max(found * (FACTOR if share > SUCCESS else 1 / FACTOR), narrowest), WIDEST)
    return found


def successes(history: History) -> list[float]:
    """The share of offspring that are fitter than their first parent, for each generation that has any."""
    won: dict[int, list[bool]] = {}
    for child in history.individuals.values():
        if child.birth.origin in ("mutation", "crossover"):
            parent = history.individuals[child.birth.parents[0]]
            won.setdefault(child.generation, []).append(_fitter(child, parent))
    return [sum(won[generation]) / len(won[generation]) for generation in sorted(won)]


def _fitter(child: Individual, parent: Individual) -> bool:
    """Compared after trainings of one length: where one was left on a rung, after that of the rung."""
    share = min(child.share, parent.share)
    return _fitness(child, share) > _fitness(parent, share)


def _fitness(individual: Individual, share: float) -> float:
    if share < 1:
        return individual.early[share].fitness if share in individual.early else -math.inf
    return individual.fitness

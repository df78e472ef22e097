"""Comparisons that were never run: their histories are made up, with all that real trainings report."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from gaopt.compare.model import Comparison, Final, SearchRun
from gaopt.config import COMPARED, Genetic, PoolConfig, StudyConfig
from gaopt.journal.events import Birth, Bred, Closed, Event, Failed, Opened, Reported, Scored, Started
from gaopt.journal.history import History
from gaopt.space.gene import Choice, Gene
from gaopt.space.space import Genes, Space

SPACE = Space(
    lr=Gene(1e-6, 1e-2, "log"),
    wd=Gene(0.0, 0.1),
    optimizer=Choice(("sgd", "adam")),
    mom=Gene(0.1, 1.5, when="optimizer == 'sgd'"),
)
BASELINES = Space(lr=Choice((0.03,)), wd=Choice((0.01,)), mom=Choice((0.85,)))
"""What is not searched has genes of its own, here outside of the range that is searched."""
SETTINGS = {"data": {"name": "digits", "valid": 0.22, "test": 0.22}, "net": {"name": "resnet20"}}
"""Tables of the objective."""


def top1(genes: Genes, rng: random.Random) -> float:
    """Best at lr 1e-3 and mom 0.85; luck has a standard deviation of half a point."""
    lr, mom = genes.get("lr", 1e-3), genes.get("mom", 0.8)
    value = 0.97 - 0.05 * (math.log10(lr) + 3) ** 2 - 0.15 * (mom - 0.85) ** 2 - 0.4 * genes.get("wd", 0.0)
    return min(0.999, max(0.1, value + rng.gauss(0, 0.005)))


def trained(id: int, fitness: float, epochs: int, diverges: bool = False) -> Iterator[Event]:
    yield Started(id)
    for epoch in range(1, epochs + 1):
        if diverges and epoch == 2:
            yield Failed(id, "diverged", "the loss was nan in epoch 2", 1.5)
            return
        reached = fitness * (1 - 0.6 * math.exp(-4 * epoch / epochs)) / (1 - 0.6 * math.exp(-4))
        metrics = {"top1": reached, "top3": (2 + reached) / 3, "top5": (5 + reached) / 6}
        metrics |= {"train_loss": 2.2 * (1 - reached) + 0.02, "valid_loss": 2 * (1 - reached) + 0.1}
        yield Reported(id, epoch, metrics, ((epoch / epochs, 0.01, 0.9),))
    yield Scored(id, fitness, {"top1": fitness}, epochs, 1.25 * epochs)


def genes_of(method: str, seed: int, n: int, trainings: int, space: Space) -> Genes:
    """What a method tries: one that searches comes nearer to the best with every training."""
    rng = random.Random(f"{method} {seed} {n}")
    if method in ("baseline", "paper"):
        return BASELINES.at([0.5] * len(BASELINES))
    drawn = space.sample(rng)
    if method == "random" or "lr" not in drawn or n < trainings / 4:
        return drawn
    return space.expressed(drawn | {"lr": 10 ** rng.gauss(-3, 1.5 * (1 - n / trainings)), "optimizer": "sgd"})


def search(
    method: str,
    seed: int,
    trainings: int = 8,
    epochs: int = 3,
    space: Space = SPACE,
    ended: bool = True,
) -> SearchRun:
    config = StudyConfig(
        BASELINES if method in ("baseline", "paper") else space,
        "gaopt.objectives.image:objective",
        "random",
        seed,
        Genetic(4, 3),
        pool=PoolConfig("inline"),
        settings=SETTINGS,
    )
    rng = random.Random(f"{method} {seed}")
    known = [genes_of(method, seed, n, trainings, space) for n in range(trainings)]
    births = tuple(
        Birth(n, genes, "random", share=1 / epochs if method == "ray-asha" and n % 3 else 1.0)
        for n, genes in enumerate(known)
    )
    events: list[Event] = [Opened(config.plain(), "0.3.0", "host", 1), Bred(0, births)]
    for n, genes in enumerate(known):
        length = max(1, round(births[n].share * epochs))
        events += trained(n, top1(genes, rng), length, diverges=genes.get("mom", 0) > 1.3 and length > 1)
    if ended:
        events.append(Closed("finished"))
    return SearchRun(method, seed, History(replace(event, at=1000.0 + n) for n, event in enumerate(events)))


def finals(searches: Sequence[SearchRun], epochs: int = 3, repeats: int = 1) -> tuple[Final, ...]:
    """The winner of each search trained again, so often."""
    winners = [each for each in searches if each.winner for _ in range(repeats)]
    births = tuple(Birth(n, each.winner.genes, "given") for n, each in enumerate(winners) if each.winner)
    history = History([Bred(0, births)])
    for n, each in enumerate(winners):
        value = top1(births[n].genes, random.Random(f"final {n} {each.method} {each.seed}")) - 0.01
        accuracies = {"top1": value, "top3": (2 + value) / 3, "top5": (5 + value) / 6, "loss": 2.1 * (1 - value) + 0.1}
        history.add(Started(n))
        history.add(Scored(n, value, accuracies, epochs, 1.25 * epochs))
    return tuple(Final(each.method, each.seed, history.individuals[n]) for n, each in enumerate(winners))


def comparison(
    methods: Sequence[str] = ("assisted", "random", "baseline"),
    seeds: Sequence[int] = (0, 1, 2),
    trainings: int = 8,
    epochs: int = 3,
    space: Space = SPACE,
    **changed: Any,
) -> Comparison:
    searches = tuple(search(method, seed, trainings, epochs, space) for method in methods for seed in seeds)
    made = Comparison(
        name="mine",
        methods=tuple(methods),
        titles={method: COMPARED.get(method, method) for method in methods},
        searches=searches,
        finals=finals(searches, epochs),
        config=searches[0].history.config if searches else {},
        cost="epochs",
        budget=float(trainings * epochs),
        difference=0.005,
        splits=True,
    )
    return replace(made, **changed)

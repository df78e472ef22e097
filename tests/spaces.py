"""Spaces drawn at random, of every kind of gene, with conditions and constraints."""

import random
from dataclasses import replace

from gaopt.errors import ConfigError
from gaopt.space.gene import AnyGene, Choice, Gene
from gaopt.space.space import Space


def random_space(rng: random.Random) -> Space:
    """Up to six genes; a third of those that can have a condition, half of the spaces with a constraint."""
    while True:
        genes: dict[str, AnyGene] = {}
        for name in "abcdef"[: rng.randint(1, 6)]:
            when = condition(rng, genes) if genes and rng.random() < 1 / 3 else ""
            genes[name] = gene(rng, when) if rng.random() < 0.7 else believed(gene(rng, when), rng)
        constraints = [condition(rng, genes, loose=True)] if rng.random() < 0.5 else []
        try:
            return Space(*constraints, **genes)
        except ConfigError:
            continue  # it left nothing to draw from


def gene(rng: random.Random, when: str) -> AnyGene:
    low = round(rng.uniform(-2, 2), 3)
    width = round(rng.uniform(0.01, 5), 3)
    match rng.randrange(6):
        case 0:
            return Gene(low, low + width, when=when)
        case 1:
            return Gene(10 ** rng.uniform(-6, -2), 10 ** rng.uniform(-1, 2), "log", when=when)
        case 2:
            return Gene(rng.randint(-5, 0), rng.randint(1, 9), integer=True, when=when)
        case 3:
            return Gene(rng.randint(1, 3), rng.randint(4, 300), "log", integer=True, when=when)
        case 4:
            return Gene(low, low + width, step=width / rng.randint(1, 7), when=when)
        case _:
            values = ("adam", "sgd", 3, True, 0.5)
            return Choice(tuple(rng.sample(values, rng.randint(1, 5))), when=when)


def believed(found: AnyGene, rng: random.Random) -> AnyGene:
    """The same with a prior."""
    linear = isinstance(found, Gene) and found.scale == "linear"
    spread = rng.uniform(0.01, 2) * (found.high - found.low) if linear else rng.uniform(1.1, 20)  # type: ignore[union-attr]
    return replace(found, prior=found.at(rng.random()), spread=spread)


def condition(rng: random.Random, genes: dict[str, AnyGene], loose: bool = False) -> str:
    """Of one gene, or of two; one that is `loose` holds of most individuals."""
    parts = []
    for name in rng.sample(list(genes), min(len(genes), rng.randint(1, 2))):
        found = genes[name]
        if isinstance(found, Choice):
            some = rng.sample(list(found.choices), rng.randint(1, len(found.choices)))
            parts.append(f"{name} in {list(some)!r}")
        else:
            parts.append(f"{name} <= {found.at(rng.uniform(0.6, 1) if loose else rng.random())!r}")
    return rng.choice([" or ", " and "]).join(parts)

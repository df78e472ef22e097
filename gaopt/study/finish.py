"""The best setting of a study trained again with new seeds, on training and validation images, for use.

It is a study of its own in the folder of the other, so that it goes on where it was stopped, and with more seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from gaopt.config import StudyConfig, from_tables
from gaopt.errors import ConfigError, StudyError
from gaopt.execution import Pool
from gaopt.journal.history import History, Individual
from gaopt.journal.lock import check_free
from gaopt.journal.paths import StudyDir
from gaopt.objectives import finals
from gaopt.objectives.base import Finishable, resolve
from gaopt.objectives.finals import Finished
from gaopt.strategies.base import keyed
from gaopt.study.loop import Watch, run
from gaopt.study.prepare import resumed
from gaopt.study.progress import current, metric
from gaopt.study.resume_check import ALLOW, parts

FRESH = 6  # of the key by which the seeds are drawn: apart from those of every search and comparison
SEEDS = 3


def configured(home: StudyDir, seeds: int | None = None, allow_changed: bool = False) -> StudyConfig:
    """The study that trains the best setting of another again, or goes on with that.

    Args:
        seeds: how many trainings; by default as many as it was begun with, or `SEEDS`.

    Raises:
        BadInput: there is no best setting, its objective leaves no model, or another one is trained already.
    """
    check_free(home.path)
    history, final = current(home)[0], home.final
    best = _best(home, history)
    winner = finals.Winner(history.config["study"]["strategy"], 0, best.genes, from_tables(best.config).settings)
    if not home.inside(final.path / "study.db").is_file():
        base = from_tables(history.config)
        seed = keyed(base.seed, FRESH).randrange(2**31)
        return finals.configured(base, [winner], seeds or SEEDS, seed, finals.KEPT)
    begun = current(final)[0]
    (theirs,) = finals.winners(begun.config)
    if theirs.genes != winner.genes:
        raise StudyError(f"{final.path} is of another setting than the best, i{best.id}: remove it to finish anew")
    if seeds and seeds < len(begun.individuals):
        raise StudyError(f"--seeds is {seeds}: {len(begun.individuals)} trainings were begun already")
    return resumed(final, [f"grid.repeats={seeds}"] if seeds else [], allow_changed)


def _best(home: StudyDir, history: History) -> Individual:
    if not history.best:
        raise StudyError(f"the study {home.name!r} has no score yet: there is nothing to finish")
    objective = history.config["study"]["objective"]
    with suppress(ConfigError):  # a function of a program cannot be found by its name
        if isinstance(resolve(objective), Finishable):
            return history.best
    raise StudyError(
        f"the study {home.name!r} trains {objective}, which leaves no model: only classifiers of images do"
    )


def missing(home: StudyDir, config: StudyConfig) -> bool:
    """Whether a training is left to do."""
    if not home.final.journal.is_file():
        return True
    history = current(home.final)[0]
    return not history.finished or len(history.individuals) < config.grid.repeats


def train(
    home: StudyDir, config: StudyConfig, pool: Pool, watch: Watch, stop: Callable[[], None], allow_changed: bool = False
) -> None:
    """Do the trainings that are left to do, as `run` does them.

    Raises:
        StudyError: the images are not those of the search any more.
    """
    data = [{"data": made.get("data", "")} for made in (current(home)[0].made_of, pool.made_of)]
    if all(each["data"] for each in data) and (said := list(parts(*data))) and not allow_changed:
        raise StudyError(f"the study {home.name!r} was searched with {said[0]}: put it back, or {ALLOW}")
    history = run(config, home.final, pool=pool, watch=watch, stop=stop, allow_changed=allow_changed)
    home.final.sweep(history.individuals)


def conclude(home: StudyDir, ensemble: bool) -> History:
    """Write down what came of it, and whether the first model is used or the ensemble of all; the study's history."""
    history, final = current(home)[0], home.final
    best, scored = _best(home, history), current(final)[0].scored
    if not scored:
        raise StudyError(f"no training of {final.path} has a score: 'gaopt report {final.path}' says why")
    objective = resolve(from_tables(history.config).objective)
    assert isinstance(objective, Finishable)
    models = sorted(scored, key=lambda each: each.id)
    measured = objective.ensemble([final.model(each.id).path for each in models]) if ensemble else {}
    found = Finished(
        individual=best.id,
        models=tuple(each.id for each in models),
        metric=(name := metric(history.config)),
        scores=tuple(each.fitness for each in models),
        ensemble=measured.get(name),
    )
    told = {name: value for name, value in asdict(found).items() if value is not None}
    final.write(final.finished, json.dumps(told, indent=2) + "\n")
    return history

"""`gaopt.search`: a function, a space, so many trainings."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from gaopt.api.callbacks import Callbacks
from gaopt.api.drive import drive
from gaopt.api.study import Study
from gaopt.config import Assisted, Genetic, PoolConfig, Stop, StudyConfig, from_tables
from gaopt.config.source_digest import called
from gaopt.errors import BadInput, ConfigError
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir, results
from gaopt.journal.studies import free_dir
from gaopt.objectives.base import Plain
from gaopt.space.gene import AnyGene
from gaopt.space.space import Genes, Space
from gaopt.study.prepare import Ready, prepare, prepare_new
from gaopt.study.progress import current
from gaopt.study.resume_check import changes


def search(
    objective: str | Callable[..., Any],
    space: Space | Mapping[str, AnyGene],
    trainings: int = 30,
    *,
    name: str | os.PathLike[str] | None = None,
    strategy: Assisted | Genetic | None = None,
    seed: int = 0,
    minimize: bool = False,
    given: Sequence[Genes] = (),
    stop: Stop | None = None,
    pool: Literal["inline", "ray"] | PoolConfig = "inline",
    callbacks: Callbacks = (),
    progress: bool = True,
    allow_changed: bool = False,
) -> Study:
    """Search for the genes for which a function returns the highest value, or with `minimize` the lowest.

    The same call goes on after an interrupt, an exception or a kill, and returns a finished study at once; with more
    `trainings` it goes on from there.

    Args:
        objective: scores an individual: any function, lambda, partial or method, or the name of one,
            "package.module:function". With one required argument it is called with the genes, a dictionary; with two
            with a `gaopt.Task` (`task.genes`, `task.seed`, …) and a `gaopt.Report` to call after each epoch:
            `report(epoch, {"loss": 0.2})`. It returns a number or a `gaopt.Score`. By an exception or NaN the
            individual fails, and the search goes on.
        space: the genes, each a `gaopt.Gene` or a `gaopt.Choice`.
        trainings: how many individuals are trained, at most.
        name: of the study, whose folder is results/NAME; with a slash in it the path of the folder. By default the
            objective's name and a number: that of the newest such study if it is the same search, else the next.
        strategy: `gaopt.Assisted(…)`, a genetic algorithm with a model that chooses among offspring, or
            `gaopt.Genetic(…)`, one without; their `generations` follow from `trainings`.
        seed: of all random numbers. With one worker the same seed gives the same individuals.
        minimize: the objective returns a loss.
        given: individuals to begin with.
        stop: when to end earlier: `gaopt.Stop(target=0.99)`, `gaopt.Stop(seconds=600)` of training, or
            `gaopt.Stop(gain=0.01)`, when little more is expected; …
        pool: "inline" trains in this process, one after the other. "ray" trains on all cores, or GPUs, of this machine
            or a cluster: `gaopt.PoolConfig(gpus=0.5)` for two on a GPU.
        callbacks: called at every event, see `gaopt.Callback`; also the loggers of `gaopt.loggers`.
        progress: show how far it is: a live page in a terminal, a table in a notebook, else lines on stderr.
        allow_changed: go on although the objective's code has changed; the study says so.

    Raises:
        BadInput: something given cannot be used; nothing was written.
        KeyboardInterrupt: it was stopped by Ctrl-C or a notebook's stop button, in good order.
        Hopeless: nearly all trainings fail; and others of `gaopt.run`.

    Examples:
        >>> space = gaopt.Space(x=gaopt.Gene(-1, 1), y=gaopt.Gene(-1, 1))
        >>> study = gaopt.search(lambda genes: genes["x"] ** 2 + genes["y"] ** 2, space, minimize=True)
        >>> study.best.value < 0.01
        True
    """
    for key, value, kind, allowed in (
        ("space", space, Mapping, "a gaopt.Space, or genes by name"),
        ("name", name or "", str | os.PathLike, "a text or a path"),
        ("stop", stop or Stop(), Stop, "a gaopt.Stop(…)"),
        (
            "pool",
            pool if pool not in ("inline", "ray") else PoolConfig(),
            PoolConfig,
            "'inline', 'ray' or a gaopt.PoolConfig",
        ),
        ("callbacks", callbacks, Iterable, "a list"),
    ):
        if not isinstance(value, kind):
            raise ConfigError(f"{key} is {value!r}: must be {allowed}")
    wanted = StudyConfig(
        space=space if isinstance(space, Space) else Space(**space),
        objective=objective,
        seed=seed,
        mode="steady",  # each training is chosen by all before it
        minimize=minimize,
        given=tuple(given),
        stop=_stop(stop or Stop(), minimize),
        pool=pool if isinstance(pool, PoolConfig) else PoolConfig(kind=pool),
    )
    for home in _places(name, objective):
        history = current(home)[0] if home.journal.is_file() else History()
        ready = _ready(wanted, strategy, trainings, history)
        if name is not None or not history.opened or _same(ready, history):
            break
    study = Study(home, objective)
    if not _over(ready, history, trainings):
        drive(study, ready, callbacks, progress, allow_changed)
    elif progress:
        print(f"{study!r} was finished before: ask for more trainings, or give another name or seed", file=sys.stderr)
    return study


def _stop(stop: Stop, minimize: bool) -> Stop:
    """The same with its target as a fitness, which is given as a loss where losses are minimized."""
    return stop if stop.target is None or not minimize else replace(stop, target=-stop.target)


def _places(name: str | os.PathLike[str] | None, objective: str | Callable[..., Any]) -> Iterator[StudyDir]:
    """The study of this name; without one the newest of the objective's, where there is one, then a free place."""
    if name is not None:
        path = Path(name) if os.sep in os.fspath(name) else None
        found = StudyDir(path or results() / name)
        elsewhere = path and path.parent != results()
        yield found if elsewhere or found.journal.is_file() else free_dir(path.name if path else os.fspath(name), "")
        return
    free = free_dir(None, re.split("[:.]", called(objective))[-1])
    stem, _, number = free.name.rpartition("-")
    newest = StudyDir(results() / f"{stem}-{int(number) - 1}")
    if newest.journal.is_file():
        yield newest
    yield free


def _ready(wanted: StudyConfig, strategy: Assisted | Genetic | None, trainings: int, history: History) -> Ready:
    """The config, checked; where no strategy is given, with that of the study that it goes on with."""
    if not isinstance(trainings, int) or trainings < 1:
        raise ConfigError(f"trainings is {trainings!r}: must be a whole number, 1 or more")
    begun = from_tables(history.config) if history.config else None
    if strategy is None and begun and begun.strategy in ("assisted", "genetic"):
        strategy = getattr(begun, begun.strategy)
    own = strategy or Assisted(population=max(2, min(10, trainings // 2)))
    if not isinstance(own, Assisted | Genetic):
        raise ConfigError(f"strategy is {own!r}: must be gaopt.Assisted(…) or gaopt.Genetic(…)")
    which = "assisted" if isinstance(own, Assisted) else "genetic"
    config = replace(wanted, strategy=which, **{which: replace(own, trainings=max(trainings, history.born))})  # type: ignore[arg-type]
    return prepare(config) if begun else prepare_new(config)


def _same(ready: Ready, history: History) -> bool:
    """Whether a study is this search, trained by the same code."""
    with suppress(BadInput):
        made_of = ready.objective.made_of(None) if isinstance(ready.objective, Plain) else {}
        return not changes(history, ready.config, made_of)
    return False


def _over(ready: Ready, history: History, trainings: int) -> bool:
    """Whether nothing is left to do: it ended as this search would again. What changed is for `run` to refuse."""
    ended = history.finished and (history.born >= trainings or history.config == ready.config.plain())
    return ended and _same(ready, history)

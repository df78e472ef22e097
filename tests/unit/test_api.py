from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gaopt import load
from gaopt.config import Assisted, Genetic
from gaopt.errors import ConfigError
from gaopt.objectives.base import Report, Task, takes_genes
from gaopt.study.loop import run
from gaopt.study.prepare import prepare
from tests.conftest import toy


@pytest.mark.parametrize("strategy", ["assisted", "genetic", "random"])
@pytest.mark.parametrize("mode", ["generational", "steady"])
def test_a_search_has_as_many_trainings_as_its_config_says(strategy: str, mode: str, tmp_path: Path) -> None:
    for trainings in (1, 6, 13):
        own = {"genetic": Genetic(6, trainings=trainings), "assisted": Assisted(6, trainings=trainings)}
        if strategy != "assisted":
            del own["assisted"]
        config = replace(toy("sphere"), strategy=strategy, mode=mode, **own)
        history = run(config, tmp_path / str(trainings))
        assert len(history.individuals) == trainings == config.trainings


def test_a_loss_is_minimized(tmp_path: Path) -> None:
    def loss(genes: dict) -> float:
        return (genes["lr"] - 0.003) ** 2 + genes["wd"]

    history = run(replace(toy(population=8), objective=loss, minimize=True), tmp_path / "study")
    assert history.sign == -1
    best = min(history.scored, key=lambda i: loss(i.genes))
    assert history.best is best
    assert history.best.fitness == -loss(best.genes)
    with pytest.raises(ConfigError, match="whose fitness is no loss"):
        prepare(replace(load("digits"), minimize=True))


def test_what_an_objective_is_given_follows_from_its_arguments() -> None:
    class Model:
        def by_genes(self, genes: dict, folds: int = 3) -> float: ...

        def __call__(self, task: Task, report: Report) -> float: ...

    alone = [lambda genes: 0.0, Model().by_genes, partial(lambda x, genes: 0.0, 1), partial(Model.by_genes, Model())]
    both = [lambda task, report: 0.0, Model(), lambda *both: 0.0, lambda task, report=None: 0.0, max]
    assert [takes_genes(function) for function in (*alone, *both)] == [True] * len(alone) + [False] * len(both)

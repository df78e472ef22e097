"""The report of every kind of study: choices, genes that are not there, rungs, finalists, early ends, warm starts."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from gaopt.config import Fidelity, Genetic, Noise, PoolConfig, Stop, StudyConfig, Warm
from gaopt.journal.events import Birth, Bred, Closed, Event, Failed, Granted, Opened, Recalled, Reported, Scored
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.report import plots, tables
from gaopt.report.page import Section
from gaopt.report.plots.lineage import lay_out
from gaopt.report.remarks import begun
from gaopt.report.study import numbers, page, result, write
from gaopt.space.gene import Choice, Gene
from gaopt.space.space import Genes, Space
from tests.unit.test_report import remarked, rows

SPACE = Space(
    optimizer=Choice(("sgd", "adam", "a-very-long-name-of-one")),
    lr=Gene(1e-5, 1e-1, "log"),
    nesterov=Choice((True, False), when="optimizer == 'sgd'"),
    mom=Gene(0.5, 0.95, step=0.05, when="optimizer == 'sgd'"),
    beta=Gene(0.9, 0.999, when="optimizer == 'adam'"),
    batch=Choice((32, 64), when="optimizer == 'adam'"),
)
SGD: Genes = {"optimizer": "sgd", "lr": 0.01, "nesterov": True, "mom": 0.9}
ADAM: Genes = {"optimizer": "adam", "lr": 0.001, "beta": 0.99, "batch": 32}


def config(**changed: object) -> StudyConfig:
    made = StudyConfig(
        SPACE, "gaopt.objectives.toy:valley", "genetic", genetic=Genetic(4, 3), pool=PoolConfig("inline")
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def opened(**changed: object) -> Opened:
    return Opened(config(**changed).plain(), "0.1.0", "host", 1)


def trained(id: int, fitness: float, epochs: int = 4) -> Iterator[Event]:
    for epoch in range(1, epochs + 1):
        top1 = fitness * epoch / epochs
        metrics = {"top1": top1, "top3": (1 + top1) / 2, "train_loss": 2 - top1, "valid_loss": 2.1 - top1}
        yield Reported(id, epoch, metrics, ((epoch / epochs, 0.01, 0.9),))
    yield Scored(id, fitness, {"top1": fitness}, epochs, 2.0 * epochs)


def births(share: float = 1.0) -> tuple[Birth, ...]:
    genes: list[Genes] = [SGD, ADAM, SGD | {"mom": 0.6, "nesterov": False}, ADAM | {"batch": 64}]
    return tuple(Birth(n, each, "random", share=share) for n, each in enumerate(genes))


def rungs() -> list[Event]:
    """Of four that were trained for a quarter one goes on, and one of the quarter trainings failed."""
    short = [event for id, fitness in ((0, 0.3), (1, 0.6), (2, 0.4)) for event in trained(id, fitness, 1)]
    first = opened(fidelity=Fidelity((0.25,), 0.25), genetic=Genetic(4, 1))
    last = Failed(3, "diverged", "the loss was nan", 1.0)
    return [first, Bred(0, births(0.25)), *short, last, Granted((1,), 1.0), *trained(1, 0.9)]


def again() -> list[Event]:
    """Two finalists, each trained twice more; the second best at first has the best mean."""
    first = opened(noise=Noise(2, 2), genetic=Genetic(4, 1))
    whole = [event for id, fitness in enumerate((0.90, 0.88, 0.5, 0.4)) for event in trained(id, fitness)]
    more = [Birth(4 + n, (SGD, SGD, ADAM, ADAM)[n], "repeat", (n // 2,), 1 + n % 2) for n in range(4)]
    repeats = [event for n, fitness in enumerate((0.80, 0.82, 0.89, 0.87)) for event in trained(4 + n, fitness)]
    return [first, Bred(0, births()), *whole, Bred(0, tuple(more)), *repeats]


LISTED = "Individuals, the fittest first"
KINDS = {"rungs": rungs(), "again": again()}


@pytest.fixture
def place(tmp_path: Path) -> StudyDir:
    (tmp_path / "mine").mkdir()
    return StudyDir(tmp_path / "mine")


def said(figure: Section | None) -> str:
    return " | ".join(ElementTree.fromstring(figure.svg if figure else "<svg/>").itertext())


def read(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(tables.csv(table)), dtype=str, keep_default_na=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_reported_at_its_end(kind: str, place: StudyDir) -> None:
    write(History(KINDS[kind]), place)
    text = place.report.read_text("utf-8")
    assert "None" not in text.replace("<p>None.</p>", "")
    assert "nan" not in text.replace("was nan", "")
    drawn = {path.stem for path in (place.path / "figures").iterdir()}
    assert drawn == {"fitness", "curves", "slices", "cycle", *(("progress", "parallel") if kind == "again" else ())}
    assert ("Finalists, trained again" in text) == (kind == "again")


# choices and genes that are not there


def test_a_gene_that_is_not_there_is_empty_in_the_table_and_whole_numbers_stay_whole() -> None:
    table = read(tables.individuals(History(again()))).set_index("id")
    assert list(table.loc["0", ["optimizer", "nesterov", "mom", "beta", "batch"]]) == ["sgd", "True", "0.9", "", ""]
    assert list(table.loc["1", ["optimizer", "nesterov", "mom", "beta", "batch"]]) == ["adam", "", "", "0.99", "32"]


def test_words_are_ticks_and_individuals_without_a_gene_are_counted() -> None:
    six = History(again())
    strips = said(plots.slices(six))
    assert all(word in said(plots.curves(six)) for word in ("optimizer adam", "nesterov true"))
    assert all(word in strips for word in ("sgd", "adam", "true", "false", "32", "2 of 4 individuals have it"))


# rungs


def test_those_left_early_rank_below_the_scored_with_what_they_had(place: StudyDir) -> None:
    history = History(rungs())
    assert [row[:3] for row in rows(page(history, place), LISTED)] == [
        ["1", "i1", "0.9000"],
        ["–", "i2", "0.4000 at 25 %"],
        ["–", "i0", "0.3000 at 25 %"],
        ["–", "i3", "failed"],
    ]


def test_individuals_has_the_score_on_each_rung() -> None:
    table = read(tables.individuals(History(rungs()))).set_index("id")
    assert list(table["share"]) == ["0.25", "1.0", "0.25", "0.25"]
    assert list(table["fitness_at_0.25"]) == ["0.3", "0.6", "0.4", ""]
    assert list(table["fitness"]) == ["", "0.9", "", ""]
    assert "share" not in tables.individuals(History(again()))
    assert list(tables.generations(History(rungs())).loc[0, ["trained", "early", "failed", "epochs"]]) == [4, 2, 1, 7]
    assert dict(numbers(History(rungs())))["trainings"] == "5"


def test_figures_tell_those_left_early_from_the_others() -> None:
    history = History(rungs())
    curves = said(plots.curves(history))
    assert "at 25 %" in curves
    assert "left early, no fitness" in said(plots.fitness(history))


def test_a_lineage_holds_individuals_left_early_and_no_repeats() -> None:
    child = Birth(4, ADAM | {"lr": 0.002}, "mutation", (1,), share=0.25)
    history = History([*rungs(), Bred(1, (child,), (1, 2)), *trained(4, 0.5, 1), Closed("finished")])
    assert "at 25 %" in said(plots.lineage(history))
    assert "i4" not in said(plots.curves(History(again())))
    assert "finalists" in said(plots.fitness(History(again())))
    history = History([*again(), Bred(1, (Birth(8, ADAM | {"lr": 0.002}, "mutation", (1,)),), (1,)), *trained(8, 0.9)])
    assert set(lay_out(history)) == {0, 1, 2, 3, 8}
    assert plots.lineage(history)


# finalists


def test_the_best_by_its_mean_is_said_to_be(place: StudyDir) -> None:
    history = History(again())
    found = page(history, place)
    assert found.result[0].startswith("Individual i1 is the best of 2 finalists: optimizer adam")
    assert "a mean validation top-1 accuracy of 88.00 ± 1.00 % over 3 trainings" in found.result[0]
    assert [row[:2] for row in rows(found, LISTED)] == [["1", "i1"], ["2", "i0"], ["3", "i2"], ["4", "i3"]]
    assert [row[2] for row in rows(found, LISTED)] == ["0.8800", "0.8400", "–", "–"]


def test_the_finalists_are_listed_with_all_their_trainings(place: StudyDir) -> None:
    events = [*again()[:-1], Failed(7, "killed")]
    found = rows(page(History(events), place), "Finalists, trained again")
    assert found[0] == ["1", "i1", "0.8850", "0.0071", "2", "0.8800", "0.8900 (i6), failed (i7)"]
    assert found[1][:5] == ["2", "i0", "0.8400", "0.0529", "3"]


def test_luck_is_told_from_the_finalists_trainings(place: StudyDir) -> None:
    told = remarked(page(History(again()), place))
    assert "among 2 finalists by the mean of their trainings, and these among 4 individuals" in told
    assert "scored 0.0450 less than at first" in told  # (0.09 + 0) / 2
    assert "standard deviation of 0.0381" in told  # √((0.0529² + 0.01²) / 2)
    assert "trained once, with one seed" not in told


# the end, and the beginning


def test_a_search_that_ended_early_says_why() -> None:
    whole = [event for id, fitness in enumerate((0.90, 0.88, 0.5, 0.4)) for event in trained(id, fitness)]
    events = [opened(stop=Stop(target=0.9)), Bred(0, births()), *whole]
    why = "the target of 0.9 was reached"
    assert result(History([*events, Closed("finished", why)]))[-1] == f"The search ended early: {why}."
    assert "early" not in " ".join(result(History([*events, Closed("interrupted")])))


def test_what_a_search_began_with_is_said() -> None:
    first = opened(given=(SGD,), warm=Warm(("old",), 2))
    born = tuple(replace(birth, origin="given" if birth.id < 3 else "random") for birth in births())
    history = History([first, Recalled("old", (SGD, ADAM), (0.5, 0.75)), Bred(0, born)])
    assert begun(history) == [
        "The first generation began with i0 as given in the config.",
        "The search knew from its start what the study old (2 scored, at best 0.7500) had found."
        " Taken over as the fittest there: i1, i2.",
    ]
    nothing = History([opened(warm=Warm(("old",), 2)), Recalled("old", (), ()), Bred(0, births())])
    assert begun(nothing) == [
        "The search knew from its start what the study old (0 scored, at best –) had found. None was taken over."
    ]
    assert begun(History(again())) == []

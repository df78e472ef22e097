"""Stopping rules, finalists, rungs and warm starts, one at a time; test_contract.py has what all promise together."""

import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gaopt import Gene, Space, StudyConfig
from gaopt.config import DECIDING, STRATEGIES, Fidelity, Genetic, Noise, Stop, check_unused_keys, from_tables
from gaopt.errors import ConfigError
from gaopt.journal.events import Birth, Bred, Failed, Granted, Opened, Recalled, Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.space.space import Genes
from gaopt.strategies import operators
from gaopt.strategies.baselines import RandomSearch
from gaopt.strategies.initial_design import Known
from gaopt.strategies.registry import strategy
from gaopt.strategies.stopping import Stopping, affordable, reason
from gaopt.strategies.surrogate.foresight import Prospect
from gaopt.strategies.wrappers import Finalists, Rungs, keep_from
from gaopt.study.loop import run
from gaopt.study.prepare import recalled, resumed

LINE = Space(x=Gene(0.0, 1.0))


def search(population: int = 4, generations: int = 50) -> RandomSearch:
    return RandomSearch(StudyConfig(LINE, "", genetic=Genetic(population=population, generations=generations)))


def finished(found: Any, score: Any = lambda genes: genes["x"], cost: int = 10) -> History:
    history = History()
    while True:
        for individual in history.unfinished:
            epochs = max(1, round(cost * individual.share))
            history.add(Scored(individual.id, score(individual.genes), epochs=epochs, seconds=3600.0))
        if decision := found.decide(history, 4):
            history.add(decision)
        elif not history.unfinished:
            return history


def test_it_stops_at_its_target() -> None:
    history = finished(Stopping(search(), LINE, Stop(target=0.9)))
    assert history.best
    assert history.best.fitness >= 0.9
    assert all(i.fitness < 0.9 for i in history.individuals.values() if i.generation < history.generation)
    assert reason(Stop(target=0.9), LINE, history, history.generation + 1) == "the target of 0.9 was reached"


def test_it_stops_when_nothing_fitter_came() -> None:
    history = finished(Stopping(search(), LINE, Stop(generations=3)), score=lambda genes: 1.0)
    assert history.generation == 3  # the first individual is the best of all, and three generations came after it
    assert (
        reason(Stop(generations=3), LINE, history, history.generation + 1)
        == "no fitter individual came in 3 generations"
    )


def test_it_stops_when_the_survivors_are_alike() -> None:
    history = History([Bred(0, tuple(Birth(n, {"x": 0.5 + n / 1e4}, "random") for n in range(4)))])
    assert reason(Stop(spread=0.01), LINE, history, 1, (0, 1, 2)) == "the survivors are nearly alike"
    assert reason(Stop(spread=1e-5), LINE, history, 1, (0, 1, 2)) == ""
    assert reason(Stop(spread=0.01), LINE, history, 1, (0,)) == ""  # one alone says nothing


def test_a_budget_is_spent_and_not_overdrawn() -> None:
    for stop, trainings in [
        (Stop(epochs=75), 7),
        (Stop(epochs=70), 7),
        (Stop(seconds=3600 * 9), 9),
        (Stop(money=12.5, price=2.0), 6),
        (Stop(epochs=1000, seconds=3600 * 5), 5),
    ]:
        history = finished(Stopping(search(), LINE, stop))
        assert len(history.individuals) == trainings
        assert affordable(stop, history) < 1


def hill(genes: Genes) -> float:
    return -float((genes["x"] - 0.3) ** 2 + (genes["y"] - 0.6) ** 2)


def expecting(mode: str = "generational", **tables: Any) -> Any:
    genes = {name: {"low": 0.0, "high": 1.0} for name in "xy"}
    toy = {"objective": "gaopt.objectives.toy:sphere", "mode": mode, "default_first": False}
    return strategy(from_tables({"study": toy, "space": genes} | {"assisted": {"generations": 20}} | tables))


@pytest.mark.parametrize(("mode", "rungs"), [("generational", []), ("generational", [0.3]), ("steady", [])])
def test_it_stops_at_a_good_point_when_little_is_expected_and_trains_finalists_again(mode: str, rungs: Any) -> None:
    search = expecting(mode, stop={"gain": 0.01}, noise={"finalists": 2}, fidelity={"rungs": rungs})
    history = finished(search, hill)
    assert "a further generation is expected to gain" in search.decide(history, 4).reason
    assert 15 <= history.born <= 60, "of 105"
    assert history.ranked[0].fitness > -0.002
    assert len(history.repeats) == 4
    further = expecting(mode, fidelity={"rungs": rungs}).decide(history, 4)
    parents = {parent for birth in further.births for parent in birth.parents}
    assert parents and not parents & {individual.id for individual in history.repeats}  # noqa: PT018


def test_a_search_with_trained_finalists_goes_on_where_much_is_expected() -> None:
    tables = {"stop": {"gain": 1e-4}, "noise": {"finalists": 2}}
    history = finished(expecting(assisted={"generations": 2}, **tables), hill)
    assert len(history.repeats) == 4
    assert isinstance(expecting(assisted={"generations": 20}, **tables).decide(history, 4), Bred)


def test_it_goes_on_while_much_is_expected_or_the_newest_trainings_brought_much() -> None:
    scores = iter([0.0, 0.1, 0.2, 0.3, 0.1, 0.35])
    history = finished(search(generations=2), score=lambda _: next(scores))
    for prospect, ends in [
        (Prospect(number=1, gain=0.09, spread=1.0, noise=0.0), "0.09, less than 0.1 of the 1 from the median"),
        (Prospect(number=1, gain=0.11, spread=1.0, noise=0.0), ""),
        (Prospect(number=3, gain=0.09, spread=1.0, noise=0.0), ""),  # 0.2 was the best before the newest three
        (Prospect(number=3, gain=0.11, spread=1.0, noise=1.0), "of the noise that the model holds, 1"),
    ]:
        found = Stopping(search(), LINE, Stop(gain=0.1), prospect=lambda *_, one=prospect: one)  # type: ignore[misc]
        decision = found.decide(history, 4)
        assert isinstance(decision, Bred) if not ends else ends in decision.reason  # type: ignore[union-attr]


def test_finalists_are_trained_again_with_seeds_of_their_own_and_the_best_mean_wins() -> None:
    scores = iter([0.5, 0.9, 0.8, 0.1, *[0.2, 0.3, 0.7, 0.7]])
    history = finished(Finalists(search(generations=1), Noise(finalists=2, repeats=2)), score=lambda _: next(scores))
    repeats = [i.birth for i in history.individuals.values() if i.birth.origin == "repeat"]
    assert [(birth.parents, birth.trial) for birth in repeats] == [((1,), 1), ((1,), 2), ((2,), 1), ((2,), 2)]
    assert all(birth.genes == history.individuals[birth.parents[0]].genes for birth in repeats)
    assert history.means == {1: pytest.approx(1.4 / 3), 2: pytest.approx(2.2 / 3)}
    assert history.best is history.individuals[2]
    assert history.populations == [(0, 1, 2, 3)]  # they belong to no population


def test_whoever_is_the_best_in_the_end_had_to_keep_its_model() -> None:
    for finalists in (0, 3):
        noise, history, kept = Noise(finalists=finalists, repeats=2), History(), set[int]()
        found, rng = Finalists(search(generations=8), noise), random.Random(finalists)
        while decision := found.decide(history, 4):
            history.add(decision)
            begun = {i.id: keep_from(history, i, noise) for i in history.unfinished}  # before any of them has ended
            for individual, needed in begun.items():
                history.add(Scored(individual, score := rng.random()))
                kept |= {individual} if score >= needed else set()
        assert history.best
        assert history.best.id in kept
        assert not kept & {individual.id for individual in history.repeats}
        assert len(kept) < len(history.individuals) / 2


def test_a_finalist_that_failed_again_comes_after_those_that_never_did() -> None:
    found = Finalists(search(generations=1), Noise(finalists=2, repeats=2))
    history = History()
    history.add(found.decide(history, 4))  # type: ignore[arg-type]
    for id, score in enumerate((0.9, 0.8, 0.1, 0.2)):
        history.add(Scored(id, score))
    history.add(found.decide(history, 4))  # type: ignore[arg-type]
    for event in (Scored(4, 0.9), Failed(5, "diverged"), Scored(6, 0.5)):
        history.add(event)
        assert history.best is history.individuals[0]  # until all are there
    history.add(Scored(7, 0.5))
    assert history.best is history.individuals[1]


def test_rungs_discard_early_and_grant_whole_trainings_to_the_best() -> None:
    history = finished(Rungs(search(population=9, generations=1), Fidelity(rungs=(0.1, 0.3), keep=1 / 3)))
    shares = sorted(i.share for i in history.individuals.values())
    assert shares == [0.1] * 6 + [0.3] * 2 + [1.0]
    assert history.best is max(history.individuals.values(), key=lambda i: i.genes["x"])
    assert history.best.epochs == 1 + 3 + 10
    assert len(history.scored) == 1


def test_a_first_generation_begins_with_what_is_given_and_the_best_of_earlier_studies() -> None:
    history = History([Recalled("before", ({"x": 0.3}, {"x": 5.0}, {"x": 0.1}), (0.2, 0.9, 0.1))])
    births = Known([{"x": 0.77}], best=2).births(LINE, history, seed=0, most=10)
    assert [birth.genes for birth in births] == [{"x": 0.77}, {"x": 1.0}, {"x": 0.3}]  # moved into the bounds
    assert {birth.origin for birth in births} == {"given"}
    assert len(Known([{"x": 0.77}], best=2).births(LINE, history, seed=0, most=2)) == 2


def study(**tables: Any) -> dict[str, Any]:
    return {
        "study": {"objective": "gaopt.objectives.toy:sphere", "strategy": "random"},
        "space": {"x": {"low": 0.0, "high": 1.0}},
        "genetic": {"population": 3, "generations": 2},
        "pool": {"kind": "inline"},
        **tables,
    }


def test_a_study_starts_warm_from_another_and_remembers_it(tmp_path: Path) -> None:
    earlier = run(from_tables(study()), tmp_path / "earlier")
    config = from_tables(study(warm={"studies": [str(tmp_path / "earlier")], "best": 1}))
    later = run(config, tmp_path / "later")
    assert earlier.best
    assert later.individuals[0].genes == earlier.best.genes
    assert [event.study for event in later.recalled] == ["earlier"]
    for file in (tmp_path / "earlier").iterdir():
        if file.is_file():
            file.unlink()  # it is in the journal: resuming needs the other study no more
    assert run(config, tmp_path / "later").individuals == later.individuals


def test_genes_trained_twice_in_an_earlier_study_count_once(tmp_path: Path) -> None:
    run(from_tables(study(noise={"finalists": 1, "repeats": 2})), tmp_path / "earlier")
    (event,) = recalled(from_tables(study(warm={"studies": [str(tmp_path / "earlier")]})))
    assert len(event.genes) == 5
    assert len({repr(genes) for genes in event.genes}) == 5


def with_strategy(name: str, **tables: Any) -> dict[str, Any]:
    return study(study={"objective": "gaopt.objectives.toy:sphere", "strategy": name}, **tables)


def test_what_nothing_reads_is_refused(tmp_path: Path) -> None:
    for tables, said in [
        (with_strategy("assisted", genetic={"population": 7}), r"\[genetic\] is not read by the strategy 'assisted'"),
        (study(operators={"step": 0.1}), r"\[operators\] .* 'random'"),
        (study(fixed={"x": 0.5}), r"\[fixed\] .* 'random'"),
        (with_strategy("fixed", genetic={}, fixed={"x": 0.5}, given=[{"x": 0.1}]), r"\[given\] .* 'fixed'"),
        (with_strategy("grid", space={"x": {"choices": [1, 2]}}, noise={"finalists": 2}), r"\[noise\] .* 'grid'"),
        (with_strategy("genetic", operators={"step": 0.1}), "operators.step is 0.1, which is read only where"),
        (study(fidelity={"keep": 0.5}), r"fidelity.keep is 0.5, which is read only where fidelity.rungs != \[\]"),
        (study(stop={"price": 2.0}), "stop.price is 2.0"),
        (study(stop={"gain": 0.01}), "stop.gain is 0.01 with the strategy 'random', which has no model to expect any"),
        (study(warm={"best": 1}), "warm.best is 1"),
    ]:
        with pytest.raises(ConfigError, match=said):
            run(from_tables(tables), tmp_path / "new")
        assert not (tmp_path / "new").exists()


def test_what_is_read_is_accepted_and_so_are_all_defaults_written_out() -> None:
    for tables in [
        {"operators": {"mutation": "polynomial", "step": 0.1, "eta": 3.0, "adaptive": True}},
        {"operators": {"crossover": "blend", "alpha": 0.1}, "assisted": {"population": 7}},
        {"fidelity": {"rungs": [0.5], "keep": 0.5}, "noise": {"finalists": 1, "repeats": 3}},
        {"stop": {"money": 1.0, "price": 2.0}, "warm": {"studies": ["another"], "best": 1}},
    ]:
        check_unused_keys(from_tables(with_strategy("genetic", **tables)))
    defaults = {table: dict(asdict(kind())) for table, kind in DECIDING.items()}
    for name in STRATEGIES:
        check_unused_keys(from_tables(with_strategy(name, **defaults)))


def test_a_study_that_was_begun_with_what_nothing_reads_goes_on_and_takes_no_more_of_it(tmp_path: Path) -> None:
    home = StudyDir(tmp_path / "older")
    home.make()
    tables = with_strategy("fixed", fixed={"x": 0.5}, noise={"finalists": 1, "repeats": 3})
    with Journal(home.journal, write=True) as journal:
        journal.append(Opened(tables, "0.2.0", "host", 1))
    assert run(resumed(home), home).best
    with pytest.raises(ConfigError, match=r"\[noise\] is not read by the strategy 'fixed'"):
        resumed(home, ["noise.finalists=2"])


def test_of_those_without_a_fitness_the_ones_that_got_furthest_survive() -> None:
    births = [Birth(0, {"x": 0.0}, "random"), *(Birth(n, {"x": n / 9}, "random", share=0.2) for n in range(1, 5))]
    history = History([Bred(0, tuple(births)), Failed(0, "diverged")])
    for id, score in ((1, 0.3), (2, 0.5), (3, 0.4), (4, 0.1)):
        history.add(Scored(id, score))
    history.add(Granted((4,), 0.5))
    history.add(Scored(4, 0.2))
    assert [i.id for i in operators.fittest(LINE, history.population, 5)] == [4, 2, 3, 1, 0]

"""Comparisons: what each method trains, resuming, finals, and the verb."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gaopt.compare import begin
from gaopt.compare.methods import Methods
from gaopt.compare.model import Comparison
from gaopt.compare.plan import Plan, extended, read, write
from gaopt.compare.read import comparison
from gaopt.compare.run import Runner, missing
from gaopt.config import load
from gaopt.errors import ConfigError, Hopeless, Stopped, StudyError
from gaopt.execution.inline import Inline
from gaopt.journal.events import Closed
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import ComparisonDir
from gaopt.objectives.base import resolve
from gaopt.report.tables import individuals
from tests.conftest import toy
from tests.integration.test_cli import invoke

CHEAP = ("assisted", "genetic", "random", "optuna-tpe")
"""Methods that cost next to nothing here."""


def tables(objective: str = "tests.flat:slope", **more: Any) -> dict[str, Any]:
    return {
        "study": {"objective": objective, "strategy": "assisted"},
        "space": {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 0.0, "high": 1.0}},
        "assisted": {"population": 4, "generations": 3},
        "pool": {"kind": "inline"},
    } | more


def plan(objective: str = "tests.flat:slope", methods: tuple[str, ...] = CHEAP, **given: Any) -> Plan:
    return begin.of_configs({"toy": tables(objective)}, {"methods": methods, "seeds": 2, **given})


def ran(plan: Plan, home: ComparisonDir, events: int | None = None, tell: Callable[[str], None] = str) -> Comparison:
    """Run what is missing; with a number, be told to stop after so many looks at it."""
    looks = 0

    def stop() -> None:
        nonlocal looks
        looks += 1
        if events is not None and looks > events:
            raise Stopped(15)

    home.make()
    write(plan, home)
    objective = resolve(plan.base.objective)
    shared = objective.prepare(plan.base)
    Runner(home, plan, Inline(objective, shared), shared, stop, tell).run()
    return comparison(home)


def table(found: Comparison) -> str:
    """All individuals without what a clock decides."""
    histories = [search.history for search in found.searches]
    return "\n".join(individuals(each).drop(columns="seconds").to_csv(index=False) for each in histories)


@pytest.fixture
def home(tmp_path: Path) -> ComparisonDir:
    return ComparisonDir(tmp_path / "compared")


def test_every_method_searches_with_every_seed_and_the_same_budget(home: ComparisonDir) -> None:
    """The luck of `slope` follows from the seed alone, so that pairs of methods differ by their genes alone."""
    found = ran(plan(finals=2), home)
    assert {(s.method, s.seed) for s in found.searches} == {(m, s) for m in CHEAP for s in (0, 1)}
    assert {search.epochs for search in found.searches} == {8} == {found.budget}
    first, second = ([i.genes for i in each.history.individuals.values()] for each in found.of("random"))
    assert first != second
    seeds = [History(Journal(home.finals(seed).journal)).config["study"]["seed"] for seed in (0, 1)]
    assert len({*seeds, 0, 1}) == 4
    scores = found.scores()
    assert set(scores) == set(CHEAP)
    for seed in (0, 1):
        luck = [scores[s.method][seed] - 0.05 * s.winner.genes["x"] for s in found.searches if s.seed == seed]  # type: ignore[union-attr]
        assert luck == pytest.approx([luck[0]] * len(luck))
        assert scores["random"][seed] != found.chosen()["random"][seed]
    mine = [f.individual.fitness for f in found.finals if (f.method, f.seed) == ("random", 0)]
    assert len(set(mine)) == 2
    assert scores["random"][0] == pytest.approx(sum(mine) / 2)


@pytest.mark.parametrize("looks", [3, 40])
def test_a_comparison_that_was_stopped_goes_on_where_it_was(looks: int, tmp_path: Path) -> None:
    whole = ran(plan(), ComparisonDir(tmp_path / "whole"))
    home = ComparisonDir(tmp_path / "cut")
    with pytest.raises(Stopped):
        ran(plan(), home, looks)
    assert missing(home, plan())
    found = ran(plan(), home)
    assert not missing(home, plan())
    assert table(found) == table(whole)
    assert found.scores() == whole.scores()


def in_vain(objective: str) -> Plan:
    """A plan whose studies would stop after three failures."""
    given = {"methods": ("random", "genetic"), "seeds": 1}
    return begin.of_configs({"toy": tables(objective, faults={"max_alike_failures": 3})}, given)


def test_a_comparison_in_which_nothing_works_stops_with_the_first_traceback_and_can_be_gone_on_with(
    home: ComparisonDir,
) -> None:
    for _ in range(2):
        with pytest.raises(Hopeless, match=r"the first 3 trainings all failed: error\. Individual \d:") as told:
            ran(in_vain("tests.flat:broken"), home)
        assert str(told.value).endswith("RuntimeError: it never works")
    assert missing(home, in_vain("tests.flat:broken"))
    assert len(History(Journal(home.search("random", 0).journal)).failed) == 6
    assert not home.search("genetic", 0).journal.exists()


def test_a_method_of_which_all_fails_keeps_the_others_from_nothing_and_says_why(home: ComparisonDir) -> None:
    told: list[str] = []
    found = ran(in_vain("tests.flat:broken_for_genetic"), home, tell=told.append)
    assert set(found.scores()) == {"random"}
    assert "best 0.9" in told[0]
    assert "no score: error: RuntimeError: it never works" in told[1]


def test_a_comparison_goes_on_to_more_seeds_and_trains_nothing_twice(home: ComparisonDir) -> None:
    before = ran(plan(methods=("random", "genetic")), home)
    wider = extended(read(home), 3)
    assert missing(home, wider)
    found = ran(wider, home)
    assert found.seeds == [0, 1, 2]
    assert [s.history.updated for s in found.searches[:4]] == [s.history.updated for s in before.searches]
    with pytest.raises(StudyError, match="has 3 already"):
        extended(wider, 2)


def test_the_genes_given_by_hand_are_a_method_with_seeds_of_its_own(home: ComparisonDir) -> None:
    configs = {"toy": tables(given=[{"x": 1.0, "y": 0.5}])}
    found = ran(begin.of_configs(configs, {"methods": ("random", "given"), "seeds": 2}), home)
    individuals = [i for search in found.of("given") for i in search.history.individuals.values()]
    assert {tuple(i.genes.items()) for i in individuals} == {(("x", 1.0), ("y", 0.5))}
    assert len({i.fitness for i in individuals}) == len(individuals) == 16


def test_configs_are_methods_by_their_names(home: ComparisonDir) -> None:
    fixed = {"study": {"objective": "tests.flat:slope", "strategy": "fixed"}, "fixed": {"x": 0.9, "y": 0.1}}
    configs = {"one": tables(), "two": tables(assisted={"population": 2, "generations": 3}), "three": tables(**fixed)}
    found = ran(begin.of_configs(configs, {"seeds": 1, "budget": 9.0}), home)
    assert found.methods == ("one", "two", "three")
    assert [len(search.history.populations[0]) for search in found.searches[:2]] == [4, 2]
    assert {i.genes["x"] for i in found.of("three")[0].history.individuals.values()} == {0.9}
    assert {search.epochs for search in found.searches} == {9}


def test_studies_that_are_there_are_grouped_by_all_but_their_seed(tmp_path: Path, home: ComparisonDir) -> None:
    each = (("a", 3, "random"), ("b", 1, "genetic"), ("c", 1, "random"), ("d", 5, "genetic"))
    studies = [studied(tmp_path, *one) for one in each]
    found = ran(begin.of_studies(studies, {"finals": 2}), home)
    assert found.methods == ("random", "genetic")
    assert [s.history.config["study"]["seed"] for s in found.of("random")] == [1, 3]
    assert len(found.finals) == 8
    assert {method: set(seeds) for method, seeds in found.scores().items()} == {"random": {1, 3}, "genetic": {1, 5}}
    assert not (home.path / "searches").exists()


def test_what_cannot_be_compared_is_refused() -> None:
    some = {"methods": ("random",)}
    for configs, given, said in [
        ({"a": tables()}, {**some, "budget": float("nan")}, "--budget is nan: must be a whole number"),
        ({"a": tables()}, {**some, "budget": 2001.0}, "more than 2000 trainings"),
        ({"a": tables()}, {"methods": ("rando",)}, "names 'rando'"),
        ({"a": tables()}, {"methods": ("baseline",)}, "names 'baseline'"),
        ({"a": tables()}, {"methods": ("random", "random")}, "names one twice"),
        ({"a": tables()}, {**some, "budget": 0.5}, "budget is 0.5"),
        ({"a": tables()}, {**some, "cost": "seconds"}, "--budget is not given"),
        ({"a": tables()}, {"methods": ("random", "ray-asha")}, "needs 'ray'"),
        ({"a": tables(), "b": tables("tests.flat:noise")}, {}, "b and a differ in study.objective"),
        ({"a": tables(), "b": tables(warm={"studies": ["nope"]})}, {}, "there is no study 'nope'"),
        ({"a": tables(), "b": tables(given=[{"x": n / 20, "y": 0.0} for n in range(12)])}, {}, "has 12 individuals"),
    ]:
        with pytest.raises((ConfigError, StudyError), match=said):
            begin.of_configs(configs, given)


def test_seconds_are_a_budget_too(home: ComparisonDir) -> None:
    found = ran(plan("tests.flat:slope", methods=("random", "genetic"), cost="seconds", budget=0.05, seeds=1), home)
    assert all(search.seconds >= 0.03 for search in found.searches)
    assert all(search.winner for search in found.searches)


def test_a_config_keeps_for_its_own_search_what_others_do_not_read() -> None:
    own = tables(fidelity={"rungs": [0.5]}, given=[{"x": 0.1, "y": 0.2}], noise={"finalists": 2})
    methods = Methods(begin.of_configs({"toy": own}, {"methods": (*CHEAP, "given")}))
    mine, random = methods.configured("assisted", 0), methods.configured("random", 0)
    assert mine.fidelity.rungs == (0.5,)
    assert mine.given
    assert mine.default_first is random.default_first is False  # those of other libraries are told none
    assert not random.fidelity.rungs
    assert not random.given
    assert not mine.noise.finalists  # the finals of a comparison are its own


@pytest.mark.slow
def test_baselines_train_what_they_say_and_test_images_are_read_once_a_finalist(
    home: ComparisonDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resnet.train

    few = ["data.limit=60", "recipe.epochs=1", "assisted.population=2", "assisted.generations=1", "pool.kind=inline"]
    small = load("quick", few).plain()
    wanted = begin.of_configs({"quick": small}, {"methods": ("random", "baseline", "paper"), "seeds": 1})
    tested, evaluate = [], resnet.train.evaluate

    def counted(net: Any, split: Any, data: Any, *rest: Any) -> Any:
        tested.append(split is data.test)
        return evaluate(net, split, data, *rest)

    monkeypatch.setattr(resnet.train, "evaluate", counted)
    found = ran(wanted, home)
    assert tested == [True] * 3
    assert found.splits
    baseline, paper = (found.of(method)[0].history for method in ("baseline", "paper"))
    assert baseline.config["recipe"]["schedule"] == "one_cycle"
    assert baseline.individuals[0].genes["wd"] == 0.01
    assert baseline.individuals[0].genes["mom"] == 0.85
    assert paper.config["recipe"]["schedule"] == "steps"
    assert paper.config["recipe"]["optimizer"] == "sgd"
    assert paper.individuals[0].genes == {"lr": 0.1, "wd": 1e-4, "mom": 0.9}
    final = found.finals[0].individual
    assert final.fitness == final.outcome.metrics["top1"]  # type: ignore[union-attr]
    assert "valid_loss" not in final.reports[1].metrics


@pytest.mark.slow
def test_finals_train_on_the_validation_images_too() -> None:
    from resnet.data import DataSpec, joined
    from resnet.data import load as images

    found = images(DataSpec(limit=100))
    both = joined(found)
    assert len(both.train) == len(found.train) + len(found.valid)
    assert both.test is found.test
    assert both.digest != found.digest
    assert both.mean != found.mean


@pytest.mark.slow
def test_asha_stops_trainings_on_their_way_and_writes_the_same_journal(home: ComparisonDir) -> None:
    from gaopt.compare import asha
    from gaopt.config import from_tables
    from gaopt.execution import pool as open_pool
    from gaopt.journal.paths import StudyDir

    whole = tables("gaopt.objectives.toy:valley", pool={"dashboard": False})
    whole["space"] = toy().plain()["space"]
    base = begin.of_configs({"toy": whole}, {"methods": ("random", "ray-asha"), "budget": 60.0})
    config = Methods(base).configured("ray-asha", 0)
    objective = resolve(config.objective)
    pool = open_pool(from_tables(whole), objective, lambda: None)
    looks = 0

    def stop() -> None:
        nonlocal looks
        looks += 1
        if looks == 30:
            raise Stopped(15)

    try:
        place = StudyDir(home.path / "asha")
        with pytest.raises(Stopped):
            asha.run(config, place, None, 2, stop=stop)
        cut = History(Journal(place.journal))
        assert cut.closed
        assert cut.closed.reason == "interrupted"
        found = asha.run(config, place, None, 2, stop=lambda: None)
    finally:
        pool.close()
    assert sum(i.epochs for i in found.individuals.values()) == 60
    assert found.early
    assert all(0 < i.share < 1 for i in found.early)
    assert found.best
    assert found.best.share == 1
    assert found.best.epochs == 5
    assert not (place.path / "work").exists()
    assert all(i.failure.reason in ("diverged", "killed") for i in found.failed if i.failure)


def studied(tmp_path: Path, name: str, seed: int, strategy: str = "random", generations: int = 3) -> Any:
    """A study that is there."""
    from gaopt.config import from_tables
    from gaopt.journal.paths import StudyDir
    from gaopt.study.loop import run as run_study

    more = {"genetic": {"population": 4, "generations": generations}, "assisted": {}}
    study = {"study": {"objective": "tests.flat:slope", "strategy": strategy, "seed": seed}}
    home = StudyDir(tmp_path / name)
    run_study(from_tables(tables(**study, **more)), home)
    return home


def test_a_study_that_is_not_finished_or_twice_there_is_refused(tmp_path: Path) -> None:
    whole, copy, cut = studied(tmp_path, "whole", 0), studied(tmp_path, "copy", 0), studied(tmp_path, "cut", 1)
    with pytest.raises(StudyError, match="copy and whole are the same search with the same seed"):
        begin.of_studies([whole, copy], {})
    with Journal(cut.journal, write=True) as journal:
        journal.append(Closed("interrupted"))
    with pytest.raises(StudyError, match="cut is not finished"):
        begin.of_studies([whole, cut], {})


def test_a_study_that_went_on_since_it_was_judged_is_refused(tmp_path: Path, home: ComparisonDir) -> None:
    from gaopt.study.loop import run as run_study
    from gaopt.study.prepare import resumed

    studies = [studied(tmp_path, "a", 0), studied(tmp_path, "b", 0, "genetic")]
    ran(begin.of_studies(studies, {}), home)
    before = History(Journal(studies[1].journal)).best
    after = run_study(resumed(studies[1], ["genetic.generations=40"]), studies[1]).best
    assert before
    assert after
    assert before.id != after.id
    with pytest.raises(StudyError, match="genetic went on since its winner was judged"):
        comparison(home)


@pytest.mark.parametrize("objective", ["silent", "plain"])
def test_an_objective_that_tells_of_no_epochs_spends_one_a_training(objective: str, home: ComparisonDir) -> None:
    found = ran(plan(f"tests.flat:{objective}", methods=("assisted", "genetic", "random"), budget=12.0), home)
    assert {search.epochs for search in found.searches} == {12}
    assert {len(search.history.individuals) for search in found.searches} == {12}


def test_too_few_seeds_are_told_of_before_anything_is_run(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "toy.toml"
    config.write_text(tomli_w.dumps(tables()))
    arguments = ("compare", str(config), "--methods", "assisted,random", "--seeds")
    for seeds in ("3", "2"):
        code, out, _ = invoke(capfd, *arguments, seeds, "--dry-run")
        assert (code, "can show no difference: a claim takes at least 3" in out) == (0, seeds == "2")
    _, _, err = invoke(capfd, *arguments, "2")
    assert err.index("can show no difference") < err.index("1 of 4")


def test_a_comparison_is_listed_and_tells_where_it_is(
    home: ComparisonDir, results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = ComparisonDir(results / "mine")
    with pytest.raises(Stopped):
        ran(plan(methods=("assisted", "random")), mine, events=20)
    assert "mine   interrupted" in invoke(capfd, "list")[1]
    code, out, _ = invoke(capfd, "status", "mine")
    assert (code, "go on with: gaopt compare mine" in out) == (0, True)
    ran(plan(methods=("assisted", "random")), mine)
    for follow in ([], ["--follow"]):
        out = invoke(capfd, "status", "mine", *follow)[1]
        assert "mine  finished" in out
        assert "4 of 4 searches ended, 2 of 2 seeds judged" in out
        assert re.search(r"random +2/2 +16 +\d\.\d{4}", out)
    (listed,) = json.loads(invoke(capfd, "list", "--json")[1])
    assert listed == json.loads(invoke(capfd, "status", "mine", "--json")[1])
    assert (listed["comparison"], listed["state"], listed["finals"]) == ("mine", "finished", {"ended": 2, "of": 2})

"""The report of a comparison: read off it whatever state it is in, and complete without scripts."""

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gaopt.compare.model import Comparison, Final, SearchRun
from gaopt.config import Genetic, PoolConfig, StudyConfig
from gaopt.journal.events import Birth, Bred, Closed, Event, Failed, Granted, Opened, Scored
from gaopt.journal.history import History
from gaopt.journal.paths import ComparisonDir
from gaopt.report.comparison.evidence import Evidence, within
from gaopt.report.comparison.report import FIGURES, remarks, state, write
from gaopt.report.comparison.sections import contrasts, methods, published, setting
from gaopt.report.importance import LEAST, importance
from gaopt.report.page import Section
from gaopt.report.views import steps
from gaopt.space.gene import Choice, Gene
from gaopt.space.space import Space
from tests.comparisons import SPACE, comparison, finals, search

TABLES = ("methods", "contrasts", "finals", "trainings", "progress", "importance")


@pytest.fixture(scope="module")
def whole() -> Comparison:
    return comparison()


@pytest.fixture(scope="module")
def written(whole: Comparison, tmp_path_factory: pytest.TempPathFactory) -> ComparisonDir:
    """The report of a whole comparison, to be read only."""
    home = ComparisonDir(tmp_path_factory.mktemp("results") / "mine")
    home.path.mkdir()
    write(whole, home)
    return home


@pytest.fixture
def home(tmp_path: Path) -> ComparisonDir:
    (tmp_path / "mine").mkdir()
    return ComparisonDir(tmp_path / "mine")


def rows(section: Section) -> list[list[str]]:
    return section.table.rows if section.table else []


def remarked(made: Comparison) -> str:
    return " ".join(remarks(Evidence(made)))


def read(home: ComparisonDir, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(home.table(table).read_text("utf-8"))))


def page(home: ComparisonDir) -> str:
    return home.report.read_text("utf-8")


def toy(scores: Mapping[str, list[float | None]], splits: bool = False) -> Comparison:
    """Searches of one training each, of an objective that tells a fitness and nothing else; None for a failure."""
    config = StudyConfig(
        Space(x=Gene(0, 1)), "gaopt.objectives.toy:valley", "random", 0, Genetic(2, 1), pool=PoolConfig("inline")
    )
    searches = []
    for method, found in scores.items():
        for seed, value in enumerate(found):
            end = Failed(0, "error", "broken", 1.0) if value is None else Scored(0, value, {}, 1, 1.0)
            bred = Bred(0, (Birth(0, {"x": 0.5}, "random"),))
            events: list[Event] = [Opened(config.plain(), "0.3.0", "host", 1), bred, end]
            searches.append(SearchRun(method, seed, History([*events, Closed("finished")])))
    made = comparison(methods=("a",), seeds=(0,), trainings=1)
    again = []
    for each in searches:
        if each.winner:
            one = History(
                [Bred(0, (Birth(0, {"x": 0.5}, "given"),)), Scored(0, each.winner.fitness - 0.25, {}, 1, 1.0)]
            )
            again.append(Final(each.method, each.seed, one.individuals[0]))
    return replace(
        made,
        methods=tuple(scores),
        titles={},
        searches=tuple(searches),
        finals=tuple(again),
        config=config.plain(),
        splits=splits,
        difference=0.1,
        budget=1.0,
    )


# files


def test_write_leaves_all_files_the_same_each_time(whole: Comparison, written: ComparisonDir) -> None:
    found = {path: path.read_bytes() for path in written.path.rglob("*") if path.is_file()}
    drawn = {"importance.svg", *(f"{draw.name}.svg" for draw in FIGURES)}
    names = {"report.html", "report.md", *(f"{name}.csv" for name in TABLES)} | drawn
    assert {path.name for path in found} == names
    markdown = written.markdown.read_text("utf-8")
    assert all(f"](figures/{name})" in markdown for name in drawn)
    assert {path: path.read_bytes() for path in write(comparison(), written)} == found


def test_the_page_holds_every_figure_and_is_complete_without_scripts(whole: Comparison, written: ComparisonDir) -> None:
    text = page(written)
    for draw in FIGURES:
        ElementTree.fromstring(written.figure(draw.name).read_text("utf-8"))
        assert f'<section id="figure-{draw.name}">' in text
    assert text.count("<svg") == len(FIGURES) + 1
    assert "default-src 'none'" in text
    assert not re.search(r"@import|url\((?!#)|<link|<img|<iframe|\bsrc=|https?:", text)
    assert f'<p class="result">{Evidence(whole).verdict}</p>' in text
    for each in (text, written.markdown.read_text("utf-8")):
        assert "gaopt compare mine" in each
        assert "gaopt 0.3.0; written with Python" in each
        assert 'name = "resnet20"' in each.replace("&#34;", '"')


# what is said


def test_the_table_of_methods_has_the_means_of_the_finals_in_percent(whole: Comparison) -> None:
    table = methods(Evidence(whole)).table
    assert table
    assert table.head[:4] == ["method", "seeds", "judged %", "95 % interval"]
    assert {"top-3 %", "top-5 %", "loss"} <= set(table.head)
    assert [row[0] for row in table.rows] == list(whole.methods)
    for row in table.rows:
        scores = whole.scores()[row[0]].values()
        cells = dict(zip(table.head, row, strict=True))
        assert cells["judged %"] == f"{100 * sum(scores) / len(scores):.2f}"
        assert cells["seeds"] == "3"
        chosen = sum(whole.chosen()[row[0]].values()) / 3
        assert float(cells["optimism"].replace("−", "-")) == pytest.approx(100 * (chosen - sum(scores) / 3), abs=0.0051)
    best = max(whole.methods, key=lambda method: sum(whole.scores()[method].values()))
    assert table.rows[table.strong][0] == best


@pytest.mark.parametrize(
    ("first", "second", "difference", "shown", "said"),
    [
        ([0.9, 0.8, 0.7, 0.95], [0.4, 0.31, 0.2, 0.45], 0.4975, "yes", "A beats b by"),
        ([0.5, 0.6, 0.4], [0.6, 0.4, 0.5], 0.0, "no", "No difference can be shown"),
    ],
)
def test_a_contrast_is_the_reference_less_the_other(
    first: list[float | None], second: list[float | None], difference: float, shown: str, said: str
) -> None:
    made = toy({"a": first, "b": second})
    (row,) = rows(contrasts(Evidence(made)))
    assert (row[0], row[-1]) == ("b", shown)
    assert float(row[2]) == pytest.approx(difference, abs=1e-4)
    assert Evidence(made).verdict.startswith(said)
    table = methods(Evidence(made)).table
    assert table
    assert not {"top-3 %", "top-5 %", "loss"} & set(table.head)


def test_the_setting_says_what_it_was_and_who_saw_which_images(whole: Comparison) -> None:
    found = dict(rows(setting(Evidence(whole))))
    assert found["data"] == "digits"
    assert found["network"] == "resnet20"
    assert found["genes"].startswith("lr 1e-6 … 0.01 (log); wd 0 … 0.1; optimizer sgd or adam; mom 0.1 … 1.5, when")
    assert found["budget of each search"] == "24 epochs of training"
    assert found["seeds"].startswith("3 (0, 1, 2)")
    assert "9 finals, each measured once" in found["judged on"]
    assert found["assisted"] == "genetic search, a model choosing among the offspring"


def test_without_a_test_split_no_test_images_are_spoken_of() -> None:
    made = toy({"a": [0.5, 0.6], "b": [0.4, 0.3]})
    text = " ".join(cell for row in rows(setting(Evidence(made))) for cell in row)
    assert "There is no test split" in text
    assert not re.search("test image|%", f"{text} {remarked(made)}")
    assert Evidence(made).score_name == "fitness"


def test_remarks_count_what_failed_and_admit_uneven_budgets(whole: Comparison) -> None:
    failed = sum(len(each.history.failed) for each in whole.searches)
    assert failed
    assert f"{failed} trainings of the searches failed." in remarked(whole)
    assert "more than 1 %" in remarked(whole)  # what fails early is cheaper
    even = comparison(methods=("baseline", "paper"))
    assert "more than 1 %" not in remarked(even)
    assert "spent 24 epochs" in remarked(even)


def test_studies_that_began_with_the_setting_of_the_recipe_are_named_where_others_did_not() -> None:
    made = replace(toy({"mine": [0.5], "theirs": [0.5]}), studies=True)
    said = "Only mine began with the recipe's own setting"
    assert said not in remarked(made)
    mine = SearchRun("mine", 0, History([Bred(0, (Birth(0, {"x": 0.5}, "default"),)), Scored(0, 0.5, {}, 1, 1.0)]))
    made = replace(made, searches=(mine, made.searches[1]))
    assert said in remarked(made)


def test_a_failed_final_is_named_and_in_no_mean() -> None:
    made = comparison()
    lost = made.finals[0]
    broken = History([Bred(0, (Birth(0, {}, "given"),)), Failed(0, "diverged", "the loss was nan", 1.0)])
    made = replace(made, finals=(replace(lost, individual=broken.individuals[0]), *made.finals[1:]))
    assert "Not judged, for the search has no winner or its final failed: assisted (seed 0)." in remarked(made)
    assert rows(methods(Evidence(made)))[0][1] == "2 of 3"


def test_published_errors_stand_beside_ours_on_the_same_data_alone(whole: Comparison) -> None:
    assert not rows(published(Evidence(whole)))
    config = {**whole.config, "data": {"name": "cifar10"}}
    printed = rows(published(Evidence(replace(whole, config=config))))
    ours = [row for row in printed if row[2] == "this comparison"]
    assert len(ours) == len(whole.methods)
    assert all(row[0].startswith("here: ") for row in ours)
    errors = [float(row[1].split()[0]) for row in printed]
    assert errors == sorted(errors)
    assert any("He et al. 2015" in row[2] for row in printed)
    assert not rows(published(Evidence(replace(whole, config=config, splits=False))))


# hostile and strange


def test_a_method_whose_every_training_failed_has_dashes(home: ComparisonDir) -> None:
    made = toy({"a": [0.9, 0.8, 0.7], "b": [None, None, None]})
    write(made, home)
    row = rows(methods(Evidence(made)))[1]
    assert row == ["b", "0 of 3", "–", "–", "–", "–"]
    assert "final failed: b (seed 0), b (seed 1), b (seed 2)." in home.markdown.read_text("utf-8").replace("\\", "")
    assert read(home, "methods")[1]["judged"] == ""


def test_what_is_strange_gives_a_sensible_page(tmp_path: Path) -> None:
    for n, made in enumerate(
        [
            comparison(seeds=(4,)),
            comparison(methods=("random",)),
            toy({"a": [0.5, 0.6], "b": [0.4]}),
            toy({"a": [0.5, 0.5, 0.5], "b": [0.5, 0.5, 0.5]}, splits=True),
            toy({"a": [None], "b": [None]}),
            comparison(seeds=(0,), trainings=2, space=Space(x=Choice((3,)))),
            comparison(seeds=(0,), searches=(), finals=()),
            comparison(seeds=(0,), finals=()),
            comparison(seeds=(0,), searches=(search("assisted", 0, ended=False), search("random", 0)), finals=()),
        ]
    ):
        home = ComparisonDir(tmp_path / str(n))
        write(made, home)
        text = home.report.read_text("utf-8")
        assert not re.search(r"\bnan\b|\binf\b|None", re.sub(r"was nan|<svg.*?</svg>", "", text, flags=re.DOTALL))
        assert all(read(home, name) is not None for name in TABLES)
        assert "inf" not in home.table("trainings").read_text("utf-8")


def test_the_state_says_what_is_missing(whole: Comparison) -> None:
    assert state(whole) == "finished"
    assert state(replace(whole, searches=(search("assisted", 0, ended=False), *whole.searches[1:]))).startswith(
        "8 of 9"
    )
    assert state(replace(whole, finals=())).startswith("the searches have ended, 0 finals")
    assert state(replace(whole, searches=(), finals=())) == "nothing was run yet"


# the best so far


def stepped(*epochs_and_scores: tuple[int, float | None]) -> SearchRun:
    births = tuple(Birth(n, {"x": 0.5}, "random") for n in range(len(epochs_and_scores)))
    events: list[Any] = [Bred(0, births)]
    for n, (epochs, score) in enumerate(epochs_and_scores):
        end = Failed(n, "error", "", 2.0, epochs) if score is None else Scored(n, score, {}, epochs, 2.0 * epochs)
        events.append(replace(end, at=100.0 + n))
    return SearchRun("a", 0, History(events))


def test_the_best_so_far_counts_what_failed_as_spent() -> None:
    found = steps(stepped((3, 0.5), (1, None), (3, 0.4), (3, 0.9)).history)
    assert [(step.epochs, step.seconds, step.best) for step in found] == [
        (3, 6.0, 0.5),
        (4, 8.0, 0.5),
        (7, 14.0, 0.5),
        (10, 20.0, 0.9),
    ]
    assert [step.fitness for step in found] == [0.5, None, 0.4, 0.9]


def test_a_short_training_is_spent_and_no_best() -> None:
    events: list[Any] = [
        Bred(0, (Birth(0, {"x": 0.5}, "random", share=0.5), Birth(1, {"x": 0.1}, "random", share=0.5)))
    ]
    events += [Scored(0, 0.99, {}, 2, 1.0, at=1.0), Scored(1, 0.1, {}, 2, 1.0, at=2.0), Granted((0,), 1.0, at=3.0)]
    events += [Scored(0, 0.7, {}, 4, 2.0, at=4.0)]
    found = steps(History(events))
    assert [(step.epochs, step.best) for step in found] == [(2, -math.inf), (4, -math.inf), (8, 0.7)]
    assert found[-1].epochs == SearchRun("a", 0, History(events)).epochs
    later = [events[0], replace(events[2], at=1.0), replace(events[1], at=2.0)]
    assert [step.individual.id for step in steps(History(later))] == [1, 0]


# genes


def test_trainings_outside_the_space_say_nothing_of_it(whole: Comparison) -> None:
    known = Evidence(whole).space
    assert known == dict(SPACE)  # what a baseline holds fixed does not replace what others search for
    inside = within(whole, known)
    assert inside
    assert all(1e-6 <= individual.genes["lr"] <= 1e-2 for individual in inside)
    assert not {id(i) for i in inside} & {id(i) for s in whole.of("baseline") for i in s.history.scored}


def test_the_gene_that_matters_is_found() -> None:
    trainings = within(comparison(methods=("random",), seeds=(0,), trainings=60), SPACE)
    found = importance(trainings, SPACE)
    assert found
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert next(iter(found.shares)) == "lr"
    assert 0.3 < found.explained < 1
    assert importance(trainings[: LEAST - 1], SPACE) is None
    shuffled = [replace(i, outcome=j.outcome) for i, j in zip(trainings, trainings[7:] + trainings[:7], strict=True)]
    assert importance(shuffled, SPACE) is None, "what the genes do not explain is given to none"


# tables


def test_the_tables_have_every_training_and_every_final(whole: Comparison, written: ComparisonDir) -> None:
    rows = read(written, "trainings")
    assert len(rows) == sum(len(each.history.individuals) for each in whole.searches)
    assert sum(int(row["winner"]) for row in rows) == len(whole.searches)
    assert {"gene_lr", "gene_wd", "gene_optimizer", "gene_mom"} <= set(rows[0])
    for row in read(written, "finals"):
        (winner,) = (w for w in rows if (w["method"], w["seed"], w["winner"]) == (row["method"], row["seed"], "1"))
        assert (row["winner"], row["gene_lr"], row["chosen_by"]) == (winner["id"], winner["gene_lr"], winner["fitness"])
        assert float(row["fitness"]) == whole.scores()[row["method"]][int(row["seed"])]
        assert float(row["judged_top3"]) > float(row["fitness"])
    last = {(row["method"], row["seed"]): float(row["best"]) for row in read(written, "progress")}
    chosen = {(method, str(seed)): score for method, each in whole.chosen().items() for seed, score in each.items()}
    assert last == chosen


def test_optimism_is_a_number_where_there_is_any(whole: Comparison) -> None:
    assert re.search(r"up to \+\d\.\d\d points too high \(\w+\)", remarked(whole))
    low = History([Bred(0, (Birth(0, {}, "given"),)), Scored(0, 0.999, {"top1": 0.999}, 1, 1.0)]).individuals[0]
    better = tuple(replace(final, individual=low) for final in whole.finals)
    assert "here all of it" in remarked(replace(whole, finals=better))


def test_several_finals_of_a_winner_count_as_one_seed() -> None:
    made = comparison()
    more = replace(made, finals=finals(made.searches, repeats=2))
    assert dict(rows(setting(Evidence(more))))["judged on"].count("18 finals") == 1
    assert [row[1] for row in rows(methods(Evidence(more)))] == ["3", "3", "3"]

"""The report: tables, figures and pages are read off a history, whatever state it is in."""

import io
import math
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import pandas as pd
import pytest

from gaopt.config import Assisted, Genetic, PoolConfig, StudyConfig, from_tables
from gaopt.config.tables import overridden
from gaopt.journal.events import Birth, Bred, Closed, Data, Event, Failed, Judged, Opened, Reported, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.report import format as words
from gaopt.report import plots, tables
from gaopt.report.page import Page, Section
from gaopt.report.remarks import advice
from gaopt.report.study import page, result, write
from gaopt.space.gene import Gene
from gaopt.space.space import Space
from gaopt.strategies.registry import strategy

SPACE = Space(lr=Gene(1e-6, 1e-2, "log"), wd=Gene(0.0, 0.1), mom=Gene(0.1, 1.5))


def config(space: Space = SPACE, population: int = 4, generations: int = 3) -> StudyConfig:
    search = Genetic(population, generations)
    return StudyConfig(space, "gaopt.objectives.toy:valley", "genetic", genetic=search, pool=PoolConfig("inline"))


def trained(id: int, genes: dict[str, float], epochs: int = 3) -> Iterator[Event]:
    """A made-up training with all that a real one reports; with a large momentum it diverges in epoch 2."""
    lr, mom = genes.get("lr", 1e-3), genes.get("mom", 0.5)
    top1 = 0.0
    for epoch in range(1, epochs + 1):
        if mom > 1.2 and epoch == 2:
            yield Failed(id, "diverged", "the loss was nan in epoch 2", 1.5)
            return
        top1 = (0.9 + 0.02 * math.log10(lr)) * epoch / epochs + id / 1000
        accuracies = {"top1": top1, "top3": (1 + top1) / 2, "train_top1": top1 + 0.01}
        metrics = {**accuracies, "train_loss": 2 - top1, "valid_loss": 2.1 - top1}
        cycle = tuple(((epoch - 1 + n / 4) / epochs, lr * (1 + n) / 4, mom) for n in range(4))
        yield Reported(id, epoch, {**metrics, "seconds": 1.0, "images_per_second": 900.0}, cycle)
    yield Scored(id, top1, metrics, epochs, 3.25)


def searched(config: StudyConfig, epochs: int = 3) -> Iterator[Event]:
    """The events of a whole search, one training after another."""
    history, search = History(), strategy(config)
    for event in [Opened(config.plain(), "0.1.0", "host", 1)]:
        history.add(event)
        yield event
    while decision := search.decide(history, 4):
        tasks = [e for b in decision.births for e in (Started(b.id), *trained(b.id, b.genes, epochs))]
        for event in [decision, *tasks]:
            history.add(event)
            yield event
    assert history.best
    yield Judged(history.best.id, {"loss": 0.3, "top1": history.best.fitness - 0.01})
    yield Closed("finished")


def clocked(events: Iterator[Event]) -> Iterator[Event]:
    return (replace(event, at=1_000.0 + n) for n, event in enumerate(events))


@pytest.fixture(scope="module")
def whole() -> History:
    return History(clocked(searched(config())))


@pytest.fixture(scope="module")
def drawn(whole: History) -> list[Section]:
    return figures(whole)


@pytest.fixture(scope="module")
def written(whole: History, tmp_path_factory: pytest.TempPathFactory) -> StudyDir:
    """The report of a whole study, to be read only."""
    home = StudyDir(tmp_path_factory.mktemp("results") / "mine")
    home.path.mkdir()
    write(whole, home)
    return home


def figures(history: History) -> list[Section]:
    return [found for draw in plots.SEARCH if (found := draw(history))]


def failing(message: str, space: Space = SPACE) -> History:
    """Two individuals: one scored, one failed with a message."""
    genes = {name: gene.at(0.5) for name, gene in space.items()}
    births = (Birth(0, genes, "random"), Birth(1, genes, "random"))
    events = [Bred(0, births), Scored(0, 0.5, {}, 1, 1.0), Failed(1, "error", message, 1.0)]
    return History([Opened(config(space).plain(), "0.1.0", "host", 1), *events])


def section(told: Page, title: str) -> Section:
    return next((each for each in told.sections if each.title == title), Section(title))


def rows(told: Page, title: str) -> list[list[str]]:
    """Of the table in a section."""
    table = section(told, title).table
    return table.rows if table else []


def remarked(told: Page) -> str:
    return " ".join(section(told, "What to keep in mind").items)


def read(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(tables.csv(table)))


# tables


@pytest.mark.parametrize(
    ("scores", "said"),
    [((0.9, 0.95), "0.9000; the best: +0.0500."), ((0.9, 0.8), "0.9000; the best: +0.0000."), ((None, 0.8), "")],
)
def test_the_gain_over_the_setting_of_the_recipe_is_told(
    scores: tuple[float | None, float], said: str, home: StudyDir
) -> None:
    genes = {name: gene.at(0.5) for name, gene in SPACE.items()}
    births = Birth(0, genes, "default"), Birth(1, genes, "random")
    outcomes = [Scored(n, s, {}, 1, 1.0) if s else Failed(n, "error", "bad", 1.0) for n, s in enumerate(scores)]
    write(History([Opened(config().plain(), "0.1.0", "host", 1), Bred(0, births), *outcomes]), home)
    text = (home.path / "report.md").read_text("utf-8")
    expected = f"The recipe's own setting, individual 0: {said}"
    assert (expected in text) if said else ("own setting" not in text)


def test_individuals_says_what_happened_to_each(whole: History) -> None:
    table = read(tables.individuals(whole))
    known = ["id", "generation", "lr", "wd", "mom", "fitness", "status", "origin", "parents", "reason", "message"]
    assert list(table) == [*known, "epochs", "seconds", "train_loss", "valid_loss", "train_top1", "top1", "top3"]
    table = table.set_index("id")
    assert list(table.index) == list(range(len(whole.individuals)))
    for individual in whole.scored:
        row = table.loc[individual.id]
        assert (row["fitness"], row["top1"], row["seconds"]) == (individual.fitness, individual.fitness, 3.25)
        assert row["lr"] == individual.genes["lr"]
    failed = table.loc[whole.failed[0].id]
    assert (failed["status"], failed["reason"], failed["epochs"]) == ("failed", "diverged", 1)
    assert failed[["fitness", "top1"]].isna().all()
    bred = next(i for i in whole.individuals.values() if len(i.birth.parents) == 2)
    assert table.loc[bred.id, "parents"] == f"{bred.birth.parents[0]} {bred.birth.parents[1]}"


def test_a_gene_that_is_called_like_a_column_gets_a_column_of_its_own() -> None:
    table = tables.individuals(failing("", Space(id=Gene(0, 1), top1=Gene(0, 1))))
    assert list(table)[:4] == ["id", "generation", "gene_id", "gene_top1"]
    assert list(table["id"]) == [0, 1]
    assert list(table["gene_id"]) == [0.5, 0.5]


def test_generations_compare_the_scored_of_each_population(whole: History) -> None:
    table = tables.generations(whole)
    assert list(table["size"]) == [4, 4, 4]
    assert list(table["trained"]) == [4, 2, 2]
    assert table["failed"].sum() == len(whole.failed)
    scored = [i.fitness for i in whole.members(1) if i.status == "scored"]
    assert table.loc[1, "best"] == max(scored)
    assert table.loc[1, "mean"] == pytest.approx(sum(scored) / len(scored))
    assert list(table["best_so_far"]) == sorted(table["best_so_far"])
    assert whole.best
    assert table.loc[2, "best_id"] == whole.best.id


def test_epochs_has_lr_and_momentum_at_the_end_of_each(whole: History) -> None:
    table = tables.epochs(whole)
    assert list(table)[:8] == ["id", "generation", "epoch", "train_loss", "valid_loss", "train_top1", "top1", "top3"]
    assert list(table)[8:] == ["seconds", "images_per_second", "lr", "mom"]
    first = table[table["id"] == whole.scored[0].id]
    assert list(first["epoch"]) == [1, 2, 3]
    assert list(first["lr"]) == [whole.scored[0].genes["lr"]] * 3
    points = tables.cycle(whole)
    assert list(points) == ["id", "position", "lr", "mom"]
    positions = list(points[points["id"] == whole.scored[0].id]["position"])
    assert len(positions) == 12
    assert positions == sorted(positions)


def test_the_tables_of_an_empty_history_have_columns_and_no_rows() -> None:
    for history in (History(), History([Opened(config().plain(), "0.1.0", "host", 1)])):
        for table in (tables.individuals, tables.generations, tables.epochs, tables.cycle):
            assert len(read(table(history))) == 0
    assert list(read(tables.individuals(history)))[:5] == ["id", "generation", "lr", "wd", "mom"]
    assert list(read(tables.generations(history)))[:2] == ["generation", "size"]


# figures


def test_each_figure_is_an_svg_of_its_own(drawn: list[Section]) -> None:
    assert [figure.name for figure in drawn] == [
        "fitness",
        "progress",
        "curves",
        "slices",
        "space",
        "lineage",
        "timeline",
        "cycle",
    ]
    every: list[str] = []
    for figure in drawn:
        root = ElementTree.fromstring(figure.svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root[0].tag.endswith("title")
        ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', figure.svg)) <= ids
        assert "<metadata" not in figure.svg
        every += ids
    assert len(every) == len(set(every)), "two figures of a page share an id"


def test_the_legend_names_every_individual_with_its_genes(whole: History) -> None:
    before = dict(matplotlib.rcParams)
    drawn = plots.curves(whole)
    assert drawn
    svg = drawn.svg
    assert dict(matplotlib.rcParams) == before
    assert "top-3" in svg
    assert "top-5" not in svg  # was not reported
    for individual in whole.individuals.values():
        assert re.search(rf">i{individual.id}: [^<]*wd {words.number(individual.genes['wd'])}, ", svg)


def test_of_many_individuals_the_fittest_and_an_even_sample_are_drawn() -> None:
    births = tuple(Birth(n, {name: gene.at(0.5) for name, gene in SPACE.items()}, "random") for n in range(260))
    reports = [Reported(n, 1, {"top1": n / 260}, ((0.0, 0.1, 0.9), (1.0, 0.2, 0.8))) for n in range(260)]
    scores = [Scored(n, n / 260, {}, 1, 1.0) for n in range(260)]
    history = History([Opened(config().plain(), "0.1.0", "host", 1), Bred(0, births), *reports, *scores])
    for draw, thin in ((plots.curves, 139 + 89), (plots.cycle, 2 * 139)):  # all but the best; the first has a legend
        drawn = draw(history)
        assert drawn
        assert "Of 260 individuals these are the 100 fittest and one in 4 of the others." in drawn.text
        assert len(re.findall('<path d="[^"]*"[^>]*stroke-width: 1.1', drawn.svg)) == thin


def test_what_has_no_data_is_not_drawn() -> None:
    assert figures(History()) == []
    assert figures(History([Opened(config().plain(), "0.1.0", "host", 1)])) == []
    assert {figure.name for figure in figures(failing(""))} == {"fitness", "progress", "slices", "space"}


@pytest.mark.parametrize("genes", [1, 6])
def test_any_number_of_genes_of_any_name_can_be_drawn(genes: int) -> None:
    names = ["a$b$", "_hidden", "<i>&", "with space", 'q"uote', "x" * 40][:genes]
    history = History(searched(config(Space(**{name: Gene(1e-3, 1.0, "log") for name in names}))))
    said = ["".join(ElementTree.fromstring(each.svg).itertext()) for each in figures(history)]
    assert all(f"{name} (log scale)" in said[3] for name in names)
    assert ("All genes at once" in said[4]) == (genes == 6)


# words


def test_numbers_are_short() -> None:
    assert [words.number(v) for v in (0.0031234, 2.4e-6, 0.0, 100.0, 123456.0)] == [
        *("0.00312", "2.4e-6", "0", "100", "1.23e5")
    ]
    assert [words.number(v) for v in (None, math.nan, -math.inf)] == ["–"] * 3
    assert [words.score(0.91334), words.percent(0.91334)] == ["0.9133", "91.33 %"]
    seconds = (0.4, 48, 60, 750, 12_000, 86_400, 187_300)
    said = ["0.4 s", "48 s", "1 min", "12 min 30 s", "3 h 20 min", "1 d", "2 d 4 h"]
    assert [words.duration(s) for s in seconds] == said


# pages


def test_write_leaves_the_same_files_each_time_and_the_page_needs_no_other(whole: History, written: StudyDir) -> None:
    found = {path for path in written.path.rglob("*") if path.is_file()}
    names = {"report.html", "report.md", *(f"{name}.csv" for name in ("individuals", "generations", "epochs", "cycle"))}
    drawn = {f"{each.name}.svg" for each in figures(whole)}
    assert {path.name for path in found} == names | drawn
    for name in drawn:
        assert f"](figures/{name})" in written.markdown.read_text("utf-8")
    for path in (written.report, written.markdown):
        text = path.read_text("utf-8").replace("&#34;", '"')
        assert all(said in text for said in ("gaopt run config.toml", "gaopt resume mine", "valley"))
    before = {path: path.read_bytes() for path in found}
    assert {path: path.read_bytes() for path in write(whole, written)} == before
    page = written.report.read_text("utf-8")
    assert "//" not in re.sub(r"</?[a-z]+", "", page), "it needs nothing from outside"
    assert not re.search(r"<script|@import|url\((?!#)|<link|<img|<iframe", page)


def test_the_report_names_the_best_and_says_what_the_test_images_were_used_for(whole: History, home: StudyDir) -> None:
    assert whole.best
    said = page(whole, home)
    assert said.state == "finished"
    assert f"i{whole.best.id} is the fittest of {len(whole.scored)} scored" in said.result[0]
    assert f"validation top-1 accuracy of {words.percent(whole.best.fitness)}" in said.result[0]
    assert f"top-1 {words.percent(whole.best.fitness - 0.01)}" in said.result[1]
    assert "used them once, at its end, for its best model only" in said.result[2]
    assert "1.00 points below" in remarked(said)
    assert "optimistic" in remarked(said)
    interrupted = History([Opened(config().plain(), "0.1.0", "host", 1), Closed("interrupted")])
    assert page(interrupted, home).state == "interrupted, can be resumed"
    assert page(History(), home).state == "empty"


def test_a_second_use_of_the_test_images_is_admitted(whole: History, home: StudyDir) -> None:
    more = History(clocked(searched(config())))
    other = next(i for i in more.scored if i is not more.best)
    more.add(Judged(other.id, {"top1": 0.5}))
    assert "used 2 times" in " ".join(result(more))


@pytest.mark.parametrize("count", [0, 2, 9])
def test_a_study_can_be_reported_at_any_moment(count: int, home: StudyDir) -> None:
    events = list(clocked(searched(config())))[:count]
    write(History(events), home)
    text = home.report.read_text("utf-8")
    assert "nan" not in text.replace("was nan", "")
    assert "None" not in text.replace("<p>None.</p>", "")
    assert "cut off" in text or not count
    for name in ("individuals", "generations", "epochs", "cycle"):
        assert home.table(name).read_text("utf-8").count("\n") >= 1


def test_the_images_are_described_and_an_accuracy_has_the_commonest_class_beside_it(home: StudyDir) -> None:
    classes = ("cat", "dog|<b>")
    counts = {"train": (9, 1), "valid": (3, 1), "test": (2, 2)}
    warnings = ("no test image is of owl",)
    data = Data("pets", classes, counts, {"train": "Training", "test": "Testing"}, warnings)
    opened, *events = clocked(searched(config()))
    assert isinstance(opened, Opened)
    history = History([replace(opened, data=data), *events, replace(opened, at=9_000.0)])
    told = page(history, home)
    assert rows(told, "Images")[0] == ["train", "Training", "10", "90.00 %", "cat 9, dog|<b> 1"]
    chance = "That is no better than chance: whoever always names the commonest of the 2 classes is right in"
    assert f"{chance} 75.00 % of the validation and 50.00 % of the test images." in told.result
    assert "No test image is of owl." in remarked(told)
    write(history, home)
    assert "## Images" in (home.path / "report.md").read_text()
    assert "<b>" not in home.report.read_text()
    many = replace(data, classes=tuple(map(str, range(12))), counts={"train": (5,) * 12, "valid": (*range(12),)})
    assert [many.counted(split) for split in ("train", "valid")] == ["5 of each class", "0 (0) to 11 (11) of a class"]
    assert not rows(page(History([opened, *events]), home), "Images")


# what the outcome says of the search


def scored(fitnesses: list[float], space: Space = SPACE, data: Data | None = None, at: float = 0.5) -> History:
    """A generation of these accuracies, all with the same genes; none of the later ones is fitter."""
    births = [Birth(n, {name: space[name].at(at) for name in space}, "random") for n in range(len(fitnesses))]
    events: list[Event] = [Opened(config(space).plain(), "0.6.0", "host", 1, data=data), Bred(0, tuple(births))]
    events += [Scored(n, fitness, {"top1": fitness}, 1, 1.0) for n, fitness in enumerate(fitnesses)]
    return History(events)


def images(*counts: int) -> Data:
    return Data("pets", tuple("abcdefgh"[: len(counts)]), {"train": counts, "valid": counts, "test": ()})


def test_a_best_at_the_end_of_a_range_is_told_with_a_wider_one() -> None:
    genes = {"net.width": Gene(0.5, 2.0), "mom": Gene(0.5, 0.99), "layers": Gene(1, 4, integer=True)}
    space = Space(lr=Gene(1e-4, 1e-2, "log"), wd=Gene(0.0, 0.1), x=Gene(-1.0, 3.0), share=Gene(0.0, 1.0), **genes)

    def tries(at: float) -> str:
        (said,) = (each for each in advice(scored([0.5, 0.4], space, at=at)) if "end of the range" in each)
        return said.partition("To try: ")[2]

    assert tries(1.0) == (
        "--set space.lr.high=0.1 --set space.wd.high=0.2 --set space.x.high=7 --set 'space.\"net.width\".high'=3.5"
        " --set space.mom.high=0.995 --set space.layers.high=7"
    )
    assert tries(0.0) == (
        "--set space.lr.low=1e-05 --set space.x.low=-5 --set 'space.\"net.width\".low'=0 --set space.mom.low=0.01"
        " --set space.layers.low=0"
    )
    tables = overridden(config(space).plain(), shlex.split(tries(1.0).replace("--set ", "")))
    assert from_tables(tables).space["net.width"].high == 3.5  # type: ignore[union-attr]
    assert advice(scored([0.5, 0.4], space)) == []


def test_a_best_that_guessing_would_reach_is_told_to_be_chance() -> None:
    for fitness, counts, said in (
        (0.23, (50, 50, 50, 50, 50), "no better than chance: whoever always names the commonest of the 5 classes"),
        (0.60, (150, 100), "no better than chance: whoever always names the commonest of the 2 classes"),
        (0.31, (50, 50, 50, 50, 50), ""),
        (0.70, (150, 100), ""),
        (0.10, (), ""),
    ):
        history = scored([fitness, 0.05], data=images(*counts) if counts else None, at=1.0)
        told = " ".join(result(history))
        assert ("no better than chance" in told) == bool(said), (fitness, counts)
        assert said in told
        assert any("end of the range" in each for each in advice(history)) != bool(said), "chance has no best range"


def test_generations_that_gained_nothing_are_told() -> None:
    events: list[Event] = [Opened(config().plain(), "0.6.0", "host", 1)]
    for n, fitness in enumerate((0.5, 0.9, 0.8, 0.9)):
        birth = Birth(n, {name: gene.at(0.5) for name, gene in SPACE.items()}, "random")
        events += [Bred(n, (birth,)), Scored(n, fitness, {}, 1, 1.0)]
        found = " ".join(advice(History(events)))
        assert ("last 2 generations found nothing fitter than i1" in found) == (n == 3)


def test_what_a_further_generation_could_bring_is_told() -> None:
    searching = replace(config(), strategy="assisted", assisted=Assisted(population=10, generations=6))
    events, gains = list(searched(searching)), list[float]()
    first, *_, last = (n for n, event in enumerate(events) if isinstance(event, Bred) and event.generation)
    for before in (first, last):
        said = next(each for each in advice(History(events[:before])) if "further generation" in each)
        gains += map(
            float, re.findall(r"generation of 5 could be expected to improve the best by ([0-9.e-]+[0-9])", said)
        )
    assert gains[0] > gains[1] > 0


def test_a_lead_that_luck_explains_is_told() -> None:
    def lead(history: History) -> str:
        return next((each for each in advice(history) if "lead" in each or "shares" in each), "")

    many, few = images(5000, 5000), images(50, 50)
    assert "i2 and 1 other scored less than 0.1131" in lead(scored([0.8, 0.70, 0.79, 0.5], data=few))
    assert lead(scored([0.8, 0.70, 0.75, 0.5], data=many)) == ""
    assert lead(scored([0.8, 0.79])) == "", "nothing is known of luck"
    assert "i0 shares its score with i1 and 2 others" in lead(scored([1.0, 1.0, 0.5, 1.0, 1.0]))

    def repeated(first: float, *scores: float) -> str:
        history = scored([0.9, first])
        history.add(Bred(0, tuple(Birth(2 + n, SPACE.at([0.5] * 3), "repeat", (n // 2,), 1) for n in range(4))))
        for n, score in enumerate(scores):
            history.add(Scored(2 + n, score, {"top1": score}, 1, 1.0))
        return lead(history)

    assert "The lead of i1 is within noise: i0 scored less than" in repeated(0.9, 0.88, 0.92, 0.89, 0.92)
    assert repeated(0.5, 0.91, 0.90, 0.51, 0.50) == ""


def test_equal_scores_share_a_rank_and_unequal_ones_do_not_look_alike(home: StudyDir) -> None:
    listed = rows(page(scored([0.5, 1.0, 1.0 - 1e-6, 1.0, 2e-6]), home), "Individuals, the fittest first")
    assert [row[:3] for row in listed] == [
        ["1", "i1", "1.000000"],
        ["1", "i3", "1.000000"],
        ["3", "i2", "0.999999"],
        ["4", "i0", "0.500000"],
        ["5", "i4", "2e-6"],
    ]
    listed = rows(page(scored([0.5, 0.25]), home), "Individuals, the fittest first")
    assert [row[2] for row in listed] == ["0.5000", "0.2500"]


def test_what_is_certain_or_is_not_there_is_not_spoken_of() -> None:
    """The top-5 of three classes; test images where a function has none."""

    def few(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            if isinstance(event, Opened):
                event = replace(event, data=images(5, 5, 5, 5))
            if isinstance(event, Reported | Scored | Judged):
                event = replace(event, metrics=dict(event.metrics) | {"top5": 1.0, "top3": 0.5})
            yield event

    history = History(few(searched(config())))
    drawn = plots.curves(history)
    svg = drawn.svg if drawn else ""
    assert ("top-5" in svg, "top-3" in svg) == (False, True)
    assert "top-5" not in " ".join(result(history))
    assert "test images" not in " ".join(result(scored([0.5, 0.4])))
    assert "The test images were not used." in result(scored([0.5, 0.4], data=images(5, 5)))

"""The report of a study: its page as a list of sections, its figures and its tables."""

import shlex
from functools import partial
from pathlib import Path

import tomli_w

from gaopt.config.source_digest import is_local
from gaopt.journal.history import History, Individual
from gaopt.journal.lock import held
from gaopt.journal.paths import StudyDir
from gaopt.printable import printable, printable_lines
from gaopt.report import experiment, model, plots, sections, tables, views
from gaopt.report import format as words
from gaopt.report.page import Page, Section, save
from gaopt.report.remarks import chance, gain, remarks
from gaopt.study import progress


def write(history: History, home: StudyDir) -> list[Path]:
    """Write every file of the report, each replaced whole, the page first. The same is written of the same."""
    found = {table.__name__: tables.csv(table(history)) for table in tables.ALL}
    return save(page(history, home), home, found)


def page(history: History, home: StudyDir) -> Page:
    """All that is said of a study."""
    variants = experiment.section(history)
    state = progress.state(history, home.journal.exists() and held(home.path))
    return Page(
        kind="gaopt study",
        name=home.name,
        state=f"{state}, can be resumed" if state in ("interrupted", "failed", "cut off") else state,
        result=[experiment.title(history)] if variants else result(history),
        numbers=numbers(history),
        sections=[
            variants or sections.generations(history),
            sections.images(history),
            sections.finalists(history),
            *(found for draw in (plots.EXPERIMENT if variants else plots.SEARCH) if (found := draw(history))),
            *([] if variants else [sections.individuals(history)]),
            *model.sections(history, home),
            sections.published(history),
            sections.failures(history),
            Section("What to keep in mind", items=experiment.remarks(history) if variants else remarks(history)),
            _reproduce(history, home),
        ],
    )


def result(history: History) -> list[str]:
    """The outcome in a few sentences."""
    best, why = history.best, progress.ended(history)
    ended = [f"The search ended early: {why}."] if why else []
    if best is None:
        return ["No individual has a score.", *ended]
    trials = history.repeated.get(best.id, [best])
    place = f"the fittest of {len(history.scored)} scored"
    if len(trials) > 1:
        place = f"the best of {len(history.means)} finalists"
    genes = words.genes(best.genes, views.space(history))
    first = f"Individual i{best.id} is {place}: {genes}, with {_score(trials, history)}."
    return [first, *gain(history), *_chance(history), *_tested(history, best), *ended]


def _score(trials: list[Individual], history: History) -> str:
    """A fitness in words, by the name of the metric that it is, where it is one; of several trainings their mean."""
    metric = progress.metric(history.config)
    known = all(views.final(trial).get(metric) == trial.fitness for trial in trials)
    name = f"validation {views.title(metric)}" if known else views.score_name(history)
    say = partial(views.said, metric if known else "")
    if len(trials) == 1:
        return f"a {name} of {say(history.sign * trials[0].fitness)}"
    mean, spread = map(say, views.mean(trials, history.sign))
    return f"a mean {name} of {mean.removesuffix(' %')} ± {spread} over {len(trials)} trainings, each with its own seed"


def _chance(history: History) -> list[str]:
    """What the accuracies are to be held against."""
    if not (data := history.data):
        return []
    valid, test = (words.percent(data.majority(split)) for split in ("valid", "test"))
    who = f"hoever always names the commonest of the {len(data.classes)} classes is right in"
    said = f"{who} {valid} of the validation and {test} of the test images."
    return [f"That is no better than chance: w{said}" if chance(history) else f"W{said}"]


def _tested(history: History, best: Individual) -> list[str]:
    """What the test images say, and how often they were used."""
    if not history.judged:
        images = history.data or "gaopt.objectives.image" in str(history.config.get("study"))  # no data until 0.5.0
        return ["The test images were not used."] if images else []
    used = "The search used them once, at its end, for its best model only."
    if list(history.judged) != [best.id]:
        times, ids = words.plural(len(history.judged), "time"), words.ids(sorted(history.judged))
        used = f"The test images were used {times}, by the best model of each time that the search ended: {ids}."
    if best.id not in history.judged:
        return [used]
    metrics = progress.telling(history.judged[best.id].metrics, history)
    chosen = progress.metric(history.config)
    names = sorted(metrics, key=lambda name: (name != chosen, not name.startswith("top"), name))
    short = {name: f"top-{name[3:]}" for name in metrics if name.startswith("top")}
    said = [f"{short.get(n) or views.title(n)} {views.said(n, metrics[n])}" for n in names]
    return [f"On the test images this model reaches {', '.join(said)}.", used]


def numbers(history: History) -> list[tuple[str, str]]:
    """(what, how much): the cost of the study. Rare events are shown only where there were any."""
    everyone = history.individuals.values()
    left, again = len(progress.left_early(history)), sum(len(i.retried) for i in everyone)
    return [
        *([] if experiment.compared(history) else [("generations", str(len(history.populations)))]),
        ("trainings", str(views.trainings(everyone))),
        *([("left early", str(left))] if left else []),
        ("failed", str(len(history.failed))),
        *([("begun again", str(again))] if again else []),
        ("unfinished", str(len(history.unfinished))),
        ("epochs", str(sum(i.epochs for i in everyone))),
        ("training time", words.duration(sum(i.seconds for i in everyone))),
        ("wall time", words.duration(history.elapsed)),
    ]


def _reproduce(history: History, home: StudyDir) -> Section:
    made_with = f"gaopt {history.opened.version}" if history.opened else "gaopt"
    commands = "# the same again, from the config.toml beside this report\ngaopt run config.toml\n"
    commands += f"# go on with this study where it stopped\ngaopt resume {shlex.quote(printable(home.name))}"
    if is_local(str(history.config.get("study", {}).get("objective"))):
        commands = (
            f"# again in the program or notebook of the function: it goes on\ngaopt.search(…, name={home.handle!r})"
        )
    return Section(
        "How to reproduce",
        text=f"Made with {made_with}. With the same version, on CPUs, the same config (its seed and number of threads"
        " included) gives the same again; on a GPU sums may be taken in another order, so that scores, and with them a"
        " search, can differ a little.",
        commands=commands,
        toml=printable_lines(tomli_w.dumps(history.config)),
    )

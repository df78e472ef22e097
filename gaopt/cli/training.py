"""The verbs that train: run, train, reproduce, resume."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gaopt.cli.arguments import CONFIG, EXPERIMENT, STUDY
from gaopt.cli.group import cli
from gaopt.config.tables import changed, quoted
from gaopt.errors import BadInput
from gaopt.loggers import NAMES

if TYPE_CHECKING:
    from gaopt.config import StudyConfig
    from gaopt.study.prepare import Ready


SETS = click.option("--set", "sets", multiple=True, metavar="TABLE.KEY=VALUE", help="Override a key of the config.")
SEED = click.option("--seed", metavar="N", help="The seed of all random numbers.")
DATA = click.option(
    "--data",
    type=click.Path(),
    metavar="PATH",
    help="Images: a folder, archive or table (labels.csv), or torchvision:NAME.",
)
NAME = click.option("--name", metavar="NAME", help="Of the study in results/; by default the config's and a number.")
ADDRESS = click.option("--address", metavar="ADDRESS", help="Join this Ray cluster; 'local' for this machine.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines on stdout.")
NOTIFY = click.option(
    "--notify", envvar="GAOPT_NOTIFY", metavar="URL", help="Post JSON there at each new best and at the end."
)
NOTIFY_COMMAND = click.option(
    "--notify-command", envvar="GAOPT_NOTIFY_COMMAND", metavar="COMMAND", help="The same to the stdin of a command."
)
LOG = click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Choice(sorted(NAMES)),
    help="Also write the search to this tool while it runs; may be repeated.",
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Show the plan, the number of trainings and the time, and stop.")


def training_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every verb that begins a study."""
    for option in (DRY_RUN, LOG, NOTIFY_COMMAND, NOTIFY, JSON, ADDRESS, NAME, DATA, SEED, SETS):
        verb = option(verb)
    return verb


@cli.command()
@click.argument("config", required=False, type=CONFIG)
@click.option("--generations", metavar="N", help="How many generations, the first one counted.")
@click.option("--pop", metavar="N", help="How many individuals in a generation.")
@training_options
def run(config: str | None, generations: str | None, pop: str | None, **options: Any) -> None:
    """Search. CONFIG is a preset or a TOML file; 'digits' by default, 'images' with --data alone."""
    from gaopt.config import from_tables
    from gaopt.config.tables import overridden, read_toml

    path = source_of(config, options["data"])
    tables = read_toml(path)
    table = from_tables(overridden(tables, options["sets"])).numbers
    start(tables, stem_of(path), {f"{table}.generations": generations, f"{table}.population": pop}, **options)


@cli.command()
@click.argument("config", required=False, type=CONFIG)
@click.option("--lr", metavar="X", help="The learning rate; with one-cycle its peak.")
@click.option("--wd", metavar="X", help="Weight decay.")
@click.option("--mom", metavar="X", help="The momentum; with one-cycle its bottom.")
@training_options
def train(config: str | None, lr: str | None, wd: str | None, mom: str | None, **options: Any) -> None:
    """Train one individual, without a search. Genes not given are those of the config's recipe."""
    from gaopt.config import DECIDING
    from gaopt.config.tables import read_toml

    path = source_of(config, options["data"])
    genes = {"fixed.lr": lr, "fixed.wd": wd, "fixed.mom": mom}
    tables = {name: table for name, table in read_toml(path).items() if name not in (*DECIDING, "given")}
    start(tables, f"{stem_of(path)}-train", genes, fixed=True, **options)


@cli.command()
@click.argument("experiment", required=False, type=EXPERIMENT)
@click.option("--small", is_flag=True, help="Scaled down for a CPU, as its table [small] says.")
@click.option("--seeds", metavar="N", help="How often each variant is trained, each time with the next seed.")
@training_options
def reproduce(experiment: str | None, small: bool, seeds: str | None, **options: Any) -> None:
    """Run an experiment of the ResNet papers, or of a TOML file, and write our errors beside the papers'.

    \b
    gaopt reproduce                        the experiments there are
    gaopt reproduce published              the errors that the papers print
    gaopt reproduce degradation --small    plain and residual networks of two depths
    """
    if experiment is None:
        _list(options["as_json"])
    elif experiment == "published":
        _published(options["as_json"])
    else:
        stem, tables = _tables(experiment, small)
        start(tables, stem, {"grid.repeats": seeds}, **options)


def _list(as_json: bool) -> None:
    from gaopt.config import experiments
    from gaopt.config.tables import read_toml

    found = {name: read_toml(path)["experiment"] for name, path in experiments().items()}
    if as_json:
        click.echo(json.dumps({name: {"title": one["title"], "source": one["source"]} for name, one in found.items()}))
        return
    for name, one in found.items():
        click.echo(f"{name:20}{one['title']} ({one['source']}): {len(one['variants'])} trainings a seed")
    click.echo(f"{'published':20}the errors that the papers print")


def _published(as_json: bool) -> None:
    from gaopt.papers.published import published
    from gaopt.screen.console import console, listed

    if as_json:
        click.echo(json.dumps([asdict(each) for each in published()]))
        return
    head, numbers = ("data", "method", "top-1 error %", "top-5", "images", "source"), ("top-1 error %", "top-5")
    rows = [
        (r.data, r.method, r.printed, "" if r.top5 is None else f"{r.top5:.2f}", r.split, r.source) for r in published()
    ]
    console().print(listed(head, rows, numbers))


def _tables(name: str, small: bool) -> tuple[str, dict[str, Any]]:
    """What an experiment's study is called after, and its config; scaled down where it is to be small."""
    from gaopt.config import experiments
    from gaopt.config.tables import merged, read_toml
    from gaopt.errors import ConfigError, nearest

    known = experiments()
    if name not in known and not os.path.isfile(name):
        raise ConfigError(f"there is no experiment {name!r}: {nearest(name, [*known, 'published'])}")
    path = known.get(name, Path(name))
    tables = read_toml(path)
    less = tables.pop("small", None)
    if "experiment" not in tables:
        raise ConfigError(f"{path} has no table [experiment]: a search is run with 'gaopt run'")
    if not small:
        return path.stem, tables
    if not isinstance(less, dict):
        raise ConfigError(f"{path} has no table [small]: run it without --small")
    return f"{path.stem}-small", merged(tables, less)


@cli.command()
@click.argument("study", type=STUDY)
@click.option("--generations", metavar="N", help="Go on to this many generations, if more than before.")
@click.option("--seeds", metavar="N", help="Go on to this many seeds of each variant of an experiment.")
@ADDRESS
@click.option("--set", "sets", multiple=True, metavar="TABLE.KEY=VALUE", help="Of [stop], [noise], [pool], [faults] …")
@click.option("--allow-changed", is_flag=True, help="Also where code, data or the config of trainings changed.")
@JSON
@NOTIFY
@NOTIFY_COMMAND
@LOG
def resume(
    study: str, generations: str | None, seeds: str | None, address: str | None, sets: tuple[str, ...],
    allow_changed: bool, as_json: bool, notify: str | None, notify_command: str | None, logs: tuple[str, ...],
) -> None:  # fmt: skip
    """Go on with a study from where it is, whatever stopped it; also further than it was to go before."""
    from gaopt.cli.run import drive
    from gaopt.config import SEARCHES
    from gaopt.journal.studies import find_study
    from gaopt.study.prepare import prepare, resumed

    home = find_study(study)
    table = resumed(home, allow_changed=allow_changed).numbers
    keys = {f"{table}.generations": generations, "grid.repeats": seeds, "pool.address": quoted(address)}
    given = (f"{key}={value}" for key, value in keys.items() if value is not None)
    config = resumed(home, [*sets, *given], allow_changed)
    for option, value, having in (("generations", generations, SEARCHES), ("seeds", seeds, ("grid",))):
        if value is not None and config.strategy not in having:
            raise BadInput(f"--{option} is {value}: the study's strategy is {config.strategy!r}, which has none")
    drive(prepare(config), lambda: home, as_json, (notify, notify_command), logs, allow_changed)


def start(
    tables: dict[str, Any], stem: str, keys: dict[str, str | None], *, fixed: bool = False, sets: tuple[str, ...],
    seed: str | None, data: str | None, name: str | None, address: str | None, as_json: bool, dry_run: bool,
    notify: str | None, notify_command: str | None, logs: tuple[str, ...],
) -> None:  # fmt: skip
    """Begin a study of a config, named after `stem`, with what the verb's own options say by the keys of the config.

    With `fixed` one individual is trained, without a search.
    """
    from gaopt.cli.run import drive
    from gaopt.config import from_tables
    from gaopt.journal.studies import free_dir, new_dir
    from gaopt.study.prepare import prepare_new

    keys = {**keys, "study.seed": seed, "pool.address": quoted(address)}
    config = from_tables(changed(tables, data, sets, keys))
    ready = prepare_new(_fixed(config) if fixed else config)
    free_dir(name, stem)
    doubts = getattr(ready.objective, "doubts", lambda _: ())
    for doubt in doubts(ready.config):
        click.echo(f"note: {doubt}", err=True)
    if dry_run:
        _dry_run(ready, as_json)
    else:
        drive(ready, lambda: new_dir(name, stem), as_json, (notify, notify_command), logs)


def source_of(config: str | None, data: str | None) -> Path:
    """The file of a CONFIG, or of the preset that is meant where none was given."""
    from gaopt.config import find

    return find(config if config is not None else "images" if data else "digits")


def stem_of(path: Path) -> str:
    """What a study is called after: its config, or the study whose config.toml that is; a pipe has no name."""
    if path.is_fifo():
        return "study"
    return path.absolute().parent.name if path.name == "config.toml" else path.stem


def _fixed(config: StudyConfig) -> StudyConfig:
    """The config of a single training: a gene that is not given has the value of its table."""
    from gaopt.objectives.base import resolve

    whole = resolve(config.objective).check(replace(config, strategy="fixed"))
    net, recipe = (whole.settings.get(table, {}) for table in ("net", "recipe"))
    own = recipe | {f"net.{key}": value for key, value in net.items()}
    there = config.space.expressed(own | dict(config.fixed))
    return replace(whole, fixed={name: own[name] for name in there if name in own} | dict(config.fixed))


def _dry_run(ready: Ready, as_json: bool) -> None:
    import tomli_w

    from gaopt.cli.run import open_pool
    from gaopt.study.progress import clock

    config = ready.config
    with closing(open_pool(config, ready.objective, lambda: ready.shared)) as pool:
        together = pool.capacity
    seconds = ready.objective.seconds(config, ready.shared)
    total = None if seconds is None else seconds * config.rounds(together)
    if as_json:
        plan = {"config": config.plain(), "trainings": config.trainings, "at_once": together, "seconds": total}
        click.echo(json.dumps(plan))
        return
    click.echo(tomli_w.dumps(config.plain()))
    wholly = sum(number for share, number in config.waves if share == 1)
    short = f", at most {wholly} of them whole" if wholly < config.trainings else ""
    click.echo(f"# {config.trainings} trainings{short}, {together} at a time")
    if seconds is not None:
        each = "a whole one" if short else "each"
        click.echo(f"# about {clock(seconds)} {each}, {clock(total)} in all, by three steps timed here")

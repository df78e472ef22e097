"""The verb that holds searches against each other: compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from gaopt.cli.arguments import EITHER
from gaopt.cli.group import cli
from gaopt.cli.training import ADDRESS, DATA, DRY_RUN, NAME, SETS, stem_of
from gaopt.config.tables import changed, quoted
from gaopt.errors import BadInput

if TYPE_CHECKING:
    from gaopt.compare.plan import Plan


@cli.command()
@click.argument("sources", nargs=-1, type=EITHER, metavar="[CONFIG…|STUDY…|COMPARISON]")
@click.option("--seeds", type=click.IntRange(1, 1000), help="Searches of each method; 5 by default.")
@click.option("--methods", metavar="A,B", help="Which; the others are held against the first.")
@click.option("--budget", type=click.FloatRange(1), help="Of each search; by default that of the config's trainings.")
@click.option("--cost", type=click.Choice(["epochs", "seconds"]), help="What it is counted in; epochs by default.")
@click.option("--finals", type=click.IntRange(1, 100), help="Trainings of each winner in the end; 1 by default.")
@click.option("--difference", type=click.FloatRange(0, min_open=True), help="One worth showing; 0.01 by default.")
@SETS
@DATA
@ADDRESS
@NAME
@click.option("--allow-changed", is_flag=True, help="Go on also where code or data changed since.")
@DRY_RUN
def compare(
    sources: tuple[str, ...], sets: tuple[str, ...], data: str | None, address: str | None, name: str | None,
    allow_changed: bool, dry_run: bool, **numbers: Any,
) -> None:  # fmt: skip
    """Whether a search beats others: same objective, same splits, same budget, several seeds each.

    \b
    gaopt compare quick --seeds 5       a config's search beside chance, Optuna, ASHA and baselines
    gaopt compare a.toml b.toml         several configs beside each other
    gaopt compare results/a results/b   studies that are there already
    gaopt compare quick-compare-1       go on with a comparison, also to more --seeds
    """
    from gaopt.cli.run_comparison import again, drive, outline
    from gaopt.compare.begin import of_studies
    from gaopt.compare.plan import extended, read
    from gaopt.journal.studies import find_comparison, find_study, free_dir, new_comparison_dir

    given = {key: value for key, value in numbers.items() if value is not None}
    if methods := given.pop("methods", ""):
        given["methods"] = tuple(method.strip() for method in methods.split(",") if method.strip())
    wider = {"set": sets, "data": data, "address": address}
    if len(sources) == 1 and (home := find_comparison(sources[0])):
        told = given | wider | {"name": name, "dry-run": dry_run}
        _refuse("a comparison that was begun goes on as it is", told, but=("seeds",))
        again(home, extended(read(home), given.get("seeds")), allow_changed)
        return
    _refuse("nothing was begun that could have changed", {"allow-changed": allow_changed})
    if sources and not any(map(_config, sources)):
        _refuse("studies that are there are compared as they are", given | wider, but=("finals", "difference"))
        plan, stem = of_studies([find_study(source) for source in sources], given), "comparison"
    else:
        plan = _of_configs(sources or (("images",) if data else ("quick",)), data, sets, address, given)
        stem = f"{next(iter(plan.configs))}-compare"
    free_dir(name, stem)
    if dry_run:
        outline(plan)
    else:
        drive(plan, lambda: new_comparison_dir(name, stem))


def _of_configs(
    sources: Sequence[str], data: str | None, sets: Sequence[str], address: str | None, given: Mapping[str, Any]
) -> Plan:
    """The plan of configs, each with what its table [compare] changes, and what the options do."""
    from gaopt.compare.begin import of_configs
    from gaopt.config import COMPARE, find
    from gaopt.config.parsing import table
    from gaopt.config.tables import merged, read_toml

    configs: dict[str, Any] = {}
    for path in map(find, sources):
        if (name := stem_of(path)) in configs:
            raise BadInput(f"two configs are called {name!r}: each must have a name of its own")
        tables = read_toml(path)
        changes = table(tables, COMPARE)
        tables.pop(COMPARE, None)
        configs[name] = changed(merged(tables, changes), data, sets, {"pool.address": quoted(address)})
    return of_configs(configs, given)


def _config(source: str) -> bool:
    """Whether it is a preset or a file; else it must be a study."""
    from gaopt.config import find
    from gaopt.errors import ConfigError

    with suppress(ConfigError):
        return bool(find(source))
    return False


def _refuse(why: str, options: Mapping[str, Any], but: Sequence[str] = ()) -> None:
    for option, value in options.items():
        if value and option not in but:
            raise BadInput(f"--{option} is given, and {why}: leave it out")

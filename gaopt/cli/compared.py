"""How far a comparison is, on the terminal: for `status` and `list`."""

from collections.abc import Iterator
from statistics import fmean

from rich.console import Group
from rich.text import Text

from gaopt.compare.progress import Compared, has_ended, over
from gaopt.screen.console import Column, fitted, headline
from gaopt.study.progress import clock


def line(found: Compared) -> tuple[str, ...]:
    """Its line of the overview."""
    done, failed = (str(sum(getattr(now, what) for now in found.begun)) for what in ("done", "failed"))
    how_far = f"{over(found.searches)}/{len(found.searches)} searches"
    return found.home.name, found.state, how_far, done, failed, "", "", clock(found.elapsed)


def page(found: Compared, width: int) -> Group:
    """Where it is, how far each method is, and what is run now."""
    seeds = f"{over(found.finals)} of {len(found.finals)} seeds judged"
    said = f"{over(found.searches)} of {len(found.searches)} searches ended, {seeds}, {clock(found.elapsed)}"
    methods = found.plan.methods
    each = [[now for (name, _), now in found.searches.items() if name == method] for method in methods]
    bests = [[now.fitness for now in of if now and now.fitness is not None] for of in each]
    table = [
        Column("method", methods, left=True),
        Column("ended", [f"{sum(map(has_ended, of))}/{len(of)}" for of in each]),
        Column("trainings", [str(sum(now.done for now in of if now)) for of in each], gives=1),
        Column("mean best", [f"{fmean(best):.4f}" if best else "–" for best in bests]),
    ]
    return Group(headline(found.home.name, found.state), Text(said), fitted(table, width), *map(Text, _now(found)))


def _now(found: Compared) -> Iterator[str]:
    parts = {f"{method}, seed {seed}": now for (method, seed), now in found.searches.items()}
    for name, now in (parts | {f"the finals of seed {seed}": now for seed, now in found.finals.items()}).items():
        if now and now.state == "running":
            best = f", best {now.fitness:.4f}" if now.fitness is not None else ""
            yield f"now: {name}: {now.done} of {now.trainings} trained{best}"
    if found.state == "finished" and found.home.report.is_file():
        yield f"report: {found.home.report}"
    elif not found.running:
        yield f"go on with: gaopt compare {found.home.handle}"

"""The command `gaopt bench`."""

from pathlib import Path

import click

from gaopt.errors import BadInput, nearest

FOLDER = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure what gaopt does."""


@bench.command()
@click.argument("settings", nargs=-1)
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Of each way, in turn.")
def train(settings: tuple[str, ...], runs: int) -> None:
    """How fast a training is, beside a bare PyTorch loop and stock fastai, on the accelerator or one CPU core.

    SETTINGS are of resnet20, resnet50, digits and quick; by default all. It prints a Markdown table of images a second.
    """
    from benchmarks.training import SETTINGS, table

    for name in settings:
        if name not in SETTINGS:
            raise BadInput(f"unknown setting {name!r}: {nearest(name, SETTINGS)}")
    click.echo("\n".join(table(list(settings), runs)))


@bench.command()
@click.option("--data", type=FOLDER, metavar="FOLDER", help="Where LCBench's surrogate is.")
@click.option("--searches", default="", metavar="A,B", help="Which; by default all but the peers.")
@click.option("--problems", "names", default="", metavar="A,B", help="tuned, judged, digits, or of names: 'lc3-*'.")
@click.option("--seeds", type=click.IntRange(1), default=25, show_default=True, help="Runs of each.")
@click.option("--together", type=click.IntRange(1, 50), multiple=True, default=(1, 10), show_default=True,
              help="Trainings at once, after the first ten; may be given several times.")  # fmt: skip
@click.option("--evaluations", type=click.Choice(["20", "30", "50"]), default="50", show_default=True,
              help="Trainings of a run.")  # fmt: skip
@click.option("--noise", type=click.FloatRange(0), default=0.0, help="Its standard deviation, in points of accuracy.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes to use.")
@click.option("--out", type=FOLDER, default=Path("results/bench/search"), show_default=True, help="Their folder.")
@click.option("--summary", "only", is_flag=True, help="Run nothing, write the summary of OUT again.")
def search(
    data: Path | None, searches: str, names: str, seeds: int, together: tuple[int, ...], evaluations: str,
    noise: float, jobs: int, out: Path, only: bool,
) -> None:  # fmt: skip
    """How good the searches are at twenty, thirty or fifty trainings, beside chance, Optuna's and other peers.

    Peers need an environment each: python -m benchmarks.search.peers. Runs that are in OUT/runs.csv are not run again:
    an interrupted benchmark goes on. OUT/README.md has the summary.
    """
    from benchmarks.search import problems, runs, summary
    from benchmarks.search.searches import known

    if not only:
        if (out / summary.NAME).exists() and not (out / runs.NAME).exists():
            raise BadInput(f"{out} has a {summary.NAME} and no {runs.NAME}: give another --out")
        wanted = runs.cases(known(searches), problems.chosen(names), seeds, together, noise, int(evaluations))
        runs.run(out / runs.NAME, wanted, data, jobs, lambda text: click.echo(text, err=True))
    click.echo(summary.write(out))

"""make bench: what things cost here, side by side in one run. Writes results/bench.md; --quick takes three minutes.

Machines are shared and noisy: medians, and ratios where two ways of doing the same thing are compared.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from fastai.optimizer import Adam

from benchmarks import driver, evaluation, service, shell, training
from gaopt import Gene, Space, StudyConfig
from gaopt.config import Assisted
from gaopt.journal.events import Birth, Bred, Reported, Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.strategies.genetic import GeneticSearch
from gaopt.strategies.surrogate.assisted import AssistedSearch
from resnet.groups import grouped
from resnet.net import build
from resnet.recipe import Recipe
from resnet.spec import NetSpec
from resnet.train import _optimizer
from tests.conftest import ROOT, scored, space


def median(action: Callable[[], object], runs: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one call, the first left out."""
    action()
    times = []
    for _ in range(runs):
        start = clock()
        action()
        times.append(clock() - start)
    return statistics.median(times)


def command(*arguments: str) -> float:
    """Seconds of `gaopt …` in a process of its own."""
    return median(lambda: subprocess.run([sys.executable, "-m", "gaopt", *arguments], cwd=ROOT, capture_output=True), 9)


def journal_rows() -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "study.db", write=True) as journal:
        report = Reported(0, 1, {"top1": 0.5, "valid_loss": 1.0}, ((0.1, 1e-3, 0.9),) * 16)
        append = median(lambda: journal.append(report), 100)
        for individual in range(1000):
            for _ in range(10):
                journal.add(Scored(individual, 0.5))
            journal.commit()
        read = median(lambda: list(journal), 3)
    return [
        ("one event made durable in the journal", f"{append * 1e3:.1f} ms"),
        ("a journal of 10,000 events read", f"{read * 1e3:.0f} ms"),
    ]


def suggestion_rows() -> list[tuple[str, str]]:
    """Computing time for one individual of a generation of ten, of seven genes; on one thread."""
    wide = Space(**{name: Gene(0, 1) for name in "abcdefg"})
    rows = []
    for known, runs in ((50, 9), (1000, 3)):
        genes = [wide.sample(random.Random(n)) for n in range(known)]
        history = History([Bred(0, tuple(Birth(n, each, "random") for n, each in enumerate(genes)))])
        for n, each in enumerate(genes):
            history.add(Scored(n, -sum((value - 0.3) ** 2 for value in each.values())))
        search = AssistedSearch(StudyConfig(wide, "", assisted=Assisted(generations=2, litter=10)))
        cost = median(partial(search.decide, history, 10), runs, time.process_time) / 10
        rows.append((f"an individual chosen by the model after {known} trainings, 7 genes", f"{cost * 1e3:.0f} ms"))
    return rows


def optimizer_rows() -> list[tuple[str, str]]:
    torch.set_num_threads(1)
    net, theirs_net = build(NetSpec("resnet50")), build(NetSpec("resnet50"))
    groups = list(grouped(net, ("fc.",), Recipe()).values())
    ours, theirs = _optimizer(groups, 1e-3, Recipe()), Adam(theirs_net.parameters(), lr=1e-3, wd=0.01)
    for parameter in (*net.parameters(), *theirs_net.parameters()):
        parameter.grad = torch.randn_like(parameter)
    a, b = median(ours.step, 9), median(theirs.step, 9)
    return [
        (
            "a step of Adam on ResNet-50, torch's fused / fastai's own",
            f"{a * 1e3:.0f} / {b * 1e3:.0f} ms: {b / a:.1f} ×",
        )
    ]


STEP = """
import os, resource, sys
from dataclasses import replace
import numpy as np
from resnet.data import Images, Split
from resnet.recipe import RECIPES
from resnet.spec import NetSpec
from resnet.groups import grouped
from resnet.train import train
recipe = replace(RECIPES["paper"], epochs=1, recompute=sys.argv[2] == "recomputed")
grey = [Split(np.zeros((n, 32, 32, 3), np.uint8), np.arange(n) % 10) for n in (recipe.batch, 10, 10)]
images = Images(*grey, tuple("0123456789"), (0.5,) * 3, (1.0,) * 3, "grey", "")
train(NetSpec(sys.argv[1]), recipe, images, threads=os.cpu_count())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def peak(name: str, how: str, **environment: str) -> str:
    """The most memory of a process that makes one step of the paper's recipe (its libraries take 0.8 GB of it)."""
    command, given = [sys.executable, "-c", STEP, name, how], os.environ | environment
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True)
    return f"{int(done.stdout) / 1e9:.1f} GB"


def memory_rows() -> list[tuple[str, str]]:
    """Not ResNet-1202 with everything kept: it takes 14 GB."""
    small, large = (f"memory of a step of {name}, batch 128 at 32 px" for name in ("resnet110", "resnet1202"))
    both = " / ".join(peak("resnet110", how) for how in ("kept", "recomputed"))
    returning = peak("resnet1202", "recomputed", MALLOC_MMAP_THRESHOLD_="1048576")  # glibc's heap keeps holes
    return [
        (f"{small}, everything kept / units recomputed", both),
        (f"{large}, units recomputed", peak("resnet1202", "recomputed")),
        ("the same with MALLOC_MMAP_THRESHOLD_=1048576", returning),
    ]


def small() -> list[str]:
    """A Markdown table of single calls."""
    search, history = GeneticSearch(StudyConfig(space(), "")), scored([n / 10 for n in range(10)])
    rows = [
        ("`gaopt --help`", f"{command('--help'):.2f} s"),
        ("`gaopt run --help`", f"{command('run', '--help'):.2f} s"),
        ("the next generation decided", f"{median(lambda: search.decide(history, 10), 50) * 1e3:.1f} ms"),
        *suggestion_rows(),
        *journal_rows(),
        *optimizer_rows(),
    ]
    return ["| | |", "|---|---:|", *(f"| {what} | {cost} |" for what, cost in rows)]


def memory() -> list[str]:
    """A Markdown table of peaks."""
    return ["| | |", "|---|---:|", *(f"| {what} | {cost} |" for what, cost in memory_rows())]


def main() -> None:
    quick = "--quick" in sys.argv
    runs = 1 if quick else 3
    sections: dict[str, Callable[[], list[str]]] = {
        "Training: images per second, one thread, whole calls of two epochs": lambda: training.table(
            ["digits", "quick"] if quick else list(training.SETTINGS), runs
        ),
        "An evaluation beyond its training": lambda: evaluation.table(
            [way for way in evaluation.WAYS if not (quick and "Tune" in way)], 60 if quick else 200, runs
        ),
        "The driver as a study grows": driver.growth,
        "Workers that are busy, and what a thousand of them cost": driver.workers,
        "From Enter to the result: `gaopt run quick`, 2 trainings of an epoch": lambda: shell.starting(runs),
        "Commands on large studies": lambda: shell.reading((1_000,) if quick else (1_000, 10_000)),
        "How far one process of the service carries": lambda: service.table(10 if quick else 1),
        "Single calls": small,
        **({} if quick else {"Memory": memory}),
    }
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, {training.processor()}"
    lines = [
        "# What things cost",
        "",
        f"`make bench`, medians with (least – most), on {os.cpu_count()} CPU cores without a GPU, {versions}.",
    ]
    for title, made in sections.items():
        lines += ["", f"## {title}", "", *made()]
        print(f"{title}: done", file=sys.stderr)
    (ROOT / "results" / "bench.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()

"""The benchmark of searches, on problems that cost nothing."""

import math
import random
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmarks import training
from benchmarks.search import cifar, peers, runs, summary, table
from benchmarks.search.csv_log import appending, read
from benchmarks.search.digits import points
from benchmarks.search.protocol import Search, Setting, Trial
from benchmarks.search.runs import MARKS, Case, Curve, measured, seed_of
from benchmarks.search.searches import SEARCHES
from gaopt import Gene, Space
from gaopt.cli import cli
from gaopt.config import load
from gaopt.errors import BadInput
from gaopt.space.space import Genes

PEERS = [name for name in SEARCHES if name.startswith("optuna-")]
OWN = [name for name in SEARCHES if name not in (*PEERS, *peers.PACKAGES, "baseline")]
needs_optuna = pytest.mark.skipif(not (find_spec("optuna") and find_spec("cmaes")), reason="gaopt[bench]")


class Bowl:
    """Best at 0.3 in each of two genes, by far; fails where x is above 0.9; short trainings promise too much."""

    space = Space(x=Gene(0, 1), n=Gene(1, 8, "log", integer=True))
    epochs = 10

    def score(self, genes: Genes, epochs: int) -> float:
        if genes["x"] > 0.9:
            return math.nan
        return 100 - 10 * (genes["x"] - 0.3) ** 2 - abs(genes["n"] - 3) + (5 if epochs < self.epochs else 0)

    def seen(self, genes: Genes, epochs: int, noise: float, rng: random.Random) -> float:
        return self.score(genes, epochs) + (rng.gauss(0, noise) if noise else 0)

    def regret(self, score: float) -> float:
        return (100 - score) / 5


@pytest.mark.parametrize("search", [*OWN, *(pytest.param(peer, marks=needs_optuna) for peer in PEERS)])
def test_a_search_pays_for_fifty_trainings_in_its_space_and_does_the_same_again(search: str) -> None:
    case = Case(search, "bowl", 3, together=10)
    first, again = measured(case, Bowl()), measured(case, Bowl())
    assert first.epochs == MARKS[-1] * Bowl.epochs
    assert first.regrets == again.regrets
    assert list(first.regrets) == sorted(first.regrets, reverse=True)
    assert 0 <= first.regrets[-1] < 0.5
    assert seed_of(case) == seed_of(Case("random", "bowl", 3, 1)) != seed_of(Case("random", "bowl", 4, 1))


def sizes(search: Search, evaluations: int) -> list[int]:
    """How many trainings are asked for, until so many are paid for."""
    found = list[int]()
    while sum(found) < evaluations and (trials := search.ask()):
        found.append(len(trials))
        search.tell([Bowl().score(trial.genes, trial.epochs) for trial in trials])
    return found


@pytest.mark.parametrize("search", ["assisted", "random", "optuna-tpe"])
@pytest.mark.parametrize(
    ("together", "expected"), [(1, [1] * 30), (5, [10, 5, 5, 5, 5]), (10, [10, 10, 10]), (20, [20, 20])]
)
def test_all_searches_are_asked_for_the_same_batches(search: str, together: int, expected: list[int]) -> None:
    if search == "optuna-tpe":
        pytest.importorskip("optuna")
    setting = Setting(Bowl.space, Bowl.epochs, 30, together, 0)
    own = [10, *[1] * 20] if (search, together) == ("assisted", 1) else expected
    assert sizes(SEARCHES[search](setting), 30) == own


STAND_IN = """
from benchmarks.search.adapters import serve

class StandIn:
    def __init__(self, setting):
        print("chatter")
        self.draw = __import__("random").Random(setting.seed)
        self.genes, self.failed = setting.genes, 0

    def ask(self, count):
        if self.failed > 9:
            raise ValueError("ten failed")
        return [{g.name: self.draw.randint(1, 8) if g.integer else self.draw.uniform(g.low, 1) for g in self.genes}
                for _ in range(count)]

    def tell(self, scores):
        self.failed += scores.count(None)

serve(StandIn)
"""


def test_a_peer_answers_from_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.setattr(peers, "command", lambda name: [sys.executable, str(tmp_path / "stand_in.py")])
    monkeypatch.setenv("PYTHONPATH", str(Path(peers.__file__).parents[2]))

    def begun() -> peers.Child:
        return peers.Child("stand-in", Setting(Bowl.space, Bowl.epochs, 30, 5, 2**32 - 1))

    search, again = begun(), [trial.genes for trial in begun().ask()]
    assert sizes(search, 20) == [10, 5, 5]
    assert search.seconds > 0
    search = begun()
    assert [trial.genes for trial in search.ask()] == again, "another run, of the same seed"
    assert all(Bowl.space.check(genes) == genes for genes in again)
    search.tell([math.nan] * 10)
    with pytest.raises(RuntimeError, match="ValueError: ten failed"):
        search.ask()


def test_a_peer_without_an_environment_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    assert "python -m benchmarks.search.peers ax" in bench("--searches", "ax", "--problems", "digits", code=2)
    with pytest.raises(BadInput, match="baseline needs the genes of a recipe"):
        SEARCHES["baseline"](Setting(Bowl.space, 1, 30, 5, 0))


def curve(noise: float = 0.0) -> Curve:
    return Curve(Bowl(), noise, random.Random(0))


def test_a_short_training_costs_its_share_and_neither_it_nor_a_failure_is_ever_the_best() -> None:
    short, full, failing = (Trial({"x": x, "n": n}, epochs) for x, n, epochs in ((0.3, 3, 2), (0.3, 8, 10), (1, 3, 10)))
    spent = curve()
    assert (spent.add(short), spent.add(full), math.isnan(spent.add(failing))) == (105, 95, True)
    assert [spent.at(epochs) for epochs in (0, 2, 12, 22)] == [1, 1, 1, 1]
    spent.add(Trial({"x": 0.3, "n": 4.0}, 10))
    assert [spent.at(epochs) for epochs in (31, 32)] == [1, 0.2]


def bench(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["bench", "search", *map(str, arguments)])
    if code:
        assert isinstance(done.exception, BadInput), done.output
        return str(done.exception)
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.output


def test_trainings_are_measured_by_a_table_and_an_unknown_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = training.Setting("resnet20", 8, 1, 8, 2, 8)
    monkeypatch.setattr(training, "SETTINGS", {"tiny": tiny})
    done = CliRunner().invoke(cli, ["bench", "train", "tiny", "--runs", "1"])
    assert done.exit_code == 0, done.output + str(done.exception)
    cells = done.output.splitlines()[-1].strip("| ").split(" | ")
    assert cells[0].startswith("tiny")
    assert all(float(cell.split()[0]) > 0 for cell in cells[1:-1])
    assert "unknown setting 'tinny'" in str(CliRunner().invoke(cli, ["bench", "train", "tinny"]).exception)


def test_a_benchmark_writes_its_runs_and_a_summary_and_runs_none_again(tmp_path: Path) -> None:
    cheap = ("--problems", "digits", "--searches", "random,genetic", "--out", tmp_path)
    assert "0 of 4 runs are there, 4 to go" in bench(*cheap, "--seeds", 1)
    first = (tmp_path / "runs.csv").read_text()
    assert len(first.splitlines()) == 5
    assert "4 of 8 runs are there, 4 to go" in bench(*cheap, "--seeds", 2, "--jobs", 2)
    assert (tmp_path / "runs.csv").read_text().startswith(first)
    assert "8 of 8 runs are there, 0 to go" in bench(*cheap, "--seeds", 2)
    written = (tmp_path / "README.md").read_text()
    assert "## Digits: 50 trainings, in batches of 10" in written
    assert "`genetic` always has ten, then fives." in " ".join(written.split())
    (tmp_path / "README.md").unlink()
    assert bench("--summary", "--out", tmp_path).strip() == str(tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text() == written


def test_a_row_that_a_kill_cut_is_gone_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with appending(path, ("a", "b")) as append:
        append((1, 2))
        with pytest.raises(BadInput, match="being written by another process"), appending(path, ("a", "b")):
            pass
    path.write_bytes(path.read_bytes() + b"3,4567")
    assert read(path, ("a", "b")) == [["1", "2"]]
    with appending(path, ("a", "b")) as append:
        append((3, 4))
    assert path.read_text() == "a,b\n1,2\n3,4\n"


def test_what_cannot_be_read_or_run_gets_one_sentence(tmp_path: Path) -> None:
    for content, sentence in (
        ("a,b\n", "has other columns, or a row of other cells: must be search,problem"),
        (f"{','.join(runs.COLUMNS)}\nrandom,digits\n", "a row of other cells"),
        (f"{','.join(runs.COLUMNS)}\nrandom,lc3-1,0,1,0,50,250,0,1,1,1,1,1\n", "'lc3-1' is no problem"),
        ("", "there are no runs in"),
    ):
        (tmp_path / "runs.csv").write_text(content)
        assert sentence in bench("--summary", "--out", tmp_path, code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
    for options, sentence in (
        ("--searches genetics", "'genetics', which is no search: did you mean 'genetic'?"),
        ("--searches random --problems digit", "'digit', which fits no problem: did you mean 'digits'?"),
        ("--searches random --problems tuned", "--data is not given, and lc3-126029 needs it"),
        ("--searches random --data nowhere", "nowhere is not the folder of LCBench's surrogate: [Errno 2]"),
    ):
        assert sentence in bench(*options.split(), "--out", tmp_path / "out", code=2)
        assert not (tmp_path / "out").exists()


def test_the_committed_table_of_digits_is_whole() -> None:
    rows = read(table.DIGITS, table.COLUMNS)
    assert len({tuple(row[:-1]) for row in rows}) == len(rows)
    digits = table.digits()
    assert digits.rows * digits.seeds == len(rows)
    assert digits.median < 50 < 97 < digits.best <= 100


def test_the_surface_of_cifar10_is_that_of_the_trainings(tmp_path: Path) -> None:
    space = load("cifar10").space

    def share(units: Sequence[float]) -> float:
        return 0.6 - 0.3 * math.dist(units, [0.4] * 3) ** 2

    with appending(tmp_path / "rows.csv", cifar.COLUMNS) as append:
        for genes in points(space, 7):
            for seed, apart in enumerate((-0.01, 0.01)):
                last = share(space.units(genes)) + apart
                append((*space.vector(genes), seed, *[last - 0.1] * 4, last))
        append((*space.vector(space.at([0.99] * 3)), 0, *[""] * 5))
    found = cifar.surface(tmp_path / "rows.csv")
    assert (found.rows, found.epochs) == (129, 5)
    assert found.between == pytest.approx(2**0.5), "of two seeds that are two points apart"
    for units in ([0.4, 0.4, 0.4], [0.7, 0.2, 0.5], [0.1, 0.9, 0.3]):
        assert found.score(space.at(units), 5) == pytest.approx(100 * share(units), abs=2)
        assert found.score(space.at(units), 2) == pytest.approx(found.score(space.at(units), 5) - 10, abs=0.5)
    assert abs(found.regret(found.score(space.at([0.4] * 3), 5))) < 0.1 < found.regret(found.median) == 1
    assert found.score(space.at([0.99] * 3), 5) < 20, "a failure is as bad as chance"


def regrets(of: dict[tuple[str, int], float]) -> pd.Series:
    return pd.Series(of.values(), pd.MultiIndex.from_tuples(of, names=["problem", "seed"]))


def test_a_pair_of_searches_is_compared_on_what_both_ran() -> None:
    ours = regrets({("a", 0): 0.1, ("a", 1): 0.2, ("b", 0): 0.3, ("b", 9): 0.0})
    pair = summary.paired(ours, regrets({("a", 0): 0.2, ("a", 1): 0.2, ("b", 0): 0.1, ("c", 0): 0.0}))
    assert pair
    assert pair.pairs == 3
    assert pair.difference == pytest.approx((-0.05 + 0.2) / 2), "a problem counts once, however many its seeds"
    assert (pair.low, pair.high) == pytest.approx((-0.05, 0.2)), "of two problems the same one may be drawn twice"
    assert pair.wins == pytest.approx(0.5), "one won, one lost, one tied"
    assert summary.worst(pd.Series(range(20))) == 18.5
    assert summary.paired(ours, regrets({("z", 0): 0.0})) is None


def test_a_summary_says_how_trainings_came_together_and_describes_only_searches_that_ran() -> None:
    row = ["random", "digits", 0, 4, 0.0, 30, *[0.5] * 7, "digits", 0.5]
    written = summary.text(pd.DataFrame([row], columns=[*runs.COLUMNS, "role", "regret"]))
    assert "## Digits: 30 trainings, ten and then batches of 4\n" in written
    assert "`random` draws genes evenly." in written
    assert not {"assisted", "genetic", "baseline", "Optuna", "Peers"} & set(re.findall(r"\w+", written))

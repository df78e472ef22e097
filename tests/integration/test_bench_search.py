"""The benchmark of searches, on problems that cost nothing."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.search import benchmark, compare, lcbench, problems, provenance, runs, summary, table
from benchmarks.search.csv_log import appending, read
from benchmarks.search.group import sections
from benchmarks.search.measure import EVALUATIONS, MARKS, Case, Curve, Run, measured, seed_of
from benchmarks.search.search import Setting, Trial
from benchmarks.search.searches import SEARCHES, known
from gaopt import Gene, Space
from gaopt.cli import cli
from gaopt.errors import BadInput
from gaopt.space.space import Genes

PEERS = [name for name in SEARCHES if name.startswith("optuna-")]
OWN = [name for name in SEARCHES if name not in PEERS]
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


def a_run(search: str, regret: float, problem: str = "lc3-7593", seed: int = 0, together: int = 10) -> Run:
    regrets = tuple(regret + 0.01 * (len(MARKS) - n) for n in range(len(MARKS) - 1))
    return Run(Case(search, problem, seed, together), 50, 2500, 0.002, (*regrets, regret))


@pytest.mark.parametrize("together", [1, 10])
@pytest.mark.parametrize(
    "search", [*OWN, *(pytest.param(peer, marks=[needs_optuna, pytest.mark.slow]) for peer in PEERS)]
)
def test_a_search_pays_for_fifty_trainings_in_its_space_and_does_the_same_again(search: str, together: int) -> None:
    first = measured(Case(search, "bowl", 3, together), Bowl())
    again = measured(Case(search, "bowl", 3, together), Bowl())
    assert (first.evaluations, first.epochs) == (EVALUATIONS, EVALUATIONS * Bowl.epochs)
    assert first.regrets == again.regrets
    assert list(first.regrets) == sorted(first.regrets, reverse=True)
    assert 0 <= first.regret < 0.5


@pytest.mark.parametrize(
    "search", [*OWN, *(pytest.param(peer, marks=[needs_optuna, pytest.mark.slow]) for peer in PEERS)]
)
def test_a_search_asks_for_no_more_than_are_trained_together_and_never_leaves_the_space(search: str) -> None:
    space = Bowl.space
    asked = SEARCHES[search](Setting(space, 10, EVALUATIONS, 10, seed=1))
    for _ in range(3):
        trials = asked.ask()
        assert 0 < len(trials) <= 10
        for trial in trials:
            assert trial.epochs == 10
            assert list(trial.genes) == list(space)
            assert all(gene.low <= trial.genes[name] <= gene.high for name, gene in space.items())
            assert trial.genes["n"] == round(trial.genes["n"])
        asked.tell([Bowl().score(trial.genes, 10) for trial in trials])


def test_the_seed_of_a_run_is_the_same_for_every_search_and_another_for_every_problem() -> None:
    seeds = {seed_of(Case(search, "lc3-7593", 4, together)) for search in SEARCHES for together in (1, 10)}
    assert len(seeds) == 1
    assert seed_of(Case("random", "lc7-7593", 4, 1)) not in seeds
    assert seed_of(Case("random", "lc3-7593", 5, 1)) not in seeds


def curve(noise: float = 0.0) -> Curve:
    return Curve(Bowl(), noise, random.Random(0))


def test_a_short_training_costs_its_share_and_is_never_the_best() -> None:
    short, full = Trial({"x": 0.3, "n": 3.0}, 2), Trial({"x": 0.3, "n": 8.0}, 10)
    spent = curve()
    assert spent.add(short) == 105
    assert spent.add(full) == 95
    assert spent.epochs == 12
    assert [spent.at(epochs) for epochs in (0, 2, 11, 12)] == [1, 1, 1, 1]
    spent.add(Trial({"x": 0.3, "n": 4.0}, 10))
    assert [spent.at(epochs) for epochs in (12, 21, 22)] == [1, 1, 0.2]


def test_the_regret_is_that_of_the_true_score_of_what_looked_best() -> None:
    noisy = curve(noise=50.0)
    seen = [noisy.add(Trial({"x": 0.3, "n": float(n)}, 10)) for n in range(1, 9)]
    best = 1 + seen.index(max(seen))
    assert best != 3, "the noise must mislead for this to show anything"
    assert noisy.at(80) == pytest.approx(abs(best - 3) / 5)


def test_a_search_may_recommend_other_genes_than_those_that_scored_best() -> None:
    class Sure:
        def ask(self) -> list[Trial]:
            return []

        def tell(self, scores: object) -> None: ...

        def recommended(self) -> Genes:
            return {"x": 0.3, "n": 3.0}

    told = curve()
    told.add(Trial({"x": 0.3, "n": 8.0}, 10))
    assert told.at(10) == 1
    told.agree(Sure())
    assert told.at(10) == 0


def test_a_failure_is_never_the_best() -> None:
    failed = curve()
    assert math.isnan(failed.add(Trial({"x": 0.95, "n": 3.0}, 10)))
    assert failed.at(10) == 1
    failed.add(Trial({"x": 0.3, "n": 4.0}, 10))
    assert failed.at(20) == pytest.approx(0.2)


def test_the_seeds_are_outermost_so_that_an_interrupted_benchmark_is_balanced() -> None:
    cases = benchmark.cases(["random", "genetic"], ["lc3-7593", "digits"], 3, [1, 10], 0.5)
    assert len(cases) == len(set(cases)) == 24
    assert [case.seed for case in cases] == sorted(case.seed for case in cases)


def bench(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["bench", "search", *map(str, arguments)])
    if code:
        assert isinstance(done.exception, BadInput), done.output
        return str(done.exception)
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.output


def test_a_list_of_problems_may_have_spaces() -> None:
    assert problems.chosen("digits, lc3-7593") == problems.chosen("lc3-7593,digits") == ["lc3-7593", "digits"]
    assert problems.chosen(" ") == problems.names()


def test_a_benchmark_writes_its_runs_and_a_summary_and_runs_none_again(tmp_path: Path) -> None:
    cheap = ("--problems", "digits", "--searches", "random,genetic", "--out", tmp_path)
    assert "0 of 4 runs are there, 4 to go" in bench(*cheap, "--seeds", 1)
    first = (tmp_path / "runs.csv").read_text()
    assert len(first.splitlines()) == 5
    assert "4 of 8 runs are there, 4 to go" in bench(*cheap, "--seeds", 2)
    assert (tmp_path / "runs.csv").read_text().startswith(first)
    assert "8 of 8 runs are there, 0 to go" in bench(*cheap, "--seeds", 2)
    assert "## Digits, in batches of 10" in (tmp_path / "README.md").read_text()


def test_the_summary_can_be_written_again_from_the_runs_alone(tmp_path: Path) -> None:
    bench("--problems", "digits", "--searches", "random", "--seeds", 2, "--together", 1, "--out", tmp_path)
    written = (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").unlink()
    assert bench("--summary", "--out", tmp_path).strip() == str(tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text() == written


def test_a_readme_that_no_benchmark_wrote_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    said = bench("--problems", "digits", "--searches", "random", "--seeds", 1, "--out", tmp_path, code=2)
    assert "has a README.md and no runs.csv" in said
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.slow
def test_several_processes_make_the_same_runs_as_one(tmp_path: Path) -> None:
    for jobs in (1, 2):
        what = ("--problems", "digits", "--searches", "random,genetic", "--seeds", 3, "--jobs", jobs)
        bench(*what, "--out", tmp_path / str(jobs))
    one, two = (runs.read(tmp_path / str(jobs) / "runs.csv") for jobs in (1, 2))
    assert {case: run.regrets for case, run in one.items()} == {case: run.regrets for case, run in two.items()}
    assert len(one) == 12


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    path, written = tmp_path / "runs.csv", [a_run("random", 0.25), a_run("genetic", 0.125, seed=7)]
    with runs.appending(path) as append:
        for run in written:
            append(run)
    assert list(runs.read(path).values()) == written


def test_a_row_that_a_kill_cut_is_gone_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with appending(path, ("a", "b")) as append:
        append((1, 2))
    path.write_bytes(path.read_bytes() + b"3,4567")
    assert read(path, ("a", "b")) == [["1", "2"]]
    with appending(path, ("a", "b")) as append:
        append((3, 4))
    assert path.read_text() == "a,b\n1,2\n3,4\n"


@pytest.mark.slow
def test_a_killed_benchmark_goes_on_where_it_was(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gaopt", "bench", "search", "--problems", "digits", "--searches", "genetic"]
    command += ["--seeds", "2000", "--together", "1", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    path = tmp_path / "runs.csv"
    while process.poll() is None and not (path.is_file() and path.read_bytes().count(b"\n") > 5):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = len(runs.read(path))
    assert 5 <= before < 2000
    options = ("--problems", "digits", "--searches", "genetic", "--together", 1, "--out", tmp_path)
    assert f"{before} of {before + 2} runs are there, 2 to go" in bench(*options, "--seeds", before + 2)
    assert [case.seed for case in runs.read(path)] == list(range(before + 2))


def test_two_benchmarks_never_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    with runs.appending(path), pytest.raises(BadInput, match="being written by another process"), runs.appending(path):
        pass


def test_a_file_that_has_no_runs_gets_one_sentence(tmp_path: Path) -> None:
    for n, (content, sentence) in enumerate(
        [
            ("a,b\n", "has the columns a,b: must be search,problem"),
            (f"{','.join(runs.COLUMNS)}\nrandom,digits\n", "a row that is not of 13 cells"),
            (f"{','.join(runs.COLUMNS)}\nrandom,digits,x,1,0,50,250,0,1,1,1,1,1\n", "a row that is not a run"),
            (f"{','.join(runs.COLUMNS)}\nrandom,lc3-1,0,1,0,50,250,0,1,1,1,1,1\n", "'lc3-1' is no problem"),
            ("", "there are no runs in"),
        ]
    ):
        (folder := tmp_path / str(n)).mkdir()
        (folder / "runs.csv").write_text(content)
        assert sentence in bench("--summary", "--out", folder, code=2)
        assert not (folder / "README.md").exists()


def test_what_cannot_be_run_gets_one_sentence(tmp_path: Path) -> None:
    for n, (options, sentence) in enumerate(
        [
            (("--searches", "genetics"), "'genetics', which is no search: did you mean 'genetic'?"),
            (("--searches", "random", "--problems", "digit"), "'digit', which fits no problem: did you mean 'digits'?"),
            (("--summary", "--seeds", "25"), "--seeds is given with --summary, which runs nothing: must be left out"),
            (("--problems", "digits", "--noise", "nan"), "--noise is nan: must be a finite number"),
            (("--searches", "random", "--problems", "tuned"), "--data is not given, and lc3-126029 needs it"),
            (("--searches", "random", "--data", "nowhere"), "nowhere/reference.json cannot be read: No such file"),
        ]
    ):
        (folder := tmp_path / str(n)).mkdir()
        assert sentence in bench(*options, "--out", folder / "out", code=2)
        assert not (folder / "out").exists()


@pytest.mark.parametrize("missing", ["optuna", "onnxruntime"])
def test_without_the_extra_a_sentence_says_what_to_install(tmp_path: Path, missing: str) -> None:
    known = {name: {"best": 1, "median": 0} for name in problems.names()}
    (tmp_path / "reference.json").write_text(json.dumps(known))
    (tmp_path / "model.onnx").touch()
    search = "optuna-tpe" if missing == "optuna" else "random"
    hidden = f"import sys; sys.modules[{missing!r}] = None; from gaopt.cli import main; main()"
    command = [sys.executable, "-c", hidden, "bench", "search", "--data", str(tmp_path), "--searches", search]
    done = subprocess.run([*command, "--out", str(tmp_path / "out")], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert f"gaopt: {missing} is not installed" in done.stderr
    assert "install gaopt[bench]" in done.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[]", "is not the best and the median of each problem"),
        ("{", "is not the best and the median of each problem"),
        ('{"lc3-7593": {"best": 1}}', "'median'"),
    ],
)
def test_a_broken_reference_gets_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "reference.json").write_text(content)
    with pytest.raises(BadInput, match=sentence):
        lcbench.load(["lc3-7593"], tmp_path)


def test_a_surrogate_is_asked_for_plain_values_in_its_order_with_the_other_genes_fixed() -> None:
    class Session:
        def run(self, names: list[str], inputs: dict[str, object]) -> list[object]:
            self.inputs = inputs
            return [table.np.array([[0.0, 70.0, 0.0]])]

    session = Session()
    problem = lcbench.Surrogate(session, {"best": 80.0, "median": 60.0}, code=35, genes=3)
    genes = {"learning_rate": 0.25, "weight_decay": 0.5, "momentum": 0.75}
    assert problem.score(genes, 16) == 70
    assert problem.regret(70) == 0.5
    assert session.inputs["x_cat"].tolist() == [[35]]  # type: ignore[attr-defined]
    assert session.inputs["x_cont"].tolist() == [[16, 91, 0.25, 0.75, 0.5, 3, 256, 0.5]]  # type: ignore[attr-defined]
    noisy = [problem.seen(genes, 16, 0.5, random.Random(0)) for _ in range(2)]
    assert noisy[0] == noisy[1] != 70


def test_the_data_sets_are_tuned_or_judged_and_never_both() -> None:
    assert not set(problems.TUNED) & set(problems.JUDGED)
    assert {*problems.TUNED, *problems.JUDGED} == set(lcbench.CODES)
    assert len(problems.chosen("judged")) == len(problems.chosen("tuned")) == 8
    assert problems.chosen("lc3-7593,digits") == ["lc3-7593", "digits"]


def a_table() -> table.Table:
    space = Space(x=Gene(1e-4, 1.0, "log"))
    return table.Table(space, 5, {(1e-4,): [10.0, 20.0], (1e-2,): [90.0, 80.0], (1.0,): [50.0, math.nan]})


def test_a_table_has_the_mean_of_the_nearest_row_on_the_scale_of_the_genes() -> None:
    found = a_table()
    assert found.score({"x": 1e-4}, 5) == 15
    assert found.score({"x": 0.09}, 5) == 85, "nearer on a log scale"
    assert math.isnan(found.score({"x": 0.9}, 5)), "one seed failed"
    assert (found.regret(85), found.regret(15)) == (0, 1)
    assert found.share(75) == pytest.approx(2 / 3)


def test_with_noise_a_table_gives_one_of_the_seeds() -> None:
    rng = random.Random(0)
    assert {a_table().seen({"x": 1e-2}, 5, 0.5, rng) for _ in range(20)} == {90.0, 80.0}
    assert a_table().seen({"x": 1e-2}, 5, 0.0, rng) == 85


def test_a_table_has_trainings_of_one_length() -> None:
    with pytest.raises(BadInput, match="3 epochs: the table has trainings of 5 alone"):
        a_table().score({"x": 0.1}, 3)


def test_the_committed_table_of_digits_is_whole() -> None:
    rows = read(table.DIGITS, table.COLUMNS)
    assert len({tuple(row[:-1]) for row in rows}) == len(rows)
    digits = table.digits()
    assert digits.rows * digits.seeds == len(rows)
    assert digits.median < 50 < 97 < digits.best <= 100


def test_a_pair_of_searches_is_compared_on_what_both_ran() -> None:
    ours = {("a", 0): 0.1, ("a", 1): 0.2, ("b", 0): 0.3, ("b", 9): 0.0}
    theirs = {("a", 0): 0.2, ("a", 1): 0.2, ("b", 0): 0.1, ("c", 0): 0.0}
    pair = compare.paired(ours, theirs)
    assert pair
    assert pair.pairs == 3
    assert pair.difference == pytest.approx((-0.05 + 0.2) / 2), "a problem counts once, however many its seeds"
    assert (pair.low, pair.high) == pytest.approx((-0.05, 0.2)), "of two problems the same one may be drawn twice"
    assert pair.wins == pytest.approx(0.5), "one won, one lost, one tied"
    assert compare.paired(ours, {("z", 0): 0.0}) is None


def test_the_interval_is_over_problems_not_over_seeds() -> None:
    """A thousand seeds on three problems that disagree tell no more of other problems than ten."""
    ours = {
        (problem, seed): effect for problem, effect in zip("abc", (-0.1, 0.0, 0.1), strict=True) for seed in range(1000)
    }
    pair = compare.paired(ours, dict.fromkeys(ours, 0.0))
    assert pair
    assert pair.low == pytest.approx(-0.1)
    assert pair.high == pytest.approx(0.1)


def test_worse_means_by_more_than_the_standard_error() -> None:
    chance = {(problem, seed): 0.5 for problem in "ab" for seed in range(4)}
    ours = {("a", seed): 0.5 + 0.01 * (seed + 1) for seed in range(4)}
    ours |= {("b", seed): 0.5 + (0.2 if seed == 0 else -0.05) for seed in range(4)}
    assert compare.worse(ours, chance) == ["a"], "b is worse in the mean, but by less than its standard error"


def test_ranks_are_of_what_all_ran_and_equals_share_theirs() -> None:
    found = {
        "one": {("a", 0): 0.1, ("a", 1): 0.1, ("a", 2): 0.9},
        "two": {("a", 0): 0.2, ("a", 1): 0.1},
        "three": {("a", 0): 0.3, ("a", 1): 0.3},
    }
    assert compare.ranks(found) == {"one": 1.25, "two": 1.75, "three": 3.0}
    assert math.isnan(compare.ranks({"one": {("a", 0): 0.0}, "two": {("b", 0): 0.0}})["one"])


def test_the_summary_has_the_means_the_pairs_and_where_ours_is_worse_than_chance() -> None:
    effects = {"assisted": 0.01, "random": 0.2, "optuna-gp": 0.02}
    found = [
        a_run(
            search,
            (0.3 + 0.01 * seed if (search, problem) == ("assisted", "lc7-7593") else effect + 0.001 * seed),
            problem,
            seed,
        )
        for search, effect in effects.items()
        for problem in ("lc3-7593", "lc7-7593")
        for seed in range(3)
    ]
    text = summary.text({run.case: run for run in found})
    assert text.count("## Tuned problems, in batches of 10") == 1
    assert "Judged problems," not in text
    row, pair = (line for line in text.splitlines() if line.startswith("| random | 6 "))
    assert "| 0.2010 ± 0.0004 | 0.2010 | 0.2010 ± 0.0006 | 0.2010 ± 0.0006 |" in row
    assert row.endswith("| 2 | 2500 |"), "two milliseconds a suggestion"
    assert pair == "| random | 6 | -0.0405 | -0.1900 … +0.1090 | 50.0 % |"
    assert "Worse than random by more than the standard error of the pairs: lc7-7593." in text
    assert "--searches assisted,random,optuna-gp --seeds 3 --problems lc3-7593,lc7-7593 --together 10" in text


def test_what_cannot_be_compared_stands_in_sections_apart() -> None:
    found = [
        a_run("random", 0.1, problem, together=together)
        for problem in ("lc3-167149", "lc3-7593", "digits")
        for together in (10, 1)
    ]
    titles = [section.title for section in sections(found)]
    assert titles[0] == "Judged problems, one at a time"
    assert len(titles) == 6
    assert titles[-1] == "Digits, in batches of 10"


def test_the_command_that_made_the_runs_is_one_a_noise() -> None:
    cases = [Case("random", name, 24, 10, noise) for name in problems.names() for noise in (0.0, 0.5)]
    assert provenance.commands(cases) == [
        "gaopt bench search --data FOLDER --searches random --seeds 25 --together 10",
        "gaopt bench search --data FOLDER --searches random --seeds 25 --together 10 --noise 0.5",
    ]


def test_all_searches_are_run_unless_some_are_named() -> None:
    assert known("random, genetic") == ["random", "genetic"]
    if find_spec("optuna") and find_spec("cmaes"):
        assert known("") == list(SEARCHES)


def test_a_real_training_is_scored_once_for_the_same_genes_and_again_with_noise() -> None:
    found = problems.load([problems.TRAINED], None)[problems.TRAINED]
    genes = {"lr": 5e-3, "wd": 0.01, "mom": 0.85}
    first = found.score(genes, 1)
    assert 0 < first <= 100
    assert found.score(genes, 1) == first
    assert found.seen(genes, 1, 0.0, random.Random(0)) == first
    assert found.regret(100.0) == 0.0 < found.regret(first)
    assert problems.chosen("trained") == [problems.TRAINED]
    assert problems.TRAINED not in problems.chosen("")

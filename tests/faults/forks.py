"""Studies in processes of their own, at the cost of a fork: under strace a child is killed, or told that its disk is
full, at a system call of our choice.

`python -m tests.faults.forks` imports all that a study needs, runs one, and forks for each line of its input.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NoReturn

import tomli_w

from tests import conftest
from tests.conftest import ROOT

WRITING = ",".join(
    (
        *("write", "pwrite64", "writev", "ftruncate", "fsync", "fdatasync", "openat", "fchown"),
        *("rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "rmdir"),
    )
)
"""The system calls that change a disk; of those to open a file the ones that may make it."""
MEMORY = "/dev/shm"
MAIN = "gaopt.cli:main"
CRASHED = 70
"""The exit code of a child that ended with a traceback, as no command should."""


@dataclass(frozen=True)
class Call:
    """The `count`-th call of this name in a process."""

    name: str
    count: int


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        code: its exit code; minus the signal that killed it.
        said: what it wrote on stdout and stderr.
        calls: what strace saw of it, a line each.
    """

    code: int
    said: str
    calls: tuple[str, ...] = ()

    @property
    def crashed(self) -> bool:
        return self.code == CRASHED or "Traceback" in self.said

    @property
    def injected(self) -> bool:
        """Whether the fault that strace was told of came: an error, or the signal that ended the child."""
        return self.code == -signal.SIGKILL or any("(INJECTED)" in line for line in self.calls)

    def writes(self, folder: Path) -> list[Call]:
        """Its calls that could have changed something below a folder."""
        counts: Counter[str] = Counter()
        found = []
        for line in self.calls:
            if named := re.match(r"(\w+)\(", line):
                counts[named[1]] += 1
                if str(folder) in line and (named[1] != "openat" or "O_CREAT" in line):
                    found.append(Call(named[1], counts[named[1]]))
        return found


class Forks:
    """A process that forks for each command that it is given."""

    def __init__(self, folder: Path, main: str = MAIN, imports: Sequence[str] = ()) -> None:
        """
        Args:
            folder: for what the children say. Their studies lie in memory where that can be: a sync is over at
                once, and what the kernel was given outlives a process there as on a disk.
            main: "module:function", what a child runs with its arguments as those of a command line.
            imports: modules that a child would spend time on.
        """
        self.folder = folder
        self.results = Path(tempfile.mkdtemp(prefix="gaopt-", dir=MEMORY if os.access(MEMORY, os.W_OK) else folder))
        environment = {**os.environ, "GAOPT_RESULTS": str(self.results), "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks", main, *imports],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "ready"

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()
        shutil.rmtree(self.results)

    def command(self, *arguments: str | Path, strace: Sequence[str] = (), calls: str = WRITING) -> Ended:
        """Run `gaopt` to its end.

        Args:
            strace: how to meddle with its system calls; with any, those of `calls` are listed.

        Raises:
            OSError: strace is not installed.
            RuntimeError: it cannot trace, and why.
        """
        pid = self.begin(*arguments, traced=bool(strace))
        if not strace:
            return self.end()
        try:
            tracer = self._trace(pid, [*strace, "-e", f"trace={calls}"])
        except (OSError, RuntimeError):
            self.kill(pid)  # it would wait for its tracer for ever
            raise
        ended = self.end()
        tracer.wait()
        lines = (self.folder / "calls").read_text("utf-8", "replace").splitlines()
        return Ended(ended.code, ended.said, tuple(lines))

    def begin(self, *arguments: str | Path, traced: bool = False) -> int:
        """Start `gaopt`, which waits until a tracer is there if it is to be `traced`. Returns its process number."""
        order = {"arguments": [str(each) for each in arguments], "log": str(self.folder / "said"), "traced": traced}
        (self.folder / "said").write_bytes(b"")  # it may be killed before it has said anything
        assert self._server.stdin
        self._server.stdin.write(f"{json.dumps(order)}\n")
        self._server.stdin.flush()
        return int(self._answer())

    def end(self) -> Ended:
        """Wait for what was begun."""
        code = int(self._answer())
        return Ended(code, (self.folder / "said").read_text("utf-8", "replace"))

    def kill(self, pid: int) -> Ended:
        """End what was begun, wherever it is; it may just have ended by itself."""
        with suppress(ProcessLookupError):  # its number is its own until the server, told to, has waited for it
            os.kill(pid, signal.SIGKILL)
        return self.end()

    def _trace(self, pid: int, how: Sequence[str]) -> subprocess.Popen[bytes]:
        log, said = str(self.folder / "calls"), self.folder / "strace"
        with open(said, "wb") as errors:
            command = ["strace", "-qq", "-y", "-s", "0", "-o", log, *how, "-p", str(pid)]
            tracer = subprocess.Popen(command, stderr=errors)
        while not _traced(pid):
            if tracer.poll() is not None and not _traced(pid):
                raise RuntimeError(f"strace cannot trace: {said.read_text('utf-8', 'replace').strip()}")
            time.sleep(0.001)
        return tracer

    def _answer(self) -> str:
        assert self._server.stdout
        return self._server.stdout.readline().strip()


def _child(order: dict[str, Any], main: Callable[[], object]) -> NoReturn:
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    if order["traced"]:
        _wait_for_a_tracer()
    sys.argv = ["gaopt", *order["arguments"]]
    code: Any = CRASHED
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code if isinstance(code, int) else CRASHED)


def _traced(pid: int) -> bool:
    """Whether a process has a tracer, or has already ended."""
    with suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_bytes()
        return b"TracerPid:\t0\n" not in status or b"State:\tZ" in status
    return True


def _wait_for_a_tracer() -> None:
    """By no call that is counted: which of them the tracer sees is chance."""
    status = os.open("/proc/self/status", os.O_RDONLY)
    while b"TracerPid:\t0\n" in os.pread(status, 4096, 0):
        time.sleep(0.001)


def _serve(main: Callable[[], object]) -> None:
    """One child at a time: its process number when it is there, its exit code when it is gone."""
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _child(json.loads(line), main)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def toy(folder: Path, *, generations: int = 2, population: int = 4, objective: str = "") -> Path:
    """The config of a study that costs nothing, as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path, config = folder / "toy.toml", conftest.toy("sphere", generations=generations, population=population)
    path.write_text(tomli_w.dumps(replace(config, objective=objective or config.objective).plain()), "utf-8")
    return path


def _warm() -> None:
    """Run a study, that everything is imported; and draw no figures: it takes a second, and writes nothing."""
    import gaopt.cli
    import gaopt.report.plots
    from gaopt.cli.run import drive
    from gaopt.config import find, from_tables
    from gaopt.config.tables import read_toml
    from gaopt.journal.paths import StudyDir
    from gaopt.study.prepare import prepare_new

    gaopt.report.plots.SEARCH = ()
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        config = from_tables(read_toml(find(str(toy(Path(folder))))))
        before, sys.stdout, sys.stderr = (sys.stdout, sys.stderr), nowhere, nowhere
        drive(prepare_new(config), lambda: StudyDir(Path(folder) / "warm"), as_json=False, notify=(None, None), logs=())
        sys.stdout, sys.stderr = before


if __name__ == "__main__":
    for each in sys.argv[2:]:
        importlib.import_module(each)
    if sys.argv[1] == MAIN:
        _warm()
    _serve(resolve_name(sys.argv[1]))

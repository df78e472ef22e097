"""The verb doctor: what gaopt needs of a machine, looked at before a search is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from gaopt.cli.group import cli
from gaopt.printable import printable

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PATIENCE = {"torch": 120, "ray": 180}
"""Seconds after which a probe is taken to hang: of torch on a slow disk, of Ray on a busy machine."""
SHARED = 1 << 30
"""Bytes of /dev/shm that Ray's objects should have; a container has 64 MiB of it by default."""
ROOM = 5 << 30
"""Bytes that should be free for results: weights of a ResNet-50 are 100 MB, each that is trained keeps a checkpoint."""
TORCH = """
import json, torch, torchvision
found = {"torch": torch.__version__, "torchvision": torchvision.__version__, "built": torch.version.cuda, "gpus": []}
for n in range(torch.cuda.device_count()):
    free, total = torch.cuda.mem_get_info(n)
    found["gpus"].append([torch.cuda.get_device_name(n), total, free])
if not found["gpus"] and (other := torch.accelerator.current_accelerator(check_available=True)):
    found["gpus"].append([str(other), 0, 0])
print(json.dumps(found))
"""
RAY = """
import json, sys
from gaopt.config import PoolConfig
from gaopt.errors import GaoptError
from gaopt.execution.ray import session
import ray
try:
    _, dashboard, _ = session.start(PoolConfig())
except GaoptError as error:
    sys.exit(str(error))
print(json.dumps({"version": ray.__version__, "dashboard": dashboard, "resources": ray.cluster_resources()}))
session.end()
"""


@dataclass(frozen=True)
class Line:
    """What was found of one thing. "note": gaopt works, and could better; "bad": something will not work."""

    check: str
    state: Literal["ok", "note", "bad"]
    found: str
    remedy: str = ""


@cli.command()
@click.option("--quick", is_flag=True, help="Do not start Ray.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(quick: bool, as_json: bool) -> None:
    """Check this machine: torch, GPUs, Ray, ports, memory, disk, versions.

    "note" is what works and could better. Exits with 1 where something is "bad": it will not work.
    """
    lines, probes = list[Line](), (torch,) if quick else (torch, ray)
    for check in (python, *probes, ports, shared_memory, results, token, packages, extras, cache):
        for line in check():
            lines.append(line)
            if not as_json:
                _show(line)
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines]))
    if any(line.state == "bad" for line in lines):
        click.get_current_context().exit(1)


def _show(line: Line) -> None:
    colour = {"ok": "green", "note": "yellow", "bad": "red"}[line.state]
    said = f"{line.check:14}{printable(line.found)}" + (f" → {printable(line.remedy)}" if line.remedy else "")
    width = shutil.get_terminal_size().columns - len("note ")
    whole = textwrap.wrap(said, width, subsequent_indent=" " * 14, break_long_words=False, break_on_hyphens=False)
    click.echo(click.style(f"{line.state:5}", colour) + f"\n{'':5}".join(whole))


def python() -> Iterator[Line]:
    yield _told("Python", f"{sys.version.split()[0]}, {sys.executable}")


def torch() -> Iterator[Line]:
    """In a process of its own: a build for another processor, or a broken driver, ends it without a word."""
    try:
        found = _probe(TORCH, PATIENCE["torch"])
    except ValueError as error:
        again = "install both by: pip install -c constraints.txt torch torchvision"
        yield Line("torch", "bad", f"does not load: {error}", again)
        return
    yield _told("torch", f"{found['torch']}, torchvision {found['torchvision']}")
    for name, total, free in found["gpus"]:
        sizes = f", {_size(free)} of {_size(total)} free" if total else ""
        others = "others use it: see nvidia-smi; half of it is --set pool.gpus=0.5" if free < total / 2 else ""
        yield _told("accelerator", f"{name}{sizes}", others)
    if not found["gpus"]:
        built = f"torch is built for CUDA {found['built']}" if found["built"] else "torch is built without CUDA"
        driver = f"nvidia-smi is here, and {built}: the driver must be as new, see pytorch.org"
        cores = f"none, trainings take {os.cpu_count()} CPU cores"
        yield _told("accelerator", cores, driver if shutil.which("nvidia-smi") else "")


def ray() -> Iterator[Line]:
    """Started as a search starts it, or joined where RAY_ADDRESS says so."""
    try:
        found = _probe(RAY, PATIENCE["ray"])
    except ValueError as error:
        yield Line("Ray", "bad", f"does not start: {error}", "see docs/cluster.md; its logs are in /tmp/ray")
        return
    has = found["resources"]
    counts = ", ".join(f"{has[name]:g} {name}s" for name in ("CPU", "GPU", "TPU") if name in has)
    yield _told("Ray", f"{found['version']} starts: {counts}, dashboard {found['dashboard'] or 'none'}")


def ports() -> Iterator[Line]:
    for number, whose, remedy in (
        (8265, "Ray's dashboard", "by another Ray, say: this one takes the next that is free"),
        (8400, "gaopt serve", "by a service, say: see gaopt queue; for another: gaopt serve --port 0"),
    ):
        with socket.socket() as asked:
            taken = asked.connect_ex(("127.0.0.1", number)) == 0
        yield _told("port", f"{number} for {whose} is {'taken' if taken else 'free'}", remedy if taken else "")


def shared_memory() -> Iterator[Line]:
    path = Path("/dev/shm")
    if path.is_dir():
        usage = shutil.disk_usage(path)
        few = "Ray takes the disk in its place, which is slow; in Docker: --shm-size=4g" if usage.free < SHARED else ""
        yield _told(str(path), f"{_size(usage.free)} of {_size(usage.total)} free", few)


def results() -> Iterator[Line]:
    from gaopt.journal.paths import results as folder

    path = folder().absolute()
    there = next(each for each in (path, *path.parents) if each.exists())
    usage = shutil.disk_usage(there)
    if os.access(there, os.W_OK | os.X_OK):
        few = "make room, or let GAOPT_RESULTS name another disk" if usage.free < ROOM else ""
        yield _told("results", f"{path}, {_size(usage.free)} free", few)
    else:
        yield Line("results", "bad", f"{path} cannot be written", "let GAOPT_RESULTS name a folder that can")


def token() -> Iterator[Line]:
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    path, mode = Path(named or Path.home() / ".ray" / "auth_token"), os.environ.get("RAY_AUTH_MODE", "token")
    if mode.lower() != "token":
        yield _told("Ray's token", f"RAY_AUTH_MODE is {mode!r}", "unset it: whoever reaches Ray runs code as you")
    elif os.environ.get("RAY_AUTH_TOKEN"):
        yield _told("Ray's token", "in RAY_AUTH_TOKEN")
    elif path.is_file():
        found = stat.S_IMODE(path.stat().st_mode)
        yield _told("Ray's token", f"{path}, mode {found:04o}", f"chmod 600 {path}" if found & 0o077 else "")
    elif named:
        yield Line("Ray's token", "bad", f"{path} is not there", "RAY_AUTH_TOKEN_PATH must name a file that holds it")
    else:
        yield _told("Ray's token", f"{path} is made at Ray's first start")


def packages() -> Iterator[Line]:
    """What gaopt needs, beside what there is."""
    needed = [one for one in _required() if not one.marker]
    for one in needed:
        if said := _unfit(one):
            yield Line("package", "bad", f"{one.name} {said}, gaopt needs {one.specifier}", f"pip install '{one}'")
    if not any(map(_unfit, needed)):
        yield _told("packages", f"all {len(needed)} as gaopt {version('gaopt')} needs them")


def extras() -> Iterator[Line]:
    """Which are installed whole, and which are not."""
    of: dict[str, list[Requirement]] = {name: [] for name in ("serve", "optuna", "peers", "mlflow", "bench")}
    for one in _required():
        for extra in of if one.marker else ():
            if one.marker and one.marker.evaluate({"extra": extra}):
                of[extra].append(one)
    more = [extra for extra, needed in of.items() if any(map(_unfit, needed))]
    missing = f"; not: {', '.join(more)} (pip install 'gaopt[…]')" if more else ""
    yield _told("extras", f"{', '.join(extra for extra in of if extra not in more) or 'none'}{missing}")


def cache() -> Iterator[Line]:
    from resnet.data import default_cache

    path = default_cache()
    yield _told("images cache", f"{path}, {_size(sum(file.stat().st_size for file in path.rglob('*')))}")


def _told(check: str, found: str, remedy: str = "") -> Line:
    """What works, and could better where there is a remedy."""
    return Line(check, "note" if remedy else "ok", found, remedy)


def _required() -> list[Requirement]:
    from packaging.requirements import Requirement

    return [Requirement(text) for text in requires("gaopt") or ()]


def _unfit(one: Requirement) -> str:
    """What is wrong with an installed package; "" where nothing is."""
    try:
        there = version(one.name)
    except PackageNotFoundError:
        return "is not installed"
    return "" if one.specifier.contains(there, prereleases=True) else f"is {there}"


def _probe(code: str, patience: float) -> dict[str, Any]:
    """What a piece of Python prints; a ValueError with its last words where it fails."""
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        raise ValueError(f"it hangs: ended after {patience} s") from None
    if child.returncode < 0:
        raise ValueError(f"it was ended by {signal.Signals(-child.returncode).name}")
    if child.returncode:
        raise ValueError((err.strip().splitlines() or ["no message"])[-1])
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def _size(bytes: float) -> str:
    return f"{bytes / 2**30:.1f} GiB" if bytes >= 2**30 else f"{bytes / 2**20:.0f} MiB"

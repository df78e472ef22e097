"""The verb dashboard: Ray's own page, found and opened."""

from __future__ import annotations

import os
import sys
import webbrowser
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click

from gaopt.cli.group import cli
from gaopt.cli.remote import SERVICE
from gaopt.errors import GaoptError
from gaopt.serve.client import NoService, client

WORTH_A_LOOK = """
Jobs     a search is a job: how it ended, a service's also with its log; its trainings are tasks, "g2 i13 lr=0.003 …"
Cluster  CPUs, GPUs and memory, of each node and of each worker on it
Logs     what each worker printed
Metrics  need Prometheus and Grafana: docs/service.md
""".strip()


@cli.command()
@SERVICE
def dashboard(service: str | None) -> None:
    """Open Ray's dashboard, of a service or of a search on this machine, and say what to look at there."""
    from gaopt.execution.ray.token import token_command

    address, here = _found(service)
    click.echo(address)
    if not here:
        port = urlsplit(address).port
        click.echo(f"on the service's machine: ssh -L {port}:127.0.0.1:{port} HOST", err=True)
    click.echo(f"its token, asked for once: {token_command()}\n{WORTH_A_LOOK}", err=True)
    if here and (sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(address)  # elsewhere it may be one of the terminal


def _found(service: str | None) -> tuple[str, bool]:
    """The address, and whether it can be opened from here."""
    from gaopt.execution.ray.health import DASHBOARD

    try:
        of = client(service)
        if found := of.ask("GET", "/ready")["ray"]:
            return str(found), of.here or urlsplit(found).hostname not in ("127.0.0.1", "localhost")
    except NoService:
        if service is not None:
            raise
    for port in DASHBOARD:
        if _is_ray(address := f"http://127.0.0.1:{port}"):
            return address, True
    raise GaoptError("no Ray dashboard answers: it is there while a search on Ray, or `gaopt serve`, runs")


def _is_ray(address: str) -> bool:
    """Its page is answered without a token."""
    try:
        with build_opener(ProxyHandler({})).open(address, timeout=2) as answer:
            return b"<title>Ray Dashboard</title>" in answer.read(4096)
    except OSError:
        return False

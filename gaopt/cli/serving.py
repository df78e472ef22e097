"""The verbs of the service: serve and token."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import click

from gaopt.cli.group import cli
from gaopt.cli.training import NOTIFY, NOTIFY_COMMAND
from gaopt.errors import ConfigError


@cli.command()
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Listen at; 127.0.0.1 by default.")
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True, help="0 for any free one.")
@click.option("--results", type=click.Path(file_okay=False), metavar="FOLDER", help="Of studies; results/ by default.")
@click.option("--slots", type=click.IntRange(1, 1000), default=1, show_default=True, help="Studies that run at once.")
@click.option(
    "--runner", type=click.Choice(["ray-jobs", "process"]), default="ray-jobs", show_default=True,
    help="Studies as jobs of one Ray, or as processes with a Ray each.",
)  # fmt: skip
@click.option("--address", metavar="ADDRESS", help="Join this Ray cluster.")
@click.option(
    "--name", "names", multiple=True, metavar="HOST", help="By which it is reached, through a proxy say; with its port."
)
@click.option(
    "--data", multiple=True, type=click.Path(exists=True, path_type=Path), metavar="FOLDER",
    help="Images may lie below it; none but the presets' by default.",
)  # fmt: skip
@click.option("--objective", "objectives", multiple=True, metavar="MODULE:FUNCTION", help="Allow an objective.")
@NOTIFY
@NOTIFY_COMMAND
@click.option("--price", type=click.FloatRange(0), help="Of an hour of one training, to tell the cost of a study.")
def serve(results: str | None, address: str | None, **options: object) -> None:
    """Run searches for people and programs: a page, a REST interface and a queue.

    \b
    gaopt serve                     listens at http://127.0.0.1:8400 and prints the link
    gaopt submit quick              puts a study into its queue, from any shell
    """
    need()
    from gaopt.serve.main import Options
    from gaopt.serve.main import serve as run

    if results is not None:
        os.environ["GAOPT_RESULTS"] = os.path.abspath(os.path.expanduser(results))
    run(Options(address=address or "", **options), lambda line: click.echo(line, err=True))  # type: ignore[arg-type]


def need() -> None:
    """Refuse where the extra is not installed."""
    if missing := [name for name in ("fastapi", "uvicorn", "psutil", "python_multipart") if not find_spec(name)]:
        raise ConfigError(f"the service needs {', '.join(missing)}: pip install 'gaopt[serve]'")


@cli.group()
def token() -> None:
    """Who may use the service: tokens with a name, to read only or to write."""


@token.command(name="add")
@click.argument("name")
@click.option("--write", is_flag=True, help="May also start and stop studies.")
def add_token(name: str, write: bool) -> None:
    """Make a token and print it; a second time in place of the first."""
    from gaopt.serve.folder import ServiceDir, read_json
    from gaopt.serve.tokens import Tokens

    folder = ServiceDir.default()
    folder.make()
    made = Tokens(folder).add(name, "write" if write else "read")
    click.echo(made)
    if address := read_json(folder.connection).get("address"):
        click.echo(f"the page: {address}/login?token={made}", err=True)


@token.command(name="list")
def list_tokens() -> None:
    """Names and scopes."""
    from gaopt.serve.folder import ServiceDir
    from gaopt.serve.tokens import Tokens

    for user in Tokens(ServiceDir.default()).users.values():
        click.echo(f"{user.name}\t{user.scope}")


@token.command(name="remove")
@click.argument("name")
def remove_token(name: str) -> None:
    """Take a token back; pages that were opened with it are logged out."""
    from gaopt.serve.folder import ServiceDir
    from gaopt.serve.tokens import Tokens

    Tokens(ServiceDir.default()).remove(name)

"""The command itself: what every verb has in common."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from gaopt import __version__
from gaopt.config.source_digest import here
from gaopt.errors import BadInput, GaoptError, Stopped, of_disk
from gaopt.printable import printable_lines

LONGEST = 1000
"""Characters of a sentence about bad input."""


def main() -> NoReturn:
    """Run a verb. Bad input exits with 2 and one sentence, a failure with 1, Ctrl-C with 130, SIGTERM with 143 …"""
    _open_streams()
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except BadInput as error:
        click.echo(f"gaopt: {_short(printable_lines(str(error)))}", err=True)
        sys.exit(2)
    except Stopped as stopped:
        sys.exit(128 + stopped.signal)
    except GaoptError as error:
        click.echo(f"gaopt: {printable_lines(str(error))}", err=True)
        sys.exit(1)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # of an error's own sentence; a verb's is `_Verbs`'
        _say_no_more()
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        if not (of_disk(error) or isinstance(error, PermissionError)):
            raise
        _say_no_more()  # it may be the output that has no room
        cannot = "used" if isinstance(error, PermissionError) else "written"
        click.echo(f"gaopt: {error.filename or 'the output'} cannot be {cannot}: {error.strerror}", err=True)
        sys.exit(1)


def _open_streams() -> None:
    """Where a shell closed one of the first three (`2>&-`), the next file, a journal say, would take its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal need not know what a name is written with


def _say_no_more() -> None:
    """Python flushes stdout at its end, and would complain that it cannot."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _short(sentence: str) -> str:
    """A sentence may quote what was given, and that be a megabyte: then its middle is left out."""
    return sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST // 2]} … {sentence[-LONGEST // 2 :]}"


class _Verbs(click.Group):
    """Where nobody reads on, click would exit with 1: here it is what the signal would have been."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # prints --help
        with _read_on():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _read_on():
            return super().invoke(ctx)


@contextmanager
def _read_on() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _say_no_more()
        raise Stopped(signal.SIGPIPE) from None


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="gaopt")
def cli() -> None:
    """Tune the learning rate, weight decay and momentum of an image classifier by a genetic search.

    \b
    gaopt run --generations 5 --pop 10     the default: a ResNet-50 on handwritten digits
    gaopt run cifar10                      a preset
    gaopt run --data PATH                  your own images, one folder a class
    gaopt resume STUDY                     go on with a study
    """
    here()  # without one torch and Ray cannot be loaded

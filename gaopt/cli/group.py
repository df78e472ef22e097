"""The command itself: what every verb has in common."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import NoReturn

import click
from click.shell_completion import shell_complete

from gaopt import __version__
from gaopt.config.source_digest import here
from gaopt.errors import BadInput, GaoptError, Stopped, of_disk
from gaopt.printable import printable_lines

COMPLETE = "_GAOPT_COMPLETE"
"""A variable by which a shell asks what a line may go on with."""
LONGEST = 1000
"""Characters of a sentence about bad input, which may quote a megabyte: then its middle is left out."""


def main() -> NoReturn:
    """Run a verb. Bad input exits with 2 and one sentence, a failure with 1, Ctrl-C with 130, SIGTERM with 143 …"""
    _open_streams()
    if instruction := os.environ.get(COMPLETE):
        sys.exit(shell_complete(cli, {}, "gaopt", COMPLETE, instruction))
    try:
        with cli.make_context("gaopt", sys.argv[1:]) as context:  # cli.main would make 1 of a broken pipe
            cli.invoke(context)
        code = 0
    except BadInput as error:
        code, said = 2, printable_lines(str(error))
        short = said if len(said) <= LONGEST else f"{said[: LONGEST // 2]} … {said[-LONGEST // 2 :]}"
        click.echo(f"gaopt: {short}", err=True)
    except Stopped as stopped:
        code = 128 + stopped.signal
    except GaoptError as error:
        code = 1
        click.echo(f"gaopt: {printable_lines(str(error))}", err=True)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        code = error.exit_code
        error.show()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 128 + signal.SIGPIPE
        _say_no_more()
    except OSError as error:
        if not (of_disk(error) or isinstance(error, PermissionError)):
            raise
        code = 1
        _say_no_more()  # it may be the output that has no room
        cannot = "used" if isinstance(error, PermissionError) else "written"
        click.echo(f"gaopt: {error.filename or 'the output'} cannot be {cannot}: {error.strerror}", err=True)
    sys.exit(code)


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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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

"""The command `gaopt`: one verb a function. Heavy parts are imported where they are needed."""

from gaopt.cli import comparing, measuring, reading, remote, serving, training
from gaopt.cli.group import cli, main

__all__ = ["cli", "comparing", "main", "measuring", "reading", "remote", "serving", "training"]

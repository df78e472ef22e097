"""The command `gaopt`: one verb a function. Heavy parts are imported where they are needed."""

from gaopt.cli import comparing, dashboard, doctor, measuring, reading, remote, serving, training, using
from gaopt.cli.group import cli, main

__all__ = [
    *("cli", "comparing", "dashboard", "doctor", "main", "measuring", "reading", "remote", "serving", "training"),
    "using",
]

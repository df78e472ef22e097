"""The command `gaopt`: one verb a function. Heavy parts are imported where they are needed."""

from gaopt.cli import benching, comparing, finding, networks, reading, reproducing, training
from gaopt.cli.group import cli, main

__all__ = ["benching", "cli", "comparing", "finding", "main", "networks", "reading", "reproducing", "training"]

"""What is written down: events, the history that they tell, the SQLite file, its lock and its place."""

from gaopt.journal.history import History
from gaopt.journal.journal import Journal

__all__ = ["History", "Journal"]

"""The names of `gaopt.journal.history` where 0.5 and before had them; gone with the next version but one."""

from gaopt.journal.history import History, Individual

__all__ = ["History", "Individual"]

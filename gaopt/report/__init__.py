"""What a study has to say when it is read: tables, figures and a page, all folded from its history.

Importing this loads pandas and matplotlib: the command line does so only where it writes a report.
"""

from __future__ import annotations

from gaopt.report.study import write

__all__ = ["write"]

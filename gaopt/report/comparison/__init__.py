"""What a comparison has to say when it is read: a verdict, tables, figures and a page.

Importing this loads matplotlib; writing loads scipy, and, where they are installed, Optuna and plotly.
"""

from __future__ import annotations

from gaopt.report.comparison.report import verdict, write

__all__ = ["verdict", "write"]

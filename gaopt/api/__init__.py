# ruff: noqa: A004
"""gaopt from Python: `search` a function, `open` what was found."""

from gaopt.api.callbacks import Callback
from gaopt.api.searching import search
from gaopt.api.study import Best, Study, open

"""The names of `gaopt.objectives.base` where 0.5 and before had them; gone with the next version but one."""

from gaopt.objectives.base import *  # noqa: F403

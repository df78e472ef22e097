"""What the scores of several methods say of each other: intervals, paired tests, how many seeds a difference takes.

Scores are a mapping from method to seed to score, higher is better. One method is the reference; the family of tests
is the reference against each of the others. Where nothing differs, anything is claimed in at most alpha of the
comparisons, however many methods there are: a paired t-test over seeds, corrected by Holm (1979).

- Scores may move in steps, one test image more or less, so that a few seeds agree by chance. A score known to a step
  h has the variance of rounding besides, h²/12, and a difference has it twice.
- Two seeds claim nothing.
- Each contrast has its own deviation: some methods spread by far more than others, and those that spread little are
  mostly those that one wants to tell apart.

For normal scores the test is exact or careful, for heavy tails careful. Where methods fail on every other seed it
claims too often: with three seeds and eight methods in 15 % of the comparisons, from five seeds on in 5.4 % at most.
"""

from gaopt.statistics.intervals import Interval, interval, optimism
from gaopt.statistics.paired import Contrast, contrasts
from gaopt.statistics.power import seeds_needed
from gaopt.statistics.sentence import verdict

__all__ = ["Contrast", "Interval", "contrasts", "interval", "optimism", "seeds_needed", "verdict"]

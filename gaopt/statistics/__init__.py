"""What the scores of several methods say of each other: intervals, paired tests, how many seeds a difference takes.

Scores are a mapping from method to seed to score, higher is better. One method is the reference; the family of tests
is the reference against each of the others. Where nothing differs, anything is claimed in at most alpha of the
comparisons, however many methods there are: a paired t-test over seeds, corrected by Holm (1979), whose deviation
is kept from being small by luck.

- Scores may move in steps, one test image more or less, so that a few seeds agree by chance. A score known to a step
  h has the variance of rounding besides, h²/12, and a difference has it twice.
- Among many contrasts of three seeds, some deviation is tiny. None is taken to be less than half the median one; SAM
  (Tusher, Tibshirani and Chu 2001) adds a like term for thousands of genes. From five seeds on it costs no power.
- Two seeds claim nothing.

For normal scores the test is exact or careful, for heavy tails careful. Of methods that fail on every other seed
it claims too often: in up to 6.5 % of the comparisons.
"""

from gaopt.statistics.intervals import Interval, interval, optimism
from gaopt.statistics.paired import Contrast, contrasts
from gaopt.statistics.power import seeds_needed
from gaopt.statistics.sentence import verdict

__all__ = ["Contrast", "Interval", "contrasts", "interval", "optimism", "seeds_needed", "verdict"]

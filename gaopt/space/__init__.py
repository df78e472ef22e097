"""The search space: genes, what holds between them, and where individuals lie in the unit cube."""

from gaopt.space.gene import AnyGene, Choice, Gene, Value
from gaopt.space.space import Genes, Space

"""Points that fill the unit cube, for a first generation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gaopt.config import First

EVENED = 1000
"""More points than this are not moved any more: it takes long, and so many fill the cube by themselves."""


def spread(number: int, genes: int, rng: np.random.Generator, first: First = "hypercube") -> NDArray[np.float64]:
    """(number, genes) points of the unit cube, spread over it as said; "" is a hypercube.

    A Latin hypercube has its points moved until they fill the cube evenly by centred discrepancy; a Sobol sequence
    is scrambled (Owen, *Scrambling Sobol' and Niederreiter–Xing points*, 1998), so that a seed has a say in it.
    """
    if first == "random":
        return rng.random((number, genes))
    from scipy.stats import qmc  # costs half a second, and only a first generation needs it

    if first == "sobol":
        # In whole powers of two, which are even by themselves; the first so many of them are nearly so.
        return np.asarray(qmc.Sobol(genes, rng=rng).random_base2((number - 1).bit_length())[:number])
    evened = "random-cd" if number <= EVENED else None
    return np.asarray(qmc.LatinHypercube(genes, optimization=evened, rng=rng).random(number))

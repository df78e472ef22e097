"""What the model is told of each score: the good ones as they are, the bad ones pressed together."""

from __future__ import annotations

import numpy as np

from gaopt.space.encoding import Array


def targets(fitnesses: Array) -> Array:
    """Fitnesses (n,) bent and standardised to mean 0 and deviation 1; what is not finite is a failure.

    The better half keeps its proportions. With m the median and s = (best - m) / 2, a score y below m becomes
    m - s log(1 + (m - y) / s): without a bend, and ever flatter, so that a training that came to nothing tells the
    model "bad here" and no more. A failure lies as far below the worst score as the best lies above the median.
    """
    fine = np.isfinite(fitnesses)
    if not fine.any():
        return np.zeros(len(fitnesses))
    scores = fitnesses[fine]
    # Any scale does as well: by a power of two, which changes no digit, the largest are near 1 and nothing overflows.
    scores = np.ldexp(scores, -np.frexp(np.abs(scores).max())[1])
    median, best = np.median(scores), scores.max()
    # All the better half alike, or all of them: any other length does as well.
    span = (best - median) or (best - scores.min()) or 1.0
    bent = np.full(len(fitnesses), np.nan)
    bent[fine] = flattened(scores, float(median), span / 2)
    bent[~fine] = np.nanmin(bent) - span
    return np.asarray((bent - bent.mean()) / (bent.std() or 1.0))


def flattened(scores: Array, bend: float, span: float) -> Array:
    """Scores below `bend` grow like a logarithm; value and slope are continuous there."""
    below = np.maximum(bend - scores, 0.0)
    return np.asarray(np.where(scores < bend, bend - span * np.log1p(below / span), scores))

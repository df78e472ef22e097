"""Numbers and genes as words that fit a table."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from gaopt.printable import spoken


def number(value: float | None, digits: int = 3) -> str:
    """Significant digits, small and large ones with a short exponent: 0.0031, 2.4e-6. A dash for no number."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{float(f'{value:.{digits}g}'):.12g}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def score(value: float | None, decimals: int = 4) -> str:
    """A fitness or a loss: four decimals, or as many digits if it is large or tiny."""
    if value is None or not math.isfinite(value):
        return "–"
    plain = value == 0 or 1e-3 <= abs(value) < 1000
    return f"{value:.{decimals}f}" if plain else number(value, decimals + 1)


def decimals(scores: Iterable[float]) -> int:
    """How many tell these scores apart: four, or more, up to nine, where unequal ones would look the same."""
    found = set(scores)
    return max(range(4, 10), key=lambda number: (len({score(value, number) for value in found}), -number))


def value(found: Any, digits: int = 3) -> str:
    """A gene's value: a number as above, a choice as it is. A dash for a gene that is not there."""
    return number(found, digits) if found is None or isinstance(found, float) else spoken(found)


def portion(share: float) -> str:
    """A share of a training: 0.2 is 20 %, one third 33.3 %."""
    return f"{100 * share:.3g} %"


def percent(value: float) -> str:
    """A share as a percentage: 0.9133 is 91.33 %."""
    return f"{100 * value:.2f} %"


def duration(seconds: float) -> str:
    """Seconds as people say them: 0.4 s, 48 s, 12 min 30 s, 3 h 20 min, 2 d 4 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    parts = [(hours // 24, "d"), (hours % 24, "h"), (m, "min"), (s, "s")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def genes(values: Mapping[str, Any], names: Iterable[str]) -> str:
    """Those genes that are there in the order of the names: lr 0.0031, optimizer sgd."""
    return ", ".join(f"{name} {value(values[name])}" for name in names if name in values)


def ids(individuals: Iterable[int]) -> str:
    """i3, i8."""
    return ", ".join(f"i{id}" for id in individuals)


def plural(count: int, one: str, many: str = "") -> str:
    """1 epoch, 2 epochs."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def shortened(name: str) -> str:
    """What a figure has room for."""
    return name if len(name) <= 16 else name[:15] + "…"

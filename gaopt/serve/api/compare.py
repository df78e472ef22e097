"""Studies beside each other: what may be said of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gaopt.serve import versus
from gaopt.serve.api.common import Of, answer, refusals
from gaopt.serve.problems import Refused

router = APIRouter(tags=["compare"], responses=refusals())
MOST = 20
"""Studies in one comparison."""


@router.get("/compare")
def compare(
    of: Of, request: Request, study: Annotated[list[str], Query(max_length=MOST, examples=[["a", "b"]])]
) -> Response:
    """Studies beside each other: best so far by epochs, intervals, differences of configs, and an honest verdict."""
    names = list(dict.fromkeys(study))
    if len(names) < 2:
        raise Refused(400, "a comparison takes two studies or more")
    readers = {name: of.catalog.reader(name) for name in names}
    numbers: list[Any] = [reader.catch_up() for reader in readers.values()]
    histories = {name: reader.history for name, reader in readers.items()}
    summaries = [of.catalog.summary(name) for name in names]
    return answer(request, "-".join(map(str, numbers)), lambda: versus.beside(histories, summaries))

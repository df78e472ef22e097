"""Studies beside each other: what may be said of them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gaopt.serve import versus
from gaopt.serve.api.common import Of, answer, mark, refusals, sends
from gaopt.serve.api.models import Comparison
from gaopt.serve.problems import Refused

router = APIRouter(tags=["compare"], responses=refusals())
MOST = 20
"""Studies in one comparison."""


@router.get("/compare", responses=sends(Comparison))
def compare(
    of: Of, request: Request, study: Annotated[list[str], Query(min_length=2, max_length=MOST, examples=[["a", "b"]])]
) -> Response:
    """Studies beside each other: best so far by epochs, intervals, differences of configs, and an honest verdict."""
    names = list(dict.fromkeys(study))
    if len(names) < 2:
        raise Refused(400, "a comparison takes two studies or more")
    readers = {name: of.catalog.reader(name) for name in names}
    for reader in readers.values():
        reader.catch_up()
    summaries = [of.catalog.summary(name) for name in names]

    def whole() -> dict[str, Any]:
        with ExitStack() as locks:
            for name in sorted(names):  # in one order, so that two who ask do not wait for each other
                locks.enter_context(readers[name].lock)
            return versus.beside({name: reader.history for name, reader in readers.items()}, summaries)

    return answer(request, "+".join(map(mark, readers.values(), summaries)), whole)

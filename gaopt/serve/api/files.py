"""What studies leave: reports, tables, weights, logs; and their best model at work."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from gaopt.errors import DataError
from gaopt.journal.lock import held
from gaopt.serve.api.common import Name, Of, refusals, sends
from gaopt.serve.api.models import Classes
from gaopt.serve.frozen import study_page
from gaopt.serve.problems import Refused

router = APIRouter(tags=["files"], responses=refusals())
Left = Literal[
    "individuals.csv", "generations.csv", "epochs.csv", "cycle.csv", "best.json", "best.safetensors", "config.toml"
]
REPORT = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; sandbox allow-scripts"
)
"""A report is one file with its styles in it. It runs apart from the page: it has neither its cookie nor its origin."""


@router.get("/studies/{name}/report", response_class=HTMLResponse)
def report(name: Name, of: Of) -> Response:
    """The report as one HTML file; written at the end of a run."""
    home = of.catalog.home(name)
    return _file(home.inside(home.report), "the report is written when the study ends", "text/html", inline=True)


@router.get("/studies/{name}/report.interactive", response_class=HTMLResponse)
def interactive_report(name: Name, of: Of) -> Response:
    """The page of a study as it is now, as one file that needs no server."""
    reader = of.catalog.reader(name)
    reader.catch_up()
    with reader.lock:
        text = study_page(reader.home, reader.history, held(reader.home.path))
    return HTMLResponse(text, headers={"Content-Security-Policy": REPORT})


@router.get("/studies/{name}/files/{file}", response_class=FileResponse, responses=sends("application/octet-stream"))
def file(name: Name, file: Left, of: Of) -> Response:
    """A table, the best weights or the config."""
    home = of.catalog.home(name)
    return _file(home.inside(home.path / file), f"there is no {file} yet: it is written when the study ends")


def _file(path: Path, missing: str, media: str = "application/octet-stream", inline: bool = False) -> Response:
    if not path.is_file():
        raise Refused(404, missing)
    if inline:
        return FileResponse(path, media_type=media, headers={"Content-Security-Policy": REPORT})
    return FileResponse(path, media_type=media, filename=path.name)


@router.get("/studies/{name}/log", response_class=PlainTextResponse)
def log(
    name: Name, of: Of, tail: Annotated[int, Query(ge=1, le=4 << 20, description="Bytes, at most.")] = 65536,
    after: Annotated[int | None, Query(ge=0, lt=2**53, description="The header Log-End of an answer before.")] = None,
) -> Response:  # fmt: skip
    """The end of what the newest run of a study printed, or what came after an earlier answer."""
    of.catalog.home(name)
    text, end = of.log(name, tail, after)
    return PlainTextResponse(text, headers={"Log-End": str(end)})


@router.post("/studies/{name}/predict")
def predict(name: Name, image: Annotated[UploadFile, File(description="An image file.")], of: Of) -> Classes:
    """The five most probable classes of an image, by the study's best model."""
    from gaopt.objectives.image import predict as classify

    home = of.catalog.home(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"image{Path(image.filename or '').suffix[:8]}"
        path.write_bytes(image.file.read())
        ((_, answer),) = classify(home, [path])
    if isinstance(answer, DataError):
        raise Refused(400, str(answer).replace(str(path), image.filename or "the image"))
    return Classes(classes=answer)

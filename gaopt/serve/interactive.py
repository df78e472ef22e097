"""The service's page as one HTML file that needs no server: its modules, styles, ECharts and the data in one.

The modules are joined by the few forms that they keep to: imports by name at the top of a module, exports before a
function, a constant or a class. Each becomes a function that returns what it exports, after those that it imports.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from posixpath import join, normpath
from typing import Any
from urllib.parse import quote

PAGE = Path(__file__).parent / "page"
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]*)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)


def interactive(
    snapshot: Mapping[str, Any],
    curves: Mapping[str, Any],
    study: Mapping[str, Any] | None = None,
    failures: Iterable[Mapping[str, Any]] = (),
) -> str:
    """The page of a study, from what the REST interface answers about it.

    Args:
        snapshot: of `/studies/{name}/snapshot`.
        curves: of `/studies/{name}/epochs`, by individual.
        study: of `/studies/{name}`, with config and data; without it the page has no setting.
        failures: of `/studies/{name}/failures`.
    """
    name = str(snapshot["study"]["name"])
    path = f"/studies/{quote(name, safe='')}"
    answers = {
        path: study or snapshot["study"],
        f"{path}/snapshot": snapshot,
        f"{path}/epochs": {"curves": curves},
        f"{path}/failures": {"failures": list(failures)},
    }
    return _file(name, path, answers)


def interactive_comparison(comparison: Mapping[str, Any]) -> str:
    """The page of a comparison, from what `/compare` answers."""
    return _file("Compared", "/compare", {"/compare": comparison})


def _file(title: str, path: str, answers: Mapping[str, Any]) -> str:
    style = (PAGE / "style.css").read_text("utf-8")
    library = (PAGE / "vendor" / "echarts.min.js").read_text("utf-8")
    text = json.dumps({"path": path, "answers": answers}, separators=(",", ":"), allow_nan=False)
    data = text.replace("<", "\\u003c")  # so that no name in it ends the element
    scripts = " ".join(map(_hash, (library, bundle())))
    policy = f"default-src 'none'; script-src {scripts}; style-src {_hash(style)}; img-src data:; base-uri 'none'"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{html.escape(title)} · gaopt</title>\n'
        f'<style>{style}</style>\n</head>\n<body>\n<script type="application/json" id="interactive">{data}</script>\n'
        f'<script>{library}</script>\n<script type="module">{bundle()}</script>\n</body>\n</html>\n'
    )


def _hash(text: str) -> str:
    """As a policy names a script or style within the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def bundle() -> str:
    """All modules of the page as one script."""
    done: dict[str, str] = {}
    _add("main.js", done)
    return "\n".join(done.values())


def _add(name: str, done: dict[str, str]) -> None:
    text = (PAGE / name).read_text("utf-8")
    uses = []
    for names, source in _IMPORT.findall(text):
        module = normpath(join(name, "..", source))
        if module not in done:
            _add(module, done)
        uses.append(f"const {{{names}}} = {_called(module)};\n")
    body = _EXPORT.sub("", _IMPORT.sub("", text))
    if left := re.search(r"^(import|export)\b.*", body, re.MULTILINE):
        raise ValueError(f"{name} cannot be joined with the other modules: {left[0]}")
    exports = ", ".join(_EXPORT.findall(text))
    done[name] = f"const {_called(name)} = (() => {{\n{''.join(uses)}{body}\nreturn {{ {exports} }};\n}})();"


def _called(module: str) -> str:
    return "$" + re.sub(r"\W", "_", module.removesuffix(".js"))

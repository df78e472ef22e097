"""The configs that come with gaopt, and the file that a name or a path means."""

from __future__ import annotations

from pathlib import Path

from gaopt.errors import ConfigError, nearest


def presets() -> dict[str, Path]:
    """The presets by name."""
    return _shipped("*.toml")


def experiments() -> dict[str, Path]:
    """The experiments of the papers by name: configs with a table [small], what to change for a CPU."""
    return _shipped("reproduce/*.toml")


def _shipped(pattern: str) -> dict[str, Path]:
    """Configs beside the code in an installed package, in configs/ in a checkout."""
    package = Path(__file__).parent.parent
    for folder in (package / "presets", package.parent / "configs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob(pattern), key=lambda path: path.stem)}
    return {}


def find(source: str | Path) -> Path:
    """The file of a preset's name or of a path; that of `<(…)` and `/dev/stdin` is a pipe."""
    known, path = presets(), Path(source)
    if str(source) in known:
        return known[str(source)]
    try:
        if path.is_file() or path.is_fifo():
            return path
    except PermissionError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (OSError, ValueError):
        pass  # too long, or not a path at all: then no file either
    raise ConfigError(f"there is no preset and no file {str(source)!r}: {nearest(str(source), known)}")

"""What the documentation site has besides docs/: the README, what pages link to, and pages made from the code.

Every file keeps its path, so that links are the same here and in the repository.
"""

import json
import re
from pathlib import Path

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import gaopt
from gaopt.cli import cli

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\[([^\[\]]*)\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    begin = ("README.md", "CHANGELOG.md", "docs/site.css")
    for path in linked([*ROOT.glob("docs/*.md"), *map(ROOT.joinpath, begin)]):
        files.append(File(path.relative_to(ROOT).as_posix(), str(ROOT), config.site_dir, config.use_directory_urls))
    api = [f"::: gaopt.{name}" for name in gaopt._home]
    made = {
        "examples": ["# Examples", *(shown(path) for path in sorted(ROOT.glob("examples/*.*")))],
        "commands": ["# The command line", *helps(cli)],
        "api": ["# The Python API", *api, "::: gaopt.api.plot.Plots"],
    }
    for name, parts in made.items():
        files.append(File.generated(config, f"docs/{name}.md", content="\n\n".join(parts)))
    return files


def on_page_markdown(markdown: str, page, **_: object) -> str:
    """Folders have no page: what links to one is plain text."""
    here = Path(page.file.abs_src_path or ROOT / page.file.src_uri).parent
    return LINK.sub(lambda found: found[1] if (here / found[2]).is_dir() else found[0], markdown)


def linked(ahead: list[Path]) -> set[Path]:
    """These files, and those of this repository that they link to, and so on."""
    found: set[Path] = set()
    while ahead:
        if (path := ahead.pop()).is_file() and path not in found:
            found.add(path)
            targets = LINK.findall(path.read_text("utf-8")) if path.suffix == ".md" else []
            ahead += [(path.parent / target).resolve() for _, target in targets]
    return found


def shown(path: Path) -> str:
    """A program in full; of a notebook its cells."""
    text, kind = path.read_text("utf-8"), {".py": "python", ".sh": "bash"}.get(path.suffix, "text")
    if path.suffix != ".ipynb":
        return f"## {path.name}\n\n```{kind}\n{text}```"
    cells = [("".join(cell["source"]), cell["cell_type"] == "code") for cell in json.loads(text)["cells"]]
    # A heading of its own would stand above that of the file.
    parts = [f"```python\n{source}\n```" if code else source.lstrip("# ") for source, code in cells]
    return "\n\n".join([f"## {path.name}", *parts])


def helps(command: click.Command, above: click.Context | None = None) -> list[str]:
    """What --help says of a command and of those below it."""
    context = click.Context(command, above, command.name if above else "gaopt", **command.context_settings)
    depth = context.command_path.count(" ")
    said = [f"{'#' * (depth + 1)} `{context.command_path}`"] if above else []
    said.append(f"```text\n{command.get_help(context)}\n```")
    for name in command.list_commands(context) if isinstance(command, click.Group) else []:
        if below := command.get_command(context, name):
            said += helps(below, context)
    return said

"""What MkDocs does beside building `docs/`: `nox -s docs` runs it.

- Files of the project become pages: the readme, the changelog, the examples.
- The command reference is made from `--help`, and the document is rendered by Redocly.
- Where a docstring or a page cites `docs/behaviour.md, "Heading"`, it links to that heading.
"""

import html
import json
import posixpath
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import httpx
from click.testing import CliRunner
from markdown.extensions.toc import slugify
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from hubspot_batch import contract
from hubspot_batch.cli import _commands
from hubspot_batch.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
# What becomes which page.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/results.md": "benchmarks.md",
    "examples/README.md": "examples.md",
}
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")
_CITATION = re.compile(r'docs/behaviour\.md(?:</code>)?,\s+(?:&quot;|")([^"&]+)(?:&quot;|")')
# A mark of evidence: [documented: object guides]. Markdown would take it for a link.
_MARK = re.compile(r"\[((?:documented|recorded|reported|measured|uncertain|unknown)\b[^\]\[]*)\](?!\()")
_FENCE = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
# The only picture that Redocly would load: its own logo.
_LOGO = re.compile(r"https://cdn\.redoc\.ly/[\w/.-]+\.svg")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the address of the repository from `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    config.repo_url = config.repo_url or project.get("urls", {}).get("Repository")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in `docs/`."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "commands.md", content=command_reference()))
    with Sandbox() as box:
        control = httpx.get(f"{box.url}/_sandbox/openapi.json").raise_for_status().json()
    for name, document in (("openapi", contract.document()), ("sandbox-openapi", control)):
        text = json.dumps(document, indent=2)
        files.append(File.generated(config, f"{name}.json", content=text))
        files.append(File.generated(config, f"{name}.html", content=rendered(text)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Have links between files of the project lead to their pages, and set marks of evidence apart."""
    source = source_of(page.file.src_uri)

    def prose(text: str) -> str:
        marked = _MARK.sub(r'<span class="mark">\1</span>', text)
        return _LINK.sub(lambda link: linked(link, source, page, config), marked)

    return "".join(part if part.startswith("```") else prose(part) for part in _FENCE.split(markdown))


def on_page_content(html: str, *, page: Page, **_: object) -> str:
    """Link each citation of the page on behaviour, and end sentences before code as Markdown does."""
    text = html.replace("<p>::</p>", "").replace("::</p>", ":</p>")
    return _CITATION.sub(lambda citation: cited(citation, page), text)


def source_of(page: str) -> str:
    """Return the file of the project that a page is made from."""
    for source, made in PAGES.items():
        if made == page:
            return source
    return f"docs/{page}"


def linked(link: re.Match[str], source: str, page: Page, config: MkDocsConfig) -> str:
    """Return a link to a file of the project as one to a page, or to the repository if it is not a page."""
    text, target, anchor = link[1], link[2], link[3] or ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    made = PAGES.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
    if made is not None:
        folder = posixpath.dirname(page.file.src_uri) or "."
        return f"[{text}]({posixpath.relpath(made, folder)}{anchor})"
    if not (ROOT / path).exists():
        raise PluginError(f"{source}: {target}: there is no such file")
    if config.repo_url:
        return f"[{text}]({config.repo_url.rstrip('/')}/blob/main/{path}{anchor})"
    return text if text.startswith("`") else f"{text} (`{path}`)"


def cited(citation: re.Match[str], page: Page) -> str:
    """Return a citation as a link."""
    heading = html.unescape(citation[1])
    if f"## {heading}\n" not in (ROOT / "docs" / "behaviour.md").read_text(encoding="utf-8"):
        raise PluginError(f'{page.file.src_uri}: docs/behaviour.md has no heading "{heading}"')
    address = get_relative_url("behaviour.html", page.url)
    words = citation[0].replace("</code>", "")
    opened = "</code>" if "</code>" in citation[0] else ""
    return f'{opened}<a href="{address}#{slugify(heading, "-")}">{words}</a>'


def command_reference() -> str:
    """Return the help of each command as a page."""
    parts = [
        "# Commands",
        "This page is what `hubspot-batch --help` and the `--help` of each command print.",
        f"```text\n{help_of([])}```",
    ]
    for path in commands(_commands.commands):
        parts += [f"## {' '.join(path)}", f"```text\n{help_of(path)}```"]
    return "\n\n".join(parts) + "\n"


def commands(group: click.Group, *above: str) -> Iterator[list[str]]:
    """Yield the words of each command."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        yield [*above, name]
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)


def help_of(path: list[str]) -> str:
    """Return the help of a command, 80 columns wide."""
    run = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"})
    done = run.invoke(_commands.commands, [*path, "--help"], prog_name="hubspot-batch", terminal_width=80)
    if done.exit_code:
        raise PluginError(f"hubspot-batch {' '.join(path)} --help: {done.output}")
    return done.output


def rendered(document: str) -> str:
    """Return an OpenAPI document as one page that loads nothing."""
    redocly = shutil.which("redocly")
    if redocly is None:
        raise PluginError("redocly is not on PATH; `nox -s docs` installs it")
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "openapi.json"), Path(folder, "openapi.html")
        source.write_text(document, encoding="utf-8")
        subprocess.run(
            [redocly, "build-docs", str(source), "--inlineBundle", "--output", str(target)],
            check=True,
            capture_output=True,
        )
        page = _LOGO.sub("data:,", target.read_text(encoding="utf-8"))
    # Without an icon, a browser asks for /favicon.ico.
    return page.replace("<head>", '<head>\n  <link rel="icon" href="data:,">', 1)

"""The generators: which versions, with which options, and what they make of a document."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from _document import Document, Fault, InvalidFileError, load
from _operations import components_of, operations
from _schemas import hint
from datamodel_code_generator.arguments import arg_parser
from openapi_python_client.config import ConfigFile
from pydantic import ValidationError

API = "hubspot_batch_api"
MODELS = "hubspot_batch_models"
DOCUMENT = f"{MODELS}/document.json"

_GENERATORS = {API: "openapi-python-client", MODELS: "datamodel-code-generator"}
_COMMAND = "python scripts/regenerate.py"
_RUFF = (
    "--isolated",
    "--no-cache",
    "--no-respect-gitignore",
    "--quiet",
    "--config=exclude=[]",
    "--config=line-length=100",
    "--config=target-version='py311'",
)
_MODULES = ("structs.py", "inputs.py")
_OURS = ("PYTHON", "RUFF_", "DATAMODEL_")


class GenerationError(Exception):
    """A generator is not the pinned one, failed, or warned."""


def check_tools(pyproject: Path) -> dict[str, str]:
    """Return the pinned tools and their versions.

    Args:
        pyproject: The file whose dependency group `generators` pins them.

    Raises:
        GenerationError: One is not pinned exactly, or not installed in that version.
    """
    groups = tomllib.loads(pyproject.read_text("utf-8"))["dependency-groups"]
    pins = dict(entry.partition("==")[::2] for entry in groups["generators"])
    wrong = [
        f"{name} is pinned to {pin or 'no version'} in {pyproject.name}, "
        f"installed is {_installed(name) or 'none'}"
        for name, pin in pins.items()
        if not pin or pin != _installed(name)
    ]
    if wrong:
        remedy = " ".join(f"{name}=={pin}" for name, pin in pins.items())
        raise GenerationError("\n".join([*wrong, f"Run: python -m pip install {remedy}"]))
    return pins


def generate(document: Document, options: Sequence[Path], pins: dict[str, str], target: Path) -> None:
    """Write the generated packages for a document into the folder `target`.

    Args:
        document: A valid OpenAPI document.
        options: Folders; the configuration of a generator is taken from the first that has it.
        pins: The tools and their versions.
        target: An empty folder.

    Raises:
        InvalidFileError: The configuration of a generator holds what it does not know.
        GenerationError: A generator failed or warned.
    """
    api_options = _api_options(_first(options, "openapi-python-client.yaml"))
    models_options = _models_options(_first(options, "datamodel-code-generator.yaml"))
    _write_document(document, target)
    _write_api(api_options, target)
    _write_models(document, models_options, target)
    _run("ruff", "check", "--fix-only", "--select=F401,I", *_RUFF, ".", folder=target)
    _run("ruff", "format", *_RUFF, ".", folder=target)
    for package, generator in _GENERATORS.items():
        (target / package / "py.typed").touch()
        _stamp(target / package, _header(document, generator, pins))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _first(folders: Sequence[Path], name: str) -> Path:
    paths = [folder / name for folder in folders]
    return next((path for path in paths if path.exists()), paths[-1])


def _api_options(path: Path) -> Document:
    options = load(path)
    faults = list(_unknown(options, (), options.content, ConfigFile.model_fields))
    if options.content.get("post_hooks") != []:
        message = "must be []: a hook may be any program, and the output is formatted already"
        faults.append(options.fault(("post_hooks",), message))
    try:
        ConfigFile.model_validate(options.content)
    except ValidationError as error:
        faults += [options.fault(each["loc"], each["msg"]) for each in error.errors()]
    if faults:
        raise InvalidFileError(path, faults)
    return options


def _models_options(path: Path) -> dict[str, Any]:
    options = load(path)
    known = set(re.findall(r"--([\w-]+)", arg_parser.format_help()))
    faults = list(_unknown(options, (), options.content, _MODULES))
    for module in _MODULES:
        chosen = options.content.get(module)
        if isinstance(chosen, dict):
            faults += _unknown(options, (module,), chosen, known)
        else:
            faults.append(options.fault((module,), f"{module} has no mapping of options"))
    if faults:
        raise InvalidFileError(path, faults)
    return options.content


def _unknown(
    options: Document, pointer: tuple[str, ...], keys: Iterable[str], known: Iterable[str]
) -> Iterator[Fault]:
    for key in set(keys) - set(known):
        yield options.fault((*pointer, key), f"there is no option {hint(key, known)}")


def _write_document(document: Document, target: Path) -> None:
    origin = {
        "generated": "do not edit",
        "document": Path(document.name).name,
        "command": _COMMAND,
        "sha256": document.digest,
    }
    _write_json({"x-generated": origin, **document.content}, target / DOCUMENT)


def _write_json(content: object, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(f"{text}\n".encode())


def _write_api(options: Document, target: Path) -> None:
    _run(
        "openapi_python_client",
        "generate",
        f"--path={target / DOCUMENT}",
        f"--config={Path(options.name).resolve()}",
        f"--output-path={target / API}",
        "--meta=none",
        "--fail-on-warning",
        folder=target,
    )


def _write_models(document: Document, options: dict[str, Any], target: Path) -> None:
    package = target / MODELS
    requests = target.parent / "requests.json"
    _write_json(_only_requests(document), requests)
    for module, source in (("structs.py", target / DOCUMENT), ("inputs.py", requests)):
        _run(
            "datamodel_code_generator",
            *_flags(options[module]),
            # Its formatter takes the line length from any pyproject.toml above, ignored or not.
            "--no-formatters",
            "--ignore-pyproject",
            "--input-file-type=openapi",
            f"--input={source}",
            f"--output={package / module}",
            folder=target,
        )
    names = ", ".join(_public_names(package / "structs.py"))
    (package / "__init__.py").write_text(
        '"""Structs that decode replies and encode requests; `inputs` types plain dicts."""\n\n'
        f"from .structs import {names}\n\n__all__ = {names.split(', ')}\n",
        encoding="utf-8",
    )


def _flags(options: dict[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        yield f"--{name}" if value is True else f"--{name}={value}"


def _only_requests(document: Document) -> dict[str, Any]:
    """Return a document with nothing but the schemas that request bodies need."""
    bodies = [operation.content.get("requestBody") for operation in operations(document)]
    needed = components_of(document, bodies)
    schemas = {
        name: schema
        for name, schema in document.all.part("components").part("schemas").content.items()
        if ("components", "schemas", name) in needed
    }
    return {**document.content, "paths": {}, "components": {"schemas": schemas}}


def _public_names(module: Path) -> list[str]:
    body = ast.parse(module.read_text("utf-8")).body
    classes = [node.name for node in body if isinstance(node, ast.ClassDef)]
    aliases = [
        node.target.id
        for node in body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    return sorted(classes + aliases)


def _header(document: Document, generator: str, pins: dict[str, str]) -> str:
    return (
        f"# Generated from {Path(document.name).name} by `{_COMMAND}`: do not edit.\n"
        f"# {generator}=={pins[generator]}, ruff=={pins['ruff']}\n"
    )


def _stamp(package: Path, header: str) -> None:
    for path in package.rglob("*"):
        if path.suffix == ".py" or path.name == "py.typed":
            body = re.sub(r"\A(#.*\n|\n)*", "", path.read_text("utf-8"))
            path.write_bytes("\n".join(filter(None, (header, body))).encode())


def _run(module: str, *arguments: str, folder: Path) -> None:
    """Run a tool of this environment. Any output on stderr counts as a failure."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        cwd=folder,
        env=environment | {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode or done.stderr.strip():
        said = "\n".join(filter(None, (done.stdout.strip(), done.stderr.strip())))
        raise GenerationError(f"{module} failed or warned (exit code {done.returncode}):\n{said}")

"""HubSpot's published documents: read them from files, folders and addresses."""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml
from _document import Document, InvalidFileError, not_yaml, unusable

LARGEST = 32 * 1024 * 1024
_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_TIMEOUT = 30.0
_TAG = "tag:yaml.org,2002:"
_LARGEST_NUMBER = 2**1024


class ForeignError(Exception):
    """A file is sound, but it is not an OpenAPI 3 document."""


def read_all(arguments: Iterable[str], notes: list[str], errors: list[str]) -> Iterator[tuple[str, Document]]:
    """Yield the OpenAPI documents of files, folders and addresses, each with the argument that named it.

    Args:
        arguments: What the command line names. In folders, other files than OpenAPI documents are skipped.
        notes: Where to put what was passed over.
        errors: Where to put what cannot be used.
    """
    for argument in arguments:
        is_folder = not _is_address(argument) and Path(argument).is_dir()
        for name in _files(Path(argument)) if is_folder else [argument]:
            try:
                yield argument, parse(name, _bytes(name))
            except InvalidFileError as error:
                errors.append(str(error))
            except ForeignError as error:
                if is_folder:
                    notes.append(f"{name}:1: passed over: {error}")
                else:
                    errors.append(f"{name}:1: cannot be used: {error}")


def parse(name: str, raw: bytes) -> Document:
    """Return the OpenAPI document that some bytes are.

    Raises:
        ForeignError: They are not an OpenAPI 3 document.
        InvalidFileError: They are neither JSON nor YAML.
    """
    if b"openapi" not in raw:
        raise ForeignError("is not an OpenAPI document")
    if len(raw) > LARGEST:
        raise unusable(name, f"is larger than {LARGEST} bytes")
    text, content = _parsed(name, raw)
    if not isinstance(content, dict) or "openapi" not in content:
        raise ForeignError("is not an OpenAPI document")
    if not str(content["openapi"]).startswith("3."):
        raise ForeignError(f"is OpenAPI {content['openapi']!r} where 3.0 or 3.1 belongs")
    return Document(name, text, content)


def _is_address(argument: str) -> bool:
    return argument.startswith(("http://", "https://"))


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in _SUFFIXES and not hidden and path.is_file():
            yield str(path)


def _bytes(name: str) -> bytes:
    if _is_address(name):
        return _fetch(name)
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise unusable(name, f"cannot be read: {reason}") from None


def _fetch(url: str) -> bytes:
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT) as response:
            if not response.is_success:
                raise unusable(url, f"cannot be fetched: HTTP {response.status_code}")
            raw = bytearray()
            for chunk in response.iter_bytes():
                raw += chunk
                if len(raw) > LARGEST:
                    break
            return bytes(raw)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise unusable(url, f"cannot be fetched: {reason}") from None


def _parsed(name: str, raw: bytes) -> tuple[str, object]:
    try:
        text = raw.decode("utf-8-sig")
        is_yaml = name.lower().endswith((".yaml", ".yml")) or not text.lstrip().startswith(("{", "["))
        return text, yaml.load(text, Loader=_Loader) if is_yaml else _json(text)  # noqa: S506 - a safe loader
    except RecursionError:
        raise unusable(name, "is nested too deep") from None
    except json.JSONDecodeError as error:
        raise unusable(name, f"is not JSON: {error.msg}", error.lineno) from None
    except yaml.MarkedYAMLError as error:
        raise not_yaml(name, error) from None
    except (yaml.YAMLError, ValueError) as error:
        raise unusable(name, f"is neither JSON nor YAML: {str(error).splitlines()[0]}") from None


def _json(text: str) -> object:
    content: object = json.loads(text, parse_constant=_finite, parse_float=_finite)
    return content


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(f"{written} is not a number of JSON")
    return number


class _Loader(yaml.SafeLoader):
    """YAML as JSON data: dates stay texts, and keys are what is written, status codes among them."""

    yaml_constructors = {  # noqa: RUF012
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in {"bool", "float", "int", "map", "null", "seq", "str"}
    }
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        self.flatten_mapping(node)
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is not text", problem_mark=key.start_mark)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
        made = super().construct_object(node, deep=deep)
        is_number = isinstance(made, int | float)
        if is_number and not -_LARGEST_NUMBER < made < _LARGEST_NUMBER:
            raise yaml.MarkedYAMLError(problem="is not a number of JSON", problem_mark=node.start_mark)
        return made

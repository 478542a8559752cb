"""`hubspot-batch validate`."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from msgspec.structs import replace

from hubspot_batch.cli._check import validate_rows
from hubspot_batch.cli._files import copy_content, is_read_once, say
from hubspot_batch.cli._reading import Reading
from hubspot_batch.cli._tables import read_body
from hubspot_batch.cli._tables._json import DECODE_ERRORS, explain, first_repeated
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._validation import validate
from hubspot_batch.errors import ConfigurationError, SourceError

if TYPE_CHECKING:
    from hubspot_batch.contract._operations import OperationId


def run(operation_id: str, reading: Reading) -> bool:
    """Print every fault of a file of rows, or of the body of a request, and return whether there is none.

    Raises:
        UsageError: If there is no such operation.
        ClickException: If a body is no JSON.
        SourceError: If the file cannot be read.
    """
    try:
        operation = contract.operation(operation_id)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    with _seekable(reading.path) as path:
        body = read_body(path, reading.table)
        if body is not None:
            return _validate_body(cast("OperationId", operation.id), body, shown=reading.path)
        return validate_rows(operation.id, replace(reading, path=path), shown=reading.path)


@contextmanager
def _seekable(path: Path) -> Iterator[Path]:
    """Yield a file that can be read twice."""
    if not is_read_once(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "content")
        try:
            with copy.open("wb") as file:
                copy_content(path, file)
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}; write it into a file first") from error
        try:
            yield copy
        except SourceError as error:
            # Name the original: the user does not know the copy.
            raise SourceError(
                str(error).replace(str(copy), str(path)), row=error.row, line=error.line
            ) from error


def _validate_body(operation_id: "OperationId", body: str, *, shown: Path) -> bool:
    faults = validate(operation_id, _parse(body, shown))
    for fault in faults:
        say(str(fault))
    if faults:
        say(f"Error: {shown}: {len(faults)} fault(s) for {operation_id}", err=True)
    else:
        say(f"{shown}: valid for {operation_id}", err=True)
    return not faults


def _parse(text: str, path: Path) -> object:
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        place = f"{path}, line {error.lineno}, column {error.colno}"
        raise click.ClickException(f"{place}: not JSON: {error.msg}") from error
    except _RepeatedKeyError as error:
        raise click.ClickException(
            f"{path}: the key {error} occurs twice in one mapping; remove one of the two"
        ) from error
    except DECODE_ERRORS as error:
        raise click.ClickException(f"{path}: {explain(error)}; mend or remove it") from error


class _RepeatedKeyError(Exception):
    pass


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping. JSON lets a key occur twice, and all but the last would be lost."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise _RepeatedKeyError(repr(first_repeated(key for key, _ in pairs)))
    return mapping

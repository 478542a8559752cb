"""`hubspot-batch validate`: print every fault of a file of rows, or of the body of a request."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import tee
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from hubspot_batch import contract, printable
from hubspot_batch.bulk import Check, check
from hubspot_batch.cli._console import say
from hubspot_batch.cli._files import copy_content, is_read_once
from hubspot_batch.cli._input_file import InputFile, OpenInputFile
from hubspot_batch.cli._summary import warn
from hubspot_batch.cli._tables import DECODE_ERRORS, BodyKind, FileRow, explain, first_repeated, read_body
from hubspot_batch.contract import Operation
from hubspot_batch.errors import ConfigurationError, InputIssue, SourceError
from hubspot_batch.types import OperationId

# The body of another request need not begin with its inputs, so what may be one is one.
_WITH_INPUTS_ONLY = ("create", "update")


def validate(operation_id: OperationId, file: InputFile) -> bool:
    """Print every fault of a file of rows, or of the body of a request, and return whether there are none.

    Raises:
        UsageError: If there is no such operation.
        ClickException: If a body is not JSON.
        SourceError: If the file cannot be read.
        ConfigurationError: If an option does not fit it.
    """
    try:
        operation = contract.operation(operation_id)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    with _read_twice(file.path) as path:
        body = read_body(path, file.format, _kind_of_body(operation))
        if body is not None:
            return _validate_body(operation_id, body, file.path)
        return _validate_rows(operation_id, replace(file, path=path), file.path)


def _kind_of_body(operation: Operation) -> BodyKind:
    if operation.path_parameters and operation.verb != "read":
        return "any"
    return "inputs" if operation.verb in _WITH_INPUTS_ONLY else "mapping"


def checked_rows(
    operation_id: OperationId,
    rows: OpenInputFile,
    *,
    unique_property: str | None = None,
    id_property: str | None = None,
) -> tuple[Iterator[tuple[FileRow, Sequence[InputIssue]]], Check]:
    """Return the rows with their faults, to be iterated once, and the check that counts them."""
    pairs, copies = tee(rows.rows())
    items = (item for _, item in copies)
    checked = check(operation_id, items, unique_property=unique_property, id_property=id_property)
    return zip((row for row, _ in pairs), checked, strict=True), checked


def line_about(row: FileRow, fault: InputIssue) -> str:
    """Return a fault of a row as a line: the place, the problem, the remedy."""
    text = f"{fault.problem}; {fault.remedy}"
    if fault is row.fault:
        # It names its lines, or its row if there are no lines.
        return printable(text if row.line is None else f"row {row.number}, {text}")
    place = f"row {row.number}" if row.line is None else f"row {row.number}, line {row.line}"
    # Without the place of the input in a request.
    inner = "/".join(fault.pointer.split("/")[3:])
    return printable(": ".join(part for part in (place, inner, text) if part))


@contextmanager
def _read_twice(path: Path) -> Iterator[Path]:
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


def _validate_rows(operation_id: OperationId, file: InputFile, shown: Path) -> bool:
    count = 0
    with file.open(contract.operation(operation_id)) as rows:
        pairs, checked = checked_rows(operation_id, rows, id_property=file.columns.id_property)
        for row, faults in pairs:
            count += len(faults)
            for fault in faults:
                say(line_about(row, fault))
        warn(rows.warnings)
    say(f"{shown}: {count:,} fault(s) in {checked.rows:,} rows for {operation_id}", err=True)
    return not count


def _validate_body(operation_id: OperationId, body: str, shown: Path) -> bool:
    faults = contract.validate(operation_id, _parse(body, shown))
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
        raise click.ClickException(f"{path}: {explain(error)}; correct or remove it") from error


class _RepeatedKeyError(Exception):
    pass


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping. JSON allows a key to occur twice, and all but the last value would be lost."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise _RepeatedKeyError(repr(first_repeated(key for key, _ in pairs)))
    return mapping

"""`hubspot-batch mapping`: write a first mapping file by looking at the columns of a file.

What is clear is written. What is not is a comment that asks.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from hubspot_batch.cli._cells import KINDS
from hubspot_batch.cli._connection import ConnectionOptions, connect, definitions_of, has_token
from hubspot_batch.cli._console import quoted_path, say
from hubspot_batch.cli._definitions import saved_definitions
from hubspot_batch.cli._detect import ColumnSample, sample_of
from hubspot_batch.cli._files import STDIN, check_writable, write_text
from hubspot_batch.cli._input_file import Definitions
from hubspot_batch.cli._property_types import PROPERTY_TYPES, likely_property, names_order
from hubspot_batch.cli._tables import ReadOptions, RowReader, open_reader
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError, SourceError
from hubspot_batch.results import PropertyDefinition

ROWS_READ = 5000
# What texts of Western Europe hold beside ASCII. Bytes that are read in another encoding give other signs.
_LIKELY = frozenset(
    "äöüÄÖÜßéèêëàâáçñóòôíîìïúùûåæøœõãýÅÆØÉÈÊÀÂÁÇÑÓÒÔÍÎÚÙÛÕÃ€\u00a0\u00a1\u00a7\u00a9\u00aa\u00ab\u00ae\u00b0\u00b2\u00b3"
    "\u00b4\u00b7\u00ba\u00bb\u00bd\u00bf\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2022\u2026\u2122"
)
# It is only a help: a file can be written without it.
_SECONDS_WAITED = 10.0
_WESTERN = "cp1252"


def run(
    object_type: str, path: Path, options: ReadOptions, account: ConnectionOptions | Path, output: Path
) -> None:
    """Write a mapping file.

    Args:
        object_type: What the rows are.
        path: The file of rows.
        options: How it is read.
        account: The account whose properties are looked up, if there is a token; or a file of them.
        output: The mapping file; `-` for standard output.

    Raises:
        SourceError: If the file cannot be read, or has no rows.
        ConfigurationError: If the mapping file is there already, or cannot be written.
    """
    if output != STDIN:
        if output.exists():
            raise ConfigurationError(
                f"{output}: the file is there already, and may have been edited; name another one, or "
                "delete it"
            )
        check_writable(output)
    definitions = _definitions(object_type, account)
    options, samples, count, delimiter = _look_at(path, options)
    draft = _Draft(object_type, definitions, samples)
    lines = [
        *_head(object_type, path, output, count, known=definitions is not None),
        *_file(options, delimiter),
        *_values(samples),
        *draft.columns(),
        *draft.constants(),
    ]
    text = "".join(f"{line}\n" for line in lines)
    write_text(output, text.rstrip("\n") if output == STDIN else text)
    questions = f"{draft.questions} of {len(samples)} columns are questions"
    wrote = "Wrote it" if output == STDIN else f"Wrote {output}"
    say(f"{wrote}: {questions}; answer them, then check it:", err=True)
    say(f"  {_check(object_type, path, output)}", err=True)


def _definitions(object_type: str, account: ConnectionOptions | Path) -> Definitions:
    """Return what the properties of the account are; None without a token, or if they cannot be had."""
    if isinstance(account, Path):
        return {definition.name: definition for definition in saved_definitions(account, object_type)}
    if not has_token(account):
        return None
    with connect(account) as connection:
        try:
            client = connection.client().with_options(retries=0, timeout=_SECONDS_WAITED)
            return definitions_of(client, object_type)
        except HubSpotBatchError as error:
            say(f"Warning: the properties of the account are not known: {error}", err=True)
            return None


def _look_at(path: Path, options: ReadOptions) -> tuple[ReadOptions, list[ColumnSample], int, str | None]:
    """Return how a file is read, what its columns show, how many rows were read, and the delimiter of CSV."""
    try:
        return options, *_sampled(path, options)
    except SourceError:
        if options.encoding is not None or path == STDIN:
            raise
        western = replace(options, encoding=_WESTERN)
        try:
            found = _sampled(path, western)
        except SourceError:
            found = None
        if found is None or not _is_likely(path, western):
            raise
        return western, *found


def _sampled(path: Path, options: ReadOptions) -> tuple[list[ColumnSample], int, str | None]:
    with open_reader(path, options) as reader:
        rows = [_columns_of(row.values) for row in islice(reader.rows(), ROWS_READ) if row.fault is None]
        if not rows:
            raise SourceError(f"{path}: the file has no row that can be read; export the file again")
        names = reader.columns or list(dict.fromkeys(name for row in rows for name in row))
        samples = [sample_of(name, (row.get(name) for row in rows)) for name in names]
        return samples, len(rows), _delimiter_of(reader)


def _columns_of(values: Mapping[str, object]) -> Mapping[str, object]:
    """Return the columns of a row, which may be a whole input."""
    inner = values.get("properties")
    return inner if isinstance(inner, Mapping) else values


def _delimiter_of(reader: RowReader) -> str | None:
    dialect = getattr(reader, "dialect", None)
    return None if dialect is None else str(dialect.delimiter)


def _is_likely(path: Path, options: ReadOptions) -> bool:
    """Return whether all signs of a file occur in the languages of an encoding."""
    with open_reader(path, options) as reader:
        texts = (str(cell) for row in islice(reader.rows(), ROWS_READ) for cell in row.values.values())
        signs = {sign for text in [*(reader.columns or ()), *texts] for sign in text if not sign.isascii()}
    return signs <= _LIKELY


def _head(object_type: str, path: Path, output: Path, count: int, *, known: bool) -> Iterator[str]:
    yield f"# How {path.name} becomes {object_type.replace('_', ' ')} in HubSpot."
    yield f"# Written by `hubspot-batch mapping`, which has looked at {count:,} rows."
    yield "#"
    yield "# A line that begins with # is not read. Where a question mark stands, you decide: correct the"
    yield '# line, and remove the # before it. To leave a column out, write "column" = false. Then check it:'
    yield "#"
    yield f"#     {_check(object_type, path, output)}"
    if not known:
        yield "#"
        yield "# The properties of your account are not known. With a token in HUBSPOT_ACCESS_TOKEN, they are"
        yield "# looked up."
    yield ""
    yield f"object = {_text(object_type)}"
    yield ""


def _check(object_type: str, path: Path, output: Path) -> str:
    name = object_type.replace("_", "-")
    mapping = Path("shop.toml") if output == STDIN else output
    return f"hubspot-batch create {name} {quoted_path(path)} --mapping {quoted_path(mapping)} --dry-run"


def _file(options: ReadOptions, delimiter: str | None) -> Iterator[str]:
    encoding = options.encoding
    told = {"format": options.format, "encoding": encoding, "delimiter": delimiter}
    if lines := [f"{name} = {_text(value)}" for name, value in told.items() if value is not None]:
        yield "[file]"
        for line in lines:
            yield line + (
                "    # ? are umlauts right where you look at the rows?"
                if encoding == _WESTERN and line.startswith("encoding")
                else ""
            )
        yield ""


def _values(samples: Sequence[ColumnSample]) -> Iterator[str]:
    yield "[values]    # how cells are written, in all columns"
    yield from _decimal(samples)
    yield from _dates(samples)
    yield from _words(samples)
    if found := list(dict.fromkeys(text for sample in samples for text in sample.placeholders)):
        yield f"# null = {_texts(found)}    # ? do these mean that there is no value?"
    yield '# empty = "clear"    # ? what an empty cell does: by default, it leaves the property as it is'
    yield ""


def _decimal(samples: Sequence[ColumnSample]) -> Iterator[str]:
    by_sign = {sign: [sample.name for sample in samples if sample.decimal == sign] for sign in (",", ".")}
    open_ = [sample.name for sample in samples if sample.kind == "number" and sample.is_ambiguous]
    if by_sign[","] and by_sign["."]:
        for sign, names in by_sign.items():
            yield f"# decimal = {_text(sign)}    # ? so it is in {_some(names)}: say it in each column"
    elif by_sign[","] or by_sign["."]:
        sign = "," if by_sign[","] else "."
        yield f"decimal = {_text(sign)}    # as in {_some(by_sign[sign])}"
    elif open_:
        yield f'# decimal = ","    # ? a comma or a point: {_some(open_)} leaves it open'


def _dates(samples: Sequence[ColumnSample]) -> Iterator[str]:
    dated = [sample for sample in samples if sample.dates]
    clear = [sample for sample in dated if not sample.is_ambiguous]
    formats = list(dict.fromkeys(form.text for sample in clear for form in sample.dates))
    foreign = [form for form in formats if not form.startswith("yyyy-mm-dd")]
    if foreign:
        yield f"date = {_texts(formats)}    # as in {_some([sample.name for sample in clear])}"
    for sample in dated:
        if sample.is_ambiguous:
            yield (
                f"# date = {_texts([form.text for form in sample.dates])}    # ? day or month first: "
                f"{_some([sample.name])} leaves it open"
            )
    if timed := [sample.name for sample in dated if sample.has_time]:
        yield f'# timezone = "Europe/Berlin"    # ? the time zone of the times in {_some(timed)}'


def _words(samples: Sequence[ColumnSample]) -> Iterator[str]:
    for name in ("yes", "no"):
        words = list(dict.fromkeys(word for sample in samples for word in getattr(sample, name)))
        if any(word.casefold() not in ("true", "false") for word in words):
            yield f"{name} = {_texts(words)}"


class _Draft:
    """The columns of a mapping file.

    Attributes:
        questions: How many columns are not clear.
    """

    def __init__(self, object_type: str, definitions: Definitions, samples: Sequence[ColumnSample]) -> None:
        self.questions = 0
        self._object_type = object_type
        self._definitions = definitions
        self._samples = samples
        self._filled: set[str] = set()

    def columns(self) -> Iterator[str]:
        """Yield a line for each column."""
        yield "[columns]    # column = property"
        sure = {
            sample.name: name for sample in self._samples if (name := self._sure(sample.name)) is not None
        }
        self._filled.update(sure.values())
        for sample in self._samples:
            if sample.name in sure:
                yield from self._line(sample, sure[sample.name])
            else:
                self.questions += 1
                yield from self._question(sample)
        yield ""

    def constants(self) -> Iterator[str]:
        """Yield lines for properties that are the same for all rows."""
        yield "[constants]    # the same for all rows"
        if self._object_type != "line_items" and "hs_currency_code" not in self._filled:
            yield '# hs_currency_code = "EUR"    # ?'
        if self._object_type == "orders" and "hs_order_name" not in self._filled:
            yield "# HubSpot wants a name for each order. A column can fill two properties:"
            yield '#     "Number" = ["hs_order_name", "hs_external_order_id"]'

    def _sure(self, column: str) -> str | None:
        """Return the property that has the name of a column, or a label that no other one has."""
        if self._definitions is None:
            return column if column in PROPERTY_TYPES.get(self._object_type, {}) else None
        if column in self._definitions:
            return column if _can_be_written(self._definitions[column]) else None
        named = [
            name
            for name, definition in self._definitions.items()
            if definition.label.casefold() == column.casefold() and _can_be_written(definition)
        ]
        return named[0] if len(named) == 1 else None

    def _line(self, sample: ColumnSample, name: str) -> Iterator[str]:
        definition = (self._definitions or {}).get(name)
        kind = definition.type if definition else PROPERTY_TYPES[self._object_type].get(name)
        parts = self._parts(sample, kind)
        note = ""
        if definition is None and sample.kind is None and kind in ("number", "bool", "date", "datetime"):
            note = f"    # ? not all cells are of type {kind}"
        yield f"{_text(sample.name)} = {_rule(name, parts)}{note}"
        yield from self._options(sample, definition)

    def _question(self, sample: ColumnSample) -> Iterator[str]:
        name = likely_property(self._object_type, sample.name)
        likely = name if name is not None and name not in self._filled and self._has(name) else None
        if likely is not None:
            self._filled.add(likely)
        known = PROPERTY_TYPES.get(self._object_type, {}).get(likely or "")
        parts = self._parts(sample, known)
        if likely is None and sample.kind is not None:
            parts = [f"type = {_text(sample.kind)}", *parts]
        shown = "property" if likely is None else likely
        what = "which property?" if likely is None else "is it this one?"
        yield f"# {_text(sample.name)} = {_rule(shown, parts)}    # ? {_description(sample)}; {what}"
        if sample.has_mail and self._object_type in ("orders", "carts"):
            yield (
                f'# {_text(sample.name)} = {{ associate = "contact@email?" }}    # ? or the contact that the '
                "record is to be linked with"
            )
        if likely is None and self._object_type != "orders" and names_order(sample.name):
            yield (
                f'# {_text(sample.name)} = {{ associate = "order@property" }}    # ? or the order that the '
                "record is to be linked with, by a unique property of orders"
            )
        yield from self._options(sample, (self._definitions or {}).get(likely or ""))

    def _has(self, name: str) -> bool:
        return self._definitions is None or name in self._definitions

    def _parts(self, sample: ColumnSample, kind: str | None) -> list[str]:
        parts = []
        if sample.unit and kind in (None, "number"):
            parts.append(f"unit = {_text(sample.unit)}")
        if sample.floats and kind in (None, "string"):
            parts.append('type = "string"')
        return parts

    def _options(self, sample: ColumnSample, definition: PropertyDefinition | None) -> Iterator[str]:
        """Yield the words of a column that are neither a value nor a label of an option."""
        if definition is None or not definition.options or definition.type != "enumeration":
            return
        known = {text.casefold() for option in definition.options for text in (option.value, option.label)}
        missing = [word for word in sample.words if word.casefold() not in known]
        if missing:
            pairs = ", ".join(f'{_text(word)} = "?"' for word in missing)
            values = ", ".join(option.value for option in definition.options[:_MOST_OPTIONS])
            yield f"#     ? add options = {{ {pairs} }}; the values are {values}"


_MOST_OPTIONS = 20


def _can_be_written(definition: PropertyDefinition) -> bool:
    return not definition.read_only and not definition.archived and definition.type in KINDS


def _rule(name: str, parts: Sequence[str]) -> str:
    return f"{{ {', '.join([f'property = {_text(name)}', *parts])} }}" if parts else _text(name)


def _description(sample: ColumnSample) -> str:
    kinds = {"bool": "yes or no", "date": "days", "datetime": "times", "number": "numbers"}
    if not sample.filled:
        return "no cell is filled"
    return kinds.get(sample.kind or "", "e-mail addresses" if sample.has_mail else "texts")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(_plain(name) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown  # noqa: PLR2004


def _plain(text: str) -> str:
    """Return a text for a comment, which ends with its line."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _texts(texts: Sequence[str]) -> str:
    return _text(texts[0]) if len(texts) == 1 else f"[{', '.join(map(_text, texts))}]"


def _text(text: str) -> str:
    """Return a text as TOML has it: as JSON does, except for one sign."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

"""Turn the columns of a row into its input: take, rename, set and link. Pure."""

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct

from hubspot_batch.bulk import check_id_property, input_with
from hubspot_batch.cli._cells import (
    KINDS,
    NO_OF_PROGRAMS,
    YES_OF_PROGRAMS,
    CellRule,
    Choice,
    Kind,
    convert,
    in_zone,
)
from hubspot_batch.cli._console import quoted
from hubspot_batch.cli._dates import date_format
from hubspot_batch.cli._mapping_file import CellForm, ColumnRule, FileMapping, time_zone
from hubspot_batch.cli._property_types import PROPERTY_TYPES
from hubspot_batch.contract import (
    Operation,
    Problem,
    Unreadable,
    association_type,
    encode_value,
    link_type,
    object_type_of,
)
from hubspot_batch.contract import (
    operation as contract_operation,
)
from hubspot_batch.errors import ConfigurationError, InputIssue, SourceError
from hubspot_batch.results import PropertyDefinition
from hubspot_batch.types import AssociationType, Verb

_PLANS_KEPT = 128
_SHOWN = 50
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,6})?)?", re.ASCII)
_NOT_MAPPED = Problem(
    "the mapping file says nothing about it",
    'add it under [columns]: = "property", or = false to leave it out; other_columns = "skip" leaves out all '
    "that are not named",
)
_ASSOCIATE = "OBJECT=COLUMN[@PROPERTY][:TYPE][?]"
# What stands behind the name of a column, or of an object type in a mapping file.
_LINKED = re.compile(
    r"(?P<name>.+?)(?:@(?P<property>[^@]*?))?(?::(?P<type>[0-9]+))?(?P<optional>[?])?", re.DOTALL
)


# What takes nothing but ids.
_BY_ID = frozenset({"read", "archive"})
_NO_VALUE = InputIssue(
    index=None,
    pointer="",
    problem="the row has no value in any column that becomes a property",
    remedy="fill it, or remove it",
)
_WRITING = ("create", "update", "upsert")
# HubSpot gives names in lower case; it says itself whether there is a property with another one.
_PROPERTY = re.compile(r"[\w.:-]+", re.ASCII)
_DELIMITERS = (";", "\t", ",", "|", "^", "~")


class ColumnOptions(Struct, frozen=True, kw_only=True):
    """What to do with the columns, as written on the command line.

    Attributes:
        map: `PROPERTY=COLUMN`: a column that is a property of another name.
        only: Columns to take, with commas between them. Those that other options name are taken, too.
        drop: Columns to leave out, with commas between them.
        set: `PROPERTY=VALUE`: a property that is the same for all rows. It replaces the value of a column.
        associate: `OBJECT=COLUMN[@PROPERTY][:TYPE][?]`: a column with the ids of records to link with,
            separated by semicolons, or with one value of a unique property of theirs. The column is not a
            property. An empty cell rejects its row, unless there is a question mark.
        clear_empty: Whether an empty cell clears its property. Otherwise the property is left out.
        id_property: The property whose value names the record in place of its id.
        timezone: The name of the time zone of dates with a time that name none.
        decimal: What stands before the decimals of numbers.
        date_format: How dates are written.
        null: Texts that mean an empty cell.
    """

    map: Sequence[str] = ()
    only: Sequence[str] = ()
    drop: Sequence[str] = ()
    set: Sequence[str] = ()
    associate: Sequence[str] = ()
    clear_empty: bool = False
    id_property: str | None = None
    timezone: str | None = None
    decimal: str | None = None
    date_format: Sequence[str] = ()
    null: Sequence[str] = ()

    def form(self) -> CellForm:
        """Return what the options say about how cells are written.

        Raises:
            ConfigurationError: If one of them is not valid.
        """
        return CellForm(
            decimal=UNSET if self.decimal is None else self.decimal,
            dates=tuple(map(date_format, self.date_format)) or UNSET,
            zone=UNSET if self.timezone is None else time_zone(self.timezone),
            null=frozenset(self.null) if self.null else UNSET,
            clear=self.clear_empty or UNSET,
        )


class KeyCell(Struct, frozen=True, omit_defaults=True):
    """Where a row has the value that names its record, and how that cell is read.

    Attributes:
        column: The column.
        null: Texts that mean an empty cell.
        trim: Whether blanks around the value are left out.
        mends: Whether `1001.0` is `1001`.
    """

    column: str
    null: Sequence[str] = ()
    trim: bool = False
    mends: bool = False

    def value_in(self, values: Mapping[str, object]) -> str | None:
        """Return the value that a row has there, as text; None if it has none."""
        inner = values.get("properties")
        named: object = values.get(self.column)
        if isinstance(inner, Mapping):
            named = values["id"] if "id" in values else inner.get(self.column)
        rule = CellRule(kind="string", null=self.null, trim=self.trim, mends=self.mends)
        value = convert(named, rule)
        text = value if value is None or isinstance(value, Problem) else encode_value(value)
        return text if isinstance(text, str) else None


class _Plan(NamedTuple):
    """What becomes of the columns of a row.

    Attributes:
        pairs: Column and property, for all that become one.
        ruled: Column, property and rule, for those whose cells are converted.
        others: Columns that a mapping file should name, and does not.
    """

    pairs: Sequence[tuple[str, str]]
    ruled: Sequence[tuple[str, str, CellRule]]
    others: Sequence[str]


class _Link(NamedTuple):
    """A column that names the records to link with.

    Attributes:
        column: The column.
        target: The object type of the records.
        type: What the link means.
        property: The unique property that the column has a value of; None where it has ids.
        optional: Whether a row may go without the link.
    """

    column: str
    target: str
    type: AssociationType
    property: str | None
    optional: bool

    def records(self, cell: object) -> Sequence[object]:
        """Return the ids or the values in a cell; one that cannot be read where the link is missing."""
        found = _ids(cell) if self.property is None else _values(cell)
        if found or self.optional:
            return found
        remedy = "fill it in, or end the option with a question mark, in quotes, to let rows go without it"
        return [Unreadable(Problem(f"the column {self.column!r} is empty", remedy))]

    def target_of(self, record: object, verb: Verb) -> dict[str, object]:
        """Return the end of a link as an input has it."""
        if self.property is not None:
            return {"type": self.target, "property": self.property, "value": record}
        # The links of a new record tell the object type by their type ids.
        return {"id": record} if verb == "create" else {"type": self.target, "id": record}


class Columns:
    """Makes the inputs.

    Attributes:
        missing: The columns that options name and no row had so far.
    """

    def __init__(
        self,
        operation: Operation,
        options: ColumnOptions,
        columns: Sequence[str] | None = None,
        *,
        is_text: bool = False,
        zoneless: Collection[str] = (),
        mapping: FileMapping | None = None,
        definitions: Mapping[str, PropertyDefinition] | None = None,
    ) -> None:
        """Check the options.

        Args:
            operation: What the inputs are for.
            options: What is to be done.
            columns: The columns of all rows; None if each row has its own.
            is_text: Whether all values are text. An empty text means that there is no value.
            zoneless: The columns whose values are datetimes without a time zone.
            mapping: A mapping file. Options have precedence over it.
            definitions: What the properties of the account are, by name; None if that is not known.

        Raises:
            ConfigurationError: If an option is not valid, contradicts another, does not fit the operation, or
                names a column or an association that does not exist.
        """
        self._verb: Verb = operation.verb
        self._options = options
        self._is_text = is_text
        self._mapping = mapping
        self._definitions = definitions or {}
        self._types = PROPERTY_TYPES.get(operation.object_type, {})
        self._told = options.form()
        form = self._told if mapping is None else self._told.or_else(mapping.form)
        self._form = form
        self._zone = None if form.zone is UNSET else form.zone
        self._zoneless = zoneless
        # How the keys of records are written, in columns with links.
        null = frozenset() if form.null is UNSET else form.null
        is_plain = mapping is None and not null
        self._link_rule = None if is_plain else CellRule(kind="string", trim=mapping is not None, null=null)
        check_id_property(self._verb, options.id_property)
        self._id = None if self._verb == "create" else options.id_property or "id"
        mapped = _pairs("--map", options.map, "PROPERTY=COLUMN")
        constants = _pairs("--set", options.set, "PROPERTY=VALUE")
        given = {name for name, _ in (*mapped, *constants)}
        self._only, self._dropped = {*names_in(options.only)}, {*names_in(options.drop)}
        of_file = [] if mapping is None else _properties_of(mapping, given, self._dropped)
        self._rules = {name: rule for name, _, rule in of_file}
        fixed = {} if mapping is None else mapping.constants
        self._constants = {name: value for name, value in fixed.items() if name not in given}
        self._constants |= dict(constants)
        self._mapped = _by_column([*mapped, *((name, column) for name, column, _ in of_file)])
        self._links = [
            *_links_of(operation, mapping, self._dropped),
            *_links(operation, options.associate, columns or ()),
        ]
        _check_twice([name for name, _ in (*mapped, *constants)])
        self._check_dropped({column for _, column in mapped})
        named = {*self._mapped, *self._only, *(link.column for link in self._links)}
        self.missing = named | self._dropped
        self._columns = columns or ()
        if columns is not None:
            self._check_columns(columns)
            self.missing.clear()
        self._plan = lru_cache(_PLANS_KEPT)(self._make_plan)

    @property
    def needs_definitions(self) -> bool:
        """Whether the definitions of the account say how cells are converted, as far as is known by now.

        They tell the options of a pipeline or a stage, and what the properties of the account take.
        """
        if self._verb in _BY_ID:
            return False
        plan = self._make_plan(self._columns)
        return (
            self._mapping is not None
            or bool(self._told.told().keys() - {"zone", "clear"})
            or any(rule.kind == "enumeration" and "currency" not in name for _, name, rule in plan.ruled)
        )

    def pairs_of(self, values: Mapping[str, object]) -> Sequence[tuple[str, str]]:
        """Return each column of a row that becomes a property, with that."""
        inner = values.get("properties")
        return self._plan(tuple(inner if isinstance(inner, Mapping) else values)).pairs

    def key_cell(self, name: str) -> KeyCell | None:
        """Return where rows have the value of a property; None if no column fills it."""
        column = next((column for column, names in self._mapped.items() if name in names), name)
        if name in self._constants or (column, name) not in self._make_plan((column,)).pairs:
            return None
        rule = self._rule(name)
        if rule is None:
            return KeyCell(column)
        return KeyCell(column, sorted(rule.null), rule.trim, rule.kind == "string" and rule.mends)

    def item_of(self, values: Mapping[str, object]) -> object:
        """Return the input for a row, or a fault if it names no record, or has no value for a new one."""
        item = self.input_of(values)
        if self._id is not None and "id" not in item and "properties" not in values:
            return self._nameless(self._id)
        is_bare = self._verb == "create" and item.get("properties") == self._constants
        if is_bare and "properties" not in values and "associations" not in item:
            # Where no column is taken, records of constants are what is asked for.
            return _NO_VALUE if not values or self._plan(tuple(values)).pairs else item
        return item

    def _nameless(self, name: str) -> InputIssue:
        """Return the fault of a row without a value in the column that names its record."""
        column = next((column for column, names in self._mapped.items() if name in names), name)
        return InputIssue(
            index=None,
            pointer="",
            problem=f"there is no value in the column {column!r}, which names the record",
            remedy="fill it in, or remove the row",
        )

    def input_of(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return the input for a row. It is not checked, and the row is not changed.

        Args:
            values: Column to value, or a whole input: a mapping whose `properties` are a mapping. The columns
                of the latter are its properties, and its values never count as empty.
        """
        inner = values.get("properties")
        columns = inner if isinstance(inner, Mapping) else values
        if self.missing:
            self.missing.difference_update(columns)
        item = self._flat(values) if columns is values else self._whole(values, columns)
        if "properties" in item and (self._zone is not None or self._zoneless):
            properties = cast("dict[str, object]", item["properties"])
            item["properties"] = {name: _in_zone(value, self._zone) for name, value in properties.items()}
        return self._linked(item, columns) if self._links else item

    def _flat(self, values: Mapping[str, object]) -> dict[str, object]:
        plan, clear = self._plan(tuple(values)), self._options.clear_empty
        if self._is_text:
            properties = {name: value for column, name in plan.pairs if (value := values[column]) or clear}
        else:
            properties = {
                name: "" if value is None else value
                for column, name in plan.pairs
                if (value := values[column]) is not None or clear
            }
        for column, name, rule in plan.ruled:
            value = _converted(values[column], column, name, rule)
            if value is not None:
                properties[name] = value
            elif name in properties:
                del properties[name]
        for column in plan.others:
            properties[column] = Unreadable(_NOT_MAPPED)
        properties.update(self._constants)
        return input_with(properties, verb=self._verb, id_property=self._options.id_property)

    def _whole(self, values: Mapping[str, object], columns: Mapping[str, object]) -> dict[str, object]:
        plan = self._plan(tuple(columns))
        properties = {name: columns[column] for column, name in plan.pairs}
        for column, name, rule in plan.ruled:
            if (value := columns[column]) not in ("", None):
                properties[name] = _converted(value, column, name, rule) or ""
        properties.update((column, Unreadable(_NOT_MAPPED)) for column in plan.others)
        properties.update(self._constants)
        key = self._options.id_property
        if self._verb in _BY_ID:
            named = {**values, **properties}
            return {"id": named[self._id]} if self._id in named else {}
        item = {**values, "properties": properties}
        if key is not None:
            item.setdefault("idProperty", key)
            if "id" not in item and key in properties:
                item["id"] = properties.pop(key)
        return item

    def _linked(self, item: dict[str, object], columns: Mapping[str, object]) -> dict[str, object]:
        """Return the input with its links. Validation reports associations that are not a list."""
        present = item.get("associations", [])
        if isinstance(present, list) and (links := self._associations(columns)):
            item["associations"] = [*present, *links]
        return item

    def _associations(self, columns: Mapping[str, object]) -> list[dict[str, object]]:
        """Return one association for each record, with all its types."""
        found: dict[tuple[str, str | None, str], tuple[dict[str, object], list[AssociationType]]] = {}
        for link in self._links:
            cell = columns.get(link.column)
            for record in link.records(cell if self._link_rule is None else convert(cell, self._link_rule)):
                key = link.target, link.property, str(record)
                _, kinds = found.setdefault(key, (link.target_of(record, self._verb), []))
                if link.type not in kinds:
                    kinds.append(link.type)
        return [{"to": target, "types": kinds} for target, kinds in found.values()]

    def _make_plan(self, columns: Sequence[str]) -> _Plan:
        """Return which columns fill which properties. Options win over the column of that name."""
        given = {*self._constants, *chain.from_iterable(self._mapped.values())}
        given.update(self._dropped, (link.column for link in self._links))
        wanted = {*columns} & {*self._only, self._id} if self._only else {*columns}
        wanted -= given
        others: list[str] = []
        if self._mapping is not None:
            # It names all columns that are taken, except those that options name.
            unnamed = [column for column in columns if column in wanted and column not in self._only]
            wanted.difference_update(unnamed)
            if not self._mapping.skips_others and not self._only:
                known = {*self._mapping.columns, *self._mapped}
                others = [column for column in unnamed if column not in known]
        pairs = [
            (column, name)
            for column in columns
            for name in self._mapped.get(column, (column,) if column in wanted else ())
        ]
        rules = ((column, name, self._rule(name)) for column, name in pairs)
        ruled = [(column, name, rule) for column, name, rule in rules if rule is not None]
        return _Plan(pairs, ruled, others)

    def _rule(self, name: str) -> CellRule | None:
        """Return how the cells that fill a property are converted; None if they are not."""
        column = self._rules.get(name)
        if column is not None and column.as_is:
            return None
        column = column or ColumnRule()
        definition = self._definitions.get(name)
        told = definition.type if definition and definition.type in KINDS else self._types.get(name)
        kind = column.kind or told
        form = column.form.or_else(self._form)
        words = {} if self._mapping else {"yes": YES_OF_PROGRAMS, "no": NO_OF_PROGRAMS}
        rule = CellRule(
            kind=kind,
            unit=column.unit,
            words=column.options,
            choices=_choices(definition),
            several=definition is not None and definition.field_type == "checkbox",
            checked=self._mapping is not None
            or bool(_DECIDED_BY.get(kind, frozenset()) & {*self._told.told()}),
            mends=definition is not None or column.kind is not None,
            **{"trim": self._mapping is not None, **words, **form.told()},
        )
        has_form = self._mapping is not None or form.null is not UNSET
        # What is known of a text from elsewhere changes nothing.
        return rule if kind not in (None, "string") or rule.mends or has_form else None

    def _check_dropped(self, mapped: Collection[str]) -> None:
        """Refuse to drop a column that another option names."""
        asked = {*mapped, *self._only, *(link.column for link in self._links)}
        if both := sorted(asked & self._dropped):
            raise ConfigurationError(
                f"--drop leaves out the column {both[0]!r}, which another option names; remove one of the two"
            )

    def _hint(self, name: str, columns: Sequence[str]) -> str:
        """Return what to do about a column that is not there."""
        if remedy := _of_delimiter(columns):
            return remedy
        swapped = {right: left for left, right in _pairs("--map", self._options.map, "PROPERTY=COLUMN")}
        if (other := swapped.get(name)) in columns:
            return f"write the property first: --map {name}={other}"
        close = difflib.get_close_matches(name, columns, n=1)
        return f"did you mean {close[0]!r}?" if close else _shown(columns)

    def _remedy(self, name: str, columns: Sequence[str]) -> str:
        """Return what to do about a column whose name no property has."""
        return _of_delimiter(columns) or (
            f"say which one it fills: --map PROPERTY={quoted(name)}, leave it out with --drop, or let "
            "`hubspot-batch mapping` write a file about all columns"
        )

    def check_filled(self, name: str) -> None:
        """Refuse a file in which no column can fill the unique property of the rows.

        Raises:
            SourceError: If there is none.
        """
        filled = {*self._constants, *(filled for _, filled in self._make_plan(self._columns).pairs)}
        # Rows of other forms have columns, or properties, of their own.
        if self._columns and filled.isdisjoint((name, "properties")):
            raise SourceError(
                f"no column fills the unique property {name!r}; where one has its values, say "
                f"--map {name}=COLUMN; {_shown(self._columns)}"
            )

    def _check_columns(self, columns: Sequence[str]) -> None:
        for missing in sorted(self.missing.difference(columns)):
            raise ConfigurationError(f"there is no column {missing!r}; {self._hint(missing, columns)}")
        plan = self._make_plan(columns)
        if plan.others and self._mapping is not None:
            raise ConfigurationError(
                f"{self._mapping.path} says nothing about the column {plan.others[0]!r}; {_NOT_MAPPED.remedy}"
            )
        if self._verb in _WRITING:
            for column, name in plan.pairs:
                if column == name and not _PROPERTY.fullmatch(name):
                    problem = f"the column {name!r} cannot become a property of that name"
                    raise ConfigurationError(f"{problem}; {self._remedy(name, columns)}")
        filled = {*self._constants, *(name for _, name in plan.pairs)}
        if self._verb == "upsert" and self._options.id_property is None:
            raise ConfigurationError(
                "the columns do not tell what names a record; name it with --id-property"
            )
        if self._id is not None and self._id not in filled:
            if all(column.isdigit() for column in columns):
                raise SourceError(
                    "the first line holds numbers where the names of the columns belong; "
                    f"write {self._id} above"
                )
            raise SourceError(
                f"{'a' if self._verb == 'read' else 'an'} {self._verb} needs a column {self._id!r} that "
                f"names the record; where another one does, say --map {self._id}=COLUMN; {_shown(columns)}"
            )


# The options that say how the cells of a property of this type are written.
_DECIDED_BY: Mapping[Kind | None, frozenset[str]] = MappingProxyType(
    {"number": frozenset({"decimal"}), "date": frozenset({"dates"}), "datetime": frozenset({"dates"})}
)


def _converted(value: object, column: str, name: str, rule: CellRule) -> object:
    """Return what HubSpot gets for a cell; None to leave the property alone."""
    result = convert(value, rule)
    if not isinstance(result, Problem):
        return result
    place = "" if column == name else f"column {column!r}: "
    return Unreadable(Problem(f"{place}{result.problem}", result.remedy))


def _choices(definition: PropertyDefinition | None) -> Sequence[Choice]:
    """Return the options of a property that takes no others."""
    if definition is None or definition.external_options or definition.type != "enumeration":
        return ()
    return tuple(Choice(option.value, option.label) for option in definition.options)


def _properties_of(
    mapping: FileMapping, given: Collection[str], dropped: Collection[str]
) -> list[tuple[str, str, ColumnRule]]:
    """Return property, column and rule for what a mapping file fills, and options neither fill nor drop."""
    return [
        (rule.property, column, rule)
        for column, rules in mapping.columns.items()
        for rule in rules
        if rule.property is not None and rule.property not in given and column not in dropped
    ]


def _links_of(operation: Operation, mapping: FileMapping | None, dropped: Collection[str]) -> Iterable[_Link]:
    """Yield the links of a mapping file."""
    for column, rules in ({} if mapping is None else mapping.columns).items():
        for rule in rules:
            if rule.associate is not None and column not in dropped:
                named = _LINKED.fullmatch(rule.associate)
                yield _link(operation, named["name"] if named else "", column, named)


class PairOptions(Struct, frozen=True, kw_only=True):
    """Where the two ids of a link stand, and what the link is, as written on the command line.

    Attributes:
        from_type: The object type that the links begin at.
        to_type: The object type that they lead to.
        from_column: The column of the ids of the first.
        to_column: The column of the ids of the second.
        type: The id or the name of the type of the links; None for the plain one.
    """

    from_type: str
    to_type: str
    from_column: str = "from"
    to_column: str = "to"
    type: str | None = None


class PairColumns:
    """Makes the inputs of links.

    Attributes:
        missing: The columns that no row had so far.
        needs_definitions: Whether the definitions of properties say how cells are converted; they do not.
    """

    needs_definitions = False

    def __init__(self, options: PairOptions, columns: Sequence[str] | None = None) -> None:
        """Check the options.

        Args:
            options: What is to be done.
            columns: The columns of all rows; None if each row has its own.

        Raises:
            ConfigurationError: If a column, or such a type of link, does not exist.
        """
        self._names = (options.from_column, options.to_column)
        self._make_types = cache(lambda: [link_type(options.from_type, options.to_type, options.type)])
        self.missing = {*self._names}
        if columns is not None:
            if lacking := sorted(self.missing.difference(columns)):
                raise SourceError(
                    f"a link needs a column {lacking[0]!r} with the id of a record; where another one has "
                    f"it, name it with --from or --to; {_shown(columns)}"
                )
            self.missing.clear()
            self._make_types()

    def pairs_of(self, _values: Mapping[str, object]) -> Sequence[tuple[str, str]]:
        """Return nothing: the columns are ends of links."""
        return ()

    def key_cell(self, _name: str) -> None:
        """Return nothing: pairs have no key."""

    def item_of(self, values: Mapping[str, object]) -> object:
        """Return the input for a row: for its two columns, or for a whole input."""
        if self.missing:
            self.missing.difference_update(values)
        begin, end = (values.get(name) for name in self._names)
        if isinstance(begin, Mapping):
            return {"types": self._make_types(), **values} if "types" not in values else {**values}
        return {"from": {"id": begin}, "to": {"id": end}, "types": self._make_types()}


def _in_zone(value: object, zone: ZoneInfo | None) -> object:
    """Return a datetime in its time zone, or in this one if it has none; other values as they are."""
    moment = value
    if zone is not None and isinstance(value, str) and _ZONELESS.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:  # the 30th of February
            return value
    if not isinstance(moment, datetime) or moment.tzinfo is not None:
        return value
    placed = in_zone(moment, zone)
    return Unreadable(placed) if isinstance(placed, Problem) else placed


def _pairs(option: str, texts: Iterable[str], form: str) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    # Nothing is repeated: it can be a value.
    if any(not name or not equals or (not right and option != "--set") for name, equals, right in pairs):
        raise ConfigurationError(f"{option}: write {form}")
    return [(name, right) for name, _, right in pairs]


def _by_column(mapped: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, column in mapped:
        names[column].append(name)
    return dict(names)


def _links(operation: Operation, texts: Iterable[str], columns: Collection[str]) -> Iterable[_Link]:
    for target, text in _pairs("--associate", texts, _ASSOCIATE):
        named = None if text in columns else _LINKED.fullmatch(text)
        yield _link(operation, target, text if named is None else named["name"], named)


def _link(operation: Operation, target: str, column: str, named: re.Match[str] | None) -> _Link:
    """Return a link, whose property, type id and question mark stand in the match."""
    if operation.verb not in {"create", "upsert"}:
        raise ConfigurationError("only create and upsert link records; leave --associate out")
    name, type_id = (None, None) if named is None else (named["property"], named["type"])
    kind = association_type(operation.object_type, target, None if type_id is None else int(type_id))
    object_type = object_type_of(target) or target
    if name == "":
        raise ConfigurationError(f"--associate: write {_ASSOCIATE}; the property behind the @ is missing")
    known = contract_operation("create_associations").choices("toObjectType")
    if (name is not None or operation.verb == "upsert") and object_type not in known:
        act = "looked up by a property" if name is not None else "linked with by an upsert"
        raise ConfigurationError(
            f"records of type {object_type} cannot be {act}; those that can are {', '.join(known)}"
        )
    return _Link(column, object_type, kind, name, named is not None and named["optional"] is not None)


def names_in(texts: Iterable[str]) -> list[str]:
    """Return the names in texts that have commas between them, each once."""
    names = (name.strip() for text in texts for name in text.split(","))
    return list(dict.fromkeys(filter(None, names)))


def _check_twice(names: Sequence[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ConfigurationError(
            f"--map and --set fill the property {twice[0]!r} twice; remove one of the two"
        )


def _shown(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _SHOWN:,} more" if len(columns) > _SHOWN else ""
    return f"the columns are {', '.join(map(repr, columns[:_SHOWN]))}{more}"


def _of_delimiter(columns: Sequence[str]) -> str:
    """Return what to do if a file was read with the wrong delimiter; nothing if it was not."""
    if (delimiter := _other_delimiter(columns)) is None:
        return ""
    name = "tab" if delimiter == "\t" else quoted(delimiter)
    return f"the file seems to have another delimiter: say --delimiter {name}"


def _other_delimiter(columns: Sequence[str]) -> str | None:
    """Return the delimiter that a file seems to use where it was read with another one; None if none does."""
    found = {delimiter: sum(delimiter in column for column in columns) for delimiter in _DELIMITERS}
    # In a comma, a single name may come before a first one.
    likely = [name for name, count in found.items() if count and (name != "," or len(columns) == 1)]
    return max(likely, key=lambda name: "".join(columns).count(name), default=None)


def _ids(value: object) -> Sequence[object]:
    match value:
        case None:
            return ()
        case str():
            return [part.strip() for part in value.split(";") if part.strip()]
        case list() | tuple():
            return value
        case _:
            return (value,)


def _values(cell: object) -> Sequence[object]:
    """Return the values in a cell. Text is one of them: a semicolon may be a part of it."""
    if isinstance(cell, list | tuple):
        return cell
    return () if cell is None or (isinstance(cell, str) and not cell.strip()) else (cell,)

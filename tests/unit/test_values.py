"""A Python value becomes the text that HubSpot takes for it, or a problem that says what to write instead."""

import enum
import time as clock
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hubspot_batch.contract._values import (
    Problem,
    PropertyValue,
    Unreadable,
    encode_id,
    encode_value,
    shortest_float,
)
from tests.conftest import case

SECRET = "s3cr3t-7261"

NONE = Problem("None does not clear a property", 'write "" to clear it, or leave the property out')
NOT_FINITE = Problem(
    "HubSpot takes neither NaN nor infinity as a number", 'leave the property out, or write ""'
)
TOO_LONG = Problem("the number has more than 400 digits", "write it as text")
NAIVE = Problem(
    "a datetime without a time zone names no instant",
    "give it one: value.replace(tzinfo=...) or datetime.now(UTC)",
)
NAIVE_NUMPY = NAIVE._replace(remedy='give it one: pandas.Timestamp(value, tz="UTC")')
NOT_A_TIME = Problem("NaT says that there is no value", 'leave the property out, or write "" to clear it')
NO_YEAR = Problem("the datetime has no year in UTC", "write it as text")
BAD_OPTION = Problem(
    "an option is empty, holds a semicolon or is itself a list",
    "write each option by its internal name",
)

EAST = timezone(timedelta(hours=1))
WEST = timezone(timedelta(hours=-1))


class Stage(enum.StrEnum):
    OPEN = "open"


class Kind(enum.IntEnum):
    CONTACT = 507


class Price(Decimal, enum.Enum):
    SMALL = "1.50"


class Share(float, enum.Enum):
    HALF = 0.5


class Day(date, enum.Enum):
    FIRST = (2026, 9, 1)


class Start(datetime, enum.Enum):
    FIRST = (2026, 9, 1, 8, 15, 0, 0, UTC)


class Colour(enum.Enum):
    RED = "red"


class Text(str):
    """What numpy and others hand over: it is a str, but not of the type str."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


class Number(float):
    def __repr__(self) -> str:
        return "Number(...)"


class NotATime(datetime):
    """What pandas puts where a time is missing: it is a datetime, and raises for most questions."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def utcoffset(self) -> timedelta | None:
        raise ValueError("NotATime does not support utcoffset")


class NAType:
    """What pandas puts where any value is missing: whether it equals itself, it does not tell."""

    def __eq__(self, other: object) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None  # type: ignore[assignment]


class Pair(NamedTuple):
    left: str
    right: str


class Shaped:
    """It has a shape, as an array has, but makes no list."""

    shape = (1,)


class BrokenZone(tzinfo):
    def utcoffset(self, _moment: datetime | None, /) -> timedelta | None:
        raise ValueError("no such zone")

    def dst(self, _moment: datetime | None, /) -> timedelta | None:
        return None

    def tzname(self, _moment: datetime | None, /) -> str | None:
        return None


def test_a_value_becomes_its_text() -> None:
    cases: list[tuple[object, str]] = [
        ("", ""),
        ("A-1001", "A-1001"),
        ("  kept as it is \n", "  kept as it is \n"),
        ("a;b", "a;b"),
        (Decimal("1." + "2" * 399), "1." + "2" * 399),
        ("\ud800", "\ud800"),
        (Text("x"), "x"),
        (Stage.OPEN, "open"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (10**30, "1000000000000000000000000000000"),
        (Kind.CONTACT, "507"),
        (0.1, "0.1"),
        (19.99, "19.99"),
        (10.0, "10"),
        (-0.0, "0"),
        (1e16, "10000000000000000"),
        (-1e16, "-10000000000000000"),
        (1e300, "1" + "0" * 300),
        (-2.5, "-2.5"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (123456789.123456789, "123456789.12345679"),
        (Number(2.5), "2.5"),
        (Number(1e16), "10000000000000000"),
        (Price.SMALL, "1.50"),
        (Share.HALF, "0.5"),
        (Day.FIRST, "2026-09-01"),
        (Start.FIRST, "2026-09-01T08:15:00.000Z"),
        ([Price.SMALL, Share.HALF], "1.50;0.5"),
        (Decimal("9.00"), "9.00"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-3"), "0.001"),
        (Decimal("-12345678901234567890.123456789"), "-12345678901234567890.123456789"),
        (date(2026, 9, 1), "2026-09-01"),
        (date(1, 1, 1), "0001-01-01"),
        (Decimal("1E+399"), "1" + "0" * 399),
        (datetime(2026, 9, 1, 8, 15, tzinfo=UTC), "2026-09-01T08:15:00.000Z"),
        (datetime(2026, 9, 1, 8, 15, 30, 123456, tzinfo=UTC), "2026-09-01T08:15:30.123Z"),
        (datetime(2026, 9, 1, 0, 30, tzinfo=EAST), "2026-08-31T23:30:00.000Z"),
        (datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")), "2026-07-01T10:00:00.000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
        (["a"], "a"),
        (["b", "a"], "b;a"),
        (
            ("a", 1, True, 2.5, Decimal("1.0"), date(2026, 9, 1), Stage.OPEN),
            "a;1;true;2.5;1.0;2026-09-01;open",
        ),
        ([], ""),
        ((), ""),
    ]
    for value, text in cases:
        with case(text):
            assert encode_value(value) == text
            assert type(encode_value(value)) is str


def test_a_scalar_of_numpy_becomes_the_text_that_it_shows() -> None:
    np = pytest.importorskip("numpy")
    texts = {
        "19.99": np.float32("19.99"),
        "0.1": np.float16("0.1"),
        "10000000000000000": np.float32("1e16"),
        "16777216": np.float32(16777216),
        "0": np.float32("-0.0"),
        "0.0000001": np.float32("1e-7"),
        "1.5": np.longdouble("1.5"),
        "3": np.float64(3),
        "-7": np.int64(-7),
        "7": np.uint8(7),
        "true": np.bool_(True),  # noqa: FBT003
        "a": np.str_("a"),
        "2026-09-01": np.datetime64("2026-09-01"),
        "19.99;5": [np.float32("19.99"), np.int8(5)],
    }

    assert [encode_value(value) for value in texts.values()] == list(texts)
    assert encode_id(np.int64(44001)) == "44001"


@pytest.mark.parametrize(
    ("size", "kind", "extremes"),
    [("e", "float16", ["1.2e-7", "65504"]), ("f", "float32", ["1e-45", "3.4028235e38", "16777216"])],
)
def test_the_shortest_text_of_a_float_is_that_of_its_own_size(
    size: Literal["e", "f"], kind: str, extremes: list[str]
) -> None:
    np = pytest.importorskip("numpy")
    texts = ["0.1", "19.99", "-2.5", "0", "6e-8", "0.33333334", "nan", *extremes]
    values = [np.dtype(kind).type(text) for text in texts]

    assert [encode_value(shortest_float(float(value), size)) for value in values] == list(
        map(encode_value, values)
    )
    assert shortest_float("0.1", size) == "0.1"


@pytest.mark.parametrize("size", ["e", "f"])
def test_a_float_that_its_size_does_not_hold_stays_as_it_is(size: Literal["e", "f"]) -> None:
    assert [shortest_float(value, size) for value in (0.1, 1e300, -1e300)] == [0.1, 1e300, -1e300]


def test_libraries_that_read_types_take_any_property_value() -> None:
    values = [1, "A-1001", 19.99, ["EUR", "USD"]]

    assert msgspec.convert(values, list[PropertyValue]) == values


def test_what_only_numpy_has_is_a_problem_with_a_remedy_that_fits() -> None:
    np = pytest.importorskip("numpy")

    def no_text(name: str, remedy: str = "write it as text") -> Problem:
        return Problem(f"a value of type numpy.{name} has no text that HubSpot takes", remedy)

    problems = [
        (np.float32("nan"), NOT_FINITE),
        (np.float32("-inf"), NOT_FINITE),
        (np.datetime64("NaT"), NOT_A_TIME),
        (np.datetime64("NaT", "D"), NOT_A_TIME),
        (np.timedelta64("NaT"), NOT_A_TIME),
        (np.datetime64("2026-09-01T08:15"), NAIVE_NUMPY),
        (np.timedelta64(1, "s"), no_text("timedelta64")),
        (np.complex64(1), no_text("complex64")),
        (np.array(["a", "b"]), no_text("ndarray", "write a list: value.tolist()")),
        (np.bytes_(b"a"), no_text("bytes_", "make text of it: value.decode()")),
        # It is of numpy, and neither a scalar nor an array.
        (np.add, no_text("ufunc")),
    ]

    assert [encode_value(value) for value, _ in problems] == [problem for _, problem in problems]
    assert encode_id(np.bool_(True)) == Problem(  # noqa: FBT003
        "a value of type numpy.bool is not an id", "write the id as text or as an int"
    )


@pytest.fixture
def _clock_of_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "JST-9")
    clock.tzset()
    yield
    monkeypatch.undo()
    clock.tzset()


@pytest.mark.posix
@pytest.mark.usefixtures("_clock_of_tokyo")
def test_the_text_of_an_instant_is_the_same_wherever_the_machine_is() -> None:
    assert encode_value(datetime(2026, 9, 1, 0, 30, tzinfo=EAST)) == "2026-08-31T23:30:00.000Z"


def test_what_has_no_text_is_a_problem_with_a_remedy() -> None:
    cases: list[tuple[object, Problem]] = [
        (None, NONE),
        (Unreadable(BAD_OPTION), BAD_OPTION),
        (float("nan"), NOT_FINITE),
        (float("inf"), NOT_FINITE),
        (float("-inf"), NOT_FINITE),
        (Decimal("NaN"), NOT_FINITE),
        (Decimal("sNaN"), NOT_FINITE),
        (Decimal("-Infinity"), NOT_FINITE),
        (10**400, TOO_LONG),
        (-(10**400), TOO_LONG),
        (1 << 1_000_000, TOO_LONG),
        (Decimal("1E+400"), TOO_LONG),
        (Decimal("1E+999999"), TOO_LONG),
        (Decimal("1E-999999"), TOO_LONG),
        (Decimal("1" * 401), TOO_LONG),
        (Decimal("0." + "1" * 401), TOO_LONG),
        (datetime(2026, 9, 1), NAIVE),  # noqa: DTZ001 - the fault under test
        (datetime.min.replace(tzinfo=EAST), NO_YEAR),
        (datetime.max.replace(tzinfo=WEST), NO_YEAR),
        ([""], BAD_OPTION),
        (["a", ""], BAD_OPTION),
        (["a;b"], BAD_OPTION),
        ([["a"]], BAD_OPTION),
        (["a", []], BAD_OPTION),
        ([("a",)], BAD_OPTION),
        ([None], NONE),
        (["a", float("nan")], NOT_FINITE),
        ([datetime(2026, 9, 1)], NAIVE),  # noqa: DTZ001 - the fault under test
        (NotATime(2026, 9, 1), NOT_A_TIME),
        (NAType(), Problem("NA says that there is no value", NOT_A_TIME.remedy)),
        (datetime(2026, 9, 1, tzinfo=BrokenZone()), NO_YEAR),
    ]
    for value, problem in cases:
        with case(type(value), problem):
            assert encode_value(value) == problem


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(10**399, id="smallest"),
        pytest.param(10**400 - 1, id="largest"),
        pytest.param(1 - 10**400, id="most-negative"),
        pytest.param(Decimal("9" * 400), id="decimal"),
    ],
)
def test_a_number_of_400_digits_is_not_too_long(number: int | Decimal) -> None:
    assert encode_value(number) == str(number)


def test_a_list_of_options_that_holds_itself_is_a_problem() -> None:
    options: list[object] = ["a"]
    options.append(options)
    assert encode_value(options) == BAD_OPTION


def test_a_value_of_another_type_has_a_remedy_that_fits_it() -> None:
    cases: list[tuple[object, str, str]] = [
        (b"bytes", "bytes", "make text of it: value.decode()"),
        (bytearray(b"bytes"), "bytearray", "make text of it: value.decode()"),
        ({"a"}, "set", "write a list"),
        (frozenset("a"), "frozenset", "write a list"),
        (Colour.RED, "Colour", "write its value: member.value"),
    ]
    for value, name, remedy in cases:
        with case(value, name, remedy):
            assert encode_value(value) == Problem(
                f"a value of type {name} has no text that HubSpot takes", remedy
            )


def test_a_value_of_another_type_is_a_problem_that_names_the_type() -> None:
    cases: list[tuple[object, str]] = [
        ({"a": "b"}, "dict"),
        (MappingProxyType({"a": "b"}), "mappingproxy"),
        (range(3), "range"),
        ((letter for letter in "ab"), "generator"),
        (1 + 2j, "complex"),
        (Fraction(1, 3), "Fraction"),
        (time(8, 15), "time"),
        (timedelta(days=1), "timedelta"),
        (uuid.UUID(int=1), "UUID"),
        (Pair("a", "b"), "Pair"),
        (clock.gmtime(0), "struct_time"),
        (Shaped(), "Shaped"),
        (object(), "object"),
        (str, "type"),
    ]
    for value, name in cases:
        with case(value, name):
            assert encode_value(value) == Problem(
                f"a value of type {name} has no text that HubSpot takes", "write it as text"
            )


def test_an_id_becomes_its_text() -> None:
    cases: list[tuple[object, str]] = [
        ("44001", "44001"),
        ("", ""),
        ("o'brien@example.com", "o'brien@example.com"),
        (Text("44001"), "44001"),
        (Stage.OPEN, "open"),
        (44001, "44001"),
        (0, "0"),
        (-1, "-1"),
        (2**70, "1180591620717411303424"),
        (Kind.CONTACT, "507"),
    ]
    for value, text in cases:
        with case(value, text):
            assert encode_id(value) == text
            assert type(encode_id(value)) is str


def test_what_is_not_an_id_is_a_problem() -> None:
    cases: list[tuple[object, str]] = [
        (None, "None is not an id"),
        (True, "a value of type bool is not an id"),
        (False, "a value of type bool is not an id"),
        (44001.0, "a value of type float is not an id"),
        (Decimal(44001), "a value of type Decimal is not an id"),
        (b"44001", "a value of type bytes is not an id"),
        (["44001"], "a value of type list is not an id"),
        ({"id": "44001"}, "a value of type dict is not an id"),
        (uuid.UUID(int=1), "a value of type UUID is not an id"),
    ]
    for value, problem in cases:
        with case(value, problem):
            assert encode_id(value) == Problem(problem, "write the id as text or as an int")


def test_an_id_of_too_many_digits_is_a_problem() -> None:
    assert encode_id(10**400) == TOO_LONG


def test_an_id_that_could_not_be_read_is_its_problem() -> None:
    assert encode_id(Unreadable(BAD_OPTION)) == BAD_OPTION


def test_a_problem_does_not_repeat_the_value() -> None:
    cases: list[object] = [
        [f"{SECRET};b"],
        [SECRET, ""],
        [[SECRET]],
        {SECRET: SECRET},
        SECRET.encode(),
        frozenset([SECRET]),
        Decimal("7261" * 200),
        int("7261" * 200),
    ]
    for value in cases:
        with case(type(value)):
            problem = encode_value(value)
            assert isinstance(problem, Problem)
            assert SECRET not in repr(problem)
            assert "7261" not in repr(problem)
            assert repr(encode_id([value])).count("7261") == 0

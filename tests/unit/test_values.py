"""A Python value becomes the text that HubSpot takes for it, or a problem that says what to write instead."""

import enum
import sys
import time as clock
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from hubspot_batch.values import Problem, wire_id, wire_text

SECRET = "s3cr3t-7261"

NONE = Problem("None does not clear a property", 'write "" to clear it, or leave the property out')
NOT_FINITE = Problem("NaN and infinity are no numbers to HubSpot", 'leave the property out, or write ""')
TOO_LONG = Problem("the number has more than 400 digits", "write it as text")
NAIVE = Problem(
    "a datetime without a time zone names no instant",
    "give it one: value.replace(tzinfo=...) or datetime.now(UTC)",
)
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

    def utcoffset(self) -> timedelta | None:
        raise ValueError("NotATime does not support utcoffset")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("A-1001", "A-1001"),
        ("  kept as it is \n", "  kept as it is \n"),
        ("a;b", "a;b"),
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
        (10.0, "10.0"),
        (-2.5, "-2.5"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (123456789.123456789, "123456789.12345679"),
        (Number(2.5), "2.5"),
        (Decimal("9.00"), "9.00"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-3"), "0.001"),
        (Decimal("-12345678901234567890.123456789"), "-12345678901234567890.123456789"),
        (date(2026, 9, 1), "2026-09-01"),
        (date(1, 1, 1), "0001-01-01"),
        pytest.param(Decimal("1E+399"), "1" + "0" * 399, id="decimal-of-400-digits"),
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
    ],
)
def test_a_value_becomes_its_text(value: object, text: str) -> None:
    assert wire_text(value) == text
    assert type(wire_text(value)) is str


@pytest.fixture
def _clock_of_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "JST-9")
    clock.tzset()
    yield
    monkeypatch.undo()
    clock.tzset()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has one time zone for all processes")
@pytest.mark.usefixtures("_clock_of_tokyo")
def test_the_text_of_an_instant_is_the_same_wherever_the_machine_is() -> None:
    assert wire_text(datetime(2026, 9, 1, 0, 30, tzinfo=EAST)) == "2026-08-31T23:30:00.000Z"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, NONE),
        (float("nan"), NOT_FINITE),
        (float("inf"), NOT_FINITE),
        (float("-inf"), NOT_FINITE),
        (Decimal("NaN"), NOT_FINITE),
        (Decimal("sNaN"), NOT_FINITE),
        (Decimal("-Infinity"), NOT_FINITE),
        pytest.param(10**400, TOO_LONG, id="int-of-401-digits"),
        pytest.param(-(10**400), TOO_LONG, id="negative-int-of-401-digits"),
        pytest.param(1 << 1_000_000, TOO_LONG, id="int-beyond-what-python-prints"),
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
    ],
)
def test_what_has_no_text_is_a_problem_with_a_remedy(value: object, problem: Problem) -> None:
    assert wire_text(value) == problem


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
    assert wire_text(number) == str(number)


def test_a_list_of_options_that_holds_itself_is_a_problem() -> None:
    options: list[object] = ["a"]
    options.append(options)
    assert wire_text(options) == BAD_OPTION


def test_a_datetime_that_is_not_a_time_is_a_problem() -> None:
    assert isinstance(wire_text(NotATime(2026, 9, 1)), Problem)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"bytes", "bytes"),
        (bytearray(b"bytes"), "bytearray"),
        ({"a": "b"}, "dict"),
        (MappingProxyType({"a": "b"}), "mappingproxy"),
        ({"a"}, "set"),
        (frozenset("a"), "frozenset"),
        (range(3), "range"),
        ((letter for letter in "ab"), "generator"),
        (1 + 2j, "complex"),
        (Fraction(1, 3), "Fraction"),
        (time(8, 15), "time"),
        (timedelta(days=1), "timedelta"),
        (uuid.UUID(int=1), "UUID"),
        (object(), "object"),
        (str, "type"),
    ],
)
def test_a_value_of_another_type_is_a_problem_that_names_the_type(value: object, name: str) -> None:
    assert wire_text(value) == Problem(
        f"a value of type {name} has no text that HubSpot takes", "write it as text"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
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
    ],
)
def test_an_id_becomes_its_text(value: object, text: str) -> None:
    assert wire_id(value) == text
    assert type(wire_id(value)) is str


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "None is no id"),
        (True, "a value of type bool is no id"),
        (False, "a value of type bool is no id"),
        (44001.0, "a value of type float is no id"),
        (Decimal(44001), "a value of type Decimal is no id"),
        (b"44001", "a value of type bytes is no id"),
        (["44001"], "a value of type list is no id"),
        ({"id": "44001"}, "a value of type dict is no id"),
        (uuid.UUID(int=1), "a value of type UUID is no id"),
    ],
)
def test_what_is_no_id_is_a_problem(value: object, problem: str) -> None:
    assert wire_id(value) == Problem(problem, "write the id as text or as an int")


def test_an_id_of_too_many_digits_is_a_problem() -> None:
    assert wire_id(10**400) == TOO_LONG


@pytest.mark.parametrize(
    "value",
    [
        [f"{SECRET};b"],
        [SECRET, ""],
        [[SECRET]],
        {SECRET: SECRET},
        SECRET.encode(),
        frozenset([SECRET]),
        Decimal("7261" * 200),
        pytest.param(int("7261" * 200), id="int"),
    ],
)
def test_a_problem_does_not_repeat_the_value(value: object) -> None:
    problem = wire_text(value)
    assert isinstance(problem, Problem)
    assert SECRET not in repr(problem)
    assert "7261" not in repr(problem)
    assert repr(wire_id([value])).count("7261") == 0

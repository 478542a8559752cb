"""The text of any value means the same, or there is a problem that does not repeat it."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from hubspot_batch.contract._values import Problem, encode_id, encode_value

DIGITS = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
LARGEST = 10**399

texts = st.text(st.characters(codec=None))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones)  # noqa: DTZ001 - bounds
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | texts
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.none() | zones)
    | st.times()
    | st.timedeltas()
    | st.complex_numbers()
    | st.fractions()
    | st.uuids(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(texts, inner)
        | st.dictionaries(texts, inner).map(MappingProxyType)
    ),
    max_leaves=5,
)


@given(texts)
def test_text_stays_as_it_is(text: str) -> None:
    assert encode_value(text) == text
    assert encode_id(text) == text


@given(st.integers(-LARGEST, LARGEST))
def test_an_int_becomes_its_digits(number: int) -> None:
    text = encode_value(number)
    assert isinstance(text, str)
    assert int(text) == number
    assert encode_id(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_becomes_digits_without_exponent_that_read_back_the_same(number: float) -> None:
    text = encode_value(number)
    assert isinstance(text, str)
    assert DIGITS.fullmatch(text)
    assert float(text) == number
    assert number.is_integer() == ("." not in text)


@given(decimals)
def test_a_decimal_becomes_digits_of_the_same_value(number: Decimal) -> None:
    text = encode_value(number)
    if isinstance(text, Problem):
        assert abs(number.adjusted()) > 300
        return
    assert DIGITS.fullmatch(text)
    assert Decimal(text) == number


@given(st.dates())
def test_a_date_reads_back_the_same(day: date) -> None:
    text = encode_value(day)
    assert isinstance(text, str)
    assert date.fromisoformat(text) == day


@given(instants)
def test_an_aware_datetime_becomes_the_same_instant_in_utc_with_milliseconds(instant: datetime) -> None:
    text = encode_value(instant)
    assert isinstance(text, str)
    assert INSTANT.fullmatch(text)
    lost = instant.astimezone(UTC) - datetime.fromisoformat(text)
    assert timedelta(0) <= lost < timedelta(milliseconds=1)


@given(st.datetimes())
def test_a_naive_datetime_is_always_a_problem(moment: datetime) -> None:
    problem = encode_value(moment)
    assert isinstance(problem, Problem)
    assert problem.problem == "a datetime without a time zone names no instant"


@given(st.lists(st.text(st.characters(exclude_characters=";"), min_size=1), min_size=1))
def test_options_split_at_semicolons_are_the_options(options: list[str]) -> None:
    text = encode_value(options)
    assert isinstance(text, str)
    assert text.split(";") == options
    assert encode_value(tuple(options)) == text


@given(anything)
def test_any_value_has_a_text_or_a_problem_that_says_what_to_write(value: object) -> None:
    for outcome in (encode_value(value), encode_id(value)):
        if isinstance(outcome, Problem):
            assert outcome.problem
            assert outcome.remedy
        else:
            assert type(outcome) is str


@given(anything, st.sampled_from([list, tuple]))
def test_a_problem_never_repeats_a_value(
    value: object, kind: type[list[object]] | type[tuple[object, ...]]
) -> None:
    secret = "s3cr3t-7261"
    for holder in (kind([secret, "", value]), {secret: value}, {"a": [secret, value]}, secret.encode()):
        problem = encode_value(holder)
        assert isinstance(problem, Problem)
        assert secret not in repr(problem)

"""What the text of a cell is for HubSpot."""

import time
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from hubspot_batch.cli._cells import (
    DECIMALS,
    KINDS,
    NO_OF_PROGRAMS,
    YES_OF_PROGRAMS,
    CellRule,
    Choice,
    Kind,
    convert,
)
from hubspot_batch.cli._dates import date_format
from hubspot_batch.contract import Problem
from hubspot_batch.errors import ConfigurationError

BERLIN = ZoneInfo("Europe/Berlin")


def read(value: object, kind: str | None = None, dates: Sequence[str] = (), **rule: Any) -> object:  # noqa: ANN401
    """Return what a cell becomes; of a problem, its words."""
    given: Any = {"kind": kind, "dates": tuple(map(date_format, dates)), **rule}
    result = convert(value, CellRule(**given))
    if isinstance(result, Problem):
        if len(str(value)) > 2:
            assert str(value) not in f"{result.problem} {result.remedy}"
        return f"{result.problem}; {result.remedy}"
    return result


def refused(value: object, *arguments: Any, words: str, **rule: Any) -> bool:  # noqa: ANN401
    result = str(read(value, *arguments, **rule))
    return words in result and "; " in result


class TestNumber:
    def test_with_a_decimal_comma(self) -> None:
        written = {
            "1.234": "1234",
            "1.234,50": "1234.50",
            "1.234.567,8": "1234567.8",
            "12,5": "12.5",
            "0,05": "0.05",
            ",5": "0.5",
            "7": "7",
            "-3,20": "-3.20",
            "3,20-": "-3.20",
            "3 -": "-3",
            ",5-": "-0.5",
            "\u22123": "-3",
            "+4": "+4",
            " 12,50\u00a0": "12.50",
            "1 234,5": "1234.5",
            "1\u202f234,5": "1234.5",
            "1'234,50": "1234.50",
            "1\u2019234,50": "1234.50",
            "1\u2007234\u2007567": "1234567",
            "1\u2009234": "1234",
            "1\u00a0234": "1234",
            "\ufeff\u200b 7": "7",
            "100.000": "100000",
            "12,": "12",
            "1e-05": "0.00001",
        }

        assert {text: read(text, "number", decimal=",") for text in written} == written

    @pytest.mark.parametrize(
        "text",
        ["1.23", "12.5", "1.2345", "12.34.567", "0.123", "1.234'567", "1,2,3", "1.234,5.6", "1234.567"],
    )
    def test_a_separator_where_none_belongs_is_refused(self, text: str) -> None:
        assert refused(text, "number", decimal=",", words="comma") or refused(
            text, "number", decimal=",", words="not a number"
        )

    def test_with_a_decimal_point(self) -> None:
        written = {"1,234": "1234", "1,234.50": "1234.50", "1'234.50": "1234.50", "0.5": "0.5", ".5": "0.5"}

        assert {text: read(text, "number", decimal=".") for text in written} == written
        assert refused("12,5", "number", decimal=".", words="a comma where no thousands end")

    def test_without_either_only_what_hubspot_takes(self) -> None:
        written = {"1.234": "1.234", "12": "12", " 7.0 ": "7.0", ".5": ".5", "1e+16": "10000000000000000"}

        assert {text: read(text, "number") for text in written} == written
        for text in ("12,5", "1,234", "1.234,5", "1'234"):
            assert refused(text, "number", words="--decimal")

    @pytest.mark.parametrize(
        "text",
        [
            "nine",
            "-",
            "--3",
            "1 2",
            "12 EUR",
            "²",
            "٣",
            "0x10",
            "1_000",
            "nan",
            "€",
            "1X234",
            "XXXX5",
            "\u0661e+05",
        ],
    )
    @pytest.mark.parametrize("decimal", [",", None])
    def test_what_is_not_a_number(self, text: str, decimal: str | None) -> None:
        assert refused(text, "number", decimal=decimal, words=";")

    def test_a_unit(self) -> None:
        written = {"12,50 €": "12.50", "€ 12,50": "12.50", "12,50€": "12.50", "12,50": "12.50"}

        assert {text: read(text, "number", decimal=",", unit="€") for text in written} == written
        assert refused("12,50 €", "number", decimal=",", words="name it in a mapping file")

    def test_thousands_that_are_told(self) -> None:
        assert read("1'234.5", "number", thousands="'") == "1234.5"
        assert refused("1.234", "number", decimal=",", thousands="'", words="point")

    def test_digits_that_a_spreadsheet_has_lost(self) -> None:
        for kind in ("number", "string"):
            assert refused("1,23457E+12", kind, mends=True, words="last digits are lost")


class TestDate:
    def test_formats(self) -> None:
        written = {
            ("dd.mm.yyyy", "1.9.2026"): "2026-09-01",
            ("%d.%m.%Y", "01.09.2026"): "2026-09-01",
            ("mm/dd/yy", "9/1/26"): "2026-09-01",
            ("dd/mm/yy", "31/12/69"): "1969-12-31",
            ("yyyymmdd", "20260901"): "2026-09-01",
            ("d. mmmm yyyy", "1. März 2026"): "2026-03-01",
            ("dd-mmm-yy", "01-SEP-26"): "2026-09-01",
            ("excel", "46266"): "2026-09-01",
            ("seconds", "1788220800"): "2026-09-01",
            ("dd.mm.yyyy", "2026-09-01"): "2026-09-01",
            ("dd.mm.yyyy", "2026-09-01 00:00:00"): "2026-09-01",
            ("dd.mm.yyyy 100%%", "01.09.2026 100%"): "2026-09-01",
        }

        assert {key: read(key[1], "date", [key[0]]) for key in written} == written

    def test_times(self) -> None:
        written = {
            ("dd.mm.yyyy HH:MM", "01.09.2026 14:05"): "2026-09-01T12:05:00.000Z",
            ("dd.MM.yyyy HH:mm:ss", "01.02.2026\u00a014:05:09"): "2026-02-01T13:05:09.000Z",
            ("%Y-%m-%dT%H:%M:%S.%f%z", "2026-09-01T14:05:09.12+0530"): "2026-09-01T08:35:09.120Z",
            ("dd.mm.yyyy HH:MM:SSz", "01.09.2026 14:05:09-04:00"): "2026-09-01T18:05:09.000Z",
            ("dd.mm.yyyy HH:MMz", "01.09.2026 14:05Z"): "2026-09-01T14:05:00.000Z",
            ("mm/dd/yyyy hh:mm am/pm", "9/1/2026 12:05 AM"): "2026-08-31T22:05:00.000Z",
            ("%m/%d/%Y %I:%M %p", "9/1/2026 02:05 p.m."): "2026-09-01T12:05:00.000Z",
            ("dd.mm.yyyy HH:MM 'Uhr'", "01.09.2026 14:05 Uhr"): "2026-09-01T12:05:00.000Z",
            ("yyyymmddhhmmss", "20260901140509"): "2026-09-01T12:05:09.000Z",
            ("yyyy-mm-ddThh:mm", "2026-09-01T14:05"): "2026-09-01T12:05:00.000Z",
            ("excel", "46266.5"): "2026-09-01T10:00:00.000Z",
            ("dd.mm.yyyy", "01.09.2026"): "2026-08-31T22:00:00.000Z",
            ("dd.mm.yyyy", "2026-09-01T14:05:00+02:00"): "2026-09-01T12:05:00.000Z",
        }

        assert {key: read(key[1], "datetime", [key[0]], zone=BERLIN) for key in written} == written

    def test_what_the_format_does_not_have(self) -> None:
        for text in ("31.02.2026", "09/01/2026", "1.9.26", "46266", "01.09.2026 14:05", "soon"):
            assert refused(text, "date", ["dd.mm.yyyy"], words="; ")
        assert refused("1. Brumaire 2026", "date", ["d. mmmm yyyy"], words="d. mmmm yyyy")
        assert refused("9/1/2026 13:05 PM", "datetime", ["mm/dd/yyyy hh:mm am/pm"], words="mm/dd/yyyy")
        # A format that begins with the year decides alone.
        assert refused("2026-13-01", "date", ["yyyy-mm-dd"], words="yyyy-mm-dd")
        assert refused("2026-01-13", "date", ["yyyy-dd-mm"], words="yyyy-dd-mm")

    def test_two_meanings(self) -> None:
        formats = ["dd/mm/yyyy", "mm/dd/yyyy"]

        assert read("31/12/2026", "date", formats) == "2026-12-31"
        assert read("12/31/2026", "date", formats) == "2026-12-31"
        assert read("5/5/2026", "date", formats) == "2026-05-05"
        assert refused("1/9/2026", "date", formats, words="more than one meaning")

    def test_without_a_format(self) -> None:
        assert read("2026-09-01", "date") == "2026-09-01"
        assert read("2026-09-01 08:15", "datetime", zone=BERLIN) == "2026-09-01T06:15:00.000Z"
        assert read("2026-09-01 08:15:00 +02:00", "datetime") == "2026-09-01T06:15:00.000Z"
        for text in ("01.09.2026", "2026-02-30", "2026-09-01T25:00Z"):
            assert refused(text, "date", words="--date-format")

    def test_a_number_where_it_is_clear_what_it_counts(self) -> None:
        assert read("46266", "date") == "2026-09-01"
        assert read("46266.0", "date") == "2026-09-01"
        assert read("46266,25", "datetime", zone=BERLIN) == "2026-09-01T04:00:00.000Z"
        assert read("1788220800", "datetime") == "2026-09-01T00:00:00.000Z"
        assert read("1788220800000", "datetime") == "2026-09-01T00:00:00.000Z"
        assert read("1788220800000", "date") == "2026-09-01"
        assert read("631152000000", "datetime") == "1990-01-01T00:00:00.000Z"

    @pytest.mark.parametrize("text", ["0", "7", "2026", "20260901", "-5", "12345678901", "9" * 30])
    @pytest.mark.parametrize("checked", [True, False])
    def test_a_number_that_would_be_1970_is_refused(self, text: str, *, checked: bool) -> None:
        for kind in ("date", "datetime"):
            assert refused(text, kind, checked=checked, words="--date-format excel")

    def test_a_day_with_a_time(self) -> None:
        assert refused("2026-09-01 08:15", "date", words="this has a time")

    def test_a_time_without_a_zone(self) -> None:
        assert refused("2026-09-01 08:15", "datetime", words="--timezone")
        assert read("2026-09-01", "datetime") == "2026-09-01"
        assert refused("0001-01-01 00:00", "datetime", zone=BERLIN, words="no year in UTC")

    def test_an_hour_that_the_clock_skips_or_repeats(self) -> None:
        assert refused("2026-03-29 02:30", "datetime", zone=BERLIN, words="the clock skips that hour")
        assert read("2026-03-29 03:00", "datetime", zone=BERLIN) == "2026-03-29T01:00:00.000Z"
        assert read("2026-10-25 02:30", "datetime", zone=BERLIN) == "2026-10-25T00:30:00.000Z"
        # In Cairo this day began at one o'clock.
        assert read("2026-04-24", "datetime", zone=ZoneInfo("Africa/Cairo")) == "2026-04-23T22:00:00.000Z"

    def test_numbers_that_count_nothing(self) -> None:
        assert refused("60", "date", ["excel"], words="a number is not a date")
        assert refused("9" * 12, "date", ["excel"], words="a number is not a date")
        assert refused("9" * 30, "date", ["seconds"], words="a number is not a date")
        assert refused(
            "soon", "date", ["excel", "seconds"], words="not a date that is written excel or seconds"
        )

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ("dd.mm", "has no year"),
            ("mm.yyyy", "has no day"),
            ("dd.mm.yyyy.yy", "more than one year"),
            ("dd.mm.yyyy HH:HH", "a part twice"),
            ("dd.mm.yyyy am/pm", "has no hour"),
            ("dd.mm.yyy", "'yyy' in the date format"),
            ("%d.%m.%Q", "'%Q' in the date format"),
            ("tomorrow", "has no meaning"),
            ("", "has no day"),
        ],
    )
    def test_what_is_not_a_format(self, form: str, words: str) -> None:
        with pytest.raises(ConfigurationError, match=words):
            date_format(form)


class TestBool:
    def test_the_words_of_people_and_programs(self) -> None:
        yes = (
            "TRUE",
            "True",
            "1",
            "1.0",
            " WAHR ",
            "Vrai",
            "verdadero",
            "VERO",
            "Yes",
            "Ja",
            "oui",
            "si",
            "SÍ",
        )
        no = ("FALSE", "False", "0", "0.0", "falsch", "FAUX", "Falso", "No", "NEIN", "non")

        assert {text: read(text, "bool") for text in yes} == dict.fromkeys(yes, "true")
        assert {text: read(text, "bool") for text in no} == dict.fromkeys(no, "false")
        assert refused("maybe", "bool", words="neither yes nor no")

    def test_programs_write_some_of_them(self) -> None:
        assert {"true", "1", "1.0", "wahr", "vrai", "verdadero", "vero"} == YES_OF_PROGRAMS
        assert {"false", "0", "0.0", "falsch", "faux", "falso"} == NO_OF_PROGRAMS

    def test_words_that_are_told_are_the_only_ones(self) -> None:
        words: dict[str, Any] = {"yes": {"x"}, "no": {"-"}}

        assert [read(text, "bool", **words) for text in ("X", "-", "True", "False")] == [
            *("true", "false", "true", "false")
        ]
        assert refused("ja", "bool", **words, words="write x or -")


PIPELINE = (Choice("p1", "Shop"), Choice("p2", "Outlet"), Choice("p3", "outlet"), Choice("7", "Seven"))


class TestEnumeration:
    def test_a_value_or_the_label_of_one_value(self) -> None:
        written = {"p1": "p1", "Shop": "p1", " sHOP": "p1", "Outlet": "p2", "outlet": "p3", "7.0": "7"}

        assert {text: read(text, "enumeration", choices=PIPELINE) for text in written} == written

    def test_a_label_of_two_values_is_refused(self) -> None:
        assert refused(
            "OUTLET", "enumeration", choices=PIPELINE, words="write the value that is meant: p2, p3"
        )

    def test_an_option_that_is_not_there(self) -> None:
        assert refused("Shopp", "enumeration", choices=PIPELINE, words="did you mean p1 (Shop)?")
        for text in ("zzz", "9.0", "p1zz"):
            assert refused(text, "enumeration", choices=PIPELINE, words="p1 (Shop), p2 (Outlet), p3 (outlet)")
        many = [Choice(str(number), str(number)) for number in range(14)]
        assert refused("zzz", "enumeration", choices=many, words="8, 9 and 4 more")
        assert read("zzz", "enumeration", choices=PIPELINE, checked=False) == "zzz"

    def test_several(self) -> None:
        assert read(";Shop; 7", "enumeration", choices=PIPELINE, several=True) == ";p1;7"
        assert refused("Shop;zzz", "enumeration", choices=PIPELINE, several=True, words="not an option")
        assert refused("Shop;7", "enumeration", choices=PIPELINE, words="not an option")

    def test_without_options_it_stays_as_it_is(self) -> None:
        assert read(" Shop ", "enumeration") == "Shop"

    def test_words_of_the_file(self) -> None:
        words = {"Laden": "p1"}

        assert read("Laden", "enumeration", words=words, choices=PIPELINE) == "p1"
        assert read("Laden;Seven", "enumeration", words=words, choices=PIPELINE, several=True) == "p1;7"
        assert read("Outlet", "enumeration", words=words, choices=PIPELINE) == "p2"
        assert "add it to its options" in str(read("Garage", "enumeration", words=words))
        assert read("Laden", "string", words=words) == "p1"
        assert read("Garage", "string", words=words) == "Garage"


class TestText:
    def test_a_whole_number_that_became_a_float(self) -> None:
        assert read("1001.0", "string", mends=True) == "1001"
        assert read("1001.0", "string") == "1001.0"
        assert read(Decimal("1001.0"), "string", mends=True) == "1001"
        others = ("1001.50", "01.0", "1.0.0", "v1.0", '="a"&"b"', '="', "1\u0660.0", "\u0661E+12")
        for text in others:
            assert read(text, "string", mends=True) == text

    def test_a_text_that_stands_in_a_formula(self) -> None:
        assert read('="00123"', "string", mends=True) == "00123"
        assert read('="00123"', "string") == '="00123"'

    def test_blanks(self) -> None:
        assert read(" a\u00a0", "string") == " a\u00a0"
        assert read("\ufeff a\u00a0", "string", trim=True) == "a"
        assert read("\ufeffXaX\u200b", "string", trim=True) == "XaX"
        assert read(" a ", None) == " a "
        assert read(" +49 (30) 1 ", "phone_number") == " +49 (30) 1 "

    def test_empty_cells(self) -> None:
        assert read("", "string") is None
        assert read("", "string", clear=True) == ""
        assert read("\u00a0 ", "string", trim=True) is None
        assert read(" NULL ", "string", null={"NULL"}) is None
        assert read("NULLS", "string", null={"NULL"}) == "NULLS"
        assert read("n/a", "number", null={"n/a"}, clear=True) == ""
        assert read(None, "string") is None
        assert read(None, "string", clear=True) == ""


class TestTyped:
    def test_a_value_with_a_type_stays_as_it_is(self) -> None:
        for value in (7, 7.5, True, Decimal("1.5"), date(2026, 9, 1), ["a"]):
            assert read(value, "number") is value
        moment = datetime(2026, 9, 1, tzinfo=BERLIN)
        assert read(moment, "datetime") is moment
        assert read(float("nan"), "date") != read(float("nan"), "date")
        assert read(Decimal("NaN"), "string") is not None

    def test_a_number_in_a_date_is_read(self) -> None:
        assert read(46266, "date") == "2026-09-01"
        assert read(1788220800, "datetime") == "2026-09-01T00:00:00.000Z"
        assert refused(7, "datetime", words="1970")


@pytest.mark.posix
def test_a_moment_is_written_in_utc_wherever_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert read("2026-09-01 08:15 +02:00", "datetime") == "2026-09-01T06:15:00.000Z"
    time.tzset()


def test_a_text_stays_as_it_is_where_nothing_is_known_of_its_property() -> None:
    assert convert(" 1.0 ", CellRule()) == " 1.0 "
    assert convert("2026-09-01", CellRule(kind="date")) == "2026-09-01"


def test_a_mapping_may_name_each_kind_and_both_separators() -> None:
    assert get_args(Kind) == KINDS
    assert DECIMALS == (".", ",")


def test_what_is_not_checked_is_left_to_hubspot() -> None:
    assert read("\u0664\u0666", "date", checked=False) == "\u0664\u0666"
    for kind, text in (("number", "nine"), ("bool", "maybe"), ("datetime", "01.09.2026"), ("date", "soon")):
        assert read(text, kind, checked=False) == text
    assert read("2026-09-01T08:15:00Z", "datetime", checked=False) == "2026-09-01T08:15:00Z"
    assert read(" TRUE", "bool", checked=False) == "true"


LOST = "a spreadsheet has shortened a long number, and its last digits are lost"
NOT_A_NUMBER = (
    "this is not a number; correct it; where it means that there is no value, say so with --null; "
    "where a unit stands beside each number, name it in a mapping file"
)
SEPARATORS = "0 1\u00a02\u20073\u20094\u202f5'6\u20197.8,9"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("1,2E+12", {"kind": "number"}, f"{LOST}; format the column as a number there, and save the file again"),
    (
        "1.2E+12",
        {"kind": "string", "mends": True},
        f"{LOST}; format the column as text or as a number without decimals there, and save the file again",
    ),
    (
        "1.234,5",
        {"kind": "number"},
        (
            "the number has separators that HubSpot does not take; "
            "say which one stands before the decimals: --decimal , (or --decimal .)"
        ),
    ),
    (
        SEPARATORS,
        {"kind": "number"},
        (
            "the number has separators that HubSpot does not take; "
            "say which one stands before the decimals: --decimal , (or --decimal .)"
        ),
    ),
    ("1X2", {"kind": "number"}, NOT_A_NUMBER),
    *(
        (
            text,
            {"kind": "number", "decimal": decimal},
            (
                f"the number has a {wrong} where no thousands end, and the decimals stand behind a {right}; "
                "correct the number, or say what separates decimals and thousands in this column"
            ),
        )
        for text, decimal, wrong, right in (
            ("12,5", ".", "comma", "point"),
            ("12.5", ",", "point", "comma"),
            ("+1.2,5", ",", "point", "comma"),
            (SEPARATORS, ",", "point", "comma"),
        )
    ),
    ("nine", {"kind": "number"}, NOT_A_NUMBER),
    ("nine,5", {"kind": "number", "decimal": "."}, NOT_A_NUMBER),
    (
        "maybe",
        {"kind": "bool", "yes": {"x", "ok"}, "no": {"-", "nope"}},
        (
            "this is neither yes nor no; write ok, x or -, nope, "
            "or name the words of the file under yes and no of a mapping file"
        ),
    ),
    (
        "2026-09-01 08:15",
        {"kind": "date"},
        (
            "the property is a day, and this has a time; "
            "write the day only, or map the column to a property of type datetime"
        ),
    ),
    (
        "2026-09-01 08:15",
        {"kind": "datetime"},
        "a datetime without a time zone names no instant; say which one is meant: --timezone Europe/Berlin",
    ),
    (
        "2026-03-29 02:30",
        {"kind": "datetime", "zone": BERLIN},
        (
            "there is no such time in this time zone: the clock skips that hour; "
            "correct it, or say in which time zone the file is written: --timezone UTC for example"
        ),
    ),
    (
        "9999-12-31 23:59:59-01:00",
        {"kind": "datetime"},
        "the datetime has no year in UTC; correct it",
    ),
    (
        "1/9/2026",
        {"kind": "date", "dates": ["dd/mm/yyyy", "mm/dd/yyyy"]},
        "the date has more than one meaning in the formats that are told; leave out one of them",
    ),
    (
        "777",
        {"kind": "date"},
        (
            "a number is not a date: HubSpot would count milliseconds from 1970; say what it counts: "
            "--date-format excel, seconds or milliseconds, or yyyymmdd for example"
        ),
    ),
    (
        "soon",
        {"kind": "date", "dates": ["dd/mm/yyyy", "excel"]},
        "this is not a date that is written dd/mm/yyyy or excel; correct it, or add its format",
    ),
    (
        "soon",
        {"kind": "date"},
        (
            "this is not a date that HubSpot takes; say how dates are written: "
            "--date-format dd.mm.yyyy, dd.mm.yyyy HH:MM, mm/dd/yyyy or %d.%m.%Y"
        ),
    ),
    (
        "Garage",
        {"kind": "enumeration", "words": {"Laden": "p1", "Halle": "p2"}},
        "the mapping has no value for this option; add it to its options, which are Laden, Halle",
    ),
    (
        "OUTLET",
        {"kind": "enumeration", "choices": PIPELINE},
        "2 options have this label; write the value that is meant: p2, p3",
    ),
    (
        "Shopp",
        {"kind": "enumeration", "choices": PIPELINE},
        "this is not an option of the property; did you mean p1 (Shop)?",
    ),
    (
        "Shopp",
        {"kind": "enumeration", "choices": [Choice("Shopping", "Shopping"), Choice("Shop", "Shop")]},
        "this is not an option of the property; did you mean Shop?",
    ),
    (
        "Zzz",
        {"kind": "enumeration", "choices": [Choice("9", "9"), *PIPELINE]},
        (
            "this is not an option of the property; "
            "its options are 9, p1 (Shop), p2 (Outlet), p3 (outlet), 7 (Seven)"
        ),
    ),
    *(
        (
            "Zzz",
            {"kind": "enumeration", "choices": [Choice(str(number), str(number)) for number in range(count)]},
            "this is not an option of the property; its options are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" + more,
        )
        for count, more in ((10, ""), (11, " and 1 more"), (1_010, " and 1,000 more"))
    ),
]


@pytest.mark.parametrize(("text", "rule", "words"), REFUSED)
def test_a_refusal_says_what_is_wrong_and_what_helps(text: str, rule: dict[str, Any], words: str) -> None:
    assert read(text, **rule) == words

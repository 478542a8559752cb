"""What a text means in a format of dates, and which texts are formats."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from hubspot_batch.cli._dates import DateFormat, Moment, date_format, read_count, read_date, read_iso
from hubspot_batch.errors import ConfigurationError
from tests.conftest import case

EXAMPLES = "dd.mm.yyyy, dd.mm.yyyy HH:MM, mm/dd/yyyy or %d.%m.%Y"


def at(*parts: int) -> datetime:
    """Return a day with a time that has no zone."""
    year, month, day, *rest = parts
    return datetime.combine(date(year, month, day), datetime.min.time()) + timedelta(
        **dict(zip(("hours", "minutes", "seconds", "microseconds"), rest, strict=False))
    )


def in_zone(moment: datetime, hours: float) -> datetime:
    return moment.replace(tzinfo=timezone(timedelta(hours=hours)))


def check(form: str, texts: Mapping[str, Moment | None]) -> None:
    known = date_format(form)
    for text, moment in texts.items():
        with case(form, text):
            found = known.read(text)
            assert found == moment
            # Python holds a day and its midnight apart, but not two zones.
            assert type(found) is type(moment)
            assert getattr(found, "tzinfo", None) == getattr(moment, "tzinfo", None)


NAMES = (
    "jan january januar jänner",
    "feb february februar",
    "mar march mär märz mrz",
    "apr april",
    "may mai",
    "jun june juni",
    "jul july juli",
    "aug august",
    "sep sept september",
    "oct october okt oktober",
    "nov november",
    "dec december dez dezember",
)


def test_months_have_names_in_english_and_german() -> None:
    for form in ("d mmm yyyy", "d mmmm yyyy", "%d %b %Y", "%d %B %Y"):
        for number, names in enumerate(NAMES, 1):
            texts = [text for name in names.split() for text in (name, name.title(), f"{name.upper()}.")]
            check(form, {f"7 {text} 2026": date(2026, number, 7) for text in texts})
    check("d. mmmm yyyy", {"7. Brumaire 2026": None, "7. 5 2026": None, "7. _may 2026": None})


def test_each_part_is_written_with_letters_or_as_python_has_it() -> None:
    for form, text, moment in (
        ("d.m.yyyy", "7.3.2026", date(2026, 3, 7)),
        ("dd.mm.yy", "07.03.26", date(2026, 3, 7)),
        ("D/M/YYYY", "7/3/2026", date(2026, 3, 7)),
        ("dd-mm-yyyy", "7-3-2026", date(2026, 3, 7)),
        ("%d.%m.%y", "7.3.26", date(2026, 3, 7)),
        ("%Y-%m-%d", "2026-3-7", date(2026, 3, 7)),
        ("yyyy-mm-dd h:m:s", "2026-3-7 4:5:6", at(2026, 3, 7, 4, 5, 6)),
        ("yyyy-mm-dd hh:mm:ss", "2026-03-07 04:05:06", at(2026, 3, 7, 4, 5, 6)),
        ("%Y-%m-%d %H:%M:%S", "2026-03-07 23:05:06", at(2026, 3, 7, 23, 5, 6)),
        ("%Y-%m-%d %I:%M %p", "2026-03-07 11:05 pm", at(2026, 3, 7, 23, 5)),
        ("%Y-%m-%d %H:%M:%S.%f", "2026-03-07 04:05:06.5", at(2026, 3, 7, 4, 5, 6, 500_000)),
        ("yyyy-mm-dd HH:MM:SS.fff", "2026-03-07 04:05:06.1234567", at(2026, 3, 7, 4, 5, 6, 123_456)),
        ("%Y-%m-%d %H%z", "2026-03-07 04+0530", in_zone(at(2026, 3, 7, 4), 5.5)),
        ("yyyy-mm-dd HHzzz", "2026-03-07 04-03:30", in_zone(at(2026, 3, 7, 4), -3.5)),
        ("yyyy-mm-dd HH:MM Z", "2026-03-07 04:05 Z", in_zone(at(2026, 3, 7, 4, 5), 0)),
        # A month stands for the minute behind an hour or before a second.
        ("HH:MM dd.mm.yyyy", "04:05 07.03.2026", at(2026, 3, 7, 4, 5)),
        ("%H:mm dd.mm.yyyy", "04:05 07.03.2026", at(2026, 3, 7, 4, 5)),
        ("%I:mm tt dd.mm.yyyy", "04:05 PM 07.03.2026", at(2026, 3, 7, 16, 5)),
        ("dd.mm.yyyy mm:ss hh", "07.03.2026 05:06 04", at(2026, 3, 7, 4, 5, 6)),
        # Other words stand in quotes; what is not a letter stands for itself.
        ("'on' d.m.yyyy 'at' h", "on 7.3.2026 at 4", at(2026, 3, 7, 4)),
        ("yyyy-mm-ddThh:mm", "2026-03-07T04:05", at(2026, 3, 7, 4, 5)),
        ("%Y-%m-%dT%H:%M", "2026-03-07T04:05", at(2026, 3, 7, 4, 5)),
        ("(d.m.yyyy) 7%%", "(7.3.2026) 7%", date(2026, 3, 7)),
        ("d.m.''yyyy", "7.3.2026", date(2026, 3, 7)),
        ("d. m. yyyy", "7.  3.\t2026", date(2026, 3, 7)),
        # Digits that nothing separates have a fixed number.
        ("yyyymmdd", "20260307", date(2026, 3, 7)),
        ("ddmmyy", "070326", date(2026, 3, 7)),
        ("yyyymmddhhmmss", "20260307040506", at(2026, 3, 7, 4, 5, 6)),
        ("d.m.yyyy ham/pm", "7.3.2026 4pm", at(2026, 3, 7, 16)),
    ):
        check(form, {text: moment, f"{text}x": None, f"x{text}": None, "": None})


def test_digits_that_nothing_separates_are_not_guessed() -> None:
    check("yyyymmdd", {"2026307": None, "202637": None, "2026037": None})
    check("ddmm.yyyy", {"703.2026": None, "073.2026": None, "0703.2026": date(2026, 3, 7)})
    check("d.m.yyyy hmm", {"7.3.2026 405": None, "7.3.2026 0405": at(2026, 3, 7, 4, 5)})
    check("dd.mm.yyyy", {"07x03x2026": None, "\u06607.03.2026": None})
    check("d. mmmm yyyy hh:mm", {"7. März 2026 4:5": at(2026, 3, 7, 4, 5)})


def test_what_does_not_exist_is_not_read() -> None:
    check("d.m.yyyy", {"31.2.2026": None, "0.1.2026": None, "1.13.2026": None, "1.0.2026": None})
    check("d.m.yyyy", {"29.2.2024": date(2024, 2, 29), "29.2.2025": None, "1.1.0000": None})
    check("d.m.yyyy hh:mm:ss", {"1.1.2026 24:00:00": None, "1.1.2026 23:60:00": None})
    check("d.m.yyyy hh:mm:ss", {"1.1.2026 23:59:60": None, "1.1.2026 23:59:59": at(2026, 1, 1, 23, 59, 59)})
    check(
        "d.m.yyyy hhz",
        {"1.1.2026 23+99:00": None, "1.1.2026 23+2359": in_zone(at(2026, 1, 1, 23), 24 - 1 / 60)},
    )


def test_two_digits_of_a_year_are_those_from_1969_to_2068() -> None:
    check("d.m.yy", {"1.1.69": date(1969, 1, 1), "1.1.68": date(2068, 1, 1), "1.1.00": date(2000, 1, 1)})
    check("d.m.yy", {"1.1.99": date(1999, 1, 1), "1.1.2026": None})


def test_hours_of_a_dial_have_a_half() -> None:
    for form in ("m/d/yyyy h am/pm", "m/d/yyyy h tt", "m/d/yyyy h a", "m/d/yyyy h AM/PM", "%m/%d/%Y %I %p"):
        check(
            form,
            {
                "3/7/2026 12 AM": at(2026, 3, 7),
                "3/7/2026 1 am": at(2026, 3, 7, 1),
                "3/7/2026 11 a.m.": at(2026, 3, 7, 11),
                "3/7/2026 12 PM": at(2026, 3, 7, 12),
                "3/7/2026 1 pm": at(2026, 3, 7, 13),
                "3/7/2026 11 P.M.": at(2026, 3, 7, 23),
                "3/7/2026 0 am": None,
                "3/7/2026 13 pm": None,
                "3/7/2026 1": None,
                "3/7/2026 1 xm": None,
            },
        )


def test_a_format_tells_whether_it_has_a_time_and_begins_with_the_year() -> None:
    for form, has_time, begins_with_year in (
        ("d.m.yyyy", False, False),
        ("yyyy-mm-dd", False, True),
        ("%y%m%d", False, True),
        ("yyyymmddhh", True, True),
        ("d.m.yyyy %I %p", True, False),
        ("excel", False, False),
        ("seconds", True, False),
        ("milliseconds", True, False),
    ):
        known = date_format(form)
        assert (known.text, known.has_time, known.begins_with_year) == (form, has_time, begins_with_year)
        assert (known.pattern is None) is (form in {"excel", "seconds", "milliseconds"})


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("dd.mm", "the date format 'dd.mm' has no year"),
        ("mm.yyyy", "the date format 'mm.yyyy' has no day"),
        ("dd.yyyy", "the date format 'dd.yyyy' has no month"),
        ("dd.mm.yyyy.yy", "the date format 'dd.mm.yyyy.yy' has more than one year"),
        ("dd.mm.mmm.yyyy", "the date format 'dd.mm.mmm.yyyy' has more than one month"),
        ("dd.mm.yyyy HH:HH", "the date format 'dd.mm.yyyy HH:HH' has a part twice"),
        ("", "the date format '' has no day"),
        ("dd.mm.yyy", "'yyy' in the date format 'dd.mm.yyy' has no meaning"),
        ("dd.mm.yyyy hhh", "'hhh' in the date format 'dd.mm.yyyy hhh' has no meaning"),
        ("%d.%m.%Q", "'%Q' in the date format '%d.%m.%Q' has no meaning"),
    ],
)
def test_what_is_not_a_format_is_refused_with_examples(form: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        date_format(form)
    assert str(error.value) == f"{words}; write {EXAMPLES} for example"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("dd.mm.yyyy am/pm", "the date format 'dd.mm.yyyy am/pm' has no hour; write it before am/pm"),
        (
            "dd.mm.yyyy o'clock",
            (
                '"o\'clock" in the date format "dd.mm.yyyy o\'clock" has no meaning; '
                f"write {EXAMPLES} for example, and other words in single quotes"
            ),
        ),
        (
            "dd ago mm.yyyy",
            (
                "'ago mm.yyyy' in the date format 'dd ago mm.yyyy' has no meaning; "
                f"write {EXAMPLES} for example, and other words in single quotes"
            ),
        ),
        (
            "dd.mm.yyyy ago",
            (
                "'ago' in the date format 'dd.mm.yyyy ago' has no meaning; "
                f"write {EXAMPLES} for example, and other words in single quotes"
            ),
        ),
    ],
)
def test_a_format_with_other_words_is_refused_with_what_helps(form: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        date_format(form)
    assert str(error.value) == words


def test_a_spreadsheet_counts_days() -> None:
    check(
        "excel",
        {
            # Before March 1900, Excel counts a day that did not exist.
            "60": None,
            "61": date(1900, 3, 1),
            "46266": date(2026, 9, 1),
            "46266.": date(2026, 9, 1),
            "46266.00": date(2026, 9, 1),
            "46266.5": at(2026, 9, 1, 12),
            "46266,25": at(2026, 9, 1, 6),
            # A second cannot be written as a fraction of a day without an error.
            "46266.000011574": at(2026, 9, 1, 0, 0, 1),
            "46266.999999": at(2026, 9, 2),
            "9" * 12: None,
            "-1": None,
            "4.6.2": None,
            "٤٦٢٦٦": None,
        },
    )


def test_programs_count_seconds_from_1970() -> None:
    moment = datetime(2026, 9, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    check("seconds", {"1788220800.5": moment, "1788220800,5": moment, "0": datetime(1970, 1, 1, tzinfo=UTC)})
    check("milliseconds", {"1788220800500": moment, "1788220800500,0": moment})
    for form in ("seconds", "milliseconds"):
        check(form, {"9" * 30: None, "-1": None, "soon": None, "": None})


def test_without_a_format_a_number_has_to_be_clear() -> None:
    first, last = datetime(2000, 1, 1, tzinfo=UTC), datetime(2050, 12, 31, 23, 59, 59, tzinfo=UTC)
    cases: dict[str, Moment | None] = {
        "36525": None,
        "36526": date(2000, 1, 1),
        "36526.5": at(2000, 1, 1, 12),
        "55153": date(2050, 12, 31),
        "55153,5": at(2050, 12, 31, 12),
        "55154": None,
        "946684799": None,
        "946684800": first,
        "2556143999": last,
        "2556144000": None,
        "99999999999": None,
        "100000000000": datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC),
        "946684800000": first,
        "-46266": None,
        "soon": None,
    }
    for text, moment in cases.items():
        with case(text):
            assert read_count(text) == moment
            assert read_date(text, []) == ([] if moment is None else [moment])


def test_the_form_of_iso_is_read() -> None:
    moment = at(2026, 9, 1, 8, 15)
    cases: dict[str, Moment | None] = {
        "2026-09-01": date(2026, 9, 1),
        "2026-09-01T08:15": moment,
        "2026-09-01 08:15": moment,
        "2026-09-01T08:15:09": at(2026, 9, 1, 8, 15, 9),
        "2026-09-01T08:15:09.123": at(2026, 9, 1, 8, 15, 9, 123_000),
        "2026-09-01T08:15:09,5": at(2026, 9, 1, 8, 15, 9, 500_000),
        "2026-09-01T08:15:09.123456789": at(2026, 9, 1, 8, 15, 9, 123_456),
        "2026-09-01T08:15Z": in_zone(moment, 0),
        "2026-09-01 08:15 Z": in_zone(moment, 0),
        "2026-09-01 08:15 +02:00": in_zone(moment, 2),
        "2026-09-01 08:15 -0330": in_zone(moment, -3.5),
        "2026-09-01 08:15:09.5 Z": in_zone(at(2026, 9, 1, 8, 15, 9, 500_000), 0),
        "2026-09-01 08:15:09.5 +02:00": in_zone(at(2026, 9, 1, 8, 15, 9, 500_000), 2),
        "2026-09-01T08:15:09,5 -0330": in_zone(at(2026, 9, 1, 8, 15, 9, 500_000), -3.5),
        "2026-02-30": None,
        "2026-09-01T25:00": None,
        "2026-9-1": None,
        "20260901": None,
        "2026-W36-2": None,
        "2026-09-01T08": None,
        "2026-09-01t08:15": None,
        "٢٠٢٦-09-01": None,
    }
    for text, expected in cases.items():
        with case(text):
            assert read_iso(text) == expected


def test_a_text_has_all_meanings_that_the_formats_give_it() -> None:
    british, american, dated = map(date_format, ("d/m/yyyy", "m/d/yyyy", "yyyy-dd-mm"))
    iso, counted = "2026-09-01", "46266"
    excel, seconds = date_format("excel"), date_format("seconds")
    cases: list[tuple[str, list[DateFormat], list[Moment]]] = [
        ("1/9/2026", [british, american], [date(2026, 9, 1), date(2026, 1, 9)]),
        ("5/5/2026", [british, american], [date(2026, 5, 5)]),
        ("31/12/2026", [british, american], [date(2026, 12, 31)]),
        (iso, [british], [date(2026, 9, 1)]),
        (iso, [], [date(2026, 9, 1)]),
        # A format that begins with the year decides alone.
        (iso, [british, dated], [date(2026, 1, 9)]),
        ("2026-01-13T08:15", [british, dated], []),
        ("2026-01-13T08:15", [british], [at(2026, 1, 13, 8, 15)]),
        (counted, [british], []),
        (counted, [], [date(2026, 9, 1)]),
        (counted, [excel, seconds], [date(2026, 9, 1), datetime(1970, 1, 1, 12, 51, 6, tzinfo=UTC)]),
        ("soon", [], []),
    ]
    for text, formats, found in cases:
        with case(text, [known.text for known in formats]):
            assert read_date(text, formats) == found

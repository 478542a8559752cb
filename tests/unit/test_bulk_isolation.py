"""Bad rows are found in few requests, and no good row is lost for them."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspot_batch.bulk._isolation import Mistakes, isolate, not_unique_property, split
from hubspot_batch.bulk._rows import Row, rows_from
from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import ApiError
from hubspot_batch.results import ErrorBody, Reason, RecordError, Response
from tests.conftest import case

Sent = list[tuple[list[int], bool]]

UPDATE = contract.operation("update_orders")


def refusal(*reasons: Reason, status: int = 400, **fields: Any) -> ApiError:  # noqa: ANN401
    response = Response(status=status, headers={}, content=b"")
    known = {"category": "VALIDATION_ERROR", "message": "no"} | fields
    return ApiError("update_orders", response, ErrorBody(reasons=reasons, **known))


def isolated(
    rows: Sequence[Row], refuse: Callable[[Sequence[Row]], ApiError | None], mistakes: Mistakes | None = None
) -> tuple[Sent, list[int]]:
    """Return all requests that are asked for with whether each was refused, and the rows left out."""
    sent: Sent = []
    bad: list[int] = []
    parts = isolate(rows, Mistakes(creating=False) if mistakes is None else mistakes)
    with suppress(StopIteration):
        part = next(parts)
        while True:
            bad += [row.index for row in part.bad]
            error = refuse(part.rows) if part.rows else None
            if part.rows:
                sent.append(([row.index for row in part.rows], error is not None))
            part = parts.send(error)
    return sent, bad


def play(numbers: Sequence[int], is_refused: Callable[[Sequence[int]], bool]) -> Sent:
    """Return all requests that are asked for where a refusal names nothing."""
    rows = [updated(number) for number in numbers]
    sent, bad = isolated(rows, lambda part: refusal() if is_refused([row.index for row in part]) else None)
    assert not bad
    return sent


def updated(number: int, **fields: Any) -> Row:  # noqa: ANN401
    properties = {"hs_tags": f"t{number}"} | fields.pop("properties", {})
    (row,) = rows_from(UPDATE, [{"id": str(1000 + number), "properties": properties} | fields], number, None)
    assert not row.faults
    return row


def with_bad(rows: Sequence[int], bad: set[int]) -> Sent:
    return play(rows, lambda part: not bad.isdisjoint(part))


@pytest.mark.parametrize("count", [1, 2, 100])
def test_rows_that_are_not_refused_are_sent_once(count: int) -> None:
    assert with_bad(range(count), set()) == [(list(range(count)), False)]


def test_a_row_that_is_refused_alone_is_not_sent_again() -> None:
    assert with_bad([7], {7}) == [([7], True)]


def test_rows_that_are_refused_are_halved() -> None:
    assert with_bad(range(4), {0}) == [
        ([0, 1, 2, 3], True),
        ([0, 1], True),
        ([0], True),
        ([1], False),
        ([2, 3], False),
    ]


def test_where_the_first_half_is_not_at_fault_the_second_is_not_tried_as_a_whole() -> None:
    assert with_bad(range(4), {3}) == [([0, 1, 2, 3], True), ([0, 1], False), ([2], False), ([3], True)]


def test_one_bad_row_of_a_hundred_takes_at_most_thirteen_more_requests() -> None:
    assert max(len(with_bad(range(100), {bad})) for bad in range(100)) == 1 + 13


@pytest.mark.parametrize("count", [2, 3, 5, 100])
def test_rows_that_are_refused_only_together_all_arrive(count: int) -> None:
    sent = play(range(count), lambda part: {0, count - 1} <= set(part))

    assert sorted(row for part, refused in sent if not refused for row in part) == list(range(count))


@st.composite
def bad_rows(draw: st.DrawFn) -> tuple[int, set[int]]:
    count = draw(st.integers(1, 100))
    return count, draw(st.sets(st.integers(0, count - 1), min_size=1))


@given(bad_rows())
@settings(deadline=None, max_examples=300)
def test_good_rows_are_accepted_once_and_bad_ones_refused_alone(
    case: tuple[int, set[int]],
) -> None:
    count, bad = case

    sent = with_bad(range(count), bad)

    accepted = Counter(row for part, refused in sent if not refused for row in part)
    assert accepted == Counter(set(range(count)) - bad)
    assert sorted(part[0] for part, refused in sent if refused and len(part) == 1) == sorted(bad)
    assert len(sent) - 1 <= 2 * len(bad) * (math.log2(count / len(bad)) + 1)


# What a refusal names.

MIXED = {number for number in range(100) if number % 3}


def named(properties: Callable[[int], dict[str, str]]) -> list[Row]:
    return [updated(number, properties=properties(number)) for number in range(100)]


def test_an_unknown_property_costs_one_more_request() -> None:
    rows = named(lambda number: {"colour": f"c{number}"} if number in MIXED else {})
    for code, name in (("PROPERTY_DOESNT_EXIST", "colour"), ("READ_ONLY_VALUE", None)):
        reason = Reason(code=code, property=name, message='Property "colour" does not exist')
        mistakes = Mistakes(creating=False)

        def refuse(part: Sequence[Row], reason: Reason = reason) -> ApiError | None:
            return refusal(reason) if any("colour" in row.wire["properties"] for row in part) else None

        sent, bad = isolated(rows, refuse, mistakes)
        assert sent == [(list(range(100)), True), ([n for n in range(100) if n not in MIXED], False)]
        assert bad == sorted(MIXED)
        assert isolated(rows[1:3], refuse, mistakes) == ([], [1, 2])
        error = mistakes.of(rows[1])
        assert error is not None
        assert error.reasons == (reason,)


def test_rows_that_are_left_out_count_as_bad_though_the_others_are_accepted() -> None:
    rows = named(lambda number: {"colour": "red"} if number == 0 else {})
    mistakes = Mistakes(creating=False)
    mistakes.learn(rows, refusal(Reason(code="PROPERTY_DOESNT_EXIST", property="colour", message="no")))

    for chosen, any_bad in ((rows[:2], True), (rows[1:3], False)):
        parts = isolate(chosen, mistakes)
        next(parts)
        with pytest.raises(StopIteration) as end:
            parts.send(None)
        assert end.value.value is any_bad


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("EURO", "EURO was not one of the allowed options: [EUR, USD]"),
        ("12,50", "12,50 was not a valid long."),
        ("x", "x was not a valid integer (for owner ID)."),
    ],
)
def test_a_value_that_is_named_costs_one_more_request(bad: str, words: str) -> None:
    rows = named(lambda number: {"p": bad if number in MIXED else ["EUR", "9"][number % 2]})
    reason = Reason(code="INVALID_OPTION", property="p", message=words)

    sent, left_out = isolated(
        rows,
        lambda part: refusal(reason) if any(row.wire["properties"]["p"] == bad for row in part) else None,
    )

    assert len(sent) == 2
    assert left_out == sorted(MIXED)


@pytest.mark.parametrize("words", ["EURO is no currency, EUR is", "EUR and USD are allowed", ""])
def test_a_value_that_is_only_mentioned_proves_nothing_but_comes_first(words: str) -> None:
    rows = named(lambda number: {"p": "EURO" if number in MIXED else ["EUR", "USD"][number % 2]})
    reason = Reason(code="INVALID_OPTION", property="p", message=words)

    sent, left_out = isolated(
        rows,
        lambda part: refusal(reason) if any(row.wire["properties"]["p"] == "EURO" for row in part) else None,
    )

    assert left_out == sorted(MIXED)
    assert sorted(n for part, refused in sent if not refused for n in part) == sorted({*range(100)} - MIXED)
    assert len(sent) <= 5


def test_several_mistakes_of_which_each_refusal_names_one_are_found_one_by_one() -> None:
    def properties(number: int) -> dict[str, str]:
        return {**({"colour": "c"} if number % 2 else {}), **({"size": "s"} if number % 3 else {})}

    def refuse(part: Sequence[Row]) -> ApiError | None:
        for name in ("colour", "size"):
            if any(name in row.wire["properties"] for row in part):
                return refusal(Reason(code="NEW"), Reason(code="PROPERTY_DOESNT_EXIST", property=name))
        return None

    sent, left_out = isolated(named(properties), refuse)

    assert len(sent) == 3
    assert sorted(left_out) == [number for number in range(100) if number % 2 or number % 3]


def test_a_stage_is_refused_together_with_its_pipeline_only() -> None:
    reason = Reason(code="INVALID_OPTION", property="hs_pipeline_stage", message="won was not allowed")
    mistakes = Mistakes(creating=False)
    of_a, of_b = (
        updated(number, properties={"hs_pipeline": name, "hs_pipeline_stage": "won"})
        for number, name in enumerate("AB")
    )
    alone = updated(2, properties={"hs_pipeline_stage": "won"})

    mistakes.learn([alone], refusal(reason))
    assert not mistakes.are_known
    lost = updated(3, properties={"hs_pipeline": "A", "hs_pipeline_stage": "lost"})
    named = Reason(code="INVALID_OPTION", property="hs_pipeline_stage", message="won was not a valid long.")
    mistakes.learn([of_a, of_b, lost], refusal(named))
    assert not mistakes.are_known
    mistakes.learn([of_a], refusal(reason))
    assert [mistakes.of(row) is not None for row in (of_a, of_b, alone)] == [True, False, False]


def test_what_is_required_is_missed_by_new_records_and_by_those_that_clear_it() -> None:
    reason = Reason(code="MISSING_REQUIRED_PROPERTY", property="p")
    cleared, silent, good = (updated(n, properties=p) for n, p in enumerate([{"p": ""}, {}, {"p": "x"}]))
    for creating in (False, True):
        mistakes = Mistakes(creating=creating)
        mistakes.learn([good], refusal(reason))
        assert not mistakes.are_known
        mistakes.learn([cleared, silent], refusal(reason))
        assert [mistakes.of(row) is not None for row in (cleared, silent, good)] == [True, creating, False]


def test_ids_that_are_not_found_are_named() -> None:
    rows = [*map(updated, range(100)), updated(100, id="x:y", idProperty="sku")]
    errors = [
        refusal(status=404, category="OBJECT_NOT_FOUND", context={"ids": ["1005", "1007"]}),
        refusal(context={"missingObjectPropertyValueCoordinates": ["0-123:sku:x:y"]}),
        None,
    ]

    sent, left_out = isolated(rows, lambda _part: errors.pop(0))

    assert left_out == [5, 7, 100]
    assert [len(part) for part, _ in sent] == [101, 99, 98]


def test_a_property_that_names_no_record_is_a_mistake_of_the_rows_with_it() -> None:
    rows = [updated(0), updated(1, id="x", idProperty="hs_tags")]
    message = "Unable to perform update/upsert by non-unique 0-123 property hs_tags in portal ID 7"
    errors = [refusal(message=message), None]

    assert isolated(rows, lambda _part: errors.pop(0)) == ([([0, 1], True), ([0], False)], [1])


def linked(number: int, target: str, kind: int, category: str = "HUBSPOT_DEFINED") -> Row:
    create = contract.operation("create_orders")
    link = {
        "to": {"id": target},
        "types": [{"associationCategory": category, "associationTypeId": kind}],
    }
    (row,) = rows_from(create, [{"properties": {"n": "1"}, "associations": [link]}], number, None)
    return row


def test_a_target_that_is_not_found_is_named_where_it_is_of_one_type() -> None:
    error = refusal(
        category="OBJECT_NOT_FOUND",
        sub_category="crm.associations.TO_OBJECT_NOT_FOUND",
        context={"id": ["7"]},
    )
    contact, other, company = linked(0, "7", 507), linked(1, "8", 507), linked(2, "7", 509)
    mistakes = Mistakes(creating=True)

    for alike in (company, linked(2, "7", 507, "USER_DEFINED")):
        mistakes.learn([contact, other, alike], error)
        assert not mistakes.are_known
    mistakes.learn([contact, other], error)
    assert [mistakes.of(row) is not None for row in (contact, other, company)] == [True, False, False]


def test_a_link_that_the_caller_has_changed_since_is_that_which_was_sent() -> None:
    create = contract.operation("create_orders")
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}]
    inputs = [
        {"properties": {"n": "1"}, "associations": [{"to": {"id": target}, "types": types}]}
        for target in ("7", "8")
    ]
    rows = rows_from(create, inputs, 0, None)
    for item, target in zip(inputs, ("8", "7"), strict=True):
        item["associations"][0]["to"]["id"] = target  # type: ignore[index]
    mistakes = Mistakes(creating=True)

    sub_category = "crm.associations.TO_OBJECT_NOT_FOUND"
    mistakes.learn(
        rows, refusal(category="OBJECT_NOT_FOUND", sub_category=sub_category, context={"id": ["7"]})
    )

    assert [mistakes.of(row) is not None for row in rows] == [True, False]


def taken_words(value: str) -> str:
    return f"Cannot set X{{propertyName=sku, value={value}}} on 9. 5 already has that value."


def test_the_row_whose_value_is_taken_is_named_where_it_is_the_only_one() -> None:
    def taken(value: str) -> ApiError:
        return refusal(message=taken_words(value))

    rows = named(lambda number: {"sku": f"S{number % 99}"})
    errors = [taken("S7"), taken("s8"), None, None, taken("S0"), None, None]
    sent, left_out = isolated(rows, lambda part: errors.pop(0) if len(part) > 1 else taken("S8"))

    assert left_out == [7]
    # S8 is written in another way, so it is proven first; one of the two with S0 could be written.
    assert [len(part) for part, _ in sent][:4] == [100, 99, 1, 98]


def test_what_was_named_long_ago_is_forgotten() -> None:
    def named(number: int, kind: str) -> tuple[Row, ApiError]:
        match kind:
            case "value":
                reason = Reason(code="INVALID_LONG", property="p", message="")
                return updated(0, properties={"p": f"v{number}"}), refusal(reason)
            case "id":
                return updated(number), refusal(
                    category="OBJECT_NOT_FOUND", context={"ids": [str(1000 + number)]}
                )
            case "target":
                sub_category = "crm.associations.TO_OBJECT_NOT_FOUND"
                return linked(0, str(number), 507), refusal(
                    sub_category=sub_category, context={"id": [str(number)]}
                )
            case _:
                row = updated(0, properties={"sku": f"S{number}"})
                return row, refusal(message=taken_words(f"S{number}"))

    for kind in ("value", "id", "target", "taken"):
        with case(kind):
            mistakes = Mistakes(creating=False)
            for number in range(501):
                row, error = named(number, kind)
                mistakes.learn([row], error)
            found = [mistakes.of(named(number, kind)[0]) is not None for number in (0, 1, 500)]
            assert found == [False, True, True]


def test_rows_that_are_named_by_trace_id_id_or_link_are_tried_first() -> None:
    rows = [*map(updated, range(9))]
    for context in ({"objectWriteTraceId": ["row-4"]}, {"ids": ["1004"]}):
        sent, _ = isolated(
            rows,
            lambda part, context=context: (  # type: ignore[misc]
                refusal(context=context) if any(row.index == 4 for row in part) else None
            ),
        )
        assert [part for part, _ in sent] == [list(range(9)), [4], [0, 1, 2, 3, 5, 6, 7, 8]]
    links = [linked(number, str(number), 507) for number in range(9)]
    sent, _ = isolated(
        links,
        lambda part: refusal(context={"id": ["4"]}) if any(row.index == 4 for row in part) else None,
    )
    assert [len(part) for part, _ in sent] == [9, 1, 8]


def test_a_row_is_refused_for_all_that_is_said_of_it() -> None:
    mistakes = Mistakes(creating=False)
    row, other = updated(0, properties={"colour": "c"}), updated(1)
    reason = Reason(code="PROPERTY_DOESNT_EXIST", property="colour", message="no colour")
    # The message of a refusal is about other rows, too, where it has reasons.
    mistakes.learn([row, other], refusal(reason, sub_category="SUB", message="not valid"))
    unknown_property = RecordError(
        index=None, category="VALIDATION_ERROR", sub_category="SUB", message=None, reasons=(reason,)
    )
    assert mistakes.of(row) == unknown_property
    assert mistakes.of(other) is None
    mistakes.learn(
        [row, other], refusal(category="OBJECT_NOT_FOUND", message="gone", context={"ids": ["1001"]})
    )
    gone = RecordError(index=None, category="OBJECT_NOT_FOUND", message="gone", reasons=())
    assert mistakes.of(other) == gone
    # Two refusals have no message in common.
    mistakes.learn([row], refusal(category="OBJECT_NOT_FOUND", message="gone", context={"ids": ["1000"]}))
    assert mistakes.of(row) == unknown_property
    mistakes.learn([other], refusal(message=taken_words("t1").replace("sku", "hs_tags")))
    assert mistakes.of(other) != gone

    mistakes = Mistakes(creating=False)
    mistakes.learn([row], refusal(reason, status=409, category=None))
    error = mistakes.of(row)
    assert error is not None
    assert error.category == "HTTP_409"


def test_a_refusal_that_may_be_about_several_things_names_none() -> None:
    rows = [updated(number, properties={"p": "x"}) for number in range(3)]
    for error in (
        refusal(),
        refusal(Reason(code="PROPERTY_DOESNT_EXIST", property="q")),
        refusal(Reason(code="PROPERTY_DOESNT_EXIST")),
        refusal(Reason(code="NEW", property="p")),
        refusal(Reason(code=None, property="p")),
        refusal(Reason(code="INVALID_LONG", property="q", message="x was not a valid long.")),
        refusal(Reason(code="INVALID_LONG", property="hs_tags", message=None)),
        refusal(Reason(code="INVALID_LONG", property="hs_tags", message="t1, t2 was not a valid long.")),
        refusal(category="OBJECT_NOT_FOUND"),
        refusal(category="NEW", context={"ids": ["1001"]}),
        refusal(category="OBJECT_NOT_FOUND", sub_category="crm.associations.NEW"),
        refusal(category="OBJECT_NOT_FOUND", sub_category="crm.associations.NEW", context={"ids": ["1001"]}),
        refusal(category="CONFLICT"),
        refusal(Reason(code="CONFLICTING_UNIQUE_VALUE", property="hs_tags"), category="CONFLICT"),
        refusal(message=taken_words("x").replace("sku", "p")),
        refusal(message=taken_words("x")),
    ):
        mistakes = Mistakes(creating=True)
        mistakes.learn(rows, error)
        assert not mistakes.are_known


def test_a_value_that_one_of_two_reasons_allows_is_not_at_fault() -> None:
    for options, is_bad in (
        ("[a, b]", True),
        ("[Value, a]", False),
        ("[a, Value]", False),
        ("[Value, a [b]]", False),
        ("[Values]", True),
    ):
        rows = [updated(number, properties={"p": value}) for number, value in enumerate(["Value", "much"])]
        reason = Reason(
            code="INVALID_OPTION",
            property="p",
            message=f"Value was not one of the allowed options: {options}",
        )
        mistakes = Mistakes(creating=False)
        mistakes.learn(rows, refusal(reason))
        assert [mistakes.of(row) is not None for row in rows] == [is_bad, False]


def test_an_empty_value_that_a_text_names_is_not_that_of_another_row() -> None:
    rows = [updated(number, properties={"p": value}) for number, value in enumerate(["", "x"])]
    mistakes = Mistakes(creating=False)
    mistakes.learn(rows, refusal(Reason(code="INVALID_LONG", property="p", message=" was not a valid long.")))
    assert not mistakes.are_known


def test_an_id_property_that_the_account_does_not_hold_unique_is_read_from_the_message() -> None:
    message = "Unable to perform update/upsert by non-unique 0-123 property hs_tags in portal ID 7"
    assert not_unique_property(refusal(message=message)) == "hs_tags"
    assert not_unique_property(refusal(message=None)) is None


# In what order rows are tried.


def indexes(parts: tuple[Sequence[Row], Sequence[Row]]) -> tuple[list[int], list[int]]:
    first, second = parts
    return [row.index for row in first], [row.index for row in second]


def test_rows_whose_values_a_text_mentions_are_tried_apart() -> None:
    values = ["red", "re", "Red", "a_red", "red_", "blue", "blue"]
    rows = [updated(number, properties={"colour": value}) for number, value in enumerate([*values, ""])]
    rows.append(updated(8))
    for message, mentioned in (
        ("- - red", [0]),
        ("red is bad", [0]),
        ("is bad: red", [0]),
        ('"red", and blue', [0, 5, 6]),
        ("a_red or red_", [3, 4]),
        ("reddish, but red", [0]),
        ("is ared or redx, and blue", [5, 6]),
    ):
        for reason in (
            Reason(code="NEW", property="colour", message=message),
            Reason(code="NEW", message=f'{message}: Property "colour"'),
            Reason(code="NEW", message=f'{message}: property "colour"'),
        ):
            with case(reason):
                others = [row.index for row in rows if row.index not in mentioned]
                assert indexes(split(rows, refusal(reason))) == (mentioned, others)
                assert indexes(split(rows, refusal(Reason(code="OTHER"), reason))) == (mentioned, others)


def test_rows_that_are_all_mentioned_or_none_of_them_are_halved() -> None:
    rows = [*map(updated, range(5))]
    halves = ([0, 1], [2, 3, 4])
    for error in (
        refusal(),
        refusal(Reason(code="NEW")),
        refusal(Reason(code="NEW", property="hs_tags")),
        refusal(Reason(code="NEW", property="hs_tags", message="reddish")),
        refusal(Reason(code="NEW", property="untold", message="None")),
        refusal(context={"ids": [str(1000 + number) for number in range(5)]}),
        refusal(category="CONFLICT"),
        refusal(message=taken_words("S1")),
    ):
        assert indexes(split(rows, error)) == halves
    links = [linked(number, str(number), 507) for number in range(5)]
    for context in ({}, {"id": ["7"]}, {"id": ["0", "1", "2", "3", "4"]}):
        assert indexes(split(links, refusal(context=context))) == halves


def test_a_row_is_mentioned_by_its_value_as_hubspot_compares_it() -> None:
    rows = [updated(number, properties={"sku": f"S{number}"} if number else {}) for number in range(5)]
    assert indexes(split(rows, refusal(message=taken_words("s3")))) == ([3], [0, 1, 2, 4])


def test_rows_with_one_value_of_a_refused_property_stay_together() -> None:
    rows = [updated(number, properties={"p": value}) for number, value in enumerate("abacbaca")]
    reasons = [Reason(code="NEW"), Reason(code="NEW", property="p")]
    # Four of a, two of b, and two of c.
    assert indexes(split(rows, refusal(*reasons))) == ([0, 2, 5, 7], [1, 4, 3, 6])
    rows = [updated(number, properties={"p": value}) for number, value in enumerate("abbccc")]
    assert indexes(split(rows, refusal(*reasons))) == ([3, 4, 5], [1, 2, 0])


WORDS = st.sampled_from(["a was not a valid long.", "a is bad, b is good", "b and a", "x", ""])


@given(
    properties=st.lists(
        st.dictionaries(st.sampled_from("pqr"), st.sampled_from(["a", "b", "c"]), max_size=3), max_size=30
    ),
    bad=st.sets(st.tuples(st.sampled_from("pqr"), st.sampled_from(["a", "b", None])), max_size=3),
    bad_rows=st.sets(st.integers(0, 29), max_size=2),
    told=st.lists(st.integers(0, 3), min_size=1),
    words=WORDS,
    in_known_words=st.booleans(),
)
@settings(deadline=None, max_examples=500)
def test_no_good_row_is_left_out_by_any_refusal(
    properties: list[dict[str, str]],
    bad: set[tuple[str, str | None]],
    bad_rows: set[int],
    told: list[int],
    words: str,
    *,
    in_known_words: bool,
) -> None:
    rows = [updated(number, properties=given) for number, given in enumerate(properties)]

    def faults(row: Row) -> list[Reason]:
        found = []
        for name, value in sorted(bad, key=str):
            text = row.wire["properties"].get(name)
            if text is not None and value is None:
                found.append(Reason(code="PROPERTY_DOESNT_EXIST", property=name, message=words))
            elif text is not None and text == value:
                known = f"{text} was not one of the allowed options: [b, c, a a]"
                message = known if in_known_words else words.replace("a was not", "?")
                found.append(Reason(code="INVALID_OPTION", property=name, message=message))
        return found

    def refuse(part: Sequence[Row]) -> ApiError | None:
        found = [reason for row in part for reason in faults(row)]
        if not found and bad_rows.isdisjoint(row.index for row in part):
            return None
        # The list of faults is cut, and those of single rows are not in it.
        return refusal(*found[: told[len(part) % len(told)]], message=words)

    sent, left_out = isolated(rows, refuse)

    alone = [part[0] for part, refused in sent if refused and len(part) == 1]
    arrived = [number for part, refused in sent if not refused for number in part]
    really_bad = {row.index for row in rows if faults(row) or row.index in bad_rows}
    assert sorted(alone + left_out) == sorted(really_bad)
    assert sorted(arrived) == sorted({row.index for row in rows} - really_bad)

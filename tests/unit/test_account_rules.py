"""What property definitions say of values: refused is only what HubSpot is known to refuse."""

from typing import Any

from hubspot_batch.contract._account_rules import LONGEST_TEXT, AccountRules
from hubspot_batch.contract._values import Problem
from hubspot_batch.results import PropertyDefinition, PropertyOption

OPTIONS = tuple(
    PropertyOption(value=value, label=label) for value, label in (("r", "Red"), ("b", "Sky blue"))
)


def definition(name: str, kind: str, field_type: str = "text", **more: Any) -> PropertyDefinition:  # noqa: ANN401
    return PropertyDefinition(name=name, label=f"The {name}", type=kind, field_type=field_type, **more)


DEFINITIONS = [
    definition("text", "string"),
    definition("phone", "phone_number"),
    definition("number", "number"),
    definition("bool", "bool", "booleancheckbox"),
    definition("date", "date"),
    definition("datetime", "datetime", "date"),
    definition("colour", "enumeration", "select", options=OPTIONS),
    definition("colours", "enumeration", "checkbox", options=OPTIONS),
    definition("owner", "enumeration", "select", external_options=True, options=OPTIONS),
    definition("user", "enumeration", "select", referenced_object_type="OWNER", options=OPTIONS),
    definition("open", "enumeration", "select"),
    definition("strange", "object_coordinates"),
    definition("fixed", "string", read_only=True),
    definition("sum", "number", calculated=True),
    definition("archived_one", "string", archived=True),
    definition("sku", "string", has_unique_value=True),
    definition("key", "string", has_unique_value=True, read_only=True),
]
RULES = AccountRules("orders", {each.name: each for each in DEFINITIONS})

TAKEN: dict[str, list[str]] = {
    "text": ["", "x" * LONGEST_TEXT, "a;b"],
    "phone": ["+49 (30) 1"],
    "number": ["", "0", "-1.50", "+7", ".5", "5.", "1e5", "1E5", " 9 ", "9" * 400],
    "bool": ["", "true", "false", "TRUE"],
    "date": [
        *(
            "",
            "2026-09-01",
            "2026-9-1",
            "2024-02-29",
            "1788220800000",
            "0",
            "-86400000",
            "2026-09-01T00:00:00Z",
        ),
        *("2026-09-01T02:00:00.000+02:00", "2026-09-01T00:00", "2026-09-01T24:00:00Z"),
    ],
    "datetime": [
        *("", "2026-09-01", "2026-09-01 08:15:02", "1788220801234", "2026-09-01T08:15:02.120Z"),
        *("2026-09-01T08:15-04:00", "9" * 40),
    ],
    "colour": ["", "r", "b"],
    "colours": ["r", "r;b", ";b", "b; r", "r;"],
    "owner": ["77", "anyone"],
    "user": ["77"],
    "open": ["anything"],
    "strange": ["anything"],
    "sum": ["7"],
    "TEXT": ["x"],
}
REFUSED: dict[str, dict[str, str]] = {
    "text": {"x" * (LONGEST_TEXT + 1): "shorten it to 65,536 characters"},
    "number": {
        "1,5": "without separators",
        "1.000.000": "write digits",
        "nine": "write digits",
        "9 EUR": "write digits",
        "NaN": "write digits",
        "0x10": "write digits",
    },
    "bool": {"yes": "write true or false", "1": "write true or false"},
    "date": {
        "01.09.2026": "write it like 2026-09-01",
        "2026-02-30": "correct it",
        "2026-09-01T08:15:00Z": "write the date alone",
        "1788220801000": "write the date alone",
        "9" * 5000: "write it like 2026-09-01",
    },
    "datetime": {
        "yesterday": "write it like",
        "2026-13-01T00:00:00Z": "correct it",
        "9" * 41: "write it like",
        "\u0662\u0660\u0662\u0666-09-01": "write it like",
    },
    "colour": {
        "Red": "write 'r'",
        "SKY BLUE": "write 'b'",
        "r;b": "choose one of them",
        "R2": "write 'b' or 'r'",
        ";r": "choose one of them",
    },
    "colours": {"r;sky blue": "write 'b'", "r;green": "write 'b' or 'r'"},
    "fixed": {"x": "leave it out"},
    "key": {"x": "leave it out"},
    "archived_one": {"x": "leave it out"},
    "colou": {"x": "did you mean 'colour'?"},
    "The SKU": {"x": "did you mean 'sku'?"},
    "z" * 100_000: {"x": "leave it out"},
}


def test_what_hubspot_takes_has_no_fault() -> None:
    found = {
        (name, value): [*RULES.faults({name: value}, creates=False)]
        for name, values in TAKEN.items()
        for value in values
    }
    assert {key: faults for key, faults in found.items() if faults} == {}


def test_what_hubspot_refuses_has_a_fault_with_a_remedy_and_without_the_value() -> None:
    for name, cases in REFUSED.items():
        for value, remedy in cases.items():
            ((place, problem),) = RULES.faults({name: value}, creates=False)
            assert place == name
            assert remedy in problem.remedy, (name[:20], value[:20], problem)
            assert len(value) < 3 or value not in problem.problem


def test_a_new_record_has_what_it_needs() -> None:
    needs = [name for name, _ in RULES.faults({"text": "x"}, creates=True)]
    assert needs == ["hs_order_name"]
    assert not [*AccountRules("carts", {"a": DEFINITIONS[0]}).faults({}, creates=True)]
    assert not [*RULES.faults({"text": "x"}, creates=False)]
    named = AccountRules("orders", {"hs_order_name": definition("hs_order_name", "string")})
    assert not [*named.faults({"hs_order_name": "x"}, creates=True)]
    assert RULES.unique == {"sku"}


def test_of_many_options_the_first_are_told() -> None:
    many = tuple(PropertyOption(value=f"{number:02}", label="") for number in range(12))
    one = (PropertyOption(value="single", label="Single"),)
    rules = AccountRules(
        "carts",
        {
            "many": definition("many", "enumeration", "radio", options=many),
            "one": definition("one", "enumeration", "radio", options=one),
        },
    )
    ((_, problem),) = rules.faults({"many": "zz"}, creates=True)
    assert problem.remedy.endswith("'08', '09', or one of 2 more")
    ((_, problem),) = rules.faults({"one": "zz"}, creates=True)
    assert problem.remedy == "write 'single'"
    ((_, problem),) = rules.faults({"one": "singel"}, creates=True)
    assert problem.remedy == "did you mean 'single'?"


def test_a_fault_says_what_is_wrong_and_what_helps() -> None:
    no_number, digits = "the value is not a number", "write digits, with a point before the decimals"
    wrong = "the value is not one of the options"
    nameless = "the account has no property of this name"
    for name, value, problem, remedy in (
        (
            "text",
            "x" * (LONGEST_TEXT + 1),
            "the value has 65,537 characters",
            "shorten it to 65,536 characters",
        ),
        ("number", "1,5", no_number, f"{digits} and without separators"),
        ("number", "nine", no_number, digits),
        ("bool", "yes", "the value is neither true nor false", "write true or false"),
        (
            *("date", "2026-09-01T08:15:00Z", "the value is a time of day, not a date"),
            "write the date alone, like 2026-09-01",
        ),
        (
            *("datetime", "soon", "the value is not a date that HubSpot reads"),
            "write it like 2026-09-01 or 2026-09-01T08:15:00Z, or in milliseconds since 1970",
        ),
        ("datetime", "2026-02-30", "there is no such day", "correct it"),
        ("colour", "RED", wrong, "write 'r', which is the value of the option with this label"),
        ("colour", "r;b", "the property takes one option only", "choose one of them"),
        ("colours", "green", wrong, "write 'b' or 'r'"),
        ("fixed", "x", "the account does not let this property be written", "leave it out"),
        ("colou", "x", nameless, "did you mean 'colour'?"),
        ("The SKU", "x", nameless, "did you mean 'sku'?"),
        ("zzz", "x", nameless, "leave it out, or make it in HubSpot"),
    ):
        assert [*RULES.faults({name: value}, creates=False)] == [(name, Problem(problem, remedy))]
    payments = AccountRules("commerce_payments", {})
    needed = Problem("a new record needs this property", "give it a value")
    assert [*payments.faults({}, creates=True)] == [
        ("hs_initial_amount", needed),
        ("hs_initiated_date", needed),
    ]


def test_an_option_is_told_by_what_is_near_it() -> None:
    def fault(value: str, *options: str, field_type: str = "select") -> Problem:
        made = tuple(PropertyOption(value=option, label="") for option in options)
        rules = AccountRules("carts", {"c": definition("c", "enumeration", field_type, options=made)})
        ((_, problem),) = rules.faults({"c": value}, creates=False)
        return problem

    wrong = "the value is not one of the options"
    assert fault("singel", "single", "double") == Problem(wrong, "did you mean 'single'?")
    assert fault("zz", "c", "b", "a") == Problem(wrong, "write 'a', 'b' or 'c'")
    for field_type in ("select", "radio", "booleancheckbox"):
        assert fault("a;b", "a", "b", field_type=field_type).problem == "the property takes one option only"
    # A hundred characters are compared.
    known = "a" * 60 + "b" * 40
    assert fault("a" * 60 + "c" * 41, known) == Problem(wrong, f"did you mean {known!r}?")

"""What a push prints when it is over, and its exit code."""

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_batch.bulk import Outcomes, Report
from hubspot_batch.cli import _console
from hubspot_batch.cli._connection import ConnectionOptions, connect
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._summary import exit_code, print_summary
from hubspot_batch.errors import ConfigurationError, ConnectionFailedError, JournalError, SourceError

if TYPE_CHECKING:
    from hubspot_batch.cli._summary import ExitCode
    from tests.cli.conftest import Shell, Write


def report(**figures: Any) -> Report:  # noqa: ANN401
    defaults = {"operation": "create_line_items", "outcomes": Outcomes(lambda: iter(())), "requests": 3}
    return Report(**{**defaults, **figures})


def printed(
    capsys: pytest.CaptureFixture[str],
    figures: dict[str, Any],
    code: "ExitCode" = 0,
    **options: Any,  # noqa: ANN401
) -> tuple[list[str], list[str]]:
    defaults: dict[str, Any] = {
        "job": Job(verb="create", object_types=("line_items",)),
        "problem": None,
        "warnings": (),
        "run": "R",
        "to_mend": "o rejected.csv",
    }
    defaults |= {"resumable": True, "form": "text"}
    print_summary(report(**figures), code, **{**defaults, **options})
    out, err = capsys.readouterr()
    return out.splitlines(), err.splitlines()


@pytest.mark.parametrize(
    ("figures", "cause", "code"),
    [
        ({"read": 2, "done": 2}, None, 0),
        ({"read": 0}, None, 0),
        ({"read": 2, "done": 1, "rejected": 1}, None, 4),
        ({"read": 2, "rejected": 1, "unknown": 1}, None, 6),
        ({"read": 2, "done": 2, "finished": False}, None, 5),
        ({"read": 2, "rejected": 1, "unknown": 1, "finished": False}, None, 5),
        ({"finished": False}, ConnectionFailedError("x", attempts=1), 5),
        ({"finished": False}, ConfigurationError("x"), 1),
        ({"finished": False}, JournalError("x"), 1),
        ({"finished": False}, SourceError("x"), 1),
        ({"read": 2, "done": 1, "finished": False}, ConfigurationError("x"), 5),
        ({"read": 2, "unknown": 1, "finished": False}, ConfigurationError("x"), 5),
    ],
)
def test_the_exit_code(figures: dict[str, Any], cause: BaseException | None, code: int) -> None:
    assert exit_code(report(**figures), cause) == code


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(
        capsys, {"read": 12_500, "done": 12_500, "requests": 125, "seconds": 66.0, "quota_share": 0.994}
    )

    assert err == []
    assert out == [
        "12,500 of 12,500 line items created in 1 min 6 s: 125 requests, 99% of the quota",
        "Run R",
    ]


def test_what_exists_already_was_not_created(capsys: pytest.CaptureFixture[str]) -> None:
    for actions in ({"existing": 2}, {"created": 1, "existing": 1}):
        out, _ = printed(capsys, {"read": 3, "done": 2, "unknown": 1, "actions": actions}, code=6)
        assert out[0].startswith("2 of 3 line items done in ")
        assert out[1] == ", ".join(f"{action} {count}" for action, count in actions.items())
    out, _ = printed(capsys, {"read": 2, "done": 2, "actions": {"created": 2}})
    assert out[0].startswith("2 of 2 line items created in ")


def test_what_was_done_in_more_than_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"read": 9, "done": 8, "unknown": 1, "looks": 2, "actions": {"updated": 5, "created": 2}}

    out, _ = printed(capsys, figures, 6, job=Job(verb="upsert", object_types=("carts",)))

    assert out[:3] == [
        "8 of 9 carts upserted in 0.0 s: 3 requests and 2 looks, 0% of the quota",
        "updated 5, created 2, created or updated 1",
        "1 unknown: sent, but their answer was lost; they can be sent again",
    ]


def test_nothing_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {
        "read": 2000,
        "done": 1,
        "rejected": 1000,
        "unknown": 900,
        "unanswered": 7,
        "requests": 1,
        "finished": False,
        "reasons": {f"reason {number}": 100 - number for number in range(12)},
    }

    out, err = printed(capsys, figures, 5, problem="the run stopped", warnings=["a", "b"])

    assert err == [
        "Warning: a",
        "Warning: b",
        "Error: the run stopped",
    ]
    assert out == [
        "1 of 2,000 line items created in 0.0 s: 1 request, 0% of the quota",
        "1,000 rejected: not written, for the reasons below",
        "900 unknown: sent, but their answer was lost; look before you push them again",
        "92 pending: read, not sent",
        "7 pending: sent, but their answer did not come before the end",
        *(f"  {100 - number:>9,}  reason {number}" for number in range(10)),
        "  and 2 other reasons",
        "Run R",
        "  hubspot-batch results R --rejected --output 'o rejected.csv'",
        "  then correct o rejected.csv and push it",
        "  (--drop or --map: for columns that HubSpot does not know)",
        "  hubspot-batch results R --unknown",
        "  hubspot-batch results R --resolve --unique-property PROPERTY  (looks for them)",
        "  the same command again goes on where this stopped",
    ]


def test_a_run_in_a_sandbox_that_has_ended_does_not_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"read": 2, "done": 1, "finished": False}
    with connect(ConnectionOptions(sandbox=True)) as connection:
        out, _ = printed(capsys, figures, 5, resumable=connection.persistent)

    assert (
        out[-1] == "  the local HubSpot has ended; the same command begins from the first row in another one"
    )


@pytest.mark.parametrize(
    ("figures", "count"),
    [
        ({"read": 2, "done": 2, "requests": 0}, 1),
        ({"read": 2, "done": 2, "requests": 1}, 0),
        ({"read": 2, "rejected": 2, "requests": 0}, 0),
        ({"read": 2, "done": 1, "requests": 0, "finished": False}, 0),
    ],
)
def test_a_run_that_was_finished_before(
    figures: dict[str, Any],
    count: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, _ = printed(capsys, figures)

    line = "nothing was sent: an earlier run has sent all rows; with --new, all of them are sent again"
    assert out.count(line) == count


def test_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"read": 2, "done": 1, "rejected": 1, "reasons": {"x": 1}}

    out, err = printed(capsys, figures, 4, problem="p", warnings=["a"], form="json")

    (line,) = out
    told = json.loads(line)
    assert (told["run"], told["exit_code"], told["problem"], told["reasons"]) == ("R", 4, "p", {"x": 1})
    assert err == ["Warning: a"]


def test_beside_what_standard_output_holds(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, {"read": 1, "done": 1}, form="stderr")

    assert (out, err[-1]) == ([], "Run R")


def test_words_of_others_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"read": 1, "rejected": 1, "reasons": {"a\x1b[2J: X\nRun R": 1}}

    out, err = printed(capsys, figures, 4, run="r\x07", problem="\x9bA\nError: B", warnings=["\x1b"])

    assert "          1  a\\x1b[2J: X\\nRun R" in out
    assert err[1:] == ["Error: \\x9bA\\nError: B"]
    assert all(line.isprintable() for line in (*out, *err))


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        (r"C:\runs\20260101-create-orders.run", r"C:\runs\20260101-create-orders.run"),
        (r"C:\\My shop\\o.run", r'"C:\\My shop\\o.run"'),
        ("a&b%c.csv", '"a&b%c.csv"'),
    ],
)
def test_on_windows_a_command_is_quoted_for_its_shells(
    argument: str, quoted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_console, "os", SimpleNamespace(name="nt"))

    assert _console.quoted(argument) == quoted


def test_codes_in_words(write: "Write", shell: "Shell") -> None:
    path = write(
        "a.csv", "hs_order_name,hs_total_price,hs_external_created_date\nA,nine,\nB,,20260901\nC,,7\n"
    )

    done = shell.push("create", "orders", path)

    assert done.code == 4
    assert (
        "  hs_total_price: INVALID_LONG\n             not a number or a time that HubSpot takes; " in done.out
    )
    assert "  hs_external_created_date: INVALID_INPUT\n             row 2: " in done.out
    assert "a number is not a date: HubSpot would count milliseconds from 1970; " in done.out


@pytest.mark.parametrize(("columns", "indent"), [(60, " " * 13), (30, "  ")])
def test_words_fit_the_terminal(columns: int, indent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))

    lines = _console.wrapped("a sentence of several words that does not fit into one line", " " * 13)

    assert len(lines) > 1
    assert all(line.startswith(indent) and len(line) <= columns for line in lines)

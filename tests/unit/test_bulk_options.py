"""What a caller says about a run is checked before anything is read."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubspot_batch.bulk import read_outcomes
from hubspot_batch.bulk._journal import Journal
from hubspot_batch.bulk._options import Options, journal_from, task_from
from hubspot_batch.errors import ConfigurationError, JournalError
from hubspot_batch.transport._settings import Settings, settings_from, token_source

TOKEN = "s3cr3t-7261"


def options(**given: Any) -> Options:  # noqa: ANN401
    known: Options = {
        "unique_property": None,
        "id_property": None,
        "journal": None,
        "account": None,
        "concurrency": None,
        "keep_going": False,
        "on_progress": None,
    }
    known.update(given)  # type: ignore[typeddict-item]
    return known


def settings(
    token: str | Callable[[], str] = TOKEN, base_url: str = "https://api.hubapi.com", version: str = "v3"
) -> Settings:
    return settings_from(
        token_source(token),
        base_url=base_url,
        allow_http=False,
        api_version=version,
        timeout=30.0,
        attempt_timeout=None,
        max_reply_bytes=1000,
        retries=4,
        quota=None,
    )


def begun(path: Path, of: Settings | None = None, operation: str = "create_orders", **given: Any) -> Journal:  # noqa: ANN401
    """Open the journal of a run, and close it again."""
    with journal_from(
        task_from(operation, options(**given), None), options(journal=path, **given), of or settings()
    ) as journal:
        return journal


# The task.


@pytest.mark.parametrize(
    ("operation", "unique_property", "resendable"),
    [("create_orders", None, False), ("create_orders", "sku", True), ("update_orders", None, True)],
)
def test_a_row_that_may_be_written_is_sent_again_only_where_that_makes_no_double(
    operation: str, unique_property: str | None, *, resendable: bool
) -> None:
    task = task_from(operation, options(unique_property=unique_property), 250)

    assert (task.operation.id, task.unique_property, task.total) == (operation, unique_property, 250)
    assert task.resendable is resendable


@pytest.mark.parametrize(("given", "expected"), [(None, 40), (1, 1), (500, 500)])
def test_a_caller_may_say_how_many_requests_are_in_flight(given: int | None, expected: int) -> None:
    assert task_from("create_orders", options(concurrency=given), None).ceiling == expected


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "8", True, float("nan")])
def test_an_invalid_concurrency_is_refused(wrong: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^concurrency must be a positive number; say how many"):
        task_from("create_orders", options(concurrency=wrong), None)


def test_an_empty_unique_property_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^unique_property is empty; name a property"):
        task_from("create_orders", options(unique_property=""), None)


def test_an_operation_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no operation 'create_deals'"):
        task_from("create_deals", options(), None)


# The journal.


def test_without_a_journal_there_is_one_that_ends_with_the_run() -> None:
    def token() -> str:
        raise AssertionError

    with journal_from(
        task_from("create_orders", options(), None), options(account="shop"), settings(token)
    ) as journal:
        assert not journal.durable
        assert journal.meta() == {}


def test_a_new_token_of_the_same_account_goes_on_as_the_error_says(tmp_path: Path) -> None:
    path = tmp_path / "orders.run"
    begun(path)

    with pytest.raises(JournalError) as caught:
        begun(path, settings("another"))

    name = str(caught.value).partition("say account='")[2].partition("'")[0]
    assert begun(path, settings("another"), account=name).path == path


@pytest.mark.parametrize("wrong", [7, True, b"orders.run", "", "a\0b", "\ud800", ["orders.run"]])
def test_a_journal_that_is_not_a_path_is_refused(wrong: object) -> None:
    with pytest.raises(
        ConfigurationError, match=r'^journal is not the path of a file; write journal="orders'
    ):
        journal_from(task_from("create_orders", options(), None), options(journal=wrong), settings())
    with pytest.raises(ConfigurationError, match=r"^journal is not the path of a file"):
        list(read_outcomes(wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [str, Path])
def test_a_journal_may_be_named_as_text_or_path(tmp_path: Path, kind: Callable[[Path], Any]) -> None:
    path = tmp_path / "orders.run"

    assert begun(kind(path)).path == path


def test_the_same_run_is_known_again(tmp_path: Path) -> None:
    path = tmp_path / "orders.run"
    begun(path)
    begun(path, unique_property="sku", concurrency=3)
    begun(path, settings(version="2026-09"))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (
            {"of": settings("another")},
            "another account; if it is the same one with a new token, say account=",
        ),
        (
            {"of": settings(base_url="http://127.0.0.1:8080")},
            "another service; take the base_url with which its run began; ",
        ),
        ({"operation": "update_orders"}, "another operation; name the journal of this run; "),
        ({"account": "shop"}, "another account; if it is the same one with a new token, say account="),
    ],
)
def test_the_journal_of_another_run_is_refused_and_released(
    tmp_path: Path, other: dict[str, Any], expected: str
) -> None:
    path = tmp_path / "orders.run"
    begun(path)

    with pytest.raises(JournalError) as caught:
        begun(path, **other)

    assert f"the journal {path} belongs to {expected}" in str(caught.value)
    begun(path)


def test_a_token_from_a_function_needs_a_name_for_the_account(tmp_path: Path) -> None:
    path = tmp_path / "orders.run"

    with pytest.raises(ConfigurationError, match=r"name it with account=\.\.\."):
        begun(path, settings(lambda: TOKEN))

    begun(path, settings(lambda: TOKEN), account="shop")
    begun(path, settings(lambda: "another"), account="shop")


def test_the_name_of_the_account_takes_the_place_of_the_token(tmp_path: Path) -> None:
    path = tmp_path / "orders.run"
    begun(path, account="shop")
    begun(path, settings("another"), account="shop")

    with pytest.raises(JournalError, match="another account"):
        begun(path, settings("another"), account="stall")


def test_no_token_is_written_down(tmp_path: Path) -> None:
    begun(tmp_path / "orders.run")
    begun(tmp_path / "stalls.run", settings("another"))

    contents = [file.read_bytes() for file in tmp_path.iterdir()]
    assert len(contents) == 2
    assert all(TOKEN.encode() not in content and b"Bearer" not in content for content in contents)


def test_one_token_leaves_another_mark_in_each_journal(tmp_path: Path) -> None:
    marks = set()
    for name in ("one", "other"):
        begun(tmp_path / name)
        with Journal(tmp_path / name) as journal:
            marks.add(journal.meta()["account"])

    assert len(marks) == 2


def test_a_journal_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be used"):
        begun(tmp_path)


def test_a_journal_that_cannot_be_written_is_refused_and_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    path = tmp_path / "orders.run"
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "set_meta", full)
        with pytest.raises(JournalError) as caught:
            begun(path)

    assert str(caught.value) == (
        f"the journal {path} cannot be used: database or disk is full; "
        "see that the disk of the journal works, and has room"
    )
    begun(path)

"""One tree of errors that pickle, and whose text tells neither a value nor what HubSpot said."""

import copy
import inspect
import itertools
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

import hubspot_batch
from hubspot_batch import errors
from hubspot_batch.bulk import BulkError
from hubspot_batch.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ClosedError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    HubSpotBatchError,
    InputIssue,
    InvalidInputError,
    JournalError,
    JournalInUseError,
    NotFoundError,
    PermissionDeniedError,
    QuotaUnavailableError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    SourceError,
    UnexpectedReplyError,
)
from hubspot_batch.results import ErrorBody, Reason, Response
from tests.conftest import case

SECRET = "s3cr3t-7261"
SCOPES = ("crm.objects.line_items.write", "e-commerce")

FAULT = InputIssue(index=3, pointer="/inputs/3/id", problem="None is no id", remedy="write the id as text")

BODY = ErrorBody(
    category="VALIDATION_ERROR",
    sub_category="crm.SOMETHING",
    message=f"Property values were not valid: {SECRET}",
    correlation_id="8c5ad1ac-b132-4e6d-9aae-a2fd2a5f3c7a",
    context={"ids": ("1", "2"), "requiredGranularScopes": SCOPES},
    reasons=(
        Reason(code="INVALID_LONG", property="hs_tax", message=f"{SECRET} was not a valid long."),
        Reason(code="INVALID_LONG", property="hs_tax", message=f"{SECRET} was not one either."),
        Reason(code="PROPERTY_DOESNT_EXIST", property="colour", message=SECRET),
    ),
    policy="TEN_SECONDLY_ROLLING",
)

API_ERRORS: dict[type[ApiError], int] = {
    ApiError: 418,
    BadRequestError: 400,
    AuthenticationError: 401,
    PermissionDeniedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    RateLimitError: 429,
    ServerError: 503,
}

CHECK = "check base_url and the proxy"
WITHOUT_HUBSPOTS_WORDS = {
    **dict.fromkeys(range(300, 400), f"the address redirects to another one, which is not followed; {CHECK}"),
    **dict.fromkeys(range(400, 500), f"a gateway or proxy before HubSpot refused the request; {CHECK}"),
    **dict.fromkeys(range(500, 1000), "HubSpot or a gateway before it failed"),
    400: f"a gateway before HubSpot could not read the request; {CHECK}",
    401: f"a gateway or proxy before HubSpot asks for a login; {CHECK}",
    403: f"a gateway, firewall or proxy before HubSpot blocked the request; {CHECK}",
    404: "there is no such path at this address; check base_url and api_version",
    405: "nothing at this address takes batches; check base_url and api_version",
    407: "the proxy asks for a login; write user and password into its address",
    408: "the request took too long to arrive",
    411: f"a gateway or proxy before HubSpot refused the form of the request; {CHECK}",
    413: "the request is too large for HubSpot or a gateway before it; send less at once",
    414: f"the address is too long for a gateway or proxy before HubSpot; {CHECK}",
    429: "HubSpot or a gateway before it takes no more requests for now; raise Retries.budget to wait longer",
    431: f"the headers are too large for a gateway or proxy before HubSpot; {CHECK}",
    499: "a gateway before HubSpot gave the request up",
    502: "a gateway before HubSpot got no valid answer from it",
    503: "HubSpot or a gateway before it is not available for now",
    511: "the network asks for a login; log in with a browser first",
    **dict.fromkeys((504, 524), "a gateway before HubSpot timed out waiting for its answer"),
}


def response(status: int) -> Response:
    return Response(
        status=status,
        headers={"x-secret": SECRET, "retry-after": "3"},
        content=f'{{"message": "{SECRET}"}}'.encode(),
        seconds=1.5,
        attempts=2,
    )


def response_without_body(status: int) -> Response:
    return Response(status=status, headers={}, content=b"")


def api_error(kind: type[ApiError], body: ErrorBody = BODY) -> ApiError:
    return kind("create_orders", response(API_ERRORS[kind]), body)


def each_error() -> list[HubSpotBatchError]:
    return [
        HubSpotBatchError("something went wrong"),
        ConfigurationError("quota is not a Quota; write Quota(190, 10.0)"),
        SourceError("orders.csv, line 7: column 2 has no name; give it one", row=5, line=7),
        JournalError("the journal orders.run cannot be used: it is not a file"),
        JournalInUseError("the journal orders.run cannot be used: another run is using it"),
        ClosedError("the client is closed; make another one"),
        QuotaUnavailableError("the quota file q.sqlite cannot be used any more: database is locked"),
        InvalidInputError([FAULT, FAULT]),
        ConnectionFailedError("create_orders: no connection", attempts=4),
        RequestTimeoutError("create_orders: no reply came in time", attempts=5),
        UnexpectedReplyError("create_orders", response(201), "the body is not what the document describes"),
        *(api_error(kind) for kind in API_ERRORS),
        *(api_error(kind, ErrorBody()) for kind in API_ERRORS),
    ]


def test_the_tree() -> None:
    bases = {
        HubSpotBatchError: Exception,
        ConfigurationError: HubSpotBatchError,
        InvalidInputError: HubSpotBatchError,
        SourceError: HubSpotBatchError,
        JournalError: HubSpotBatchError,
        JournalInUseError: JournalError,
        ClosedError: HubSpotBatchError,
        QuotaUnavailableError: HubSpotBatchError,
        ConnectionFailedError: HubSpotBatchError,
        RequestTimeoutError: ConnectionFailedError,
        ApiError: HubSpotBatchError,
        BadRequestError: ApiError,
        AuthenticationError: ApiError,
        PermissionDeniedError: ApiError,
        NotFoundError: ApiError,
        ConflictError: ApiError,
        RateLimitError: ApiError,
        ServerError: ApiError,
        UnexpectedReplyError: HubSpotBatchError,
        BulkError: HubSpotBatchError,
    }

    assert {kind: kind.__bases__ for kind in bases} == {kind: (base,) for kind, base in bases.items()}
    assert all(getattr(hubspot_batch, kind.__name__) is kind for kind in bases)
    assert [kind for kind in bases if f" {kind.__name__}" not in (errors.__doc__ or "")] == []


def test_the_tests_here_know_every_error() -> None:
    defined = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)}
    # That one holds a report, and is tested with it.
    assert defined - {BulkError} == {type(error) for error in each_error()}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_pickles_with_all_that_it_knows(protocol: int) -> None:
    for error, maybe_written in itertools.product(each_error(), (True, False)):
        error.maybe_written = maybe_written
        with case(repr(error), maybe_written):
            again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own bytes
            assert type(again) is type(error)
            assert str(again) == str(error)
            assert repr(again) == repr(error)
            assert again.args == error.args
            assert vars(again) == vars(error)
            assert again.maybe_written is maybe_written


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_every_error_can_be_copied(duplicate: Any) -> None:  # noqa: ANN401
    for error in each_error():
        with case(repr(error)):
            again = duplicate(error)
            assert again is not error
            assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_an_error_that_was_pickled_keeps_the_notes_of_the_caller() -> None:
    error = api_error(ConflictError)
    error.add_note("row 17 of orders.csv")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["row 17 of orders.csv"]  # noqa: S301 - our own bytes


def test_no_text_repeats_what_hubspot_said() -> None:
    for error, maybe_written in itertools.product(each_error(), (True, False)):
        error.maybe_written = maybe_written
        with case(type(error)):
            assert SECRET not in str(error)
            assert SECRET not in repr(error)
            assert SECRET not in "".join(map(str, error.args))


def test_only_a_success_that_cannot_be_read_may_be_written_from_the_start() -> None:
    assert {type(error): error.maybe_written for error in each_error()} == {
        type(error): type(error) is UnexpectedReplyError for error in each_error()
    }


def test_the_text_says_where_the_batch_may_have_been_written() -> None:
    for error in each_error():
        with case(repr(error)):
            error.maybe_written = False
            without = str(error)
            error.maybe_written = True
            assert without == error.args[0]
            assert str(error) == f"{without}; the batch may have been written"


def test_the_text_of_a_refusal() -> None:
    explanations = {
        ApiError: "HubSpot's own words are in .message",
        BadRequestError: "hs_tax: INVALID_LONG, colour: PROPERTY_DOESNT_EXIST",
        AuthenticationError: "the token was not accepted; check access_token or HUBSPOT_ACCESS_TOKEN",
        PermissionDeniedError: (
            "the token needs one of these scopes: crm.objects.line_items.write, e-commerce"
        ),
        NotFoundError: "there is no such path or object; check base_url and api_version",
        ConflictError: "a record with one of the unique values exists; HubSpot's own words are in .message",
        RateLimitError: "the quota TEN_SECONDLY_ROLLING is used up; raise Retries.budget to wait longer",
        ServerError: "HubSpot or a gateway before it failed",
    }

    assert {kind: str(api_error(kind)) for kind in API_ERRORS} == {
        kind: f"create_orders: HTTP {API_ERRORS[kind]} VALIDATION_ERROR: {explanation}"
        " (correlation id 8c5ad1ac-b132-4e6d-9aae-a2fd2a5f3c7a)"
        for kind, explanation in explanations.items()
    }


def test_the_text_of_a_refusal_that_says_little() -> None:
    cases: list[tuple[type[ApiError], ErrorBody, str]] = [
        (ApiError, ErrorBody(message="m"), "create_orders: HTTP 418: HubSpot's own words are in .message"),
        (ApiError, ErrorBody(category="C"), "create_orders: HTTP 418 C: HubSpot gives no reason"),
        (
            BadRequestError,
            ErrorBody(message="m"),
            "create_orders: HTTP 400: HubSpot's own words are in .message",
        ),
        (
            ConflictError,
            ErrorBody(category="CONFLICT"),
            (
                "create_orders: HTTP 409 CONFLICT: a record with one of the unique values exists; "
                "HubSpot gives no reason"
            ),
        ),
        (BadRequestError, ErrorBody(reasons=(Reason(),)), "create_orders: HTTP 400: no code given"),
        (BadRequestError, ErrorBody(reasons=(Reason(code="X"),)), "create_orders: HTTP 400: X"),
        (
            AuthenticationError,
            ErrorBody(category="EXPIRED_AUTHENTICATION"),
            (
                "create_orders: HTTP 401 EXPIRED_AUTHENTICATION: the token is invalid or expired; "
                "check it, or give access_token a callable that returns a fresh one"
            ),
        ),
        (PermissionDeniedError, ErrorBody(message="m"), "create_orders: HTTP 403: the token may not do this"),
        (
            RateLimitError,
            ErrorBody(message="m"),
            (
                "create_orders: HTTP 429: the quota of the account is used up; "
                "raise Retries.budget to wait longer"
            ),
        ),
        (
            RateLimitError,
            ErrorBody(policy="DAILY", correlation_id="c"),
            (
                "create_orders: HTTP 429: the account's requests of the day are used up; "
                "they are reset at midnight in the account's time zone (correlation id c)"
            ),
        ),
    ]
    for kind, body, text in cases:
        with case(kind, body):
            assert str(api_error(kind, body)) == text


def test_a_page_of_a_gateway_is_not_taken_for_words_of_hubspot() -> None:
    kinds = {number: kind for kind, number in API_ERRORS.items()}
    bodies = {
        b"": "there is no body",
        b"<html>no</html>": "the body is a web page, see .response.content",
        b"\xef\xbb\xbf\r\n <!DOCTYPE html>": "the body is a web page, see .response.content",
        b"[]": "the body is not HubSpot's, see .response.content",
    }
    for status, content in itertools.product(range(300, 1000), bodies):
        with case(status, content):
            reply = Response(status=status, headers={}, content=content)
            assert str(kinds.get(status, ApiError)("create_orders", reply, ErrorBody())) == (
                f"create_orders: HTTP {status}: {WITHOUT_HUBSPOTS_WORDS[status]} ({bodies[content]})"
            )


def test_without_words_of_hubspot_no_text_leads_to_them_or_blames_the_token() -> None:
    kinds = {number: kind for kind, number in API_ERRORS.items()}
    texts = [
        str(kinds.get(status, ApiError)("create_orders", response_without_body(status), ErrorBody()))
        for status in range(100, 1000)
    ]
    assert not [text for text in texts if ".message" in text or "token" in text]


def test_a_refusal_holds_what_the_body_said_and_the_reply() -> None:
    for kind, status in API_ERRORS.items():
        error = api_error(kind)
        with case(kind):
            assert error.operation == "create_orders"
            assert error.response == response(status)
            assert error.status == status
            assert error.category == "VALIDATION_ERROR"
            assert error.sub_category == "crm.SOMETHING"
            assert error.message == f"Property values were not valid: {SECRET}"
            assert error.correlation_id == "8c5ad1ac-b132-4e6d-9aae-a2fd2a5f3c7a"
            assert error.context == {"ids": ("1", "2"), "requiredGranularScopes": SCOPES}
            assert error.reasons == BODY.reasons
            assert error.policy == "TEN_SECONDLY_ROLLING"


def test_a_missing_permission_names_the_scopes() -> None:
    for body, scopes in ((BODY, SCOPES), (ErrorBody(), ())):
        error = api_error(PermissionDeniedError, body)
        assert isinstance(error, PermissionDeniedError)
        assert error.missing_scopes == scopes


def test_a_401_can_point_to_the_function_that_gave_the_token() -> None:
    problems = {"EXPIRED_AUTHENTICATION": "is invalid or expired", "INVALID": "was not accepted"}
    remedy = "check where the function given as access_token gets its tokens"
    for category, problem in problems.items():
        with case(category):
            error = AuthenticationError("create_orders", response(401), ErrorBody(category=category))
            error.blame_function()
            text = f"create_orders: HTTP 401 {category}: the token {problem}; {remedy}"
            assert (error.remedy, str(error), error.args) == (remedy, text, (text,))


def test_a_quota_is_that_of_the_day_where_its_policy_says_so() -> None:
    policies = (None, "", "TEN_SECONDLY_ROLLING", "SECONDLY", "DAILY", "daily", "DAILY_ROLLING")

    found = {policy: api_error(RateLimitError, ErrorBody(policy=policy)) for policy in policies}

    assert {
        policy for policy, error in found.items() if isinstance(error, RateLimitError) and error.daily
    } == {*("DAILY", "daily", "DAILY_ROLLING")}


def test_a_success_that_cannot_be_read_keeps_its_bytes() -> None:
    error = UnexpectedReplyError("create_carts", response(200), "it is HTML")
    assert (error.operation, error.response) == ("create_carts", response(200))
    assert str(error) == (
        "create_carts: HTTP 200, but it is HTML; the bytes are in .response.content; "
        "the batch may have been written"
    )


def test_a_success_without_a_body_leads_to_no_bytes() -> None:
    error = UnexpectedReplyError("create_carts", response_without_body(200), "there is no body")
    assert str(error) == "create_carts: HTTP 200, but there is no body; the batch may have been written"


def test_an_error_of_a_source_tells_its_row_and_line() -> None:
    errors_of_places = [SourceError("no name"), SourceError("no name", row=5, line=7)]
    assert [(error.row, error.line) for error in errors_of_places] == [(None, None), (5, 7)]


@pytest.mark.parametrize("kind", [ConnectionFailedError, RequestTimeoutError])
def test_a_failed_connection_tells_how_many_attempts_were_made(kind: type[ConnectionFailedError]) -> None:
    error = kind("no connection", attempts=4)
    assert (str(error), error.attempts) == ("no connection", 4)
    assert str(kind(text="no connection", attempts=4)) == "no connection"


def test_a_run_that_stopped_hands_over_its_report() -> None:
    report: Any = SimpleNamespace(requests=0, done=0, unknown=0)
    error = BulkError(text="the disk is full", report=report)
    assert (str(error), error.report) == ("the disk is full", report)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [({}, False), ({"requests": 1}, True), ({"done": 1}, True), ({"unknown": 1}, True)],
)
def test_rows_of_a_run_that_stopped_may_be_written_where_any_was_sent(
    counts: dict[str, int], *, expected: bool
) -> None:
    report: Any = SimpleNamespace(**{"requests": 0, "done": 0, "unknown": 0} | counts)
    error = BulkError("the disk is full", report=report)
    assert (error.maybe_written, str(error)) == (expected, "the disk is full")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (FAULT, "/inputs/3/id: None is no id; write the id as text"),
        (
            InputIssue(
                index=None, pointer="", problem="null stands where a mapping belongs", remedy="write one"
            ),
            "/: null stands where a mapping belongs; write one",
        ),
    ],
)
def test_the_text_of_a_fault_is_place_problem_and_remedy(fault: InputIssue, text: str) -> None:
    assert str(fault) == text


def faults(count: int) -> list[InputIssue]:
    return [
        InputIssue(index=n, pointer=f"/inputs/{n}", problem="wrong", remedy="mend it") for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "more"),
    [(1, ""), (10, ""), (11, "\n  and 1 more, see .faults"), (250, "\n  and 240 more, see .faults")],
)
def test_the_text_of_invalid_input_shows_the_first_ten_faults(count: int, more: str) -> None:
    shown = "".join(f"\n  /inputs/{n}: wrong; mend it" for n in range(min(count, 10)))
    error = InvalidInputError(faults(count))
    assert str(error) == f"{count} fault(s), nothing was sent{shown}{more}"
    assert error.faults == tuple(faults(count))


def test_a_fault_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        FAULT.problem = "another"  # type: ignore[misc]


def test_the_fields_of_a_fault_are_given_by_name() -> None:
    with pytest.raises(TypeError):
        InputIssue(3, "/inputs/3/id", "None is no id", "write the id as text")  # type: ignore[call-arg]


def test_no_name_of_a_file_can_steer_the_terminal() -> None:
    kinds = (ConfigurationError, SourceError, JournalError, JournalInUseError, QuotaUnavailableError)
    texts = {str(kind("orders\x1b[2J.csv\nvalid: gone")) for kind in kinds}
    assert texts == {"orders\\x1b[2J.csv\\nvalid: gone"}


def test_no_word_of_hubspot_can_steer_the_terminal_once_a_function_is_blamed() -> None:
    error = AuthenticationError("create_orders", response(401), ErrorBody(category="A\x1b[2J\nB"))

    error.blame_function()

    assert str(error).isprintable()

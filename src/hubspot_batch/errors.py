"""The exceptions of this package.

::

    HubSpotBatchError
    ├── ConfigurationError           an argument, option or environment variable is wrong: correct it
    ├── InvalidInputError            inputs are not valid, and nothing was sent: correct them
    ├── SourceError                  the source of the rows cannot be read, or has changed: correct it
    ├── JournalError                 the journal of a run cannot be used: restore it, or name the right one
    │   └── JournalInUseError        another run is using it: wait for that to end
    ├── ClosedError                  the client or quota is closed: make another one
    ├── QuotaUnavailableError        a shared quota cannot be reached for now: try again later
    ├── ConnectionFailedError        no reply arrived
    │   └── RequestTimeoutError      no reply arrived in time
    ├── ApiError                     HubSpot, or a gateway before it, refused the request
    │   ├── BadRequestError          400
    │   ├── AuthenticationError      401
    │   ├── PermissionDeniedError    403
    │   ├── NotFoundError            404
    │   ├── ConflictError            409
    │   ├── RateLimitError           429
    │   └── ServerError              500 and above
    ├── UnexpectedReplyError         a success that cannot be read
    └── BulkError                    a run stopped, or not all of its rows are done (`hubspot_batch.bulk`)

Every error can be pickled, holds no token, and says in `maybe_written` whether the batch may have been
written. Its text does not include HubSpot's message, which may repeat property values: that is in
`ApiError.message` and `Reason.message`. Control characters in names and codes are escaped, so the text is
safe to print.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hubspot_batch._display import printable
from hubspot_batch.results import ErrorBody, Response

_FAULTS_SHOWN = 10

_CHECK = "check base_url and the proxy"
_FAILED = "HubSpot or a gateway before it failed"
# The meaning of a status if the body does not come from HubSpot.
_WITHOUT_HUBSPOTS_WORDS = {
    400: f"a gateway before HubSpot could not read the request; {_CHECK}",
    401: f"a gateway or proxy before HubSpot asks for a login; {_CHECK}",
    403: f"a gateway, firewall or proxy before HubSpot blocked the request; {_CHECK}",
    404: "there is no such path at this address; check base_url and api_version",
    405: "nothing at this address takes batches; check base_url and api_version",
    407: "the proxy asks for a login; write user and password into its address",
    408: "the request took too long to arrive",
    411: f"a gateway or proxy before HubSpot refused the form of the request; {_CHECK}",
    413: "the request is too large for HubSpot or a gateway before it; send less at once",
    414: f"the address is too long for a gateway or proxy before HubSpot; {_CHECK}",
    429: "HubSpot or a gateway before it takes no more requests for now; raise Retries.budget to wait longer",
    431: f"the headers are too large for a gateway or proxy before HubSpot; {_CHECK}",
    499: "a gateway before HubSpot gave the request up",
    502: "a gateway before HubSpot got no valid answer from it",
    503: "HubSpot or a gateway before it is not available for now",
    504: "a gateway before HubSpot timed out waiting for its answer",
    511: "the network asks for a login; log in with a browser first",
    524: "a gateway before HubSpot timed out waiting for its answer",
}


class HubSpotBatchError(Exception):
    """The base of all errors of this package.

    Attributes:
        maybe_written: Whether HubSpot may have written the batch, or a part of it. If so, sending the same
            inputs again can create duplicates.
    """

    maybe_written: bool = False

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}; the batch may have been written" if self.maybe_written else text

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args`, which fails for keyword-only arguments.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    cls: type[HubSpotBatchError], args: tuple[object, ...], state: dict[str, Any]
) -> HubSpotBatchError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(HubSpotBatchError):
    """An argument, an option or an environment variable is wrong. The text names it and the remedy."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class SourceError(HubSpotBatchError):
    """The source of the rows cannot be read, or is not what it was when its run began.

    Attributes:
        row: The index of the row, counted from 0; None if the problem is not in a single row.
        line: The line of the file, counted from 1; None if the source has no lines.
    """

    def __init__(self, text: str, *, row: int | None = None, line: int | None = None) -> None:
        self.row = row
        self.line = line
        super().__init__(printable(text))


class JournalError(HubSpotBatchError):
    """The journal of a run cannot be used. The text names the file and the remedy."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class JournalInUseError(JournalError):
    """Another run is using the journal. Wait for that to end."""


class ClosedError(HubSpotBatchError):
    """The client or quota is closed. Make another one."""


class QuotaUnavailableError(HubSpotBatchError):
    """A shared quota cannot be reached for now, so nothing was sent. Try again later."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class InputIssue(Struct, frozen=True, kw_only=True):
    """A problem in a payload.

    Attributes:
        index: The index of the input; None if the problem is not in a single input.
        pointer: A JSON pointer to the place, from the root of the payload.
        problem: What is wrong. It does not repeat a property value.
        remedy: What to write instead.
    """

    index: int | None
    pointer: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return printable(f"{self.pointer or '/'}: {self.problem}; {self.remedy}")


class InvalidInputError(HubSpotBatchError):
    """Inputs are not valid. Nothing was sent.

    Attributes:
        faults: Every problem of every input.
    """

    def __init__(self, faults: Sequence[InputIssue]) -> None:
        self.faults = tuple(faults)
        lines = [f"{len(self.faults)} fault(s), nothing was sent"]
        lines += [f"  {fault}" for fault in self.faults[:_FAULTS_SHOWN]]
        if len(self.faults) > _FAULTS_SHOWN:
            lines.append(f"  and {len(self.faults) - _FAULTS_SHOWN} more, see .faults")
        super().__init__("\n".join(lines))


class ConnectionFailedError(HubSpotBatchError):
    """No reply arrived: the connection failed or broke.

    Attributes:
        attempts: The number of attempts.
    """

    def __init__(self, text: str, *, attempts: int) -> None:
        self.attempts = attempts
        super().__init__(text)


class RequestTimeoutError(ConnectionFailedError):
    """No reply arrived in time."""


class ApiError(HubSpotBatchError):
    """HubSpot, or a gateway before it, refused the request.

    Attributes:
        operation: The operation that was refused.
        status: The status code.
        category: HubSpot's kind of error; None if the body has none, as on 429.
        sub_category: A more specific kind.
        message: HubSpot's message. It may repeat values that were sent.
        correlation_id: The id that HubSpot's support asks for.
        context: Details, `ids` for example.
        reasons: The single problems, if HubSpot lists them. They do not say which input they are about.
        policy: The quota that a 429 names, TEN_SECONDLY_ROLLING, SECONDLY or DAILY.
        response: The reply itself.
    """

    def __init__(self, operation: str, response: Response, body: ErrorBody) -> None:
        self.operation = operation
        self.response = response
        self.status = response.status
        self.category = body.category
        self.sub_category = body.sub_category
        self.message = body.message
        self.correlation_id = body.correlation_id
        self.context = body.context
        self.reasons = body.reasons
        self.policy = body.policy
        super().__init__(printable(self._text()))

    def _text(self) -> str:
        text = f"{self.operation}: HTTP {self.status}"
        if self.category:
            text += f" {self.category}"
        text += f": {self._explanation()}"
        if self.correlation_id:
            text += f" (correlation id {self.correlation_id})"
        return text

    def _explanation(self) -> str:
        if self._says_something:
            return self._reason()
        meaning = _WITHOUT_HUBSPOTS_WORDS.get(self.status) or _meaning_of(self.status)
        if not self.response.content:
            return f"{meaning} (there is no body)"
        kind = "a web page" if is_web_page(self.response) else "not HubSpot's"
        return f"{meaning} (the body is {kind}, see .response.content)"

    @property
    def _says_something(self) -> bool:
        """Whether the body comes from HubSpot, not from a gateway."""
        told = (self.category, self.message, self.correlation_id, self.context, self.reasons, self.policy)
        return any(told)

    def _reason(self) -> str:
        """Return the reason for a refusal by HubSpot itself."""
        return "HubSpot's own words are in .message" if self.message else "HubSpot gives no reason"


def _meaning_of(status: int) -> str:
    """Return the general meaning of a status if the body does not come from HubSpot."""
    if status >= 500:  # noqa: PLR2004 - the range of HTTP
        return _FAILED
    if 300 <= status < 400:  # noqa: PLR2004 - the range of HTTP
        return f"the address redirects to another one, which is not followed; {_CHECK}"
    return f"a gateway or proxy before HubSpot refused the request; {_CHECK}"


def is_web_page(response: Response) -> bool:
    """Return whether a body is HTML, not JSON."""
    return response.content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


class BadRequestError(ApiError):
    """400: the request as a whole was refused, and nothing of it was written."""

    def _reason(self) -> str:
        return ", ".join(dict.fromkeys(map(str, self.reasons))) or super()._reason()


class AuthenticationError(ApiError):
    """401: the token is missing, wrong or expired."""

    _from_function = False

    @property
    def expired(self) -> bool:
        """Whether HubSpot says that the token is invalid or expired."""
        return self.category == "EXPIRED_AUTHENTICATION"

    @property
    def remedy(self) -> str:
        """The remedy that the text gives."""
        if self._from_function:
            return "check where the function given as access_token gets its tokens"
        if self.expired:
            return "check it, or give access_token a callable that returns a fresh one"
        return "check access_token or HUBSPOT_ACCESS_TOKEN"

    def blame_function(self) -> None:
        """Point to the token function in the text."""
        self._from_function = True
        self.args = (printable(self._text()),)

    def _reason(self) -> str:
        problem = "is invalid or expired" if self.expired else "was not accepted"
        return f"the token {problem}; {self.remedy}"


class PermissionDeniedError(ApiError):
    """403: the token may not do this."""

    @property
    def missing_scopes(self) -> Sequence[str]:
        """The scopes that would allow it; one of them is enough. Empty if HubSpot names none."""
        return self.context.get("requiredGranularScopes", ())

    def _reason(self) -> str:
        if self.missing_scopes:
            return f"the token needs one of these scopes: {', '.join(self.missing_scopes)}"
        return "the token may not do this"


class NotFoundError(ApiError):
    """404: there is no such path or object type; check base_url and api_version."""

    def _reason(self) -> str:
        return "there is no such path or object; check base_url and api_version"


class ConflictError(ApiError):
    """409: a record with one of the unique values exists. Nothing of the request was written."""

    def _reason(self) -> str:
        return f"a record with one of the unique values exists; {super()._reason()}"


class RateLimitError(ApiError):
    """429: a quota is used up, and waiting for it would take longer than `Retries` allows."""

    @property
    def daily(self) -> bool:
        """Whether it is the quota of the day, which is reset at midnight in the account's time zone."""
        return self.policy is not None and "DAILY" in self.policy.upper()

    def _reason(self) -> str:
        if self.daily:
            return (
                "the account's requests of the day are used up; "
                "they are reset at midnight in the account's time zone"
            )
        return f"the quota {self.policy or 'of the account'} is used up; raise Retries.budget to wait longer"


class ServerError(ApiError):
    """500 and above: HubSpot or a gateway failed."""

    def _reason(self) -> str:
        return _FAILED


class UnexpectedReplyError(HubSpotBatchError):
    """A success that cannot be read.

    Attributes:
        operation: The operation.
        response: The reply, with its bytes.
    """

    maybe_written = True

    def __init__(self, operation: str, response: Response, problem: str) -> None:
        self.operation = operation
        self.response = response
        where = "; the bytes are in .response.content" if response.content else ""
        super().__init__(f"{operation}: HTTP {response.status}, but {problem}{where}")

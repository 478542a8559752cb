"""The faults that can be injected: when each strikes, and what the client sees of it.

Where it is not known whether HubSpot has written the batch (docs/behaviour.md, "Status codes"), the short
name says that it has, which is harder for a client.
"""

import gzip
import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._bodies import Json, Refusal
from hubspot_batch.sandbox._quotas import Policy, rate_limit_body
from hubspot_batch.sandbox._wire import Ending, WireReply, json_reply

Phase: TypeAlias = Literal["before", "after", "reply"]

_DAY = 86_400.0
_LONGEST_TAIL = 100.0
"""After this time HubSpot's gateway answers with 524 instead (docs/behaviour.md, "Status codes")."""
_UNKNOWN_STATUS = "COMPLETED"


class Strike(Struct, frozen=True, kw_only=True):
    """A request that meets a fault.

    Attributes:
        seconds: The seconds of the fault.
        reply: What the request came to; None where nothing was processed, or where its reply is lost.
        headers: What HubSpot adds to each reply of its own, and a gateway does not.
        account: The id of the account.
        correlation_id: The correlation id; a gateway sends none.
    """

    seconds: float | None
    reply: WireReply | None
    headers: Mapping[str, str]
    account: int
    correlation_id: str


_Effect: TypeAlias = Callable[[Strike], WireReply]
_Change: TypeAlias = Callable[[WireReply, float], WireReply]


class InjectedFault(Struct, frozen=True, kw_only=True):
    """One way in which a request goes wrong. As text it is its name: `slow=0.5`.

    Attributes:
        name: Its name.
        phase: When it strikes. `before`: nothing is processed. `after`: the request is processed, and its
            reply is lost. `reply`: the request is processed, and its reply comes late or changed.
        description: What happens, for people.
        effect: Returns what the client sees.
        status: The status that the client sees; None where the fault sets none.
        takes_seconds: Whether its name can be followed by seconds.
        seconds: The delay, or what `Retry-After` says; None for no such header.
        delays_index: Whether the seconds are those until unique properties find what the request wrote.
    """

    name: str
    phase: Phase
    description: str
    effect: _Effect
    status: int | None = None
    takes_seconds: bool = False
    seconds: float | None = None
    delays_index: bool = False

    def __str__(self) -> str:
        if self.seconds is None or self == FAULTS.get(self.name):
            return self.name
        return f"{self.name}={self.seconds:.12g}"


def _delayed(name: str, seconds: float, description: str) -> InjectedFault:
    return InjectedFault(
        name=name,
        phase="reply",
        description=description,
        effect=_changed(lambda reply, delay: replace(reply, delay=delay)),
        takes_seconds=True,
        seconds=seconds,
    )


def _reply(name: str, description: str, change: _Change, status: int | None = None) -> InjectedFault:
    return InjectedFault(
        name=name, phase="reply", description=description, effect=_changed(change), status=status
    )


def _throttled(name: str, policy: Policy, header: str, description: str) -> InjectedFault:
    def effect(strike: Strike) -> WireReply:
        body: Json = {**rate_limit_body(policy, account=strike.account, correlation_id=strike.correlation_id)}
        # A client that reads the headers of a 429 expects this one to say 0.
        used_up = f"X-HubSpot-RateLimit-{header}"
        headers = {**strike.headers, used_up: "0"} if used_up in strike.headers else strike.headers
        return json_reply(429, body, {**headers, **_retry_after(strike)})

    return InjectedFault(
        name=name, phase="before", description=description, effect=effect, status=429, takes_seconds=True
    )


def _refused(
    name: str,
    phase: Phase,
    message: str,
    description: str,
    *,
    seconds: float | None = None,
    waits: bool = False,
) -> InjectedFault:
    # HubSpot's words are not known, but for those of a 500.
    refusal = Refusal(status=int(name[:3]), message=message)

    def effect(strike: Strike) -> WireReply:
        body = refusal.body(strike.correlation_id)
        return json_reply(refusal.status, body, {**strike.headers, **_retry_after(strike)})

    return InjectedFault(
        name=name,
        phase=phase,
        description=description,
        effect=effect,
        status=refusal.status,
        takes_seconds=waits,
        seconds=seconds,
    )


def _gateway(name: str, phase: Phase, title: str, description: str) -> InjectedFault:
    status = int(name[:3])
    head = f"<head><title>api.hubapi.com | {status}: {title}</title></head>"
    text = f"<h1>{title} <span>Error code {status}</span></h1><p>cloudflare</p>"
    page = f"<!DOCTYPE html>\n<html>{head}<body>{text}</body></html>\n" if title else ""
    reply = WireReply(status=status, headers={"Content-Type": "text/html; charset=UTF-8"}, body=page.encode())
    return InjectedFault(
        name=name, phase=phase, description=description, effect=lambda _: reply, status=status
    )


def _silent(name: str, phase: Phase, ending: Ending, description: str) -> InjectedFault:
    reply = WireReply(status=0, ending=ending)
    return InjectedFault(name=name, phase=phase, description=description, effect=lambda _: reply)


def _changed(change: _Change) -> _Effect:
    """Return the effect that changes the reply of the request."""

    def effect(strike: Strike) -> WireReply:
        assert strike.reply is not None  # noqa: S101 - for the type checkers: apply_fault has looked
        return change(strike.reply, strike.seconds or 0.0)

    return effect


def _retry_after(strike: Strike) -> Mapping[str, str]:
    return {} if strike.seconds is None else {"Retry-After": str(math.ceil(strike.seconds))}


def _broken_off(reply: WireReply, _seconds: float) -> WireReply:
    return replace(reply, ending="reset-middle")


def _truncated(reply: WireReply, _seconds: float) -> WireReply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _invalid_utf8(reply: WireReply, _seconds: float) -> WireReply:
    # Inside a text, so that only the encoding is wrong.
    before, quote, after = reply.body.rpartition(b'"')
    return (
        replace(reply, body=before + b"\xff" + quote + after)
        if reply.status != HTTPStatus.NO_CONTENT
        else reply
    )


def _compressed(reply: WireReply, _seconds: float) -> WireReply:
    if not reply.body:
        return reply
    headers = {**reply.headers, "Content-Encoding": "gzip"}
    return replace(reply, headers=headers, body=gzip.compress(reply.body, mtime=0))


def _as_200(reply: WireReply, _seconds: float) -> WireReply:
    # 207 says that inputs failed, and no change of HubSpot's has taken that away.
    return replace(reply, status=200) if reply.status == HTTPStatus.CREATED else reply


def _requested_at_null(reply: WireReply, _seconds: float) -> WireReply:
    return _with_field(reply, requestedAt=None)


def _unknown_status(reply: WireReply, _seconds: float) -> WireReply:
    return _with_field(reply, status=_UNKNOWN_STATUS)


def _with_field(reply: WireReply, **fields: object) -> WireReply:
    """Change a field of the reply of a batch; any other reply stays as it is."""
    body: dict[str, Any] = msgspec.json.decode(reply.body) if 200 <= reply.status < 300 and reply.body else {}  # noqa: PLR2004 - the range of HTTP
    return replace(reply, body=msgspec.json.encode({**body, **fields})) if "status" in body else reply


def _unchanged(reply: WireReply, _seconds: float) -> WireReply:
    return reply


_LOCKED = "Too many writes in a short time have locked this resource, please try again in 2 seconds"
_MOVING = "This account is being migrated between data centers"
_ERROR = "internal error"
_BAD_GATEWAY = "Bad gateway"
_TIMED_OUT = "Gateway time-out"
_NO_ANSWER = "A timeout occurred"

FAULTS: Mapping[str, InjectedFault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            _delayed("slow", 1.0, "the reply comes late; seconds: how much"),
            _delayed("slow-tail", 0.05, "the reply comes late, rarely very late; seconds: the least delay"),
            _throttled(
                "429-ten-secondly",
                "TEN_SECONDLY_ROLLING",
                "Remaining",
                "the requests of ten seconds are used up; seconds: Retry-After",
            ),
            _throttled(
                "429-secondly",
                "SECONDLY",
                "Secondly-Remaining",
                "the requests of a second are used up; seconds: Retry-After",
            ),
            _throttled(
                "429-daily",
                "DAILY",
                "Daily-Remaining",
                "the requests of the day are used up; seconds: Retry-After",
            ),
            _refused("423", "before", _LOCKED, "locked after much writing; seconds: Retry-After", waits=True),
            _refused(
                "477",
                "before",
                _MOVING,
                "the account moves to another data centre; seconds: Retry-After",
                seconds=_DAY,
                waits=True,
            ),
            _refused("500", "after", _ERROR, "internal error, though the batch was written"),
            _refused("500-before", "before", _ERROR, "internal error, and nothing was written"),
            _gateway("502", "after", _BAD_GATEWAY, "HTML from a gateway, though the batch was written"),
            _gateway("502-before", "before", _BAD_GATEWAY, "HTML from a gateway, and nothing was written"),
            _refused(
                "503",
                "before",
                "HubSpot is temporarily unavailable",
                "HubSpot is down, and nothing was written",
            ),
            _gateway(
                "504-before",
                "before",
                _TIMED_OUT,
                "a gateway gave up waiting, and nothing was written",
            ),
            _gateway(
                "504-after",
                "after",
                _TIMED_OUT,
                "a gateway gave up waiting, though the batch was written",
            ),
            _gateway("520", "after", "", "an empty body from a gateway, though the batch was written"),
            _gateway("520-before", "before", "", "an empty body from a gateway, and nothing was written"),
            _gateway("524", "after", _NO_ANSWER, "no answer within 100 s, though the batch was written"),
            _gateway(
                "524-before",
                "before",
                _NO_ANSWER,
                "no answer within 100 s, and nothing was written",
            ),
            _silent("reset-before", "before", "reset", "the connection is reset, and nothing was written"),
            _reply("reset-middle", "the connection is reset in the middle of the reply", _broken_off),
            _silent("reset-after", "after", "reset", "the connection is reset, though the batch was written"),
            _silent("never-before", "before", "never", "no reply ever comes, and nothing was written"),
            _silent("never-after", "after", "never", "no reply ever comes, though the batch was written"),
            _reply("truncated", "the JSON of the reply is cut short", _truncated),
            _reply("invalid-utf8", "the reply is not UTF-8", _invalid_utf8),
            _reply("gzip", "the reply is compressed, asked for or not", _compressed),
            _reply("200", "200 where 201 is documented", _as_200, 200),
            _reply("requested-at-null", "the reply says requestedAt: null", _requested_at_null),
            _reply("unknown-status", "the reply has a status that is not documented", _unknown_status),
            InjectedFault(
                name="late-index",
                phase="reply",
                description="unique properties find what was written later; seconds: how much",
                effect=_changed(_unchanged),
                takes_seconds=True,
                seconds=2.0,
                delays_index=True,
            ),
        )
    }
)
"""Every fault by its name."""

NO_FAULT = InjectedFault(name="none", phase="reply", description="no fault", effect=_changed(_unchanged))
"""Stands for "no fault" in a script, where None means that the script says nothing."""


def apply_fault(
    fault: InjectedFault,
    reply: WireReply | None,
    *,
    headers: Mapping[str, str],
    account: int,
    correlation_id: str,
) -> WireReply:
    """Return what the client sees of a request that meets a fault.

    Args:
        fault: The fault.
        reply: What the request came to; None where nothing was processed, or where its reply is lost.
        headers: What HubSpot adds to each reply of its own, and a gateway does not.
        account: The id of the account.
        correlation_id: The correlation id; a gateway sends none.

    Raises:
        ValueError: If the fault changes a reply and there is none.
    """
    if fault.phase == "reply" and reply is None:
        raise ValueError(f"the fault {fault} changes a reply, and there is none")
    return fault.effect(
        Strike(
            seconds=fault.seconds,
            reply=reply,
            headers=headers,
            account=account,
            correlation_id=correlation_id,
        )
    )


def fault_named(text: str) -> InjectedFault:
    """Return the fault of a name, `504-after`, or of a name and seconds, `slow=0.5`.

    Raises:
        ConfigurationError: If there is no such fault, or the seconds are invalid.
    """
    name, equals, seconds = text.partition("=")
    fault = FAULTS.get(name)
    if fault is None:
        raise ConfigurationError(f"there is no fault {name!r}; {_suggestion(name)}")
    if not equals:
        return fault
    if not fault.takes_seconds:
        raise ConfigurationError(f"the fault {name} takes no seconds; write {name}")
    return replace(fault, seconds=_seconds(name, seconds))


def parse_fault(text: str) -> tuple[InjectedFault, float]:
    """Read a fault and its rate from the command line.

    Args:
        text: `NAME:RATE` or `NAME=SECONDS:RATE`, `504-after:0.02` or `slow=0.5:0.1` for example.

    Raises:
        ConfigurationError: If it is not of this form, there is no such fault, or the rate is not from 0 to 1.
    """
    name, colon, rate = text.rpartition(":")
    if not colon:
        raise ConfigurationError(
            f"the fault {text!r} has no rate; write it like 504-after:0.02 or slow=0.5:0.1"
        )
    fault = fault_named(name)
    try:
        return fault, checked_rate(fault, float(rate))
    except ValueError:
        raise ConfigurationError(
            f"{rate!r} is not a rate; write {name} with a number from 0 to 1, {name}:0.02 for example"
        ) from None


def with_drawn_delay(fault: InjectedFault | None, luck: float) -> InjectedFault | None:
    """Return a fault with the delay that a random number from 0 to 1 stands for, if it has a long tail."""
    if fault is None or fault.name != "slow-tail":
        return fault
    # Pareto: half of the delays are below twice the least one, one in a hundred is above a hundred times.
    delay = min((fault.seconds or 0.0) / (1.0 - luck), _LONGEST_TAIL)
    return replace(fault, seconds=delay)


def _suggestion(name: str) -> str:
    similar = [other for other in FAULTS if other.startswith(name)] or get_close_matches(name, FAULTS)
    if similar and name:
        return f"did you mean {' or '.join(similar)}?"
    return f"choose one of {', '.join(FAULTS)}"


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _DAY:
        raise ConfigurationError(
            f"{text!r} is not a number of seconds from 0 to {_DAY:g}; write it like {name}=0.5"
        )
    return seconds


def checked_rate(fault: InjectedFault, rate: float) -> float:
    """Return a rate.

    Raises:
        ConfigurationError: If it is not from 0 to 1.
    """
    if not 0 <= rate <= 1:
        raise ConfigurationError(f"the fault {fault} cannot have the rate {rate:g}; choose one from 0 to 1")
    return rate

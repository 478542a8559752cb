"""Faults on purpose: which there are, and which request meets one.

A fault is chosen, in this order, by the header `X-Sandbox-Fault` of the request, by script, or by rate with a
seed. What it looks like to the client is the business of `_wire`.
"""

import math
import random
from collections import deque
from collections.abc import Mapping
from difflib import get_close_matches
from threading import Lock
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from hubspot_batch.errors import ConfigurationError

FAULT_HEADER = "X-Sandbox-Fault"
"""The header by which a request asks for a fault, `504-after` or `slow=0.5`; `none` keeps it from any."""

Phase: TypeAlias = Literal["before", "after", "reply"]

_DAY = 86_400.0
_LONGEST_TAIL = 100.0
"""Later than that, HubSpot's gateway answers with 524 instead (docs/behaviour.md, "Status codes")."""


class Fault(Struct, frozen=True, kw_only=True):
    """One way in which a request goes wrong. Its text is what names it: `slow=0.5`.

    Attributes:
        name: What it is called.
        phase: When it strikes. `before`: nothing is processed. `after`: the batch is processed, and its reply
            is lost. `reply`: the batch is processed, and its reply comes late or changed.
        description: What happens, for people.
        status: The status that the client sees; None where the fault sets none.
        takes_seconds: Whether its name can be followed by seconds.
        seconds: The delay, or what `Retry-After` says; None for no such header.
    """

    name: str
    phase: Phase
    description: str
    status: int | None = None
    takes_seconds: bool = False
    seconds: float | None = None

    def __str__(self) -> str:
        if self.seconds is None or self == FAULTS.get(self.name):
            return self.name
        return f"{self.name}={self.seconds:.12g}"


def _reply(name: str, description: str, status: int | None = None) -> Fault:
    return Fault(name=name, phase="reply", description=description, status=status)


def _late(name: str, seconds: float, description: str) -> Fault:
    return Fault(name=name, phase="reply", description=description, takes_seconds=True, seconds=seconds)


def _refusal(name: str, status: int, description: str, seconds: float | None = None) -> Fault:
    return Fault(
        name=name,
        phase="before",
        description=description,
        status=status,
        takes_seconds=True,
        seconds=seconds,
    )


def _failure(name: str, status: int | None, phase: Phase, description: str) -> Fault:
    return Fault(name=name, phase=phase, description=description, status=status)


# Where it is not known whether HubSpot has written the batch, the short name says that it has, which is the
# harder case for a client.
FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            _late("slow", 1.0, "the reply comes late; seconds: how much"),
            _late("slow-tail", 0.05, "the reply comes late, rarely very late; seconds: the least delay"),
            _refusal(
                "429-ten-secondly", 429, "the requests of ten seconds are used up; seconds: Retry-After"
            ),
            _refusal("429-secondly", 429, "the requests of a second are used up; seconds: Retry-After"),
            _refusal("429-daily", 429, "the requests of the day are used up; seconds: Retry-After"),
            _refusal("423", 423, "locked after much writing; seconds: Retry-After"),
            _refusal("477", 477, "the account moves to another data centre; seconds: Retry-After", _DAY),
            _failure("500", 500, "after", "internal error, though the batch was written"),
            _failure("500-before", 500, "before", "internal error, and nothing was written"),
            _failure("502", 502, "after", "HTML from a gateway, though the batch was written"),
            _failure("502-before", 502, "before", "HTML from a gateway, and nothing was written"),
            _failure("503", 503, "before", "HubSpot is down, and nothing was written"),
            _failure("504-before", 504, "before", "a gateway gave up waiting, and nothing was written"),
            _failure("504-after", 504, "after", "a gateway gave up waiting, though the batch was written"),
            _failure("520", 520, "after", "an empty body from a gateway, though the batch was written"),
            _failure("520-before", 520, "before", "an empty body from a gateway, and nothing was written"),
            _failure("524", 524, "after", "no answer within 100 s, though the batch was written"),
            _failure("524-before", 524, "before", "no answer within 100 s, and nothing was written"),
            _failure("reset-before", None, "before", "the connection is reset, and nothing was written"),
            _reply("reset-middle", "the connection is reset in the middle of the reply"),
            _failure("reset-after", None, "after", "the connection is reset, though the batch was written"),
            _failure("never-before", None, "before", "no reply ever comes, and nothing was written"),
            _failure("never-after", None, "after", "no reply ever comes, though the batch was written"),
            _reply("truncated", "the JSON of the reply is cut short"),
            _reply("invalid-utf8", "the reply is not UTF-8"),
            _reply("gzip", "the reply is compressed, asked for or not"),
            _reply("200", "200 where 201 is documented", 200),
            _reply("requested-at-null", "the reply says requestedAt: null"),
            _reply("unknown-status", "the reply has a status that is not documented"),
        )
    }
)
"""Every fault by its name."""

# Takes the place of "no fault" in a script, where None means that the script says nothing.
_NOTHING = Fault(name="none", phase="reply", description="no fault")


def fault_named(text: str) -> Fault:
    """Return the fault of a name, `504-after`, or of a name and seconds, `slow=0.5`.

    Raises:
        ConfigurationError: If there is none, or the seconds cannot be.
    """
    name, equals, seconds = text.partition("=")
    fault = FAULTS.get(name)
    if fault is None:
        raise ConfigurationError(f"there is no fault {name!r}; {_suggestion(name)}")
    if not equals:
        return fault
    if not fault.takes_seconds:
        raise ConfigurationError(f"the fault {name} takes no seconds; write {name}")
    return msgspec.structs.replace(fault, seconds=_seconds(name, seconds))


def parse_fault(text: str) -> tuple[Fault, float]:
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
        return fault, _checked_rate(fault, float(rate))
    except ValueError:
        raise ConfigurationError(
            f"{rate!r} is no rate; write {name} with a number from 0 to 1, {name}:0.02 for example"
        ) from None


class Faults:
    """Which requests meet which fault. Any thread may use it.

    The header of a request comes first, then the script, then the rates. With the same seed the same sequence
    of requests meets the same faults: each of them draws equally often, whatever decides on it.

    Args:
        rates: How often each fault occurs, from 0 to 1: `{"504-after": 0.02, "slow=0.5": 0.1}`. At most one
            strikes a request, so together they are at most 1.
        seed: What is drawn from.

    Raises:
        ConfigurationError: If there is no such fault, or the rates cannot be.
    """

    def __init__(self, rates: Mapping[str, float] | None = None, seed: int = 0) -> None:
        self._lock = Lock()
        self._random = random.Random(seed)  # noqa: S311 - it decides on no secret
        self._rates: dict[Fault, float] = {}
        self._queue: deque[Fault] = deque()
        self._numbered: dict[int, Fault] = {}
        self._count = 0
        for name, rate in (rates or {}).items():
            self.set(name, rate)

    @property
    def rates(self) -> Mapping[str, float]:
        """The faults that occur by rate, by the text that names them."""
        with self._lock:
            return {str(fault): rate for fault, rate in self._rates.items()}

    @property
    def count(self) -> int:
        """How many requests have come."""
        with self._lock:
            return self._count

    def next(self, *names: str | None) -> None:
        """Let the next requests meet these faults, one each, in this order.

        They queue behind those of earlier calls. A request on which a header or `at` decides takes none.

        Args:
            names: Faults, `504-after` or `slow=0.5`; None for a request without one.

        Raises:
            ConfigurationError: If there is no such fault.
        """
        faults = [_scripted(name) for name in names]
        with self._lock:
            self._queue.extend(faults)

    def at(self, number: int, name: str | None) -> None:
        """Let one request meet a fault.

        Args:
            number: Which one, counted from the start of the sandbox; the first is 1. `count` says how many
                have come.
            name: The fault, or None for no fault.

        Raises:
            ConfigurationError: If there is no such fault, or that request has come.
        """
        fault = _scripted(name)
        with self._lock:
            if number <= self._count:
                raise ConfigurationError(
                    f"request {number} cannot meet a fault any more; the next one is {self._count + 1}"
                )
            self._numbered[number] = fault

    def set(self, name: str, rate: float) -> None:
        """Let a fault occur at a rate from now on; 0 takes it away.

        Raises:
            ConfigurationError: If there is no such fault, the rate is not from 0 to 1, or all rates together
                are above 1.
        """
        fault = fault_named(name)
        with self._lock:
            rates = {**self._rates, fault: _checked_rate(fault, rate)}
            total = math.fsum(rates.values())
            if total > 1:
                raise ConfigurationError(
                    f"with {fault} at {rate:g} the rates of all faults come to {total:g}; "
                    "only one strikes a request, so keep them at 1 or below"
                )
            self._rates = {fault: rate for fault, rate in rates.items() if rate}

    def clear(self) -> None:
        """Let no fault occur any more, neither by rate nor by script."""
        with self._lock:
            self._rates = {}
            self._queue.clear()
            self._numbered.clear()

    def choose(self, header: str | None = None) -> Fault | None:
        """Count a request and return the fault that it meets, or None.

        A delay with a long tail is drawn here: `seconds` of what is returned is the delay itself.

        Args:
            header: The value of `X-Sandbox-Fault`, if the request has it.

        Raises:
            ConfigurationError: If the header names no fault. The request is not counted then.
        """
        asked = None if header is None else _scripted(header)
        with self._lock:
            self._count += 1
            luck, delay = self._random.random(), self._random.random()
            scripted = self._numbered.pop(self._count, None)
            fault = asked or scripted or self._queued() or self._drawn(luck)
        return None if fault is _NOTHING else _with_delay(fault, delay)

    def _queued(self) -> Fault | None:
        return self._queue.popleft() if self._queue else None

    def _drawn(self, luck: float) -> Fault | None:
        for fault, rate in self._rates.items():
            if luck < rate:
                return fault
            luck -= rate
        return None


def _scripted(name: str | None) -> Fault:
    return _NOTHING if name is None or name == _NOTHING.name else fault_named(name)


def _with_delay(fault: Fault | None, luck: float) -> Fault | None:
    if fault is None or fault.name != "slow-tail":
        return fault
    # Pareto: half of the delays are below twice the least one, one in a hundred is above a hundred times.
    delay = min((fault.seconds or 0.0) / (1.0 - luck), _LONGEST_TAIL)
    return msgspec.structs.replace(fault, seconds=delay)


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
            f"{text!r} is no number of seconds from 0 to {_DAY:g}; write it like {name}=0.5"
        )
    return seconds


def _checked_rate(fault: Fault, rate: float) -> float:
    if not 0 <= rate <= 1:
        raise ConfigurationError(f"the fault {fault} cannot have the rate {rate:g}; choose one from 0 to 1")
    return rate

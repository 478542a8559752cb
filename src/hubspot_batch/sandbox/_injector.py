"""Decides which request meets which fault."""

import math
import random
from collections import deque
from collections.abc import Mapping
from threading import Lock

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._faults import NO_FAULT, InjectedFault, checked_rate, fault_named, with_drawn_delay

FAULT_HEADER = "X-Sandbox-Fault"
"""The header by which a request asks for a fault, `504-after` or `slow=0.5`; `none` keeps it from any."""


class FaultInjector:
    """Decides which request meets which fault. Any thread may use it.

    The header of a request comes first, then the script, then the rates. With the same seed the same sequence
    of requests meets the same faults, because each request draws the same random numbers.

    Args:
        rates: The rate of each fault, from 0 to 1: `{"504-after": 0.02, "slow=0.5": 0.1}`. At most one fault
            strikes a request, so the rates add up to at most 1.
        seed: The seed of the random numbers.

    Raises:
        ConfigurationError: If there is no such fault, or the rates are invalid.
    """

    def __init__(self, rates: Mapping[str, float] | None = None, seed: int = 0) -> None:
        self._lock = Lock()
        self._queue: deque[InjectedFault] = deque()
        self._numbered: dict[int, InjectedFault] = {}
        self._rates: dict[InjectedFault, float] = {}
        self.restart(rates, seed)

    def restart(self, rates: Mapping[str, float] | None = None, seed: int = 0) -> None:
        """Begin again: with these rates and no script, and with no request counted.

        Raises:
            ConfigurationError: If there is no such fault, or the rates are invalid.
        """
        self.clear()
        with self._lock:
            self._random = random.Random(seed)  # noqa: S311 - not for secrets
            self._count = 0
        for name, rate in (rates or {}).items():
            self.set(name, rate)

    @property
    def rates(self) -> Mapping[str, float]:
        """The rates of the faults that occur by rate, by their names."""
        with self._lock:
            return {str(fault): rate for fault, rate in self._rates.items()}

    @property
    def count(self) -> int:
        """How many requests there were."""
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
            rates = {**self._rates, fault: checked_rate(fault, rate)}
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

    def choose(self, header: str | None = None) -> InjectedFault | None:
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
        return None if fault is NO_FAULT else with_drawn_delay(fault, delay)

    def _queued(self) -> InjectedFault | None:
        return self._queue.popleft() if self._queue else None

    def _drawn(self, luck: float) -> InjectedFault | None:
        for fault, rate in self._rates.items():
            if luck < rate:
                return fault
            luck -= rate
        return None


def _scripted(name: str | None) -> InjectedFault:
    return NO_FAULT if name is None or name == NO_FAULT.name else fault_named(name)

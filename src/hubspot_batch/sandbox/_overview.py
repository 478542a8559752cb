"""The state that the page at `/` shows."""

from time import monotonic

from hubspot_batch._version import __version__
from hubspot_batch.sandbox._accounts import OpenAccount
from hubspot_batch.sandbox._clock import Clock
from hubspot_batch.sandbox._faults import FAULTS, fault_named
from hubspot_batch.sandbox._history import History
from hubspot_batch.sandbox._injector import FaultInjector
from hubspot_batch.sandbox._object_types import SCHEMAS
from hubspot_batch.sandbox._page import FaultState, ObjectTypeEntry, QuotaState, RecordEntry, State
from hubspot_batch.sandbox._store import Store, StoredRecord
from hubspot_batch.sandbox._tokens import Grant

_LATEST = 5
_REQUESTS = 50
_WRITTEN = ("orders", "line_items", "commerce_payments", "carts")
"""The object types that are shown even without records."""


class Overview:
    """Reads the parts of a sandbox. Any thread may use it.

    Args:
        url: The base URL of the sandbox.
        faults: The faults to inject.
        history: The requests.
        clock: The time of the sandbox.
    """

    def __init__(self, url: str, faults: FaultInjector, history: History, clock: Clock) -> None:
        self._url = url
        self._faults = faults
        self._history = history
        self._clock = clock
        self._began = monotonic()

    def state(self, account: OpenAccount) -> State:
        """Return the present state of an account."""
        now, store = self._clock.monotonic(), account.store
        return State(
            url=self._url,
            access_token=account.options.access_token,
            version=__version__,
            up_seconds=monotonic() - self._began,
            records=[entry for name in SCHEMAS if (entry := _stored(store, name)).count or name in _WRITTEN],
            quota=self._quota(account.grant, now),
            per_second=self._history.seconds(now),
            requests=[entry.summary() for entry in self._history.requests()[: -_REQUESTS - 1 : -1]],
            faults=self._rates(),
        )

    def _quota(self, grant: Grant, now: float) -> QuotaState:
        quota = grant.window.quota
        return QuotaState(
            limit=quota.limit,
            window=quota.window,
            used=grant.window.used(now),
            daily=quota.daily,
            daily_used=grant.day.used(self._clock.now()),
        )

    def _rates(self) -> list[FaultState]:
        rates = self._faults.rates
        names = dict.fromkeys((*FAULTS, *rates))
        return [
            FaultState(name=name, description=fault_named(name).description, rate=rates.get(name, 0.0))
            for name in names
        ]


def _stored(store: Store, object_type: str) -> ObjectTypeEntry:
    latest = store.with_associations(store.latest(object_type, _LATEST))
    return ObjectTypeEntry(
        object_type=object_type,
        count=store.count(object_type),
        latest=[
            RecordEntry(id=record.id, name=_name_of(record), associations=len(record.associations))
            for record in latest
        ],
    )


def _name_of(record: StoredRecord) -> str | None:
    return record.properties.get(SCHEMAS[record.object_type].title)

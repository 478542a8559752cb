"""The state that the page at `/` shows: that of the first account."""

from datetime import UTC, datetime
from time import monotonic

from hubspot_batch._version import __version__
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
    """Reads the parts of a sandbox. Only the thread of the server may use it.

    Args:
        url: The base URL of the sandbox.
        access_token: The token of the first account.
        grant: The account, scopes and quota of that token.
        store: The records of the first account.
        faults: The faults to inject.
        history: The requests.
    """

    def __init__(
        self,
        *,
        url: str,
        access_token: str,
        grant: Grant,
        store: Store,
        faults: FaultInjector,
        history: History,
    ) -> None:
        self.faults = faults
        self._url = url
        self._access_token = access_token
        self._grant = grant
        self._store = store
        self._history = history
        self._began = monotonic()

    def state(self) -> State:
        """Return the present state."""
        now = monotonic()
        return State(
            url=self._url,
            access_token=self._access_token,
            version=__version__,
            up_seconds=now - self._began,
            records=[entry for name in SCHEMAS if (entry := self._stored(name)).count or name in _WRITTEN],
            quota=self._quota(now),
            per_second=self._history.seconds(now),
            requests=self._history.requests()[: -_REQUESTS - 1 : -1],
            faults=self._faults(),
        )

    def _stored(self, object_type: str) -> ObjectTypeEntry:
        latest = self._store.with_associations(self._store.latest(object_type, _LATEST))
        return ObjectTypeEntry(
            object_type=object_type,
            count=self._store.count(object_type),
            latest=[
                RecordEntry(id=record.id, name=_name_of(record), associations=len(record.associations))
                for record in latest
            ],
        )

    def _quota(self, now: float) -> QuotaState:
        quota = self._grant.window.quota
        return QuotaState(
            limit=quota.limit,
            window=quota.window,
            used=self._grant.window.used(now),
            daily=quota.daily,
            daily_used=self._grant.day.used(datetime.now(UTC)),
        )

    def _faults(self) -> list[FaultState]:
        rates = self.faults.rates
        names = dict.fromkeys((*FAULTS, *rates))
        return [
            FaultState(name=name, description=fault_named(name).description, rate=rates.get(name, 0.0))
            for name in names
        ]


def _name_of(record: StoredRecord) -> str | None:
    return record.properties.get(SCHEMAS[record.object_type].title)

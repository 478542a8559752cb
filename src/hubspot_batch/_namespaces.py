"""What a client offers for each object type. Each method builds a call; the client sends it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from hubspot_batch._calls import Call, build_call
from hubspot_batch._settings import Settings
from hubspot_batch.contract import ObjectType
from hubspot_batch.inputs import AnyCreateInput, AnyUpdateInput
from hubspot_batch.results import BatchResult

_Send: TypeAlias = Callable[[Call], BatchResult]
_AsyncSend: TypeAlias = Callable[[Call], Awaitable[BatchResult]]


class _Namespace:
    """What the namespaces of both clients have in common: they turn inputs into calls."""

    def __init__(self, object_type: ObjectType, settings: Settings) -> None:
        self._object_type = object_type
        self._api_version = settings.api_version

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._object_type!r})"

    def _create(self, inputs: Iterable[object], unique_property: str | None) -> Call:
        return build_call(
            f"create_{self._object_type}",
            inputs,
            api_version=self._api_version,
            unique_property=unique_property,
        )

    def _update(self, inputs: Iterable[object]) -> Call:
        return build_call(f"update_{self._object_type}", inputs, api_version=self._api_version)


class Creates(_Namespace):
    """An object type whose records can be created."""

    def __init__(self, object_type: ObjectType, settings: Settings, send: _Send) -> None:
        super().__init__(object_type, settings)
        self._send = send

    def batch_create(
        self, inputs: Iterable[AnyCreateInput], *, unique_property: str | None = None
    ) -> BatchResult:
        """Create 1 to 100 records in one request.

        An input that HubSpot refuses costs only itself: it stands in `errors`, the others are written. A
        batch that may have been written is not sent again, so that no record is doubled, unless
        `unique_property` names a property by which HubSpot itself refuses the double; the conflict then
        stands in `errors`, or is raised as `ConflictError`.

        Args:
            inputs: Mappings with `properties` and, where wanted, `associations` and `objectWriteTraceId`; or
                generated models. Numbers, bools, dates, aware datetimes and lists of options become text.
                They are not changed.
            unique_property: A property that the account holds unique and that every input has.

        Returns:
            What was written, what was refused, and what the reply says nothing about.

        Raises:
            InvalidInputError: If any input is not valid. Nothing was sent.
            ConnectionFailedError: If no reply came; `maybe_written` tells whether to look first.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        return self._send(self._create(inputs, unique_property))


class Orders(Creates):
    """Orders, which can be created and updated."""

    def batch_update(self, inputs: Iterable[AnyUpdateInput]) -> BatchResult:
        """Update 1 to 100 records in one request.

        Ids that HubSpot does not find stand in `errors`, the other records are updated. An invalid value
        refuses the whole request. Updates are sent again after a time-out or a failure of the server: to
        set the same values twice is to set them once.

        Args:
            inputs: Mappings with `id` and `properties`, and `idProperty` where `id` is not the record id but
                the value of a unique property; or generated models. `""` clears a property, None does not.

        Returns:
            What was written, what was refused, and what the reply says nothing about.

        Raises:
            InvalidInputError: If any input is not valid. Nothing was sent.
            ConnectionFailedError: If no reply came.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        return self._send(self._update(inputs))


class AsyncCreates(_Namespace):
    """An object type whose records can be created."""

    def __init__(self, object_type: ObjectType, settings: Settings, send: _AsyncSend) -> None:
        super().__init__(object_type, settings)
        self._send = send

    async def batch_create(
        self, inputs: Iterable[AnyCreateInput], *, unique_property: str | None = None
    ) -> BatchResult:
        """Create 1 to 100 records in one request, as `Creates.batch_create` does."""
        return await self._send(self._create(inputs, unique_property))


class AsyncOrders(AsyncCreates):
    """Orders, which can be created and updated."""

    async def batch_update(self, inputs: Iterable[AnyUpdateInput]) -> BatchResult:
        """Update 1 to 100 records in one request, as `Orders.batch_update` does."""
        return await self._send(self._update(inputs))

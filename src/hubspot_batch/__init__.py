"""Push orders, line items, payments and carts into HubSpot in batches.

Example:
    ::

        from hubspot_batch import HubSpot

        with HubSpot() as hub:  # token from HUBSPOT_ACCESS_TOKEN
            result = hub.orders.batch_create([{"properties": {"hs_order_name": "A-1001"}}])
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING

from hubspot_batch._version import __version__

if TYPE_CHECKING:
    from hubspot_batch import bulk as bulk
    from hubspot_batch import types as types
    from hubspot_batch._display import printable
    from hubspot_batch.bulk import BulkError
    from hubspot_batch.client import AsyncHubSpot, HubSpot
    from hubspot_batch.contract._inputs import Association, CreateInput, UpdateInput, UpsertInput
    from hubspot_batch.contract._validation import validate
    from hubspot_batch.contract._values import PropertyValue
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
    from hubspot_batch.results import (
        AssociatedPair,
        AssociationResult,
        BatchResult,
        PropertyDefinition,
        PropertyOption,
        PropertyVersion,
        Reason,
        Record,
        RecordError,
        RecordWarning,
        Response,
    )
    from hubspot_batch.transport._quota import Quota
    from hubspot_batch.transport._retries import Retries
    from hubspot_batch.transport._shared_quota import SharedQuota

__all__ = [
    "ApiError",
    "AssociatedPair",
    "Association",
    "AssociationResult",
    "AsyncHubSpot",
    "AuthenticationError",
    "BadRequestError",
    "BatchResult",
    "BulkError",
    "ClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CreateInput",
    "HubSpot",
    "HubSpotBatchError",
    "InputIssue",
    "InvalidInputError",
    "JournalError",
    "JournalInUseError",
    "NotFoundError",
    "PermissionDeniedError",
    "PropertyDefinition",
    "PropertyOption",
    "PropertyValue",
    "PropertyVersion",
    "Quota",
    "QuotaUnavailableError",
    "RateLimitError",
    "Reason",
    "Record",
    "RecordError",
    "RecordWarning",
    "RequestTimeoutError",
    "Response",
    "Retries",
    "ServerError",
    "SharedQuota",
    "SourceError",
    "UnexpectedReplyError",
    "UpdateInput",
    "UpsertInput",
    "__version__",
    "printable",
    "validate",
]

# Where each name is; all others of `__all__` are in `errors`. A module is imported when one of its names is
# asked for: to import all of them takes as long as to import httpx, and `hubspot-batch --help` needs none.
_MODULES = {
    "_display": ("printable",),
    "bulk": ("BulkError",),
    "client": ("AsyncHubSpot", "HubSpot"),
    "contract._inputs": ("Association", "CreateInput", "UpdateInput", "UpsertInput"),
    "contract._validation": ("validate",),
    "contract._values": ("PropertyValue",),
    "results": (
        "AssociatedPair",
        "AssociationResult",
        "BatchResult",
        "PropertyDefinition",
        "PropertyOption",
        "PropertyVersion",
        "Reason",
        "Record",
        "RecordError",
        "RecordWarning",
        "Response",
    ),
    "transport._quota": ("Quota",),
    "transport._retries": ("Retries",),
    "transport._shared_quota": ("SharedQuota",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

# Annotations name types of these: `hubspot_batch.bulk.Report`.
_SUBMODULES = ("bulk", "types")

logging.getLogger(__name__).addHandler(logging.NullHandler())


if not TYPE_CHECKING:  # pragma: no branch - or else a type checker takes any name for one of ours

    def __getattr__(name: str) -> object:
        if name in _SUBMODULES:
            return import_module(f"{__name__}.{name}")
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f"{__name__}.{_HOMES.get(name, 'errors')}")
        value: object = getattr(module, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__

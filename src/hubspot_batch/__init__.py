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
    from hubspot_batch.bulk import BulkError
    from hubspot_batch.client import AsyncHubSpot, HubSpot
    from hubspot_batch.contract._inputs import Association, CreateInput, UpdateInput
    from hubspot_batch.contract._validation import validate
    from hubspot_batch.contract._values import PropertyValue
    from hubspot_batch.errors import (
        ApiError,
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        ConnectionFailedError,
        Fault,
        HubSpotBatchError,
        InvalidInputError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        RequestTimeoutError,
        ServerError,
        UnexpectedReplyError,
    )
    from hubspot_batch.results import (
        BatchResult,
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
    "Association",
    "AsyncHubSpot",
    "AuthenticationError",
    "BadRequestError",
    "BatchResult",
    "BulkError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CreateInput",
    "Fault",
    "HubSpot",
    "HubSpotBatchError",
    "InvalidInputError",
    "NotFoundError",
    "PermissionDeniedError",
    "PropertyValue",
    "PropertyVersion",
    "Quota",
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
    "UnexpectedReplyError",
    "UpdateInput",
    "__version__",
    "validate",
]

_MODULES = {
    "bulk": ("BulkError",),
    "client": ("AsyncHubSpot", "HubSpot"),
    "contract._inputs": ("Association", "CreateInput", "UpdateInput"),
    "transport._retries": ("Retries",),
    "transport._quota": ("Quota",),
    "results": (
        "BatchResult",
        "PropertyVersion",
        "Reason",
        "Record",
        "RecordError",
        "RecordWarning",
        "Response",
    ),
    "transport._shared_quota": ("SharedQuota",),
    "contract._validation": ("validate",),
    "contract._values": ("PropertyValue",),
}

# Annotations name types of these, and are evaluated by few.
_SUBMODULES = {"bulk": "bulk", "contract": "contract._inputs"}

logging.getLogger(__name__).addHandler(logging.NullHandler())


if not TYPE_CHECKING:  # pragma: no branch - or else a type checker takes any name for one of ours

    def __getattr__(name: str) -> object:
        # The command line answers --help without HTTP, which takes longer to import than all else together.
        if name in _SUBMODULES:
            import_module(f"{__name__}.{_SUBMODULES[name]}")
            return globals()[name]
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = next((module for module, names in _MODULES.items() if name in names), "errors")
        value: object = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__

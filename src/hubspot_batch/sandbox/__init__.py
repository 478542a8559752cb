"""A local HubSpot for tests and first steps: a real server that answers the five operations.

::

    from hubspot_batch.sandbox import Sandbox

    with Sandbox() as box:
        box.add("contacts", "301")          # something that orders can be linked with
        ...                                 # send requests to box.url with the token box.access_token
        box.records("orders")               # what it has stored

It behaves as `docs/behaviour.md` tells of the service, and where that page calls something unknown or
uncertain, as is hardest on a client. It needs the extra `sandbox`: pip install 'hubspot-batch[sandbox]'.
"""

try:
    from hubspot_batch.sandbox._sandbox import Sandbox, SandboxAccount
except ModuleNotFoundError as error:
    missing = (error.name or "").partition(".")[0]
    raise ModuleNotFoundError(
        f"the sandbox needs {missing}; install it with: pip install 'hubspot-batch[sandbox]'",
        name=error.name,
    ) from error

from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._faults import FAULTS, Fault, Faults, parse_fault
from hubspot_batch.sandbox._page import RequestEntry
from hubspot_batch.sandbox._properties import Property
from hubspot_batch.sandbox._quotas import Quota
from hubspot_batch.sandbox._store import StoredAssociation, StoredRecord
from hubspot_batch.sandbox._tokens import OAuthApp

__all__ = [
    "FAULTS",
    "Behaviour",
    "Fault",
    "Faults",
    "OAuthApp",
    "Property",
    "Quota",
    "RequestEntry",
    "Sandbox",
    "SandboxAccount",
    "StoredAssociation",
    "StoredRecord",
    "parse_fault",
]

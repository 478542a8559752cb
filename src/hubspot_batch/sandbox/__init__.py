"""A local HubSpot for tests and first steps: a real server that answers the operations of the document.

::

    from hubspot_batch.sandbox import Sandbox

    with Sandbox(records={"contacts": [{"id": "301", "email": "ada@example.com"}]}) as box:
        ...                                 # send requests to box.url with the token box.access_token
        box.records("orders")               # what it has stored

It behaves as `docs/behaviour.md` says of the service, and where that page calls something unknown or
uncertain, in the way that is hardest on a client. It needs the extra `sandbox`:
pip install "hubspot-batch[sandbox]".
"""

try:
    from hubspot_batch.sandbox._sandbox import Sandbox, read_config
except ModuleNotFoundError as error:
    missing = (error.name or "").partition(".")[0]
    raise ModuleNotFoundError(
        f'the sandbox needs {missing}; install it with: pip install "hubspot-batch[sandbox]"',
        name=error.name,
    ) from error

from hubspot_batch.sandbox._accounts import SandboxAccount
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._clock import Clock
from hubspot_batch.sandbox._faults import FAULTS, InjectedFault, parse_fault
from hubspot_batch.sandbox._injector import FaultInjector
from hubspot_batch.sandbox._page import RequestEntry
from hubspot_batch.sandbox._quotas import QuotaLimit, parse_quota
from hubspot_batch.sandbox._schemas import Property
from hubspot_batch.sandbox._store import Revision, StoredAssociation, StoredRecord
from hubspot_batch.sandbox._tokens import OAuthApp

__all__ = [
    "FAULTS",
    "Behaviour",
    "Clock",
    "FaultInjector",
    "InjectedFault",
    "OAuthApp",
    "Property",
    "QuotaLimit",
    "RequestEntry",
    "Revision",
    "Sandbox",
    "SandboxAccount",
    "StoredAssociation",
    "StoredRecord",
    "parse_fault",
    "parse_quota",
    "read_config",
]

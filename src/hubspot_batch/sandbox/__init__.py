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
    from hubspot_batch.sandbox._sandbox import Sandbox
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"the sandbox needs {error.name}; install it with: pip install 'hubspot-batch[sandbox]'",
        name=error.name,
    ) from error

from hubspot_batch.sandbox._store import StoredAssociation, StoredRecord

__all__ = ["Sandbox", "StoredAssociation", "StoredRecord"]

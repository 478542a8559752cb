"""pytest fixtures for code that pushes into HubSpot. pytest finds them by itself.

::

    def test_an_order_arrives(hubspot, hubspot_sandbox):
        push_orders(hubspot)                                # your code, given a client
        assert len(hubspot_sandbox.records("orders")) == 1

They need the extra `sandbox`. Another sandbox than the plain one is made by overriding a fixture::

    @pytest.fixture
    def hubspot_sandbox_options():
        return {"quota": "100/10", "faults": {"504-after": 0.1}}
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

# Imported when a test asks: every pytest run on a machine with this package loads this module.
if TYPE_CHECKING:
    from hubspot_batch.client import HubSpot
    from hubspot_batch.sandbox import Sandbox

__all__ = ["hubspot", "hubspot_sandbox", "hubspot_sandbox_options"]


@pytest.fixture
def hubspot_sandbox_options() -> Mapping[str, Any]:
    """What `Sandbox` is given. Override it to change that."""
    return {}


@pytest.fixture
def hubspot_sandbox(hubspot_sandbox_options: Mapping[str, Any]) -> "Iterator[Sandbox]":
    """A local HubSpot, empty at the start of each test."""
    from hubspot_batch.sandbox import Sandbox  # noqa: PLC0415 - see above

    with Sandbox(**hubspot_sandbox_options) as box:
        yield box


@pytest.fixture
def hubspot(hubspot_sandbox: "Sandbox") -> "Iterator[HubSpot]":
    """A client that is bound to `hubspot_sandbox`."""
    from hubspot_batch.client import HubSpot  # noqa: PLC0415 - see above

    with HubSpot(hubspot_sandbox.access_token, base_url=hubspot_sandbox.url) as hub:
        yield hub

"""pytest fixtures for code that pushes into HubSpot. pytest finds them by itself.

::

    def test_an_order_arrives(hubspot, hubspot_sandbox):
        push_orders(hubspot)                                # your code, given a client
        assert len(hubspot_sandbox.records("orders")) == 1

    async def test_another_one(async_hubspot, hubspot_sandbox):
        await push_orders(async_hubspot)

They need the extra `sandbox`. `module_hubspot_sandbox` and `session_hubspot_sandbox` are for tests that
share one. Other sandboxes than the plain one are made by overriding a fixture::

    @pytest.fixture(scope="session")
    def hubspot_sandbox_options():
        return {"quota": "100/10", "faults": {"504-after": 0.1}}
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

# Imported when a test asks: every pytest run on a machine with this package loads this module.
if TYPE_CHECKING:
    from hubspot_batch.client import AsyncHubSpot, HubSpot
    from hubspot_batch.sandbox import Sandbox

__all__ = [
    "async_hubspot",
    "hubspot",
    "hubspot_sandbox",
    "hubspot_sandbox_options",
    "module_hubspot_sandbox",
    "session_hubspot_sandbox",
]


@pytest.fixture(scope="session")
def hubspot_sandbox_options() -> Mapping[str, Any]:
    """What `Sandbox` is given. Override it to change that."""
    return {}


@pytest.fixture
def hubspot_sandbox(hubspot_sandbox_options: Mapping[str, Any]) -> "Iterator[Sandbox]":
    """A local HubSpot, empty at the start of each test."""
    yield from _run(hubspot_sandbox_options)


@pytest.fixture(scope="module")
def module_hubspot_sandbox(hubspot_sandbox_options: Mapping[str, Any]) -> "Iterator[Sandbox]":
    """A local HubSpot that the tests of a module share."""
    yield from _run(hubspot_sandbox_options)


@pytest.fixture(scope="session")
def session_hubspot_sandbox(hubspot_sandbox_options: Mapping[str, Any]) -> "Iterator[Sandbox]":
    """A local HubSpot that all tests share."""
    yield from _run(hubspot_sandbox_options)


@pytest.fixture
def hubspot(hubspot_sandbox: "Sandbox") -> "Iterator[HubSpot]":
    """A client that is bound to `hubspot_sandbox`."""
    from hubspot_batch.client import HubSpot  # noqa: PLC0415 - see above

    with HubSpot(hubspot_sandbox.access_token, base_url=hubspot_sandbox.url) as hub:
        yield hub


@pytest.fixture
def async_hubspot(hubspot_sandbox: "Sandbox") -> "AsyncHubSpot":
    """An asynchronous client that is bound to `hubspot_sandbox`, for tests on any event loop."""
    import ssl  # noqa: PLC0415 - see above

    import httpx  # noqa: PLC0415 - see above

    from hubspot_batch.client import AsyncHubSpot  # noqa: PLC0415 - see above

    # A connection ends with its request, so nothing is left to close when the loop of the test has ended.
    transport = httpx.AsyncHTTPTransport(
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # unused; the default one is slow to make
        limits=httpx.Limits(max_keepalive_connections=0),
    )
    return AsyncHubSpot(hubspot_sandbox.access_token, base_url=hubspot_sandbox.url, transport=transport)


def _run(options: Mapping[str, Any]) -> "Iterator[Sandbox]":
    from hubspot_batch.sandbox import Sandbox  # noqa: PLC0415 - see above

    with Sandbox(**options) as box:
        yield box

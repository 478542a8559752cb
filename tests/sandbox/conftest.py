"""A sandbox, and plain HTTP to it: nothing of the client stands between."""

import ssl
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx
import pytest

from hubspot_batch.contract import _operations as contract
from hubspot_batch.sandbox import Sandbox

Send = Callable[[str, list[dict[str, Any]]], httpx.Response]

_tls = cache(ssl.create_default_context)


@pytest.fixture(autouse=True)
def _certificates_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one TLS context for all HTTP clients: none of them uses it, and it takes longer than a test."""
    monkeypatch.setattr(ssl, "create_default_context", _tls)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def http(box: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {box.access_token}"}
    with httpx.Client(base_url=box.url, headers=headers) as client:
        yield client


@pytest.fixture
def send(http: httpx.Client) -> Send:
    """Send inputs to an operation. The reply must be as the document says."""

    def send(operation: str, inputs: list[dict[str, Any]]) -> httpx.Response:
        reply = http.post(contract.operation(operation).path, json={"inputs": inputs})
        assert_documented(reply)
        return reply

    return send


def assert_documented(reply: httpx.Response) -> None:
    schema = "BatchReply" if reply.is_success else "ErrorReply"
    contract.validator(schema).validate(reply.json())

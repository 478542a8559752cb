"""A synchronous run waits in a way that Ctrl-C can end on every system."""

import threading
from concurrent.futures import Future

import pytest

from hubspot_batch import HubSpot
from hubspot_batch.bulk import _streams
from hubspot_batch.sandbox import Sandbox


def test_a_wait_for_the_service_is_taken_in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    # On Windows, no signal interrupts a wait without a limit.
    limits: list[float | None] = []
    result = Future.result

    def recorded(future: "Future[object]", timeout: float | None = None) -> object:
        if threading.current_thread() is threading.main_thread() and not future.done():
            limits.append(timeout)
        return result(future, timeout)

    with Sandbox() as box, HubSpot(box.access_token, base_url=box.url) as hub:
        box.faults.next("slow=0.1")
        with monkeypatch.context() as patched:
            patched.setattr(_streams, "_GLANCE", 0.01)
            patched.setattr(Future, "result", recorded)
            stream = hub.orders.stream_create([{"properties": {"hs_order_name": "A-1"}}])
            assert [outcome.status for outcome in stream] == ["done"]
    assert limits.count(0.01) > 1


def test_a_timeout_of_the_call_itself_is_raised() -> None:
    future: Future[None] = Future()
    future.set_exception(TimeoutError("of the call"))

    with pytest.raises(TimeoutError, match="of the call"):
        _streams._result_of(future)

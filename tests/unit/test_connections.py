"""What holds on a real connection: an attempt ends, a reply has a size, and what is local stays local."""

import gzip
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import certifi
import httpx
import pytest

from hubspot_batch import (
    ApiError,
    AsyncHubSpot,
    BadRequestError,
    BatchResult,
    BulkError,
    ClosedError,
    ConfigurationError,
    ConnectionFailedError,
    CreateInput,
    HubSpot,
    HubSpotBatchError,
    Quota,
    RequestTimeoutError,
    UnexpectedReplyError,
)
from hubspot_batch.oauth import RefreshToken
from hubspot_batch.transport import _settings
from hubspot_batch.transport._attempts import Limit
from tests.conftest import case, written

if TYPE_CHECKING:
    from tests.conftest import Face

INPUTS: list[CreateInput] = [{"properties": {"shop_number": "A-1001"}}]
APP: dict[str, Any] = {"client_id": "app", "client_secret": "secret-58e2", "refresh_token": "refresh-93aa"}
Handler = Callable[[socket.socket, bytes], None]


class Server:
    """Accepts connections, reads one request from each, and leaves the rest to a handler."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[bytes] = []
        self._handler = handler
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while (request := _read(connection)) and not self._ended.is_set():
                    self.requests.append(request)
                    self._handler(connection, request)
            except OSError:
                pass

    def drip(self, connection: socket.socket, content: bytes) -> None:
        """Send two bytes of it every tenth of a second, for ever."""
        while not self._ended.wait(0.1):
            connection.sendall(content[:2])

    def close(self) -> None:
        self._ended.set()
        self._listener.close()


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := connection.recv(65536)):
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(handler: Callable[[Server, socket.socket, bytes], None]) -> Iterator[Server]:
    server = Server(lambda connection, request: handler(server, connection, request))
    try:
        yield server
    finally:
        server.close()


def head(status: int, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return f"HTTP/1.1 {status} X\r\n{''.join(lines)}\r\n".encode()


def answer(_server: Server, connection: socket.socket, request: bytes) -> None:
    reply = written(httpx.Request("POST", "http://x", content=request.partition(b"\r\n\r\n")[2]))
    connection.sendall(head(200, Content_Length=str(len(reply.content))) + reply.content)


def drips_its_head(server: Server, connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Header: ")
    server.drip(connection, b"xx")


def drips_its_body(server: Server, connection: socket.socket, _request: bytes) -> None:
    connection.sendall(head(200, Content_Length="1000000"))
    server.drip(connection, b"  ")


def drips_a_refusal(server: Server, connection: socket.socket, _request: bytes) -> None:
    connection.sendall(head(400, Content_Length="1000000"))
    server.drip(connection, b"  ")


def create(face: "Face", inputs: Any = INPUTS, **options: Any) -> BatchResult:  # noqa: ANN401
    """Make a call with a client that is closed in the event loop in which it was used."""

    async def main() -> BatchResult:
        async with AsyncHubSpot("token-1", quota=Quota(), retries=0, **options) as hub:
            return await hub.orders.batch_create(inputs)

    if face.kind is AsyncHubSpot:
        return anyio.run(main)
    with HubSpot("token-1", quota=Quota(), retries=0, **options) as hub:
        return hub.orders.batch_create(inputs)


def error_of(face: "Face", **options: Any) -> HubSpotBatchError:  # noqa: ANN401
    with pytest.raises(HubSpotBatchError) as caught:
        create(face, **options)
    return caught.value


class TestAttemptsEnd:
    @pytest.mark.parametrize("handler", [drips_its_head, drips_its_body])
    def test_a_reply_that_drips_is_timed_out(self, face: "Face", handler: Any) -> None:  # noqa: ANN401
        with serving(handler) as server:
            began = time.monotonic()
            error = error_of(face, base_url=server.url, timeout=5, attempt_timeout=0.6)

        assert time.monotonic() - began < 4
        assert type(error) is RequestTimeoutError
        assert error.maybe_written
        assert "attempt_timeout sets how long" in str(error)

    def test_by_default_it_is_twice_the_time_limit(self, face: "Face") -> None:
        assert face.connect(None)._settings.attempt_timeout == 60.0
        hub = face.connect(None, timeout=httpx.Timeout(4.0, read=8.0))
        assert hub._settings.attempt_timeout == 16.0
        assert hub.with_options(attempt_timeout=9)._settings.attempt_timeout == 9
        assert hub.with_options(timeout=2.0)._settings.attempt_timeout == 4.0
        assert hub.with_options(retries=0)._settings.attempt_timeout == 16.0
        assert face.connect(None, timeout=httpx.Timeout(None))._settings.attempt_timeout == 60.0

    def test_a_refusal_whose_body_drips_is_a_refusal(self, face: "Face") -> None:
        with serving(drips_a_refusal) as server:
            error = error_of(face, base_url=server.url, attempt_timeout=0.4)

        assert type(error) is RequestTimeoutError
        assert not error.maybe_written

    @pytest.mark.parametrize("client", ["given client", "own transport"])
    def test_it_ends_on_connections_of_the_caller(self, client: str) -> None:
        with serving(drips_its_head) as server, httpx.Client(transport=httpx.HTTPTransport()) as http:
            options: dict[str, Any] = (
                {"http_client": http} if client == "given client" else {"transport": httpx.HTTPTransport()}
            )
            hub = HubSpot("t", base_url=server.url, attempt_timeout=0.4, retries=0, **options)
            with hub, pytest.raises(RequestTimeoutError):
                hub.orders.batch_create(INPUTS)

    def test_other_requests_over_a_connection_of_the_caller_keep_their_limits(self) -> None:
        with serving(answer) as server, httpx.Client() as http:
            HubSpot("t", base_url=server.url, http_client=http).orders.batch_create(INPUTS)
            assert http.post(f"{server.url}/x", content=b'{"inputs": []}', timeout=5.0).is_success
            assert len({request.partition(b" ")[0] for request in server.requests}) == 1

    def test_a_server_that_reads_slowly_is_left(self, face: "Face") -> None:
        # The kernel takes what fits into its buffers, and the server reads none of it.
        listener = socket.create_server(("127.0.0.1", 0))
        inputs: Any = [{"properties": {f"p{n}": "x" * 60_000 for n in range(300)}}]
        with listener:
            hub = face.connect(
                None,
                base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
                attempt_timeout=0.5,
                timeout=20,
                retries=0,
            )
            began = time.monotonic()
            with pytest.raises(RequestTimeoutError) as caught:
                face.create(hub, inputs)

        assert time.monotonic() - began < 10
        assert caught.value.maybe_written

    @pytest.mark.parametrize("kind", [HubSpot, AsyncHubSpot])
    def test_a_run_ends_too(self, kind: type[HubSpot | AsyncHubSpot]) -> None:
        async def run(hub: AsyncHubSpot) -> Any:  # noqa: ANN401
            async with hub:
                return await hub.orders.create_all(INPUTS * 3)

        with serving(drips_its_body) as server:
            hub = kind("t", base_url=server.url, quota=Quota(), attempt_timeout=0.5)
            began = time.monotonic()
            report = hub.orders.create_all(INPUTS * 3) if isinstance(hub, HubSpot) else anyio.run(run, hub)

        assert time.monotonic() - began < 5
        assert report.unknown == 3
        assert {outcome.category for outcome in report.outcomes} == {"TIMEOUT"}

    def test_data_that_never_stop_coming_do_not_outlast_it(self) -> None:
        limit = Limit.of(30.0, 60.0, ends=time.monotonic() + 9)

        assert 8 < limit.left() < 9
        with pytest.raises(httpx.TimeoutException):
            Limit.of(30.0, 60.0, ends=time.monotonic()).left()

    def test_a_token_request_ends_too(self) -> None:
        with serving(drips_its_body) as server:
            token = RefreshToken(**APP, base_url=server.url, attempt_timeout=0.3)
            token._granted  # noqa: B018 - one attempt, without the retries
            with pytest.raises(ConnectionFailedError, match=r"no reply \(ReadTimeout\)"):
                token._granted()


@cache
def bomb(encoding: str = "gzip", megabytes: int = 512) -> bytes:
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    zeros = bytes(1024 * 1024)
    return b"".join([*(packer.compress(zeros) for _ in range(megabytes)), packer.flush()])


class TestReplySize:
    @pytest.mark.parametrize(("status", "kind"), [(200, UnexpectedReplyError), (400, BadRequestError)])
    def test_what_unpacks_to_more_than_allowed_is_unreadable(
        self, face: "Face", status: int, kind: type[HubSpotBatchError]
    ) -> None:
        content = bomb()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        def explode(_server: Server, connection: socket.socket, _request: bytes) -> None:
            length = str(len(content))
            connection.sendall(head(status, Content_Encoding="gzip", Content_Length=length) + content)

        with serving(explode) as server:
            error = error_of(face, base_url=server.url)

        assert type(error) is kind
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000
        if isinstance(error, UnexpectedReplyError):
            assert str(error) == (
                "create_orders: HTTP 200, but the body is larger than the 33554432 bytes of max_reply_bytes; "
                "the batch may have been written"
            )

    @pytest.mark.parametrize("encoding", ["", "identity", "gzip", "deflate", "raw deflate"])
    def test_the_limit_is_exact(self, face: "Face", encoding: str) -> None:
        reply = written(
            httpx.Request(
                "POST",
                "http://x",
                content=json.dumps(
                    {"inputs": [{"properties": {}, "objectWriteTraceId": "input-0"}]}
                ).encode(),
            )
        ).content
        packed = {
            "gzip": gzip.compress,
            "deflate": zlib.compress,
            "raw deflate": lambda data: zlib.compress(data, wbits=-15),
        }.get(encoding, bytes)(reply)
        name = {"Content_Encoding": encoding.removeprefix("raw ")} if encoding else {}

        def serve(_server: Server, connection: socket.socket, _request: bytes) -> None:
            connection.sendall(head(200, Content_Length=str(len(packed)), **name) + packed)

        with serving(serve) as server:
            enough = create(face, base_url=server.url, max_reply_bytes=len(reply))
            assert enough.response.content == reply
            error = error_of(face, base_url=server.url, max_reply_bytes=len(reply) - 1)
            assert isinstance(error, UnexpectedReplyError)

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
    def test_what_cannot_be_unpacked_is_not_a_reply(self, face: "Face", encoding: str) -> None:
        def serve(_server: Server, connection: socket.socket, _request: bytes) -> None:
            connection.sendall(head(200, Content_Encoding=encoding, Content_Length="4") + b"\xffabc")

        with serving(serve) as server:
            error = error_of(face, base_url=server.url)

        assert isinstance(error, ConnectionFailedError)
        assert str(error).endswith("(DecodingError); the batch may have been written")

    def test_a_reply_without_connection_has_the_same_limit(self, face: "Face") -> None:
        wire = face.wire(httpx.Response(200, text=" " * 101))

        assert "max_reply_bytes" in str(error_of(face, transport=wire, max_reply_bytes=100))

    def test_that_of_a_token_too(self) -> None:
        def serve(_server: Server, connection: socket.socket, _request: bytes) -> None:
            connection.sendall(head(200, Content_Length="1001") + b" " * 1001)

        with serving(serve) as server, pytest.raises(UnexpectedReplyError):
            RefreshToken(**APP, base_url=server.url, max_reply_bytes=1000)._granted()

    def test_an_invalid_limit_is_refused(self, face: "Face") -> None:
        refused: dict[str, list[object]] = {
            "attempt_timeout": [0, -1, True, "1"],
            "max_reply_bytes": [0, -1, 1.5, True, "1", None],
        }
        for name, value in ((name, value) for name, values in refused.items() for value in values):
            with (
                case(name, value),
                pytest.raises(ConfigurationError, match=f"{name} must be a positive"),
            ):
                face.connect(face.wire(), **{name: value})


class TestWhatNeverLeft:
    @pytest.mark.parametrize("location", ["http://[", "https://xn--/", "mailto:x", "http:x"])
    def test_a_redirect_that_cannot_be_parsed_is_a_refusal(self, face: "Face", location: str) -> None:
        def serve(_server: Server, connection: socket.socket, _request: bytes) -> None:
            connection.sendall(head(302, Location=location, Content_Length="0"))

        with serving(serve) as server:
            error = error_of(face, base_url=server.url)

            assert isinstance(error, ApiError)
            assert (error.status, error.maybe_written) == (302, False)
            # httpx reads the address all the same where the HTTP client is the caller's.
            with (
                httpx.Client() as http,
                HubSpot("t", base_url=server.url, http_client=http, retries=0) as hub,
            ):
                with pytest.raises(HubSpotBatchError) as caught:
                    hub.orders.batch_create(INPUTS)
                assert not caught.value.maybe_written

    def test_a_host_that_cannot_be_looked_up(self, face: "Face") -> None:
        # The resolver refuses the label, with an error that is not one of the network.
        error = error_of(face, base_url=f"https://{'a' * 64}.example.com")

        assert isinstance(error, ConnectionFailedError)
        assert not error.maybe_written

    def test_a_client_that_is_closed_under_a_stream_leaves_no_row_in_doubt(self) -> None:
        with serving(answer) as server:
            # The second request waits for the quota while the client is closed.
            hub = HubSpot("t", base_url=server.url, quota=Quota(1, 1.0))
            stream = hub.orders.stream_create([{"properties": {}}] * 300)
            with stream:
                assert next(stream).ok
                hub.close()
                with pytest.raises(BulkError, match="the client is closed"):
                    list(stream)
            assert (stream.report.done, stream.report.unknown) == (100, 0)
            assert len(server.requests) == 1

    def test_a_client_that_is_closed_while_a_call_waits(self, face: "Face") -> None:
        hub = face.connect(face.wire())
        http: Any = hub._pool.http()
        if isinstance(hub, HubSpot):
            http.close()
        else:
            anyio.run(http.aclose)

        with pytest.raises(ClosedError, match="the client is closed") as caught:
            face.create(hub, INPUTS)

        assert not caught.value.maybe_written

    def test_an_error_of_the_transport_is_none_of_a_closed_client(self, face: "Face") -> None:
        with pytest.raises(RuntimeError, match="mine"):
            face.create(face.connect(face.wire(RuntimeError("mine"))), INPUTS)


PROXIES = (
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "no_proxy",
)
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], None]:
    def put(variables: Mapping[str, str]) -> None:
        for name in (*PROXIES, *CERTIFICATES):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return put


class TestLocal:
    """Local addresses stay local, even if the environment names a proxy."""

    @pytest.fixture(params=["listens", "closed"])
    def proxy(self, request: pytest.FixtureRequest) -> Iterator[Server]:
        with serving(answer) as server:
            if request.param == "closed":
                server.close()
            yield server

    def test_a_client_uses_no_proxy(self, face: "Face", environment: Any, proxy: Server) -> None:  # noqa: ANN401
        for host in ("127.0.0.1", "localhost", "localhost.", "[::1]", "127.1.2.3"):
            with case(host):
                environment(dict.fromkeys(PROXIES[:6], f"http://127.0.0.1:{proxy.port}"))

                assert isinstance(error_of(face, base_url=f"http://{host}:1"), ConnectionFailedError)

                assert proxy.requests == []

    def test_nor_does_a_function_for_tokens(self, environment: Any, proxy: Server) -> None:  # noqa: ANN401
        environment({"http_proxy": f"http://127.0.0.1:{proxy.port}"})

        with pytest.raises(ConnectionFailedError):
            RefreshToken(**APP, base_url="http://127.0.0.1:1")._granted()

        assert proxy.requests == []

    @pytest.mark.parametrize("proxy", ["listens"], indirect=True)
    def test_nor_do_the_sandbox_of_the_command_line_the_demo_and_the_fixtures(
        self, proxy: Server, tmp_path: Path
    ) -> None:
        (tmp_path / "orders.csv").write_text("hs_order_name\nA-1\n")
        (tmp_path / "test_local.py").write_text(
            "def test_it(hubspot, hubspot_sandbox):\n"
            "    hubspot.orders.batch_create([{'properties': {'hs_order_name': 'A'}}])\n"
            "    assert hubspot_sandbox.records('orders')\n"
        )
        without = {name: value for name, value in os.environ.items() if name.lower() not in PROXIES}
        folders = {"HOME": str(tmp_path), "HUBSPOT_BATCH_RUNS": str(tmp_path / "runs")}
        proxies = dict.fromkeys(PROXIES[:6], f"http://127.0.0.1:{proxy.port}")
        for command in (
            ("hubspot_batch", "create", "orders", "orders.csv", "--sandbox"),
            ("hubspot_batch", "demo"),
            ("pytest", "-q", "-p", "no:cacheprovider", "test_local.py"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=tmp_path,
                env=without | folders | proxies,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr

        assert proxy.requests == []

    def test_another_address_uses_it(self, face: "Face", environment: Any) -> None:  # noqa: ANN401
        with serving(answer) as proxy:
            environment({"http_proxy": f"127.0.0.1:{proxy.port}"})
            assert create(face, base_url="http://hubspot.example", allow_http=True).ok

        assert proxy.requests[0].startswith(b"POST http://hubspot.example/crm/")

    def test_a_redirect_that_comes_through_it_is_not_followed(self, face: "Face", environment: Any) -> None:  # noqa: ANN401
        def serve(_server: Server, connection: socket.socket, _request: bytes) -> None:
            connection.sendall(head(302, Location="http://elsewhere.example/", Content_Length="0"))

        with serving(serve) as proxy:
            environment({"http_proxy": f"127.0.0.1:{proxy.port}"})
            error = error_of(face, base_url="http://hubspot.example", allow_http=True)

        assert isinstance(error, ApiError)
        assert (error.status, error.maybe_written, len(proxy.requests)) == (302, False, 1)

    def test_a_tunnel_that_fails_leaves_no_doubt(self, face: "Face", environment: Any) -> None:  # noqa: ANN401
        def hang_up(_server: Server, connection: socket.socket, _request: bytes) -> None:
            connection.shutdown(socket.SHUT_RDWR)

        with serving(hang_up) as proxy:
            environment({"https_proxy": f"http://127.0.0.1:{proxy.port}"})
            error = error_of(face)

        assert proxy.requests[0].startswith(b"CONNECT api.hubapi.com:443")
        assert isinstance(error, ConnectionFailedError)
        assert not error.maybe_written


UNUSABLE: list[tuple[dict[str, str], str]] = [
    (
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        "ALL_PROXY cannot be used: a SOCKS proxy needs another package",
    ),
    (
        {"https_proxy": "ftp://u:pass-4711@127.0.0.1:9"},
        "https_proxy cannot be used: it is not the URL of a proxy",
    ),
    (
        {"HTTPS_PROXY": "http://127.0.0.1:port"},
        "HTTPS_PROXY cannot be used: it is not the URL of a proxy",
    ),
    ({"HTTP_PROXY": "http://proxy:port", "NO_PROXY": "localhost"}, "HTTP_PROXY cannot be used"),
    ({"NO_PROXY": "localhost,[::1]"}, "NO_PROXY cannot be used: an entry of it is not a host"),
    ({"no_proxy": "a:b"}, "no_proxy cannot be used: an entry of it is not a host"),
    (
        {"SSL_CERT_FILE": "/nonexistent.pem"},
        "SSL_CERT_FILE cannot be used: the file that it names cannot be opened",
    ),
    (
        {"SSL_CERT_FILE": __file__},
        "SSL_CERT_FILE cannot be used: it names a file that holds no certificates",
    ),
    ({"SSL_CERT_FILE": "/"}, "SSL_CERT_FILE cannot be used"),
    ({"SSL_CERT_FILE": certifi.where(), "SSLKEYLOGFILE": "/"}, "SSLKEYLOGFILE cannot be used"),
    ({"SSL_CERT_DIR": "/nonexistent"}, "SSL_CERT_DIR cannot be used: it does not name a folder"),
    (
        {"SSLKEYLOGFILE": "/nonexistent/keys"},
        "SSLKEYLOGFILE cannot be used: the file that it names cannot be opened",
    ),
]


class TestEnvironment:
    """What the environment makes the HTTP client raise names the variable and repeats no value of it."""

    def test_a_client(self, face: "Face", environment: Any) -> None:  # noqa: ANN401
        for variables, text in UNUSABLE:
            environment(variables)
            with case(variables):
                error = error_of(face)

                assert type(error) is ConfigurationError
                assert str(error).startswith(f"the environment variable {text}")
                assert error.__cause__ is error.__context__ is None
                assert "pass-4711" not in str(error)
                assert not error.maybe_written

    def test_a_run_does_not_begin(self, environment: Any) -> None:  # noqa: ANN401
        for variables, text in UNUSABLE:
            environment(variables)
            with case(variables):
                with pytest.raises(ConfigurationError, match=text.partition(":")[0]):
                    HubSpot("t").orders.stream_create(INPUTS)
                with pytest.raises(ConfigurationError, match=text.partition(":")[0]), HubSpot("t"):
                    pass

    def test_a_local_service_is_reached(self, face: "Face", environment: Any) -> None:  # noqa: ANN401
        with serving(answer) as server:
            for variables, _ in UNUSABLE:
                environment(variables)
                with case(variables):
                    assert create(face, base_url=server.url).ok

    def test_a_function_for_tokens(self, environment: Any) -> None:  # noqa: ANN401
        for variables, text in UNUSABLE:
            environment(variables)
            with case(variables), pytest.raises(ConfigurationError, match=text.partition(":")[0]):
                RefreshToken(**APP)()


class TestClearText:
    @pytest.mark.parametrize(
        "base_url",
        ["http://api.hubapi.com", "HTTP://api.hubapi.com", "http://127.0.0.1.example.com", "http://10.0.0.7"],
    )
    def test_it_is_refused_unless_it_is_asked_for(self, face: "Face", base_url: str) -> None:
        for make in (
            lambda **options: face.connect(None, base_url=base_url, **options),
            lambda **options: RefreshToken(**APP, base_url=base_url, **options),
        ):
            with pytest.raises(ConfigurationError):
                make()
            if base_url.startswith("http:"):
                make(allow_http=True)

    def test_this_machine_needs_no_leave(self, face: "Face") -> None:
        for host in ("localhost:1", "127.9.9.9", "[::1]:1", "[::ffff:127.0.0.1]", "0.0.0.0:1"):
            with case(host):
                face.connect(None, base_url=f"http://{host}")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_child_process_makes_connections_of_its_own() -> None:
    code = """
import os, sys, threading
from hubspot_batch import HubSpot
from hubspot_batch.transport import _settings
from hubspot_batch.transport._attempts import Limit
from hubspot_batch.oauth import RefreshToken
hub = HubSpot("t", base_url=sys.argv[1])
token = RefreshToken(client_id="a", client_secret="b", refresh_token="c")
hub.orders.batch_create([{"properties": {}}])
# Another thread holds the locks while this one forks.
token._lock.acquire(); hub._pool._lock.acquire()
if child := os.fork():
    hub._pool._lock.release()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    hub.orders.batch_create([{"properties": {}}])
    sys.exit(code)
HubSpot("another", base_url=sys.argv[1])
assert token._lock.acquire(timeout=5)
hub.orders.batch_create([{"properties": {}}])
os._exit(0)
"""
    connections: set[tuple[str, int]] = set()

    def remember(server: Server, connection: socket.socket, request: bytes) -> None:
        connections.add(connection.getpeername())
        answer(server, connection, request)

    with serving(remember) as server:
        done = subprocess.run(
            [sys.executable, "-c", code, server.url], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert (len(server.requests), len(connections)) == (3, 2)


def test_a_child_process_begins_with_free_locks(face: "Face") -> None:
    hub, token = face.connect(face.wire()), RefreshToken(**APP)
    http = hub._pool.http()
    for lock in (hub._pool._lock, token._lock, _settings._quotas_lock):
        assert lock.acquire(timeout=5)

    _settings._after_fork()

    assert hub._pool.http() is not http
    assert not token._lock.locked()
    assert _settings._quotas_lock.acquire(timeout=5)
    _settings._quotas_lock.release()

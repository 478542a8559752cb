"""Starting, stopping, ports, stores, and what is wrong with them."""

import gc
import importlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import Sandbox
from hubspot_batch.sandbox._account import Account, Call, Reply
from hubspot_batch.sandbox._server import listen

CREATE = "/crm/v3/objects/orders/batch/create"
ORDERS = "/crm/v3/objects/orders"
TOKEN = "Authorization: Bearer sandbox-token"
HEADERS = {"Authorization": "Bearer sandbox-token"}


def create(box: Sandbox, *names: str) -> list[str]:
    inputs = [{"properties": {"hs_order_name": name}} for name in names]
    reply = httpx.post(box.url + CREATE, json={"inputs": inputs}, headers=HEADERS)
    return [result["id"] for result in reply.json()["results"]]


def port_of(box: Sandbox) -> int:
    return int(box.url.rpartition(":")[2])


def test_it_listens_on_the_loopback_address_only(box: Sandbox) -> None:
    assert box.url == f"http://127.0.0.1:{port_of(box)}"
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1"}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((str(address), port_of(box)), timeout=1).close()


@pytest.mark.parametrize("host", ["::1", "::1%1", "localhost", "127.0.0.2"])
def test_it_listens_on_any_loopback_address(host: str) -> None:
    shown = {"::1": "[::1]", "::1%1": "[::1]", "localhost": "127.0.0.1"}.get(host, host)
    try:
        listen(host if ":" in host else shown, 0).close()
    except ConfigurationError:
        pytest.skip(f"this machine lacks {host}")
    with Sandbox(host=host) as box:
        assert box.url.startswith(f"http://{shown}:")
        assert create(box, "A")
        assert httpx.get(box.url, headers={"Host": f"localhost:{port_of(box)}"}).status_code == 200
        for name in ("evil.example", "[::2]", "", "127.0.0.1.evil.example"):
            assert httpx.get(box.url, headers={"Host": name}).status_code == 400


def test_all_addresses_are_reached_at_a_loopback_address() -> None:
    with Sandbox(host="0.0.0.0", expose=True) as box:  # noqa: S104 - what is tested
        assert box.url == f"http://127.0.0.1:{port_of(box)}"
        assert create(box, "A")


def test_two_sandboxes_know_nothing_of_each_other(box: Sandbox) -> None:
    with Sandbox() as other:
        assert other.url != box.url
        create(other, "A")
        assert box.records("orders") == []


def test_it_ends_with_its_block_and_its_port_is_free_again() -> None:
    with Sandbox() as box:
        create(box, "A")
        port = port_of(box)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/")
    with Sandbox(port=port) as box:
        assert port_of(box) == port
        assert box.records("orders") == []


def test_it_ends_promptly_and_quietly_whatever_its_clients_do(capfd: pytest.CaptureFixture[str]) -> None:
    box = Sandbox().start()
    idle = httpx.Client(headers=HEADERS)
    idle.get(f"{box.url}/crm/v3/objects/orders")
    silent = socket.create_connection(("127.0.0.1", port_of(box)))
    slow = socket.create_connection(("127.0.0.1", port_of(box)))
    slow.sendall(f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{".encode())
    idle.get(f"{box.url}/crm/v3/objects/orders")

    start = time.monotonic()
    box.close()
    # 2 ms here. The bound is wide, for it is to tell a wait for the slow client, which has no end.
    assert time.monotonic() - start < 5
    for client in (idle, silent, slow):
        client.close()
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_nothing_but_a_request_in_process_delays_its_end() -> None:
    spans: list[float] = []
    for _ in range(10):
        box = Sandbox(faults={"slow=60": 1}).start()
        used, waiting = httpx.Client(headers=HEADERS), socket.create_connection(("127.0.0.1", port_of(box)))
        used.get(box.url)
        waiting.sendall(f"GET {ORDERS} HTTP/1.1\r\nHost: localhost\r\n{TOKEN}\r\n\r\n".encode())
        start = time.monotonic()
        box.close()
        spans.append(time.monotonic() - start)
        used.close()
        waiting.close()
    # 2 ms here; a sleep of the server would be in each of them.
    assert min(spans) < 0.1


def test_a_request_in_process_gets_its_reply_while_the_sandbox_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go = threading.Event(), threading.Event()
    run = Account.run

    def held(account: Account, call: Call) -> Reply:
        entered.set()
        assert go.wait(10)
        return run(account, call)

    monkeypatch.setattr(Account, "run", held)
    box = Sandbox().start()
    with ThreadPoolExecutor() as pool:
        created = pool.submit(create, box, "A")
        assert entered.wait(10)
        closed = pool.submit(box.close)
        go.set()
        assert len(created.result()) == 1
        closed.result()


def test_a_client_that_does_not_read_its_reply_does_not_keep_the_sandbox_from_ending() -> None:
    box = Sandbox(quota="none").start()
    box.add("orders", "1", {"hs_order_note": "x" * 60_000})
    client = socket.create_connection(("127.0.0.1", port_of(box)))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    inputs = b'{"inputs": [' + b",".join([b'{"id": "1"}'] * 100) + b'], "properties": ["hs_order_note"]}'
    head = f"POST {ORDERS}/batch/read HTTP/1.1\r\nHost: localhost\r\n{TOKEN}\r\n"
    request = f"{head}Content-Length: {len(inputs)}\r\n\r\n".encode() + inputs
    for _ in range(100):
        client.sendall(request)
    while len(box.requests) < 1:
        time.sleep(0.01)
    box.close()
    client.close()


def test_closing_twice_does_nothing() -> None:
    box = Sandbox()
    box.close()
    box.start()
    box.close()
    box.close()


@pytest.mark.parametrize(
    "use",
    [
        lambda box: box.url,
        lambda box: box.records("orders"),
        lambda box: box.add("contacts", "1"),
        lambda box: box.serve_forever(),
    ],
)
def test_it_is_of_no_use_before_its_start_and_after_its_end(use: Callable[[Sandbox], object]) -> None:
    box = Sandbox()
    with pytest.raises(ConfigurationError, match=r"does not run; use it inside its with block"):
        use(box)
    with box:
        pass
    with pytest.raises(ConfigurationError, match="does not run"):
        use(box)


def test_it_starts_only_once() -> None:
    with Sandbox() as box:
        with pytest.raises(ConfigurationError, match="starts only once; make another one"):
            box.start()
        assert create(box, "A")
    with pytest.raises(ConfigurationError, match="starts only once"):
        box.start()


def test_a_port_that_is_taken_is_refused_and_leaves_nothing_open(box: Sandbox, tmp_path: Path) -> None:
    other = Sandbox(port=port_of(box), store=tmp_path / "box.sqlite")
    with pytest.raises(ConfigurationError, match=f"port {port_of(box)} of 127.0.0.1 is taken"):
        other.start()
    box.close()
    with other:
        assert create(other, "A")


def test_a_port_that_may_not_be_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(ConfigurationError, match=r"port 80 .* cannot be used: Permission denied"):
        Sandbox(port=80).start()


@pytest.mark.parametrize("port", [-1, 65536, 10**9, True])
def test_a_port_that_cannot_be_is_refused(port: int) -> None:
    with pytest.raises(ConfigurationError, match="there is no port"):
        Sandbox(port=port)


def test_replies_are_not_held_back() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("token", ["", " ", "a b", "a\n", "tökén", "\x7f"])
def test_a_token_that_no_header_takes_is_refused(token: str) -> None:
    with pytest.raises(ConfigurationError, match="access_token") as caught:
        Sandbox(access_token=token)
    assert not token.strip() or token not in str(caught.value)


@pytest.mark.parametrize("properties", [{"orders": "my_field"}, {"orders": [""]}])
def test_properties_are_declared_as_a_list_of_names(properties: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="declare properties as a list of names"):
        Sandbox(properties=properties)


def test_properties_are_declared_for_object_types_that_have_some() -> None:
    with pytest.raises(ConfigurationError, match=r"declared for order, tickets; declare them for orders, "):
        Sandbox(properties={"order": [], "tickets": ["x"], "contacts": ["x"]})


def test_a_declaration_does_not_change_a_property_that_hubspot_sets_up() -> None:
    with Sandbox(properties={"orders": ["hs_tax"]}) as box:
        inputs = [{"properties": {"hs_order_name": "A", "hs_tax": "x"}}]
        reply = httpx.post(box.url + CREATE, json={"inputs": inputs}, headers=HEADERS)
    assert reply.status_code == 400


@pytest.mark.parametrize("record_id", ["", "0", "01", "-1", "1.0", "x", "٣", "1" * 16, True])
def test_an_id_that_cannot_be_is_refused(box: Sandbox, record_id: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a record id; write 1 to 15 decimal digits"):
        box.add("contacts", record_id)


def test_an_object_type_that_does_not_exist_is_refused(box: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match=r"no object type 'order'; did you mean orders\?"):
        box.records("order")
    with pytest.raises(ConfigurationError, match="no object type 'contact'"):
        box.add("contact", "301")


def test_a_record_can_be_added_twice_but_not_as_two_things(box: Sandbox) -> None:
    box.add("contacts", "301")
    before = box.records("contacts")
    box.add("contacts", 301)
    with pytest.raises(ConfigurationError, match="the id 301 belongs to a record of another object type"):
        box.add("companies", "301")
    assert box.records("contacts") == before
    assert box.records("companies") == []


def test_an_id_that_was_added_is_not_given_again(box: Sandbox) -> None:
    box.add("contacts", "9" * 15)
    assert create(box, "A") == ["1" + "0" * 15]


def test_records_cannot_be_changed_from_outside(box: Sandbox) -> None:
    create(box, "A")
    (record,) = box.records("orders")
    with pytest.raises(AttributeError):
        record.id = "1"  # type: ignore[misc]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_keeps_the_records(tmp_path: Path, *, as_text: bool) -> None:
    path = tmp_path / "box.sqlite"
    store = str(path) if as_text else path
    with Sandbox(store=store) as box:
        box.add("contacts", "301")
        first = create(box, "A", "B")
        before = box.records("orders")
    with Sandbox(store=store) as box:
        assert box.records("orders") == before
        assert box.records("contacts")[0].id == "301"
        second = create(box, "C")
        assert not set(first) & set(second)
        assert len(box.records("orders")) == 3
    # Nothing waits in a file beside it.
    assert [file.name for file in tmp_path.iterdir()] == ["box.sqlite"]


def test_a_file_is_written_through_before_the_reply(tmp_path: Path) -> None:
    path = tmp_path / "box.sqlite"
    with Sandbox(store=path) as box:
        ids = create(box, "A", "B")
        other = sqlite3.connect(path)
        stored = {str(number) for (number,) in other.execute("SELECT id FROM records")}
        (mode,) = other.execute("PRAGMA journal_mode").fetchone()
        other.close()
    assert stored == set(ids)
    assert mode == "wal"


def test_two_sandboxes_may_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "box.sqlite"
    with Sandbox(store=path) as first, Sandbox(store=path) as second:
        ids = create(first, "A") + create(second, "B")
        assert len(set(ids)) == 2
        assert first.records("orders") == second.records("orders")


def test_a_store_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none" / "box.sqlite"
    with pytest.raises(ConfigurationError, match=r"box\.sqlite cannot be used: .*name a new file"):
        Sandbox(store=path).start()


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Sandbox(store=tmp_path).start()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("hs_order_name\n" * 100)
    with pytest.raises(ConfigurationError, match=r"orders\.csv cannot be used: file is not a database"):
        Sandbox(store=path).start()
    assert path.read_text() == "hs_order_name\n" * 100


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE records (id INTEGER)")
    other.commit()
    with pytest.raises(ConfigurationError, match="another program or another version"):
        Sandbox(store=path).start()
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("records",)]
    other.close()


def test_the_store_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "box.sqlite"
    with Sandbox(store=path):
        pass
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 3")
    other.close()
    with pytest.raises(ConfigurationError, match="another version"):
        Sandbox(store=path).start()


@pytest.mark.parametrize("damage", ["cut", "overwritten", "not JSON", "without a table"])
def test_a_damaged_store_is_refused_at_the_start_and_left_alone(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "box.sqlite"
    with Sandbox(store=path) as box:
        create(box, *(f"A-{number}" for number in range(100)))
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "overwritten":
        middle = len(content) // 2 // 4096 * 4096
        path.write_bytes(content[:middle] + bytes(8192) + content[middle + 8192 :])
    elif damage == "not JSON":
        path.write_bytes(content.replace(b'{"hs_order_name"', b'{{hs_order_name"'))
    else:
        other = sqlite3.connect(path)
        other.execute("DROP TABLE revisions")
        other.commit()
        other.close()
    before = path.read_bytes()

    with pytest.raises(ConfigurationError, match=r"box\.sqlite cannot be used: .*name a new file"):
        Sandbox(store=path).start()

    assert path.read_bytes() == before


def test_a_foreground_run_ends_when_another_thread_closes_it() -> None:
    with Sandbox() as box:
        thread = threading.Thread(target=box.serve_forever)
        thread.start()
        assert create(box, "A")
        assert thread.is_alive()
        box.close()
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_foreground_run_ends_at_a_signal_and_leaves_the_handlers_as_they_were(
    name: str,
) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Sandbox() as box:
        # Longer than the wait is without a look.
        timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.Signals[name]))
        timer.start()
        box.serve_forever()
        timer.join()
        assert create(box, "A")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.posix
def test_a_signal_that_comes_with_the_address_ends_it_cleanly() -> None:
    with Sandbox() as box:
        box.serve_forever(lambda: os.kill(os.getpid(), signal.SIGTERM))
        assert create(box, "A")


PROGRAM = """
import sys
from hubspot_batch.sandbox import Sandbox
with Sandbox(store=sys.argv[1]) as box:
    print(box.url, flush=True)
    box.serve_forever()
print("ended")
"""


@pytest.mark.posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_program_of_its_own_ends_cleanly(tmp_path: Path, name: str) -> None:
    path = tmp_path / "box.sqlite"
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        inputs = [{"properties": {"hs_order_name": "A"}}]
        reply = httpx.post(url + CREATE, json={"inputs": inputs}, headers=HEADERS)
        assert reply.status_code == 201
        process.send_signal(signal.Signals[name])
        assert process.communicate(timeout=10) == ("ended\n", "")
        assert process.returncode == 0
    with Sandbox(store=path) as box:
        assert len(box.records("orders")) == 1


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "box.sqlite"
    command = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        inputs = [{"properties": {"hs_order_name": "A"}}] * 100
        reply = httpx.post(url + CREATE, json={"inputs": inputs}, headers=HEADERS)
        process.kill()
    with Sandbox(store=path) as box:
        assert {record.id for record in box.records("orders")} == {
            result["id"] for result in reply.json()["results"]
        }


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra_the_import_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in list(sys.modules):
        if name.startswith("hubspot_batch.sandbox") or name.split(".")[0] == missing:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "hubspot-batch\[sandbox\]"') as caught:
        importlib.import_module("hubspot_batch.sandbox")
    assert caught.value.name is not None
    assert caught.value.name.split(".")[0] == missing
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


@pytest.mark.posix
def test_a_foreground_run_ignores_a_closed_terminal_where_nohup_says_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Sandbox() as box:

            def hang_up_and_end() -> None:
                os.kill(os.getpid(), signal.SIGHUP)
                assert create(box, "A")
                box.close()

            thread = threading.Thread(target=hang_up_and_end)
            thread.start()
            box.serve_forever()
            thread.join()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.posix
def test_a_store_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "box.sqlite"
    before = os.umask(0)
    try:
        with Sandbox(store=path) as box:
            create(box, "A")
            assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)
    path.chmod(0o644)
    with Sandbox(store=path):
        assert path.stat().st_mode & 0o777 == 0o644


def test_a_store_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name a new file in a folder that exists"):
        Sandbox(store=tmp_path / "gone" / "box.sqlite").__enter__()

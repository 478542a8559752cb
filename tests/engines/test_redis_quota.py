"""A quota in Redis: all processes keep to it together, and nothing is sent while Redis is away."""

import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from hubspot_batch import (
    AsyncHubSpot,
    ClosedError,
    ConfigurationError,
    CreateInput,
    HubSpot,
    HubSpotBatchError,
    Quota,
    QuotaUnavailableError,
    redis_quota,
)
from hubspot_batch.redis_quota import RedisQuota
from hubspot_batch.sandbox import Sandbox
from hubspot_batch.types import AttemptReport
from tests.engines.conftest import RedisServer

if TYPE_CHECKING:
    from redis import Redis

pytestmark = pytest.mark.usefixtures("redis_package")

SECRET = "correct-horse"
NAMES = map("portal-{}".format, count())
now = time.monotonic


@pytest.fixture
def name() -> str:
    return next(NAMES)


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator["Redis"]:
    with client(redis_server) as one:
        yield one


def client(server: RedisServer) -> "Redis":
    from redis import Redis  # noqa: PLC0415 - where it is missing, the test is skipped by then

    return Redis(port=server.port, decode_responses=True, protocol=2)


def paused(quota: Quota) -> float:
    """For how long a new request has to wait."""
    return quota.reserve(now()) - now()


# Two are one.


def test_two_quotas_with_one_name_are_one(redis_server: RedisServer, name: str) -> None:
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(RedisQuota(redis_server.url, name=name, limit=3, window=1.0))
            for _ in range(2)
        )
        began = now()

        waits = [quota.reserve(now()) - began for quota in (one, other, one, other, one)]

        assert [round(wait) for wait in waits] == [0, 0, 0, 1, 1]
        other.learn({"x-hubspot-ratelimit-max": "2", "x-hubspot-ratelimit-interval-milliseconds": "1000"})
        one.refused(now() + 7, now())
        assert one.limit == 2
        assert other.reserve(now()) - began > 6
        assert other.paused_until - began > 6
        assert min(one.margin, other.margin) > 0.14


def test_what_it_holds_expires_and_has_no_token(redis_server: RedisServer, name: str, redis: "Redis") -> None:
    with Sandbox() as sandbox, RedisQuota(redis_server.url, name=name, window=1.0) as quota:
        with HubSpot(sandbox.access_token, base_url=sandbox.url, quota=quota) as hub:
            hub.orders.batch_create([{"properties": {"hs_order_name": "A-1001"}}])
        keys = sorted(redis.keys(f"*{name}}}*"))

        assert keys == [f"hubspot-batch:{{{name}}}:{part}" for part in ("gone", "state", "turns")]
        assert all(3500 < int(redis.ttl(key)) <= 3600 for key in keys)
        assert sandbox.access_token.encode() not in b"".join(redis.dump(key) or b"" for key in keys)
        assert quota.limit_known
        assert quota.daily_remaining is not None


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_run_of_an_asynchronous_client_keeps_to_it(
    redis_server: RedisServer, name: str, backend: str
) -> None:
    async def main(sandbox: Sandbox) -> int:
        quota = RedisQuota(redis_server.url, name=name, limit=10, window=1.0)
        async with AsyncHubSpot(sandbox.access_token, base_url=sandbox.url, quota=quota) as hub:
            report = await hub.orders.create_all(
                [{"properties": {"hs_order_name": f"A-{number}"}} for number in range(1500)]
            )
        return report.done

    with Sandbox(quota="10/1") as sandbox:
        assert anyio.run(main, sandbox, backend=backend) == 1500
        assert [request.status for request in sandbox.requests if request.status == 429] == []


def test_the_program_of_the_page_on_machines_works(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    # The other programs of the page need a Spark.
    program, *_ = re.findall(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    with Sandbox(quota="100/1") as sandbox:
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", sandbox.access_token)
        program = program.replace("redis://localhost:6379", redis_server.url)
        program = program.replace("HubSpot(", f"HubSpot(base_url={sandbox.url!r}, ")
        exec(program, {})  # noqa: S102 - our own

    assert "1000 done" in capsys.readouterr().out


# Redis is away.


def test_a_redis_that_is_away_for_a_moment_is_waited_for(own_server: RedisServer, name: str) -> None:
    own_server.start()
    with RedisQuota(own_server.url, name=name, limit=3, window=0.5, patience=20) as quota:
        quota.reserve(now())
        own_server.kill()
        starting = threading.Timer(1.0, own_server.start)
        starting.start()

        wait = paused(quota)
        starting.join()

        # It has forgotten, so nothing leaves for a window.
        assert 1 < wait <= 2.6


def test_a_redis_that_stays_away_is_an_error_and_back_it_works(own_server: RedisServer, name: str) -> None:
    own_server.start()
    with RedisQuota(own_server.url, name=name, limit=3, window=0.5, patience=0.4) as quota:
        send_time = quota.reserve(now())
        own_server.kill()
        began = now()

        with pytest.raises(QuotaUnavailableError, match=r"has been away for .* so nothing is sent") as caught:
            quota.reserve(now())

        assert now() - began >= 0.4
        assert isinstance(caught.value, HubSpotBatchError)
        with pytest.raises(QuotaUnavailableError):
            quota.reserve(now(), held=send_time)
        # What only informs raises nothing.
        quota.ended(AttemptReport(send_time=send_time, sent=now(), ended=now(), headers={}))
        quota.learn({})
        quota.refused(now(), now())
        own_server.start()
        time.sleep(1.1)
        assert paused(quota) > 0


def test_the_patience_of_a_later_call_begins_anew(own_server: RedisServer, name: str) -> None:
    with RedisQuota(own_server.url, name=name, patience=0.2) as quota:
        with pytest.raises(QuotaUnavailableError):
            quota.reserve(now())
        time.sleep(1.1)
        began = now()
        with pytest.raises(QuotaUnavailableError):
            quota.reserve(now())

        assert now() - began >= 0.2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_redis_that_hangs_does_not_block_the_event_loop(
    own_server: RedisServer, name: str, backend: str
) -> None:
    async def main(quota: RedisQuota) -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await anyio.sleep(0.01)
                ticks += 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            with pytest.raises(QuotaUnavailableError):
                await quota.reserve_async(now())
            tasks.cancel_scope.cancel()
        return ticks

    own_server.start()
    with RedisQuota(own_server.url, name=name, patience=0.2) as quota:
        quota.reserve(now())
        own_server.signal(signal.SIGSTOP)
        assert anyio.run(main, quota, backend=backend) >= 3
        own_server.signal(signal.SIGCONT)
        time.sleep(1.1)
        quota.reserve(now())


def test_a_run_stops_while_redis_is_away_and_the_same_call_goes_on(
    own_server: RedisServer, name: str, tmp_path: Path
) -> None:
    own_server.start()
    rows: list[CreateInput] = [{"properties": {"hs_order_name": f"A-{number}"}} for number in range(1000)]
    journal = tmp_path / "run"

    def feed() -> Iterator[Any]:
        yield from rows[:500]
        own_server.kill()
        yield from rows[500:]

    with Sandbox(quota="100/1") as sandbox:
        with HubSpot(
            sandbox.access_token,
            base_url=sandbox.url,
            quota=RedisQuota(own_server.url, name=name, limit=100, window=1.0, patience=0.3),
        ) as hub:
            with pytest.raises(HubSpotBatchError) as caught:
                hub.orders.create_all(feed(), journal=journal)
            own_server.start()
            time.sleep(1.1)
            report = hub.orders.create_all(rows, journal=journal)

        assert "away" in str(caught.value) + str(caught.value.__cause__)
        assert report.done == 1000
        assert len(sandbox.records("orders")) == 1000


# The log is lost.


def test_after_a_loss_of_the_log_nothing_leaves_for_a_window(
    redis_server: RedisServer, name: str, redis: "Redis"
) -> None:
    with RedisQuota(redis_server.url, name=name, limit=3, window=1.0) as quota:
        assert paused(quota) <= 0
        redis.delete(*redis.keys(f"*{name}}}*"))

        # Another process, which cannot know, goes ahead; this one knows, and holds back all.
        with RedisQuota(redis_server.url, name=name, limit=3, window=1.0) as other:
            assert paused(other) <= 0
            assert 0 < paused(quota) <= 3
            assert 0 < paused(other) <= 3


def test_a_log_that_was_lost_long_ago_holds_nothing_back(
    redis_server: RedisServer, name: str, redis: "Redis"
) -> None:
    with RedisQuota(redis_server.url, name=name, limit=3, window=0.1) as quota:
        quota.reserve(now())
        redis.delete(*redis.keys(f"*{name}}}*"))
        time.sleep(2.2)

        assert paused(quota) <= 0


def test_another_redis_with_an_old_copy_holds_all_back(
    redis_server: RedisServer, name: str, redis: "Redis"
) -> None:
    with RedisQuota(redis_server.url, name=name, limit=3, window=1.0) as quota:
        quota.reserve(now())
        redis.hset(f"hubspot-batch:{{{name}}}:state", "run", "0123abcd")

    with RedisQuota(redis_server.url, name=name, limit=3, window=1.0) as another:
        assert 0 < paused(another) <= 3


def test_a_clock_that_jumps_holds_all_back(redis_server: RedisServer, name: str, redis: "Redis") -> None:
    with RedisQuota(redis_server.url, name=name, limit=3, window=1.0) as quota:
        quota.reserve(now())
        # The clock of Redis went ahead by an hour, as far as this process can see.
        quota._now = lambda: now() - 3600
        assert 0 < quota.reserve(now() - 3600) - (now() - 3600) <= 3.1

    gone = f"hubspot-batch:{{{name}}}:gone"
    with RedisQuota(redis_server.url, name=name, limit=3, window=1.0) as quota:
        redis.zadd(gone, {"of the future": time.time() + 3600})
        redis.zadd(f"hubspot-batch:{{{name}}}:waiting", {"of the future": time.time() + 7200})
        assert 0 < paused(quota) <= 3.1


def test_a_send_time_and_a_pause_that_cannot_be_are_dropped(
    redis_server: RedisServer, name: str, redis: "Redis"
) -> None:
    with RedisQuota(redis_server.url, name=name, limit=3, window=1.0) as quota:
        quota.reserve(now())
        redis.zadd(f"hubspot-batch:{{{name}}}:waiting", {"of the future": time.time() + 7200})
        redis.hset(f"hubspot-batch:{{{name}}}:state", "paused_until", time.time() + 864_000)

        assert paused(quota) <= 0


# Redis refuses.


def refusal(url: str, name: str, patience: float = 0.3) -> str:
    """What the first call says."""
    with RedisQuota(url, name=name, patience=patience) as quota:
        with pytest.raises(ConfigurationError) as caught:
            quota.reserve(now())
        assert SECRET not in f"{caught.value!r} {caught.value} {quota!r} {caught.value.__cause__}"
        assert str(quota._server.place) in str(caught.value)
    return str(caught.value)


def test_a_password_that_is_wrong_is_an_error_and_shown_nowhere(own_server: RedisServer, name: str) -> None:
    own_server.start("--requirepass", "another")

    wrong = own_server.url.replace("127", f":{SECRET}@127")
    assert refusal(wrong, name).endswith("it does not accept the user or the password of the URL")
    assert refusal(own_server.url, name).endswith("it does not accept the user or the password of the URL")
    with RedisQuota(own_server.url.replace("127", ":another@127"), name=name) as quota:
        quota.reserve(now())
        with client(own_server) as redis:
            redis.auth("another")
            redis.acl_setuser("default", enabled=True, passwords=["+changed"], reset_passwords=True)
            redis.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(QuotaUnavailableError, match="does not accept the user"):
            quota.reserve(now())


def test_a_user_who_may_not_do_that_is_an_error(own_server: RedisServer, name: str) -> None:
    own_server.start()
    with client(own_server) as redis:
        redis.acl_setuser(
            "app", enabled=True, passwords=[f"+{SECRET}"], commands=["+ping"], keys=["*"], reset=True
        )
        url = own_server.url.replace("127", f"app:{SECRET}@127")
        assert "its user may not do that; allow it ~hubspot-batch:* and +@all" in refusal(url, name)

        # What the error says is enough, and the script can do without INFO.
        allowed = (f">{SECRET}", "~hubspot-batch:*", "+@all", "-@dangerous")
        redis.execute_command("ACL", "SETUSER", "app", "reset", "on", *allowed)
    with RedisQuota(url, name=name) as quota:
        assert paused(quota) <= 0


@pytest.mark.parametrize("written", ["text", "hash", "number", "version"])
def test_keys_that_another_program_has_written_are_refused_and_left_alone(
    redis_server: RedisServer, redis: "Redis", name: str, written: str
) -> None:
    key = f"hubspot-batch:{{{name}}}:state"
    ours = {"version": "1", "epoch": "a", "margin": "0.1", "saved": "30"}
    if written == "text":
        redis.set(key, "theirs")
    else:
        content: dict[str, Any] = {
            "hash": {"theirs": "1"},
            "number": {**ours, "margin": "nan"},
            "version": {"version": "9"},
        }
        redis.hset(key, mapping=content[written])
    before = redis.dump(key)

    whose = "another version of hubspot-batch" if written == "version" else "another program"
    assert f"{whose} uses" in refusal(redis_server.url, name)
    assert redis.dump(key) == before


def test_a_replica_is_refused_with_the_remedy(
    redis_server: RedisServer, own_server: RedisServer, name: str
) -> None:
    own_server.start("--replicaof", "127.0.0.1", str(redis_server.port))

    assert "it is a read-only replica; name the primary in the URL" in refusal(own_server.url, name, 20)


def test_a_primary_that_becomes_a_replica_is_waited_for(own_server: RedisServer, name: str) -> None:
    own_server.start()
    with RedisQuota(own_server.url, name=name, patience=20) as quota, client(own_server) as redis:
        quota.reserve(now())
        redis.replicaof("127.0.0.1", "1")
        back = threading.Timer(0.5, lambda: redis.replicaof("NO", "ONE"))
        back.start()
        quota.reserve(now())
        back.join()


def test_a_node_of_a_cluster_that_has_another_slot_is_refused_with_the_right_one(
    own_server: RedisServer, tmp_path: Path
) -> None:
    other = RedisServer(tmp_path)
    servers = {own_server: (0, 8191), other: (8192, 16383)}
    try:
        for server, slots in servers.items():
            bus = RedisServer(tmp_path).port
            conf = f"nodes-{server.port}.conf"
            server.start(
                *("--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-config-file", conf)
            )
            with client(server) as redis:
                redis.execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
            if server is other:
                with client(own_server) as redis:
                    redis.execute_command("CLUSTER", "MEET", "127.0.0.1", other.port, bus)
        with client(own_server) as redis:
            deadline = now() + 20
            while (
                "cluster_state:ok" not in str(redis.execute_command("CLUSTER", "INFO")) and now() < deadline
            ):
                time.sleep(0.1)
            names = {
                int(redis.execute_command("CLUSTER", "KEYSLOT", f"p{n}")) < 8192: f"p{n}" for n in range(50)
            }
        with RedisQuota(own_server.url, name=names[True], patience=20) as quota:
            quota.reserve(now())
        assert f"name 127.0.0.1:{other.port}" in refusal(own_server.url, names[False], 20)
    finally:
        other.kill()


def test_a_redis_that_is_too_old_is_refused(
    redis_server: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = redis_quota._script().replace("OLDEST_REDIS = 6", "OLDEST_REDIS = 99")
    monkeypatch.setattr(redis_quota, "_script", lambda: script)

    assert "it is too old; use Redis 6 or later" in refusal(redis_server.url, name, patience=1.75)


def test_what_nobody_foresaw_is_told_as_redis_says_it(
    redis_server: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_quota, "_script", lambda: "return redis.error_reply('ERR full moon')")

    assert "refuses the quota: full moon" in refusal(redis_server.url, name, patience=1.5)


@pytest.mark.parametrize("answer", ["1", "{'a', 'b'}", "{'a', '1', '1', '', 'inf', '1', '', '', '', '', ''}"])
def test_an_answer_that_cannot_be_is_an_error(
    redis_server: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(redis_quota, "_script", lambda: f"return {answer}")

    quota = RedisQuota(redis_server.url, name=name, patience=1.25)
    with quota, pytest.raises(QuotaUnavailableError, match="answers as no Redis does"):
        quota.reserve(now())


def test_tls_is_used_and_checked(own_server: RedisServer, name: str, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    own_server.start(
        *("--tls-port", str(own_server.port), "--port", "0", "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
    )
    url = f"rediss://localhost:{own_server.port}"

    with RedisQuota(f"{url}?ssl_ca_certs={certificate}", name=name, limit=3, window=0.1) as quota:
        quota.reserve(now())
    with RedisQuota(url, name=name, patience=0.1) as quota, pytest.raises(QuotaUnavailableError) as caught:
        quota.reserve(now())
    assert "certificate" in str(caught.value).lower() or isinstance(caught.value.__cause__, ssl.SSLError)


# Arguments.


@pytest.mark.parametrize(
    "url",
    [
        *(None, "", "localhost:6379", "http://localhost", f"redis://:{SECRET}ü@localhost"),
        *(
            f"redis://:{SECRET}/x@localhost",
            f"redis://:{SECRET}@localhost:99999",
            "redis://localhost?db=many",
        ),
        *("redis://localhost?no_such_option=1", f"redis://{'a' * 64}"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(url: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigurationError, match="the URL of Redis cannot be used; write it like") as caught:
        RedisQuota(url, name="portal-1")

    assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("name", [None, "", "a b", "{a}", "a" * 101, "-a", "a\n"])
def test_a_name_that_cannot_be_used_is_refused(name: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigurationError, match="the name of a quota has 1 to 100 letters"):
        RedisQuota("redis://localhost", name=name)


def test_a_token_is_refused_as_a_name() -> None:
    with pytest.raises(ConfigurationError, match="must not be a token") as caught:
        RedisQuota("redis://localhost", name="pat-na1-secret")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("patience", [None, True, -1, float("nan"), 601])
def test_a_patience_out_of_range_is_refused(patience: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigurationError, match="patience is 0 to 600 seconds"):
        RedisQuota("redis://localhost", name="portal-1", patience=patience)


def test_without_redis_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(ConfigurationError, match=r'pip install "hubspot-batch\[redis\]"'):
        RedisQuota("redis://no-such-host", name="portal-1")


def test_the_repr_has_place_and_name_and_no_password(tmp_path: Path) -> None:
    with RedisQuota(f"redis://user:{SECRET}@localhost:7/3", name="portal-1", limit=5) as quota:
        assert repr(quota) == "RedisQuota('localhost:7', name='portal-1', limit=5, window=10.0)"
        with RedisQuota(f"redis://user:{SECRET}@localhost:7/3", name="portal-2") as other:
            assert other._server is quota._server
    with RedisQuota(f"unix://:{SECRET}@{tmp_path}/socket", name="portal-1") as quota:
        assert repr(quota) == f"RedisQuota('{tmp_path}/socket', name='portal-1', limit=100, window=10.0)"


# Closed, and forked.


def test_a_closed_quota_says_so_also_to_what_waits_for_redis(own_server: RedisServer, name: str) -> None:
    quota = RedisQuota(own_server.url, name=name, patience=60)
    threading.Timer(0.3, quota.close).start()
    with pytest.raises(ClosedError):
        quota.reserve(now())
    with pytest.raises(ClosedError):
        quota.reserve(now())


def test_a_time_of_another_quota_is_not_held_here(redis_server: RedisServer, name: str) -> None:
    with RedisQuota(redis_server.url, name=name, limit=1, window=1.0) as quota:
        first = quota.reserve(now(), held=now())
        quota.ended(AttemptReport(send_time=now(), sent=now(), ended=now()))
        assert quota.reserve(now()) > first + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_has_connections_of_its_own(redis_server: RedisServer, redis: "Redis", name: str) -> None:
    closed = RedisQuota(redis_server.url, name=name)
    closed.close()
    with RedisQuota(redis_server.url, name=name, limit=2, window=30.0) as quota:
        quota.reserve(now())
        child = os.fork()
        if not child:  # pragma: no cover - in the child
            code = 1
            try:
                quota.reserve(now())
                closed.reserve(now())
            except ClosedError:
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        quota.reserve(now())

        assert os.waitstatus_to_exitcode(status) == 0
        keys = [f"hubspot-batch:{{{name}}}:{part}" for part in ("waiting", "gone")]
        assert sum(int(redis.zcard(key)) for key in keys) == 3
        # What a fork does in the child, where coverage does not see it.
        for each in (closed, quota):
            each._forked()
        quota.reserve(now())
        with pytest.raises(ClosedError):
            closed.reserve(now())

"""The fixtures of the plugin, in pytest runs of their own as a user starts them."""

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

PLUGIN = "hubspot_batch.pytest_plugin"
# Where the package is installed, pytest finds the plugin by itself, and fails if it is also named.
INSTALLED = any(point.value == PLUGIN for point in entry_points(group="pytest11"))

WITHOUT_THE_EXTRA = """
    import sys

    class Missing:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "starlette":
                raise ModuleNotFoundError("No module named 'starlette'", name=name)

    sys.meta_path.insert(0, Missing)
"""


def run(folder: Path, *options: str, conftest: str = "", **files: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder with these files."""
    for name, content in {"conftest": conftest, **files}.items():
        (folder / f"{name}.py").write_text(dedent(content), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    load = () if INSTALLED else ("-p", PLUGIN)
    command = [sys.executable, "-m", "pytest", *load, "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def assert_outcomes(done: subprocess.CompletedProcess[str], expected: str) -> None:
    assert f"{expected} in " in done.stdout.splitlines()[-1], done.stdout + done.stderr


ORDERS = """
    from hubspot_batch import HubSpot
    from hubspot_batch.sandbox import Sandbox

    def test_an_order_arrives(hubspot, hubspot_sandbox):
        assert type(hubspot) is HubSpot
        assert type(hubspot_sandbox) is Sandbox
        result = hubspot.orders.batch_create([{"properties": {"hs_order_name": "A-1"}}])
        (record,) = hubspot_sandbox.records("orders")
        assert [record.id] == [written.id for written in result.records]

    def test_each_test_begins_with_nothing(hubspot_sandbox):
        assert hubspot_sandbox.records("orders") == []

    def test_the_options_are_those_of_a_plain_sandbox(hubspot_sandbox_options):
        assert hubspot_sandbox_options == {}
"""


def test_help_names_them(tmp_path: Path) -> None:
    done = run(tmp_path, "--fixtures")

    for name in ("hubspot_sandbox", "module_hubspot_sandbox", "session_hubspot_sandbox", "async_hubspot"):
        assert re.search(rf"^{name}( \[\w+ scope\])? -- ", done.stdout, re.MULTILINE)
    assert "A local HubSpot, empty at the start of each test." in done.stdout
    assert "A client that is bound to `hubspot_sandbox`." in done.stdout
    assert "What `Sandbox` is given. Override it to change that." in done.stdout


OPTIONS = """
    import pytest
    from hubspot_batch import HubSpot, PermissionDeniedError

    @pytest.fixture
    def hubspot_sandbox_options():
        return {"access_token": "mine", "scopes": ["crm.objects.carts.write"]}

    def test_what_the_options_say_holds(hubspot, hubspot_sandbox):
        assert hubspot_sandbox.access_token == "mine"
        assert hubspot.carts.batch_create([{"properties": {"hs_cart_name": "B"}}]).ok
        with pytest.raises(PermissionDeniedError):
            hubspot.orders.batch_create([{"properties": {"hs_order_name": "A"}}])
"""


SHARED = """
    import pytest

    seen = []

    @pytest.fixture(scope="session")
    def hubspot_sandbox_options():
        return {"access_token": "mine"}

    @pytest.mark.parametrize("number", [1, 2])
    def test_a_sandbox_is_shared(module_hubspot_sandbox, session_hubspot_sandbox, number):
        seen.append((module_hubspot_sandbox.url, session_hubspot_sandbox.url))
        assert session_hubspot_sandbox.access_token == "mine"
        assert len(set(seen)) == 1
        with open("urls", "a") as urls:
            print(*seen[-1], file=urls)
"""


ASYNC = """
    import pytest
    from hubspot_batch import AsyncHubSpot

    @pytest.mark.anyio
    async def test_an_order_arrives(async_hubspot, hubspot_sandbox):
        assert type(async_hubspot) is AsyncHubSpot
        for name in ("A-1", "A-2"):
            result = await async_hubspot.orders.batch_create([{"properties": {"hs_order_name": name}}])
            assert result.ok
        assert len(hubspot_sandbox.records("orders")) == 2

    @pytest.mark.anyio
    async def test_a_client_may_be_closed(async_hubspot):
        async with async_hubspot as hub:
            assert (await hub.carts.batch_create([{"properties": {"hs_cart_name": "B"}}])).ok
"""


ENDS = """
    import httpx
    import pytest

    urls = []

    def test_one(hubspot_sandbox):
        urls.append(hubspot_sandbox.url)

    def test_two():
        with pytest.raises(httpx.ConnectError):
            httpx.get(urls[0])
"""


def test_the_fixtures(tmp_path: Path) -> None:
    """The files share a run: a start of pytest takes longer than they do."""
    files = {"test_orders": ORDERS, "test_options": OPTIONS, "test_async": ASYNC, "test_ends": ENDS}
    files |= {"test_shared": SHARED, "test_shared_too": SHARED}

    done = run(tmp_path, "-k", "not trio", **files)

    assert_outcomes(done, "12 passed, 2 deselected")
    of_modules, of_session = zip(
        *(line.split() for line in (tmp_path / "urls").read_text().splitlines()), strict=True
    )
    assert (len(set(of_modules)), len(set(of_session))) == (2, 1)


def test_the_plugin_loads_nothing_that_nobody_asks_for(tmp_path: Path) -> None:
    tests = """
        import sys

        def test_what_is_loaded():
            assert not {"httpx", "starlette", "uvicorn", "jsonschema_rs"} & set(sys.modules)
    """
    assert_outcomes(run(tmp_path, test_it=tests), "1 passed")


def test_without_the_extra_the_other_tests_run(tmp_path: Path) -> None:
    tests = """
        def test_of_something_else():
            pass

        def test_with_a_sandbox(hubspot_sandbox):
            pass

        def test_with_a_client(hubspot):
            pass
    """
    done = run(tmp_path, conftest=WITHOUT_THE_EXTRA, test_it=tests)

    assert done.returncode == 1
    assert_outcomes(done, "1 passed, 2 errors")
    hint = 'the sandbox needs starlette; install it with: pip install "hubspot-batch[sandbox]"'
    assert len(re.findall(f"^E +ModuleNotFoundError: {re.escape(hint)}$", done.stdout, re.MULTILINE)) == 2

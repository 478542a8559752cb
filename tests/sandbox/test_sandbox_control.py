"""The options and abilities of a sandbox: in Python, in a file, and over HTTP while it runs."""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import (
    Behaviour,
    Clock,
    FaultInjector,
    OAuthApp,
    Property,
    QuotaLimit,
    Sandbox,
    SandboxAccount,
    read_config,
)
from hubspot_batch.sandbox import _history as history
from hubspot_batch.sandbox._control import OPERATIONS
from tests.conftest import case

ORDERS = "/crm/v3/objects/orders"
HEADERS = {"Authorization": "Bearer sandbox-token"}
TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}
FIXED = {"port", "host", "expose", "control_key", "store"}
# What a program in Python does with the sandbox as a whole, or reads off it.
LIFETIME = {"start", "close", "serve_forever", "url", "access_token"}
# What the sandbox itself needs of its parts.
PARTS = {
    "faults": (FaultInjector, {"choose", "restart"}),
    "clock": (Clock, {"time", "monotonic", "moment", "restart"}),
}

CONFIG = """
port = 0
host = "127.0.0.1"
expose = false
control_key = "k"
access_token = "first"
scopes = ["crm.objects.orders.read"]
quota = "100/10"
store = "box.sqlite"
retry_after = true
clock = 2026-09-01T08:00:00Z
seed = 7

[properties]
orders = ["color"]

[properties.carts]
shop_number = { kind = "text", unique = true }
size = { kind = "enumeration", options = ["S", "M"] }

[records]
companies = [401, "402"]

[[records.contacts]]
id = "301"
email = "ada@example.com"
lastseen = 2026-08-01T10:00:00Z
[[records.contacts]]
id = 302
properties = { email = "bob@example.com", vip = true }

[records.deals]
501 = { dealname = "D" }

[[records.orders]]
id = 601
hs_order_name = "A"
[[records.orders.associations]]
to = { id = 301 }
types = [{ associationCategory = "HUBSPOT_DEFINED", associationTypeId = 507 }]

[oauth]
client_id = "c"
lifetime = 60
quota = "none"

[faults]
504-after = 0.5
"slow=0.5" = 0.25

[behaviour]
shuffle = false
merge_identical = []

[[accounts]]
access_token = "second"
number = 2
quota = { limit = 5 }
"""


@pytest.fixture
def control(box: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{box.url}/_sandbox") as client:
        yield client


def message(reply: httpx.Response) -> str:
    assert reply.is_error
    return str(reply.json()["message"])


def as_toml(value: object) -> str:
    """Return a value of JSON as an inline value of TOML."""
    match value:
        case dict():
            return "{" + ", ".join(f"{name} = {as_toml(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case _:
            return json.dumps(value)


def keywords(function: Callable[..., object]) -> set[str]:
    return set(inspect.signature(function).parameters)


class TestAbilities:
    """Python, the file and HTTP have the same."""

    def test_a_file_takes_every_keyword_of_the_sandbox(self, tmp_path: Path) -> None:
        path = tmp_path / "box.toml"
        path.write_text(CONFIG, encoding="utf-8")

        options = read_config(path)

        assert set(options) == keywords(Sandbox)
        assert Sandbox(**options)

    def test_what_a_file_says_is_what_python_would_be_given(self, tmp_path: Path) -> None:
        path = tmp_path / "box.toml"
        path.write_text(CONFIG, encoding="utf-8")

        options = read_config(path)

        assert options["quota"] == "100/10"
        assert options["store"] == tmp_path / "box.sqlite"
        assert options["clock"] == "2026-09-01T08:00:00+00:00"
        assert options["faults"] == {"504-after": 0.5, "slow=0.5": 0.25}
        assert options["behaviour"] == Behaviour(shuffle=False, merge_identical=())
        assert options["oauth"] == OAuthApp(client_id="c", lifetime=60, quota="none")
        assert options["accounts"] == (SandboxAccount(access_token="second", number=2, quota=QuotaLimit(5)),)
        assert options["properties"] == {
            "orders": ("color",),
            "carts": {
                "shop_number": Property("text", unique=True),
                "size": Property("enumeration", options=("S", "M")),
            },
        }
        with Sandbox(**options | {"store": None}) as box:
            contacts = {record.id: record.properties for record in box.records("contacts")}
            assert contacts["302"] == {"email": "bob@example.com", "vip": "true"}
            assert contacts["301"]["lastseen"] == "2026-08-01T10:00:00+00:00"
            assert [record.id for record in box.records("companies")] == ["401", "402"]
            assert box.records("deals")[0].properties == {"dealname": "D"}
            assert [link.to_id for link in box.record("orders", 601).associations] == ["301"]

    def test_a_reset_over_http_takes_every_keyword_that_one_in_python_takes(
        self, control: httpx.Client
    ) -> None:
        document = control.get("/openapi.json").json()

        options = document["components"]["schemas"]["Options"]
        account = document["components"]["schemas"]["SandboxAccount"]

        assert set(options["properties"]) == keywords(Sandbox) - FIXED
        assert set(account["properties"]) == keywords(SandboxAccount)

    def test_first_records_have_associations_on_each_way_in(
        self, box: Sandbox, control: httpx.Client, tmp_path: Path
    ) -> None:
        links = [{"to": {"id": "301"}, "types": [TO_CONTACT]}]
        # The other record comes later, and a row is as good as an input.
        records: Any = {
            "orders": [{"id": "1", "hs_order_name": "A", "associations": links}],
            "contacts": ["301"],
        }
        (tmp_path / "box.toml").write_text(
            "[records]\ncontacts = ['301']\n"
            "[records.orders.1]\nproperties = { hs_order_name = 'A' }\n"
            "[[records.orders.1.associations]]\nto = { id = '301' }\n"
            "types = [{ associationCategory = 'HUBSPOT_DEFINED', associationTypeId = 507 }]\n",
            encoding="utf-8",
        )

        def found(sandbox: Sandbox) -> list[Any]:
            ends = [sandbox.record("orders", 1), sandbox.record("contacts", 301)]
            return [(end.properties, [*end.associations]) for end in ends]

        with Sandbox(records=records) as of_python, Sandbox(**read_config(tmp_path / "box.toml")) as of_file:
            expected = found(of_python)
            assert [(link.to_id, link.type_id) for _, ends in expected for link in ends] == [
                ("301", 507),
                ("1", 508),
            ]
            assert found(of_file) == expected
        control.post("/reset", json={"records": records})
        assert found(box) == expected
        control.post("/reset")
        (order, _) = control.post("/records", json={"records": records}).json()["results"]
        assert found(box) == expected
        assert order == control.get("/records/orders/1").json()
        box.reset(records={"contacts": ["301"]})
        box.add("orders", 1, {"hs_order_name": "A"}, associations=links)
        assert found(box) == expected

    def test_associations_of_first_records_are_checked_on_each_way_in(
        self, box: Sandbox, control: httpx.Client, tmp_path: Path
    ) -> None:
        def link(target: object, kind: object) -> object:
            return {"to": {"id": target}, "types": [kind]}

        box.add("contacts", 301)
        for association, expected in (
            (
                link(301, TO_CONTACT | {"associationTypeId": 508}),
                ".types: type 508 of HUBSPOT_DEFINED does not",
            ),
            (
                link(301, TO_CONTACT | {"associationTypeId": "507"}),
                ".types[0].associationTypeId: expected a whole number, not text",
            ),
            (
                link(301, TO_CONTACT | {"associationCategory": "USER_DEFINED"}),
                ".types: type 507 of USER_DEFINED does not start at orders; choose from HUBSPOT_DEFINED 507",
            ),
            (link("x", TO_CONTACT), ".to.id: 'x' is not a record id; write 1 to 15 decimal digits"),
            ({"to": {"id": 301}, "types": []}, ".types: a type is missing; choose from HUBSPOT_DEFINED 507"),
            ({"to": {"id": 301}, "type": TO_CONTACT}, ".type: unknown key; did you mean types?"),
        ):
            with case(expected):
                records: Any = {"orders": [{"id": 1, "associations": [association]}]}
                path = tmp_path / "box.toml"
                path.write_text(f"records = {as_toml(records)}\n", encoding="utf-8")
                place = f"orders[0].associations[0]{expected}"
                for use in (Sandbox, box.reset):
                    with pytest.raises(ConfigurationError, match=f"^{re.escape(place)}"):
                        use(records=records)
                with pytest.raises(ConfigurationError, match=re.escape(f"line 1: records.{place}")):
                    read_config(path)
                for path_of in ("/records", "/reset"):
                    reply = control.post(path_of, json={"records": records})
                    assert message(reply).startswith(f"records.{place}")
        with pytest.raises(ConfigurationError, match=re.escape("associations[0].to: the key id is missing")):
            box.add("orders", 1, associations=[{"to": {}, "types": [TO_CONTACT]}])
        assert (box.records("orders"), len(box.records("contacts"))) == ([], 1)

    def test_the_other_record_of_an_association_is_there_or_given_too(
        self, box: Sandbox, control: httpx.Client, tmp_path: Path
    ) -> None:
        links = [{"to": {"id": 301}, "types": [TO_CONTACT]}]
        records: Any = {"orders": [{"hs_order_name": "A"}, {"id": 2, "new": "x", "associations": links}]}
        missing = "orders[1].associations: there is no record of contacts with the id 301; give it, too"
        store = tmp_path / "box.sqlite"

        for use in (
            lambda: Sandbox(records=records),
            lambda: Sandbox(records=records, store=store).start(),
            lambda: box.seed(records),
        ):
            with pytest.raises(ConfigurationError, match=f"^{re.escape(missing)}$"):
                use()
        assert message(control.post("/records", json={"records": records})) == missing
        assert box.records("orders") == []
        box.add("contacts", 301)
        assert [len(record.associations) for record in box.seed(records)] == [0, 1]
        # A reset empties the store, so that what is there now does not help.
        assert message(control.post("/reset", json={"records": records})) == missing
        assert len(box.records("orders")) == 2
        with Sandbox(store=store) as kept:
            assert kept.records("orders") == []
            kept.add("contacts", 301)
        for _ in range(2):  # a second start finds the association in the store
            with Sandbox(records=records, store=store) as kept:
                assert len(kept.record("contacts", 301).associations) == 1
        with Sandbox(records=records, behaviour=Behaviour(check_targets=False)) as careless:
            careless.reset()
            assert [link.to_id for link in careless.record("orders", 2).associations] == ["301"]

    def test_a_unique_value_belongs_to_one_record(
        self, box: Sandbox, control: httpx.Client, tmp_path: Path
    ) -> None:
        ada = {"id": 1, "email": "Ada@x.de"}
        taken = "email: another record has this value, and it is unique; choose another one"
        # A record that is given twice is one record.
        assert [record.id for record in box.seed({"contacts": [ada, ada]})] == ["1", "1"]
        for row in ({"email": "ada@x.de"}, {"id": 2, "email": "ada@x.de"}):
            reply = control.post("/records", json={"records": {"contacts": [3, row]}})
            assert message(reply) == f"contacts[1].{taken}"
        with pytest.raises(ConfigurationError, match=f"^{taken}$"):
            box.add("contacts", 2, {"email": "ada@x.de"})
        assert [record.id for record in box.records("contacts")] == ["1"]
        box.add("contacts", 2, {"email": ""})
        box.add("tickets", 3, {"email": "ada@x.de"})
        for _ in range(2):  # a second start finds its records in the store
            with Sandbox(records={"contacts": [ada]}, store=tmp_path / "box.sqlite") as kept:
                assert len(kept.records("contacts")) == 1

    def test_a_first_record_that_was_archived_stays_so(self, tmp_path: Path) -> None:
        deal = {"to": {"id": 5}, "types": [TO_CONTACT | {"associationTypeId": 512}]}
        links = [{"to": {"id": 301}, "types": [TO_CONTACT]}, deal]
        records: Any = {
            "orders": [{"id": 1, "associations": links}],
            "contacts": [301],
            "deals": [5],
            "tickets": [9],
        }
        with Sandbox(records=records, store=tmp_path / "box.sqlite") as box:
            for path in (f"{ORDERS}/1", "/crm/v3/objects/contacts/301"):
                httpx.delete(box.url + path, headers=HEADERS)
        with Sandbox(records=records, store=tmp_path / "box.sqlite") as box:
            assert [len(box.records(name)) for name in ("orders", "contacts", "deals")] == [0, 0, 1]
            assert box.seed(records)[0].id == "5"

    def test_a_record_that_exists_gets_the_associations(self, box: Sandbox, control: httpx.Client) -> None:
        links = [{"to": {"id": 301}, "types": [TO_CONTACT]}]
        box.add("orders", 1, {"hs_order_name": "A"})
        rows = {"1": {"hs_order_name": "B", "associations": links}}

        (order, _) = control.post("/records", json={"records": {"orders": rows, "contacts": [301]}}).json()[
            "results"
        ]

        assert order["properties"] == {"hs_order_name": "A"}
        assert [link["toId"] for link in order["associations"]] == ["301"]

    def test_http_does_what_python_does_while_it_runs(self) -> None:
        public = {name for name in dir(Sandbox) if not name.startswith("_")} - LIFETIME
        for part, (kind, of_the_sandbox) in PARTS.items():
            members = {name for name in dir(kind) if not name.startswith("_")} - of_the_sandbox
            public |= {f"{part}.{name}" for name in members}

        done = [name for operation in OPERATIONS for name in operation.python]

        assert sorted(done) == sorted(public)

    def test_the_document_of_the_control_is_valid_and_names_each_path(self, control: httpx.Client) -> None:
        document = control.get("/openapi.json").json()

        validate(document)
        assert {
            (method.upper(), path) for path, methods in document["paths"].items() for method in methods
        } == {(operation.method, f"/_sandbox{operation.path}") for operation in OPERATIONS}


class TestFile:
    """What is wrong with a file is said with its line, and nothing is started."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("port = 1\nqouta = '1/1'\n", "line 2: qouta: unknown key; did you mean quota?"),
            ("# a\n\nzzz = 1\n", "line 3: zzz: unknown key; choose from access_token, accounts, "),
            ("port = '1'", "line 1: port: expected a whole number, not text"),
            ("expose = 1", "line 1: expose: expected true or false, not a whole number"),
            ("port = true", "line 1: port: expected a whole number, not true or false"),
            ("seed = 1.5", "line 1: seed: expected a whole number, not a number"),
            ("scopes = 'x'", "line 1: scopes: expected a list, not text"),
            ("scopes = ['x',\n  1]", "line 1: scopes[1]: expected text, not a whole number"),
            ("quota = []", "line 1: quota: expected a table of keys and values or text, not a list"),
            ("quota = '190'", "line 1: quota: '190' is not a quota; write requests and seconds"),
            ("[quota]\nlimit = 0", "line 1: quota: a quota of 0 requests admits nothing"),
            ("[quota]\nlimti = 1", "line 2: quota.limti: unknown key; did you mean limit?"),
            (
                "[faults]\n503 = 0.1\n504-aftr = 0.1",
                "line 3: faults.504-aftr: there is no fault '504-aftr'; did",
            ),
            ("[faults]\n503 = 2", "line 2: faults.503: 2 is not a number from 0 to 1"),
            ("clock = 'noon'", "line 1: clock: 'noon' is not a time with a zone"),
            ("clock = 2026-09-01", "line 1: clock: '2026-09-01' is not a time with a zone"),
            ("clock = 10:00:00", "line 1: clock: '10:00:00' is not a time with a zone"),
            ("[[accounts]]\nnumber = 2\n[[accounts]]\nnumbr = 3", "line 4: accounts[1].numbr: unknown key"),
            ("[[accounts]]\naccess_token = 'a b'", "line 2: accounts[0].access_token: access_token is empty"),
            (
                "[properties.orders]\nx = {kind = 'txt'}",
                "line 2: properties.orders.x.kind: 'txt' is not an option here; did you mean text?",
            ),
            ("[properties]\norders = ['a', 2]", "line 2: properties.orders[1]: expected text"),
            ("[records]\nordres = []", "line 2: records.ordres: there is no object type 'ordres'; did you"),
            ("[records]\norders = [\n 1,\n 'x']", "line 2: records.orders[1]: 'x' is not a record id"),
            ("[[records.orders]]\nid = 1\nx = [1]", "line 1: records.orders[0]: the value of x is neither"),
            ("[[records.orders]]\nid = 1.5", "line 1: records.orders[0]: the id of a record of orders"),
            (
                "[records.orders]\n1 = {properties = {}, assocations = []}",
                "line 2: records.orders.1.assocations: unknown key beside properties; did you mean",
            ),
            (
                "[records.orders]\n1 = { id = 2 }",
                "line 2: records.orders.1.id: the key of the row is another",
            ),
            (
                "[[records.products]]\n[[records.products.associations]]\nto = { id = 1 }\ntypes = []",
                "line 4: records.products[0].associations[0].types: a type is missing; none does that the",
            ),
            ("[properties]\norders = ['My Field']", "line 1: properties: 'My Field' is not a property name"),
            (
                "[[records.contacts]]\nemail = 'a@x.de'\n[[records.contacts]]\nemail = 'A@x.de'",
                "line 4: records.contacts[1].email: another record has this value, and it is unique",
            ),
            (
                "[[accounts]]\naccess_token = 'x'\n[[accounts.records.line_items]]\nid = 3\nprice = '1,5'",
                "line 5: accounts[0].records.line_items[0].price: INVALID_LONG: HubSpot does not take",
            ),
            ("records = 'x'", "line 1: records: expected a table of keys and values, not text"),
            ("[behaviour]\nshufle = true", "line 2: behaviour.shufle: unknown key; did you mean shuffle?"),
            ("[behaviour]\ntaken_values = ['x']", "line 1: behaviour: there is no form 'x' of a taken"),
            ("[oauth]\nsecret = 'x'", "line 2: oauth.secret: unknown key"),
            ('host = """\n127\n"""\nprot = 1', "line 4: prot: unknown key; did you mean port?"),
            ("x = '''\n[ \" # {\n'''\ny = 1", "line 1: x: unknown key"),
            ('access_token = "]" # [\nscopes = [ # ]\n"a", \'[\', """"b""""]\nprot = 1', "line 4: prot: unk"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_line(self, tmp_path: Path, text: str, expected: str) -> None:
        path = tmp_path / "box.toml"
        path.write_text(text, encoding="utf-8")

        with pytest.raises(ConfigurationError, match=re.escape(f"{path}, {expected}")):
            read_config(path)

    def test_a_large_file_is_searched_for_the_line_quickly(self, tmp_path: Path) -> None:
        path = tmp_path / "box.toml"
        rows = "\n".join(f"  {{ id = {number}, hs_order_name = 'A' }}," for number in range(1, 3001))
        path.write_text(f"[records]\norders = [\n{rows}\n]\n[faults]\nx = 1\n", encoding="utf-8")

        with pytest.raises(ConfigurationError, match=r"line 3005: faults\.x"):
            read_config(path)

    def test_a_file_may_begin_with_a_mark_and_end_its_lines_as_windows_does(self, tmp_path: Path) -> None:
        path = tmp_path / "box.toml"
        path.write_bytes(b"\xef\xbb\xbfseed = 7\r\nretry_after = true\r\n")

        assert read_config(str(path)) == {"seed": 7, "retry_after": True}

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"port = ", "is not TOML: "),
            (b"x = '\xff'", "is not in UTF-8; save it in UTF-8"),
            (None, "cannot be read: No such file or directory; check the path"),
        ],
    )
    def test_what_is_not_a_file_of_options(
        self, tmp_path: Path, content: bytes | None, expected: str
    ) -> None:
        path = tmp_path / "box.toml"
        if content is not None:
            path.write_bytes(content)

        with pytest.raises(ConfigurationError, match=re.escape(f"{path} {expected}")):
            read_config(path)

    def test_records_of_two_object_types_cannot_have_one_id(self) -> None:
        with pytest.raises(ConfigurationError, match="the id 1 is given to a record of contacts and to one"):
            Sandbox(records={"contacts": [1], "deals": ["1"]})

    def test_values_of_first_records_are_written_as_text(self) -> None:
        row = {"id": 1, "day": date(2026, 9, 1), "vip": True, "age": 7, "none": None}
        with Sandbox(records={"contacts": [row]}) as box:
            assert box.records("contacts")[0].properties == {"day": "2026-09-01", "vip": "true", "age": "7"}
        for records, message in (
            ({"contacts": "301"}, "the records of contacts are a text; write a list of records or ids"),
            ({"contacts": [{"id": 1, "x": {}}]}, "the value of x is neither a text nor a number"),
        ):
            with pytest.raises(ConfigurationError, match=message):
                Sandbox(records=records)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"taken_values": ("x",)}, "there is no form 'x' of a taken value; choose from"),
            ({"merge_identical": ("order",)}, "there is no object type 'order'; did you mean orders?"),
            ({"without_207": ("2026-9",)}, "there is no version '2026-9'; did you mean 2026-09?"),
            ({"index_delay": -1.0}, "index_delay cannot be -1"),
        ],
    )
    def test_a_behaviour_that_does_not_exist_is_refused(self, options: Any, expected: str) -> None:  # noqa: ANN401
        with pytest.raises(ConfigurationError, match=re.escape(expected)):
            Behaviour(**options)


class TestHttp:
    """What a program in any language does while the sandbox runs."""

    def test_records_are_seeded_and_read_with_their_associations(
        self, box: Sandbox, control: httpx.Client, http: httpx.Client
    ) -> None:
        rows = [{"id": "301", "email": "Ada@Example.com", "vip": True}, {"email": "bob@example.com"}]
        seeded = control.post("/records", json={"records": {"contacts": rows}}).json()["results"]
        links = [
            {
                "to": {"id": "301"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}],
            }
        ]
        inputs = [{"properties": {"hs_order_name": "A"}, "associations": links}]
        http.post(f"{ORDERS}/batch/create", json={"inputs": inputs})

        (order,) = control.get("/records/orders").json()["results"]

        assert [record["properties"].get("vip") for record in seeded] == ["true", None]
        assert seeded[0]["properties"]["email"] == "ada@example.com"
        assert order["objectType"] == "orders"
        assert order["associations"] == [
            {"toType": "contacts", "toId": "301", "category": "HUBSPOT_DEFINED", "typeId": 507}
        ]
        contact = control.get("/records/contacts/301").json()
        assert [link["toId"] for link in contact["associations"]] == [order["id"]]
        # Its custom property is defined, too.
        names = {found["name"] for found in http.get("/crm/v3/properties/contacts").json()["results"]}
        assert "vip" in names
        assert box.seed({"tickets": [9]})[0].object_type == "tickets"

    def test_records_are_told_with_their_history_archived_or_not(
        self, box: Sandbox, control: httpx.Client, http: httpx.Client
    ) -> None:
        box.add("orders", "1", {"hs_order_name": "A"})
        http.post(f"{ORDERS}/batch/update", json={"inputs": [{"id": "1", "properties": {"hs_tags": "x"}}]})
        http.post(f"{ORDERS}/batch/archive", json={"inputs": [{"id": "1"}]})

        changes = control.get("/records/orders/1/history").json()["results"]

        assert [change["properties"] for change in changes] == [
            {"hs_order_name": "A"},
            {"hs_order_name": "A", "hs_tags": "x"},
        ]
        assert control.get("/records/orders").json() == {"results": []}
        (archived,) = control.get("/records/orders", params={"archived": True}).json()["results"]
        assert archived == control.get("/records/orders/1").json()
        assert message(control.get("/records/orders/2")) == "there is no record of orders with the id 2"

    def test_a_reset_begins_again(self) -> None:
        first = {"contacts": [{"id": "301"}]}
        with Sandbox(records=first, quota="3/600", faults={"slow=0": 1}) as box:  # noqa: SIM117 - it is there first
            with httpx.Client(base_url=box.url, headers=HEADERS) as http:
                create = {"inputs": [{"properties": {"hs_order_name": "A"}}]}
                before = [http.post(f"{ORDERS}/batch/create", json=create) for _ in range(4)]
                box.faults.next("503")
                box.faults.set("503", 0)
                box.clock.advance(60)
                http.post("/_sandbox/records", json={"records": {"contacts": [302]}})
                assert http.post("/_sandbox/reset").json() == {"status": "ok"}
                assert (box.requests, box.faults.count) == ((), 0)
                assert box.records("orders") == []
                assert [record.id for record in box.records("contacts")] == ["301"]
                after = [http.post(f"{ORDERS}/batch/create", json=create) for _ in range(4)]

        assert [reply.status_code for reply in before] == [201, 201, 201, 429]
        assert [reply.status_code for reply in after] == [201, 201, 201, 429]
        assert [reply.json()["results"][0]["id"] for reply in before[:3]] == [
            reply.json()["results"][0]["id"] for reply in after[:3]
        ]

    def test_a_reset_can_have_other_options_until_the_next_one(
        self, box: Sandbox, control: httpx.Client
    ) -> None:
        options = {
            "access_token": "mine",
            "scopes": ["crm.objects.orders.write"],
            "properties": {"orders": {"key": {"unique": True}}},
            "accounts": [{"access_token": "other", "number": 2, "records": {"orders": [1]}}],
            "clock": "2030-01-01T00:00:00Z",
        }
        assert control.post("/reset", json=options).status_code == 200

        assert box.access_token == "mine"
        assert [record.id for record in box.records("orders", access_token="other")] == ["1"]
        (of_other,) = control.get("/records/orders", params={"accessToken": "other"}).json()["results"]
        assert of_other["createdAt"].startswith("2030-01-01T00:00:0")
        with httpx.Client(base_url=box.url, headers={"Authorization": "Bearer mine"}) as http:
            assert http.get(ORDERS).status_code == 403
            inputs = [{"id": "K", "idProperty": "key", "properties": {"hs_order_name": "A"}}]
            assert http.post(f"{ORDERS}/batch/upsert", json={"inputs": inputs}).status_code == 200
            box.reset()
            assert http.get(ORDERS).status_code == 401
        assert box.access_token == "sandbox-token"
        assert httpx.get(box.url + ORDERS, headers=HEADERS).json() == {"results": []}

    def test_a_reset_empties_the_file_of_the_sandbox_too(self, tmp_path: Path) -> None:
        accounts = [SandboxAccount(access_token="other", number=2)]
        with Sandbox(store=tmp_path / "box.sqlite", accounts=accounts) as box:
            for token in ("sandbox-token", "other"):
                box.add("orders", "1", access_token=token)
            box.reset()
        with Sandbox(store=tmp_path / "box.sqlite", accounts=accounts) as box:
            assert [box.records("orders", access_token=token) for token in ("sandbox-token", "other")] == [
                [],
                [],
            ]

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"qouta": "1/1"}, "qouta: unknown key; did you mean quota?"),
            ({"port": 1}, "port: unknown key; choose from "),
            ({"accounts": [{}]}, "two accounts have the same access token; give each one of its own"),
            ({"records": {"orders": [{"id": "x"}]}}, "records.orders[0]: 'x' is not a record id; write"),
            ([], "expected a table of keys and values, not a list"),
            ({"accounts": [{"access_token": "x", "number": 0}]}, "accounts[0].number: no account has the"),
            (
                {"properties": {"orders": ["My Field"]}},
                "'My Field' is not a property name; use small letters",
            ),
            (
                {"records": {"contacts": [1, {"Email": "a@x.de"}]}},
                "records.contacts[1]: 'Email' is not a property name; use small letters",
            ),
            (
                {"records": {"line_items": [{"price": "12,50"}]}},
                "line_items[0].price: INVALID_LONG: HubSpot does not take this value; write it as",
            ),
            (
                {"records": {"contacts": [{"id": 1, "email": "a@x.de"}, {"email": "A@x.de"}]}},
                "contacts[1].email: another record has this value, and it is unique; choose another one",
            ),
        ],
    )
    def test_a_reset_that_cannot_be_changes_nothing(
        self,
        box: Sandbox,
        control: httpx.Client,
        options: Any,  # noqa: ANN401
        expected: str,
    ) -> None:
        box.add("orders", "1")

        assert message(control.post("/reset", json=options)).startswith(expected)

        assert len(box.records("orders")) == 1

    def test_a_reset_in_python_knows_what_it_can_change(self, box: Sandbox) -> None:
        box.reset(quota=QuotaLimit(1), records={"contacts": [1]})
        assert len(box.records("contacts")) == 1
        with pytest.raises(ConfigurationError, match="there is no option 'qouta'; did you mean quota"):
            box.reset(qouta="1/1")
        with pytest.raises(ConfigurationError, match="port is settled when a sandbox starts"):
            box.reset(port=1)

    def test_requests_are_told_with_what_was_said(
        self, box: Sandbox, control: httpx.Client, http: httpx.Client
    ) -> None:
        create = {"inputs": [{"properties": {"hs_order_name": "Å"}}]}
        http.post(f"{ORDERS}/batch/create", json=create)
        http.get(ORDERS, params={"limit": "1"})
        http.post(f"{ORDERS}/batch/create", content=b"\xff{")

        first, second, third = control.get("/requests").json()["results"]

        assert [found["number"] for found in (first, second, third)] == [1, 2, 3]
        assert first["body"] == create
        assert first["reply"]["results"][0]["properties"]["hs_order_name"] == "Å"
        assert (second["query"], second["body"]) == ("limit=1", None)
        assert third["body"] == "\ufffd{"
        assert control.get("/requests", params={"after": 1, "limit": 1}).json()["results"] == [second]
        assert json.loads(box.requests[0].body or b"") == create

    def test_what_was_said_is_not_kept_for_ever(
        self, box: Sandbox, control: httpx.Client, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(history, "_KEPT_BYTES", 5_000)
        for _ in range(3):
            http.post(f"{ORDERS}/batch/create", content=b" " * 3_000)

        assert [entry.body is None for entry in box.requests] == [True, True, False]
        assert [found["body"] is None for found in control.get("/requests").json()["results"]] == [
            True,
            True,
            False,
        ]

    def test_faults_are_set_scripted_and_cleared(
        self, box: Sandbox, control: httpx.Client, http: httpx.Client
    ) -> None:
        assert control.post("/faults/next", json={"names": ["503", None]}).json() == {"status": "ok"}
        assert control.post("/faults/at", json={"number": 3, "name": "500-before"}).is_success
        assert [http.get(ORDERS).status_code for _ in range(4)] == [503, 200, 500, 200]
        assert control.post("/faults", json={"name": "503", "rate": 1}).is_success
        assert control.get("/faults").json() == {"rates": {"503": 1.0}, "count": 4}
        assert control.delete("/faults").is_success
        assert box.faults.rates == {}
        assert "there is no fault '505'" in message(control.post("/faults/next", json={"names": ["505"]}))
        assert "cannot meet a fault" in message(control.post("/faults/at", json={"number": 1, "name": "503"}))

    def test_the_clock_moves_on(self) -> None:
        app = OAuthApp(lifetime=1800)
        start = "2026-09-01T08:00:00Z"
        with Sandbox(clock=start, quota="1/10", oauth=app) as box:  # noqa: SIM117 - it is there first
            with httpx.Client(base_url=box.url, headers=HEADERS) as http:
                form = {
                    "grant_type": "refresh_token",
                    "client_id": app.client_id,
                    "client_secret": app.client_secret,
                    "refresh_token": app.refresh_token,
                }
                token = http.post("/oauth/v3/token", data=form).json()["access_token"]
                oauth = {"Authorization": f"Bearer {token}"}
                assert [http.get(ORDERS).status_code for _ in range(2)] == [200, 429]
                now = http.post("/_sandbox/clock", json={"advance": 10}).json()["now"]
                assert now.startswith("2026-09-01T08:00:1")
                assert [http.get(ORDERS).status_code for _ in range(2)] == [200, 429]
                assert http.get(ORDERS, headers=oauth).status_code == 200
                http.post("/_sandbox/clock", json={"now": "2026-09-01T10:31:00+02:00"})
                expired = http.get(ORDERS, headers=oauth)
                assert http.get("/_sandbox/clock").json()["now"].startswith("2026-09-01T08:31:0")
        assert expired.json()["category"] == "EXPIRED_AUTHENTICATION"
        assert box.clock.now().year == 2026

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"advance": -1}, "the clock cannot be moved by -1 seconds; it only goes forward"),
            ({"advance": 1e300}, "the clock cannot be moved by 1e+300 seconds"),
            ({"now": "2020-01-01T00:00:00Z"}, "the clock cannot be moved by -"),
            ({"now": "tomorrow"}, "'tomorrow' is not a time with a zone; write it like 2026-09-01T08:00:00Z"),
            ({}, 'write either {"now": '),
            ({"now": "2030-01-01T00:00:00Z", "advance": 1}, "write either"),
            ({"advance": "1"}, "advance: expected a number, not text"),
        ],
    )
    def test_the_clock_only_goes_forward(
        self,
        control: httpx.Client,
        change: Any,  # noqa: ANN401
        expected: str,
    ) -> None:
        assert message(control.post("/clock", json=change)).startswith(expected)

    @pytest.mark.parametrize(
        ("method", "path", "content", "expected"),
        [
            ("POST", "/faults", b"{", "Input data was truncated"),
            ("POST", "/faults", b"\xff", "JSON is malformed"),
            ("POST", "/faults", b"", "a JSON body is missing"),
            ("POST", "/faults", b'{"nam": "503", "rate": 1}', "nam: unknown key; did you mean name?"),
            ("POST", "/faults", b'{"name": "503"}', "the key rate is missing"),
            ("POST", "/faults", b'{"name": "503", "rate": 2}', "rate: 2 is not a number from 0 to 1"),
            ("POST", "/faults/next", b'{"names": [1]}', "names[0]: expected text, not a whole number"),
            ("POST", "/records", b'{"records": {"orders": "x"}}', "records.orders: expected a list or a"),
            (
                "POST",
                "/records",
                b'{"records": null}',
                "records: expected a table of keys and values, not null",
            ),
            ("GET", "/records/ordres", b"", "there is no object type 'ordres'; did you mean orders?"),
            ("GET", "/records/orders?accessToken=x", b"", "no account of the sandbox has this access token"),
            ("GET", "/records/orders?archved=1", b"", "Object contains unknown field `archved`"),
            ("GET", "/clock?x=1", b"", "Object contains unknown field `x`"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, control: httpx.Client, method: str, path: str, content: bytes, expected: str
    ) -> None:
        headers = {"Content-Type": "application/json"}
        reply = control.request(method, path, content=content, headers=headers)

        assert (reply.status_code, message(reply)[: len(expected)]) == (400, expected)

    def test_other_paths_and_methods_have_nothing(self, control: httpx.Client) -> None:
        assert control.get("/butterflies").status_code == 404
        reply = control.put("/faults")
        assert (reply.status_code, set(reply.headers["Allow"].split(", "))) == (
            405,
            {"DELETE", "GET", "HEAD", "POST"},
        )
        assert control.head("/faults").status_code == 200
        assert control.post("/reset", content=b" " * 34_000_000).status_code == 413


class TestProtection:
    """Requests have bodies of customers, so not everybody may ask."""

    PATHS = ("/state", "/requests", "/openapi.json")

    def test_a_page_of_another_site_is_refused(self, box: Sandbox, control: httpx.Client) -> None:
        own = {"Origin": box.url}
        foreign = [
            {"Origin": origin} for origin in ("http://evil.example", "null", f"{box.url}.evil.example")
        ]
        for path in self.PATHS:
            with case(path):
                assert control.get(path, headers=own).status_code == 200
                assert {control.get(path, headers=headers).status_code for headers in foreign} == {403}
                assert control.get(path, headers={"Host": "evil.example"}).status_code == 400
        assert control.post("/reset", headers=foreign[0]).status_code == 403
        assert control.post("/faults", content="name=503", headers=own).status_code == 415

    def test_an_exposed_sandbox_is_not_controlled_without_a_key(self) -> None:
        with Sandbox(host="0.0.0.0", expose=True) as box:  # noqa: S104 - what is tested
            for path in self.PATHS:
                with case(path):
                    reply = httpx.get(f"{box.url}/_sandbox{path}")
                    assert reply.status_code == 403
                    assert "start it with a control key" in message(reply)
            assert httpx.post(f"{box.url}/_sandbox/reset").status_code == 403
            assert httpx.get(box.url + ORDERS, headers=HEADERS).status_code == 200

    @pytest.mark.parametrize("expose", [False, True])
    def test_with_a_key_it_is_needed_everywhere(self, *, expose: bool) -> None:
        with Sandbox(expose=expose, control_key="s3cret") as box:
            for path in self.PATHS:
                with case(path):
                    url = f"{box.url}/_sandbox{path}"
                    sent = (b"", b"Bearer sandbox-token", "Bearer s3crét".encode(), b"Bearer s3cret")
                    replies = [httpx.get(url, headers={b"Authorization": value}) for value in sent]
                    assert [reply.status_code for reply in replies] == [401, 401, 401, 200]

    def test_a_key_that_no_header_takes_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="control_key is empty or has characters"):
            Sandbox(control_key="a b")

"""Single records, lists and searches, as programs use them that others have written."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from hubspot_batch.sandbox import Behaviour, OAuthApp, Property, Sandbox
from hubspot_batch.sandbox import _account as account
from hubspot_batch.sandbox._object_types import SCHEMAS
from tests.conftest import case

ORDERS = "/crm/v3/objects/orders"
CONTACTS = "/crm/v3/objects/contacts"
NEEDED: Mapping[str, Mapping[str, str]] = {
    "orders": {"hs_order_name": "A"},
    "commerce_payments": {"hs_initial_amount": "9", "hs_initiated_date": "2026-09-01T08:00:00Z"},
}
LINK = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    custom = {"orders": {"key": Property(unique=True), "size": Property("enumeration", options=("S", "M"))}}
    with Sandbox(quota="none", properties=custom) as box:
        yield box


def make(http: httpx.Client, path: str, properties: Mapping[str, object], status: int = 201) -> Any:  # noqa: ANN401
    reply = http.post(path, json={"properties": properties})
    assert reply.status_code == status, reply.text
    return reply.json()


UNFIT = (
    "Invalid input JSON on line 1, column 1: Cannot construct instance of "
    "`com.hubspot.inbounddb.publicobject.core.v3.search.Filter`, problem: "
)


class TestSingle:
    @pytest.mark.parametrize("version", ["v3/objects", "objects/2026-09"])
    def test_a_record_of_each_type_is_made_read_changed_and_deleted(
        self, box: Sandbox, http: httpx.Client, version: str
    ) -> None:
        for name in SCHEMAS:
            with case(name):
                path = f"/crm/{version}/{name}"
                made = make(http, path, NEEDED.get(name, {}))
                own = f"{path}/{made['id']}"
                owner = {"hubspot_owner_id": "7"} if "hubspot_owner_id" in SCHEMAS[name].properties else {}
                title = {SCHEMAS[name].title: "b@example.com"} | owner
                changed = http.patch(own, json={"properties": title})
                assert (changed.status_code, changed.json()["id"]) == (200, made["id"])
                params = {"properties": SCHEMAS[name].title}
                read = http.get(own, params=params).json()
                assert read["properties"][SCHEMAS[name].title] == "b@example.com"
                deleted = http.delete(own)
                assert (deleted.status_code, deleted.content) == (204, b"")
                assert box.records(name) == []
                assert http.get(own).status_code == 404
                archived = http.get(own, params={"archived": "true"}).json()
                assert (archived["id"], archived["archived"]) == (made["id"], True)

    def test_a_new_record_is_associated(self, box: Sandbox, http: httpx.Client) -> None:
        box.add("contacts", "301")
        links = [{"to": {"id": "301"}, "types": [LINK]}]
        body = {"properties": {"hs_order_name": "A", "hs_total_price": 9}, "associations": links}
        made = http.post(ORDERS, json=body).json()
        assert made["properties"]["hs_total_price"] == "9.00"

        with_links = http.get(f"{ORDERS}/{made['id']}", params={"associations": "contacts"}).json()

        assert with_links["associations"] == {"contacts": {"results": [{"id": "301", "type": "type_507"}]}}
        links[0]["to"] = {"id": "302"}
        refused = http.post(ORDERS, json=body)
        assert (refused.status_code, refused.json()["category"]) == (400, "OBJECT_NOT_FOUND")
        assert len(box.records("orders")) == 1

    def test_a_record_is_found_by_a_unique_property(self, http: httpx.Client) -> None:
        make(http, ORDERS, {"hs_order_name": "A", "key": "K-1"})
        by_key = {"idProperty": "key"}
        own = f"{ORDERS}/K-1"

        assert http.patch(own, params=by_key, json={"properties": {"hs_tags": "x"}}).status_code == 200
        read = http.get(own, params={**by_key, "properties": "hs_tags"}).json()
        assert read["properties"]["hs_tags"] == "x"
        for method in ("GET", "PATCH"):
            with case(method):
                body = {"json": {"properties": {"hs_tags": "y"}}} if method == "PATCH" else {}
                wrong = http.request(method, own, params={"idProperty": "hs_tags"}, **body)  # type: ignore[arg-type]
                assert (wrong.status_code, "non-unique" in wrong.json()["message"]) == (400, True)
                missing = http.request(method, f"{ORDERS}/K-2", params=by_key, **body)  # type: ignore[arg-type]
                assert (missing.status_code, missing.json()["message"]) == (404, "resource not found")

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"", "Invalid JSON input: a request body was expected, but none found"),
            (b"{", "Invalid input JSON on line 1, column 2: Cannot read the request body"),
            (b"\xff", "Invalid input JSON on line 1, column 1: Cannot read the request body"),
            (b"[]", "Invalid input JSON on line 1, column 1: Cannot deserialize value of type"),
            (
                b'{"propertie": {}}',
                "Invalid input JSON on line 1, column 1: Some required fields were not set",
            ),
            (
                b'{"properties": {"hs_tags": []}}',
                "Invalid input JSON on line 1, column 28: Cannot deserialize",
            ),
            (b'{"properties": {"hs_tgas": "x"}}', "Property values were not valid: "),
            (b'{"properties": {"hs_createdate": "x"}}', "Property values were not valid: "),
        ],
    )
    def test_what_is_wrong_with_one_is_refused_as_in_a_batch(
        self, box: Sandbox, http: httpx.Client, body: bytes, message: str
    ) -> None:
        box.add("orders", "1", {"hs_order_name": "A"})
        for reply in (http.post(ORDERS, content=body), http.patch(f"{ORDERS}/1", content=body)):
            assert reply.status_code == 400
            assert reply.json()["message"].startswith(message)
        assert [record.properties for record in box.records("orders")] == [{"hs_order_name": "A"}]

    def test_an_update_without_properties_is_refused(self, box: Sandbox, http: httpx.Client) -> None:
        box.add("orders", "1", {"hs_order_name": "A"})
        reply = http.patch(f"{ORDERS}/1", json={"properties": {}})
        assert (reply.status_code, reply.json()["message"]) == (400, "No properties found to update")

    def test_a_taken_e_mail_is_a_409_that_names_the_contact(self, http: httpx.Client) -> None:
        first = make(http, CONTACTS, {"email": "ada@example.com"})
        taken = make(http, CONTACTS, {"email": "Ada@Example.com"}, 409)
        assert taken["message"] == f"Contact already exists. Existing ID: {first['id']}"
        assert taken["category"] == "CONFLICT"
        make(http, ORDERS, {"hs_order_name": "A", "key": "K"})
        assert "K" in make(http, ORDERS, {"hs_order_name": "B", "key": "K"}, 400)["message"]

    def test_a_record_that_does_not_exist_is_not_deleted(self) -> None:
        for behaviour, status in ((Behaviour(), 404), (Behaviour(refuse_missing_deletes=False), 204)):
            with Sandbox(behaviour=behaviour) as box:
                headers = {"Authorization": f"Bearer {box.access_token}"}
                assert httpx.delete(f"{box.url}{ORDERS}/1", headers=headers).status_code == status

    def test_scopes_quotas_and_faults_hold(self) -> None:
        with Sandbox(scopes=["crm.objects.orders.read"], quota="4/600") as box:
            with httpx.Client(base_url=box.url, headers={"Authorization": "Bearer sandbox-token"}) as http:
                box.faults.next("503")
                assert http.get(ORDERS).status_code == 503
                refused = make(http, ORDERS, {"hs_order_name": "A"}, 403)
                assert "crm.objects.orders.write" in str(refused)
                assert http.delete(f"{ORDERS}/1").status_code == 403
                assert http.post(f"{ORDERS}/search", json={}).status_code == 200
                assert http.get(ORDERS).status_code == 429
            shown = [(entry.operation, entry.status) for entry in box.requests]
        assert shown == [
            ("list_objects", 503),
            ("make_object", 403),
            ("delete_object", 403),
            ("search_objects", 200),
            (None, 429),
        ]

    def test_the_history_of_requests_counts_one_input(self, box: Sandbox, http: httpx.Client) -> None:
        make(http, ORDERS, {"hs_order_name": "A"})
        make(http, ORDERS, {}, 400)
        assert [(entry.inputs, entry.written, entry.refused) for entry in box.requests] == [
            (1, 1, 0),
            (1, 0, 1),
        ]

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("PUT", f"{ORDERS}/44001", {"GET", "PATCH", "DELETE"}),
            ("POST", f"{ORDERS}/44001", {"GET", "PATCH", "DELETE"}),
            ("DELETE", ORDERS, {"GET", "POST"}),
            ("GET", f"{ORDERS}/search", {"POST"}),
        ],
    )
    def test_other_methods_are_refused(
        self, http: httpx.Client, method: str, path: str, allowed: set[str]
    ) -> None:
        reply = http.request(method, path)
        assert (reply.status_code, set(reply.headers["Allow"].split(", "))) == (405, allowed)


class TestList:
    def test_only_a_few_properties_come_back_unasked(self, box: Sandbox, http: httpx.Client) -> None:
        make(http, CONTACTS, {"email": "ada@example.com", "firstname": "Ada", "city": "London"})
        always = {"hs_object_id", "createdate", "lastmodifieddate"}

        (listed,) = http.get(CONTACTS).json()["results"]

        assert set(listed["properties"]) == {"email", "firstname", "lastname"} | always
        found = http.post(f"{CONTACTS}/search", json={}).json()["results"]
        assert found == [listed]
        assert http.get(f"{CONTACTS}/{listed['id']}").json() == listed
        box.reset(behaviour=Behaviour(default_properties=False))
        make(http, CONTACTS, {"city": "London"})
        (listed,) = http.get(CONTACTS).json()["results"]
        assert listed["properties"]["city"] == "London"

    def test_pages_have_history_associations_and_archived_records(
        self, box: Sandbox, http: httpx.Client
    ) -> None:
        box.seed({"orders": [{"id": number, "hs_order_name": f"A-{number}"} for number in range(1, 8)]})
        http.patch(f"{ORDERS}/3", json={"properties": {"hs_order_name": "B"}})
        http.delete(f"{ORDERS}/4")
        params: dict[str, Any] = {"limit": 3, "properties": ["hs_tags", "hs_order_name"]}
        seen: list[str] = []
        while True:
            page = http.get(ORDERS, params=params).json()
            seen += [record["properties"]["hs_order_name"] for record in page["results"]]
            if "paging" not in page:
                break
            assert page["paging"]["next"]["link"] == f"?after={page['paging']['next']['after']}"
            params["after"] = page["paging"]["next"]["after"]
        assert seen == ["A-1", "A-2", "B", "A-5", "A-6", "A-7"]
        history = http.get(ORDERS, params={"propertiesWithHistory": "hs_order_name", "limit": 50}).json()
        values = [entry["value"] for entry in history["results"][2]["propertiesWithHistory"]["hs_order_name"]]
        assert values == ["B", "A-3"]
        assert http.get(ORDERS, params={"propertiesWithHistory": "x", "limit": 51}).status_code == 400
        (archived,) = http.get(ORDERS, params={"archived": True}).json()["results"]
        assert archived["id"] == "4"


ROWS: list[dict[str, object]] = [
    {"id": "1", "hs_order_name": "Red lamp", "hs_total_price": "9.00", "size": "S", "hs_tags": "Sale"},
    {"id": "2", "hs_order_name": "Blue lamp", "hs_total_price": "10.00", "size": "M", "key": "a.b"},
    {"id": "3", "hs_order_name": "Desk", "hs_total_price": "100.00"},
    {
        "id": "4",
        "hs_order_name": "Chair",
        "hs_billing_address_email": "ada@shop.example",
        "hs_processed_date": "2026-09-01T08:00:00Z",
    },
]


class TestSearch:
    @pytest.fixture(autouse=True)
    def _rows(self, box: Sandbox) -> None:
        box.seed({"orders": ROWS, "contacts": [301, 302]})

    def search(self, http: httpx.Client, body: Mapping[str, Any], status: int = 200) -> Any:  # noqa: ANN401
        reply = http.post(f"{ORDERS}/search", json=body)
        assert reply.status_code == status, reply.text
        return reply.json()

    def found(self, http: httpx.Client, *filters: Mapping[str, object]) -> str:
        found = self.search(http, {"filterGroups": [{"filters": list(filters)}]})
        assert found["total"] == len(found["results"])
        return "".join(record["id"] for record in found["results"])

    @pytest.mark.parametrize(
        ("name", "operator", "values", "expected"),
        [
            ("hs_total_price", "EQ", {"value": 9}, "1"),
            ("hs_total_price", "EQ", {"value": "nine"}, ""),
            ("hs_total_price", "NEQ", {"value": "9"}, "23"),
            ("hs_total_price", "NEQ", {"value": "nine"}, "123"),
            ("hs_total_price", "LT", {"value": "sNaN"}, ""),
            ("hs_total_price", "NOT_IN", {"values": ["-Infinity", "NaN"]}, "123"),
            ("hs_total_price", "LT", {"value": "10"}, "1"),
            ("hs_total_price", "LTE", {"value": "10"}, "12"),
            ("hs_total_price", "GT", {"value": "10"}, "3"),
            ("hs_total_price", "GTE", {"value": "9.5"}, "23"),
            ("hs_total_price", "BETWEEN", {"value": "9", "highValue": 10}, "12"),
            ("hs_total_price", "BETWEEN", {"value": "x", "highValue": 10}, ""),
            ("hs_total_price", "IN", {"values": ["9", 100]}, "13"),
            ("hs_total_price", "HAS_PROPERTY", {}, "123"),
            ("hs_total_price", "NOT_HAS_PROPERTY", {}, "4"),
            ("hs_object_id", "GTE", {"value": "3"}, "34"),
            ("hs_order_name", "EQ", {"value": "red LAMP"}, "1"),
            ("hs_order_name", "IN", {"values": ["red lamp", "Desk"]}, "1"),
            ("hs_order_name", "NOT_IN", {"values": ["red lamp"]}, "234"),
            ("hs_order_name", "CONTAINS_TOKEN", {"value": "LAMP"}, "12"),
            ("hs_order_name", "CONTAINS_TOKEN", {"value": "la*"}, "12"),
            ("hs_order_name", "CONTAINS_TOKEN", {"value": "lamp blue"}, "2"),
            ("hs_order_name", "CONTAINS_TOKEN", {"value": "la"}, ""),
            ("hs_order_name", "CONTAINS_TOKEN", {"value": "[a-z]*"}, ""),
            ("hs_order_name", "NOT_CONTAINS_TOKEN", {"value": "lamp"}, "34"),
            ("hs_tags", "NOT_CONTAINS_TOKEN", {"value": "sale"}, "234"),
            ("hs_billing_address_email", "CONTAINS_TOKEN", {"value": "*@shop.example"}, "4"),
            ("size", "EQ", {"value": "M"}, "2"),
            ("hs_processed_date", "EQ", {"value": "1788249600000"}, "4"),
            ("hs_processed_date", "LT", {"value": "2026-09-02"}, "4"),
            ("hs_createdate", "GT", {"value": "2020-01-01"}, "1234"),
            ("hs_is_closed", "EQ", {"value": True}, ""),
        ],
    )
    def test_an_operator_finds(
        self, http: httpx.Client, name: str, operator: str, values: Mapping[str, object], expected: str
    ) -> None:
        assert self.found(http, {"propertyName": name, "operator": operator, **values}) == expected

    def test_whether_another_value_may_be_none_is_an_option(self, box: Sandbox, http: httpx.Client) -> None:
        box.reset(behaviour=Behaviour(other_finds_empty=True))
        box.seed({"orders": ROWS})
        assert self.found(http, {"propertyName": "size", "operator": "NEQ", "value": "S"}) == "234"
        assert self.found(http, {"propertyName": "size", "operator": "NOT_IN", "values": ["m"]}) == "134"
        assert self.found(http, {"propertyName": "size", "operator": "LT", "value": "S"}) == "2"

    def test_groups_are_alternatives_and_their_filters_all_count(self, http: httpx.Client) -> None:
        lamp = {"propertyName": "hs_order_name", "operator": "CONTAINS_TOKEN", "value": "lamp"}
        cheap = {"propertyName": "hs_total_price", "operator": "LT", "value": "10"}
        desk = {"propertyName": "hs_order_name", "operator": "EQ", "value": "desk"}
        assert self.found(http, lamp, cheap) == "1"
        found = self.search(http, {"filterGroups": [{"filters": [lamp, cheap]}, {"filters": [desk]}]})
        assert [record["id"] for record in found["results"]] == ["1", "3"]
        found = self.search(http, {"filters": [desk]})
        assert [record["id"] for record in found["results"]] == ["3"]
        assert self.search(http, {})["total"] == 4

    def test_associations_are_searched(self, http: httpx.Client) -> None:
        inputs = [{"from": {"id": "1"}, "to": {"id": "301"}, "types": [LINK]}]
        http.post("/crm/v4/associations/orders/contacts/batch/create", json={"inputs": inputs})
        http.post("/crm/associations/2026-09/orders/contacts/batch/create", json={"inputs": inputs})
        for operator, values, expected in (
            ("EQ", {"value": "301"}, "1"),
            ("EQ", {"value": 302}, ""),
            ("IN", {"values": ["301", "302"]}, "1"),
            ("NEQ", {"value": "301"}, "234"),
            ("HAS_PROPERTY", {}, "1"),
            ("NOT_HAS_PROPERTY", {}, "234"),
        ):
            for name in ("contact", "contacts"):
                with case(operator, name):
                    entry = {"propertyName": f"associations.{name}", "operator": operator, **values}
                    assert self.found(http, entry) == expected
        assert self.found(http, {"propertyName": "associations.deal", "operator": "HAS_PROPERTY"}) == ""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [("lamp", "12"), ("RED", "1"), ("la", "12"), ("red lamp", "1"), ("amp", ""), ("ada@shop", "4")],
    )
    def test_a_query_finds_words_by_their_beginning(
        self, http: httpx.Client, query: str, expected: str
    ) -> None:
        assert [record["id"] for record in self.search(http, {"query": query})["results"]] == [*expected]

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ({"propertyName": "hs_total_price", "direction": "DESCENDING"}, "3214"),
            ({"propertyName": "hs_total_price"}, "1234"),
            ("hs_order_name", "2431"),
            ("-hs_order_name", "1342"),
            ("-size", "1234"),
            ("hs_lastmodifieddate", "1342"),
            ("-hs_lastmodifieddate", "2134"),
            ("-hs_createdate", "1234"),
        ],
    )
    def test_results_are_sorted_and_those_without_a_value_come_last(
        self, box: Sandbox, http: httpx.Client, sort: object, expected: str
    ) -> None:
        box.reset(clock="2026-09-01T08:00:00Z")
        box.seed({"orders": ROWS})
        box.clock.advance(60)
        http.patch(f"{ORDERS}/2", json={"properties": {"hs_order_note": "new"}})

        found = self.search(http, {"sorts": [sort]})

        assert "".join(record["id"] for record in found["results"]) == expected

    def test_what_the_store_looks_for_is_what_the_search_finds(
        self, box: Sandbox, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        box.reset(clock="2026-09-01T08:00:00Z")
        names = ["desk", "DESK", "Ärmel", "ärmel", "5 \N{KELVIN SIGN}", "5 k", ""]
        box.seed({"orders": [{"id": 11 + at, "hs_order_name": name} for at, name in enumerate(names)]})
        box.seed({"orders": [{"id": 9, "9_lives": "desk", "hs_is_closed": "true"}]})
        box.clock.advance(60)
        http.patch(f"{ORDERS}/11", json={"properties": {"hs_order_note": "desk"}})
        moments = ("2026-09-01T08:00:30Z", "2026-09-01", "1788249630000", "soon", "")
        texts = ("desk", "Desk", "ÄRMEL", "ärmel", "5 k", "", *moments)
        filters = [
            {"propertyName": name, "operator": operator, "value": text, "highValue": text, "values": [text]}
            for name in (
                *("hs_order_name", "hs_order_note", "hs_pipeline_stage", "9_lives", "hs_is_closed"),
                *("hs_createdate", "hs_lastmodifieddate", "hs_processed_date"),
            )
            for operator in ("EQ", "IN", "NEQ", "LT", "GTE", "BETWEEN")
            for text in texts
        ]
        bodies: list[Mapping[str, Any]] = [{"filters": [entry]} for entry in filters]
        desk = {"propertyName": "hs_order_name", "operator": "EQ", "value": "desk"}
        many = {"propertyName": "hs_order_name", "operator": "IN", "values": ["desk"] * 600}
        bodies += [{"filterGroups": [{"filters": [desk]}, {"filters": [entry]}]} for entry in filters[::7]]
        bodies += [{"filters": [many]}, {"filterGroups": [{"filters": []}, {"filters": [desk]}]}]

        with_hints = [self.search(http, body) for body in bodies]
        monkeypatch.setattr(account, "hints_of", lambda *_: ())
        without = [self.search(http, body) for body in bodies]

        for body, found, expected in zip(bodies, with_hints, without, strict=True):
            with case(body):
                assert found == expected
        assert {found["total"] for found in without} >= {0, 1, 2, 3, 7, 8}

    def test_pages_follow_one_another(self, box: Sandbox, http: httpx.Client) -> None:
        box.seed({"orders": [{"id": number, "hs_order_name": "A"} for number in range(1001, 2201)]})
        body: dict[str, Any] = {"limit": 200, "properties": ["hs_order_name"]}
        seen: list[str] = []
        while True:
            page = self.search(http, body)
            assert page["total"] == 1204
            seen += [record["id"] for record in page["results"]]
            if "paging" not in page:
                break
            body["after"] = page["paging"]["next"]["after"]
        assert len(seen) == len(set(seen)) == 1204
        cheap = {"propertyName": "hs_total_price", "operator": "NOT_HAS_PROPERTY"}
        assert self.search(http, {"filters": [cheap]})["total"] == 1201
        assert set(page["results"][0]["properties"]) == {
            *("hs_order_name", "hs_object_id", "hs_createdate", "hs_lastmodifieddate")
        }
        assert self.search(http, {"after": 5_000, "limit": 1})["results"] == []

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"filterGroups": [{"filters": []}] * 6}, "The request has 6 filter groups; the maximum is 5."),
            (
                {"filters": [{"propertyName": "x", "operator": "HAS_PROPERTY"}] * 7},
                "The request has 7 filters",
            ),
            (
                {"filterGroups": [{"filters": [{"propertyName": "x", "operator": "HAS_PROPERTY"}] * 5}] * 4},
                "The request has 20 filters; the maximum is 18.",
            ),
            ({"sorts": ["key", "-size"]}, "The request has 2 sorts; the maximum is 1."),
            ({"query": "x" * 3_001}, "The request has 3001 characters in the query; the maximum is 3000."),
            ({"limit": 201}, "limit must be from 1 to 200."),
            ({"limit": 0}, "limit must be from 1 to 200."),
            ({"after": "x"}, "after is not a number of records."),
            ({"after": -1}, "after is not a number of records."),
            ({"after": 9_991}, "A search returns at most 10000 results in all its pages."),
            ({"sorts": ["ky"]}, 'Property "ky" does not exist'),
            ({"filters": [{"propertyName": "ky", "operator": "HAS_PROPERTY"}]}, 'Property "ky"'),
            (
                {"filters": [{"propertyName": "key", "operator": "BETWEEN", "value": "1"}]},
                f"{UNFIT}operator BETWEEN requires a highValue",
            ),
            ({"filters": [{"propertyName": "key", "operator": "EQ"}]}, f"{UNFIT}operator EQ requires"),
            (
                {"filters": [{"propertyName": "key", "operator": "EQ", "value": []}]},
                f"{UNFIT}a value is neither a text nor a number",
            ),
            (
                {"filters": [{"propertyName": "key", "operator": "IN", "values": ["a", None]}]},
                f"{UNFIT}a value is neither a text nor a number",
            ),
            ({"filters": [{"propertyName": "key", "operator": "LIKE", "value": "1"}]}, "Invalid input"),
            ({"filterGroups": {"filters": []}}, "Invalid input JSON on line 1, column 17: Cannot"),
        ],
    )
    def test_what_asks_too_much_or_makes_no_sense_is_refused(
        self, http: httpx.Client, body: Mapping[str, Any], message: str
    ) -> None:
        assert self.search(http, body, 400)["message"].startswith(message)

    def test_what_is_archived_or_not_yet_indexed_is_not_found(self) -> None:
        with Sandbox(behaviour=Behaviour(index_delay=30), quota="none") as box:  # noqa: SIM117 - it is there first
            with httpx.Client(base_url=box.url, headers={"Authorization": "Bearer sandbox-token"}) as http:
                made = make(http, ORDERS, {"hs_order_name": "A"})
                assert self.search(http, {})["total"] == 0
                box.clock.advance(30)
                assert self.search(http, {})["total"] == 1
                http.delete(f"{ORDERS}/{made['id']}")
                assert self.search(http, {})["total"] == 0

    def test_searches_have_a_quota_of_their_own_and_no_headers(self) -> None:
        with Sandbox(oauth=OAuthApp(), quota="100/10") as box:  # noqa: SIM117 - it is there first
            with httpx.Client(base_url=box.url, headers={"Authorization": "Bearer sandbox-token"}) as http:
                replies = [http.post(f"{ORDERS}/search", json={}) for _ in range(6)]
                assert [reply.status_code for reply in replies] == [*[200] * 5, 429]
                assert replies[-1].json()["policyName"] == "SECONDLY"
                assert not any("ratelimit" in name for reply in replies for name in reply.headers)
                used = http.get(ORDERS).headers["X-HubSpot-RateLimit-Remaining"]
                assert used == "94"
                box.clock.advance(1)
                assert http.post(f"{ORDERS}/search", json={}).status_code == 200
                box.reset(behaviour=Behaviour(searches_per_second=None, count_searches=False))
                assert {http.post(f"{ORDERS}/search", json={}).status_code for _ in range(9)} == {200}
                assert http.get(ORDERS).headers["X-HubSpot-RateLimit-Remaining"] == "99"

    def test_a_quota_of_searches_that_cannot_be_is_refused(self) -> None:
        with pytest.raises(Exception, match="searches_per_second is at least 1"):
            Behaviour(searches_per_second=0)

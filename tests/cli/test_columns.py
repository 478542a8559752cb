"""How columns become properties, ids and associations, as the options say."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import pytest

from hubspot_batch.bulk._rows import rows_from
from hubspot_batch.cli._columns import ColumnOptions, Columns
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import prepare
from hubspot_batch.errors import ConfigurationError, InvalidInputError, SourceError

CREATE = contract.operation("create_orders")
UPDATE = contract.operation("update_orders")
ROW = {"id": "7", "price": "9", "note": "", "contact_id": "301"}
SECRET = "s3cr3t-7261"


def input_of(row: dict[str, Any], *, update: bool = False, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what is made of a CSV row of known columns."""
    operation = UPDATE if update else CREATE
    return Columns(operation, ColumnOptions(**options), list(row), is_text=True).input_of(row)


def json_input_of(row: dict[str, Any], *, update: bool = False, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    return Columns(UPDATE if update else CREATE, ColumnOptions(**options)).input_of(row)


def refusal(columns: Sequence[str] | None = ("id", "price"), *, update: bool = False, **options: Any) -> str:  # noqa: ANN401
    with pytest.raises((ConfigurationError, SourceError)) as raised:
        Columns(UPDATE if update else CREATE, ColumnOptions(**options), columns, is_text=True)
    assert SECRET not in str(raised.value)
    return str(raised.value)


def link(record: object, *types: int) -> dict[str, object]:
    kinds = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number} for number in types]
    return {"to": {"id": record}, "types": kinds}


class TestProperties:
    @pytest.mark.parametrize(
        ("options", "properties"),
        [
            ({}, {"id": "7", "price": "9", "contact_id": "301"}),
            ({"map": ["total=price"]}, {"id": "7", "total": "9", "contact_id": "301"}),
            (
                {"map": ["total=price", "net=price"]},
                {"id": "7", "total": "9", "net": "9", "contact_id": "301"},
            ),
            ({"map": ["price=id"]}, {"price": "7", "contact_id": "301"}),
            ({"map": ["price=price"]}, {"id": "7", "price": "9", "contact_id": "301"}),
            ({"map": ["price=note"]}, {"id": "7", "contact_id": "301"}),
            ({"map": ["a=id", "id=price"]}, {"a": "7", "id": "9", "contact_id": "301"}),
            ({"only": ["price"]}, {"price": "9"}),
            ({"only": ["price, id", "note"]}, {"price": "9", "id": "7"}),
            ({"only": ["price"], "map": ["sku=id"]}, {"sku": "7", "price": "9"}),
            ({"only": [" , "]}, {"id": "7", "price": "9", "contact_id": "301"}),
            ({"drop": ["contact_id,id"]}, {"price": "9"}),
            ({"only": ["price"], "drop": ["id"]}, {"price": "9"}),
            (
                {"set": ["stage=new", "price=1=2"]},
                {"id": "7", "contact_id": "301", "stage": "new", "price": "1=2"},
            ),
            ({"set": ["price="], "only": ["id"]}, {"id": "7", "price": ""}),
            ({"clear_empty": True}, {"id": "7", "price": "9", "note": "", "contact_id": "301"}),
            ({"clear_empty": True, "map": ["text=note"], "only": ["id"]}, {"id": "7", "text": ""}),
        ],
    )
    def test_columns_are_properties(self, options: dict[str, Any], properties: dict[str, str]) -> None:
        row = dict(ROW)

        assert input_of(row, **options) == {"properties": properties}
        assert json_input_of({**row, "note": None}, **options) == {"properties": properties}
        assert row == ROW

    def test_empty_text_clears_a_property_where_text_and_nothing_differ(self) -> None:
        row = {"a": "", "b": None, "c": 0, "d": False}

        assert json_input_of(row) == {"properties": {"a": "", "c": 0, "d": False}}
        assert json_input_of(row, clear_empty=True) == {"properties": {"a": "", "b": "", "c": 0, "d": False}}

    def test_a_column_may_be_called_properties(self) -> None:
        assert input_of({"properties": "x", "a": "1"}) == {"properties": {"properties": "x", "a": "1"}}


class TestIds:
    def test_the_column_id_names_the_record(self) -> None:
        assert input_of(ROW, update=True, only=["price"]) == {"id": "7", "properties": {"price": "9"}}

    def test_another_column_names_it(self) -> None:
        item = input_of({"hs_object_id": "7", "id": "x", "a": "1"}, update=True, map=["id=hs_object_id"])

        assert item == {"id": "7", "properties": {"a": "1"}}

    def test_a_unique_property_names_it(self) -> None:
        item = input_of({"sku": "S-1", "a": "1"}, update=True, id_property="sku")

        assert item == {"id": "S-1", "idProperty": "sku", "properties": {"a": "1"}}

    def test_a_unique_property_that_another_column_holds(self) -> None:
        item = input_of({"code": "S-1", "a": "1"}, update=True, id_property="sku", map=["sku=code"])

        assert item == {"id": "S-1", "idProperty": "sku", "properties": {"a": "1"}}

    @pytest.mark.parametrize("clear_empty", [True, False])
    def test_a_row_without_an_id_is_left_to_validation(self, clear_empty: bool) -> None:  # noqa: FBT001
        item = input_of({"id": "", "a": "1"}, update=True, clear_empty=clear_empty)

        with pytest.raises(InvalidInputError, match=r"'id' is missing|/id: the text is empty"):
            prepare(UPDATE, [item])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"only": ["a"]},
                "an update needs a column 'id' that names the record; where another one does, say",
            ),
            ({"id_property": "sku"}, "an update needs a column 'sku' that names the record; "),
            ({"id_property": "hs_object_id"}, "HubSpot refuses hs_object_id as id_property; "),
        ],
    )
    def test_an_update_without_a_column_that_names_the_record(
        self, options: dict[str, Any], message: str
    ) -> None:
        assert refusal(["a", "b"], update=True, **options).startswith(message)

    def test_an_id_column_that_is_dropped(self) -> None:
        assert refusal(update=True, drop=["id"]) == (
            "an update needs a column 'id' that names the record; "
            "where another one does, say --map id=COLUMN; the columns are 'id', 'price'"
        )

    def test_a_create_needs_no_id_property(self) -> None:
        assert refusal(id_property="id") == "id_property is for updates and upserts; leave it out of a create"


class TestAssociations:
    def test_a_column_of_links_is_not_a_property(self) -> None:
        item = input_of(ROW, associate=["contact=contact_id"], only=["price"])

        assert item == {"properties": {"price": "9"}, "associations": [link("301", 507)]}
        prepare(CREATE, [item])

    @pytest.mark.parametrize(
        ("cell", "ids"),
        [
            ("301;302", ["301", "302"]),
            (" 301 ; ;302;", ["301", "302"]),
            ("301;301", ["301"]),
            (301, [301]),
            ([301, "302"], [301, "302"]),
            (["301", 301], ["301"]),
        ],
    )
    def test_several_records_in_a_cell(self, cell: object, ids: list[object]) -> None:
        item = json_input_of({"a": "1", "who": cell}, associate=["contact=who"])

        assert item == {"properties": {"a": "1"}, "associations": [link(record, 507) for record in ids]}

    @pytest.mark.parametrize("cell", ["", " ", ";", None, []])
    def test_an_empty_cell_rejects_its_row_unless_the_link_is_optional(self, cell: object) -> None:
        row = {"a": "1", "who": cell}

        assert json_input_of(row, associate=["contact=who?"]) == {"properties": {"a": "1"}}
        assert json_input_of({"a": "1"}, associate=["contact=who?"]) == {"properties": {"a": "1"}}
        for given in (row, {"a": "1"}):
            item = json_input_of(given, associate=["contact=who"])
            with pytest.raises(
                InvalidInputError, match="/to/id: the column 'who' is empty; fill it in, or end"
            ):
                prepare(CREATE, [item])

    @pytest.mark.parametrize("cell", ["", "  ", None, []])
    def test_an_empty_key_does_so_too(self, cell: object) -> None:
        row = {"a": "1", "who": cell}

        assert json_input_of(row, associate=["contact=who@email?"]) == {"properties": {"a": "1"}}
        (found,) = rows_from(CREATE, [json_input_of(row, associate=["contact=who@email"])], 0, None)
        assert [str(fault).partition(", or")[0] for fault in found.faults] == [
            "/inputs/0/associations/0/to/value: the column 'who' is empty; fill it in"
        ]

    @pytest.mark.parametrize(
        ("option", "cell", "values"),
        [
            ("contact=who@email", "a;b@c ", ["a;b@c "]),
            ("contact=who@email?", "a@b.c", ["a@b.c"]),
            ("contacts=who@email:507?", "a@b.c", ["a@b.c"]),
            ("contact=who@email", 7, [7]),
            ("contact=who@email", ["a", "b", "a"], ["a", "b"]),
        ],
    )
    def test_a_column_of_keys(self, option: str, cell: object, values: list[object]) -> None:
        item = json_input_of({"a": "1", "who": cell}, associate=[option])

        assert item["associations"] == [
            {
                "to": {"type": "contacts", "property": "email", "value": value},
                "types": link("", 507)["types"],
            }
            for value in values
        ]
        assert not rows_from(CREATE, [item], 0, None)[0].faults

    def test_a_column_that_is_called_like_an_option(self) -> None:
        row = {"who@email?": "301", "who:507": "302"}

        item = input_of(row, associate=["contact=who@email?", "contact=who:507"])

        assert item["associations"] == [link("301", 507), link("302", 507)]

    def test_an_upsert_names_the_types_of_its_targets(self) -> None:
        columns = Columns(
            contract.operation("upsert_orders"), ColumnOptions(id_property="n", associate=["contact=who"])
        )

        assert columns.input_of({"n": "1", "a": "2", "who": "301"}) == {
            "id": "1",
            "idProperty": "n",
            "properties": {"a": "2"},
            "associations": [{**link("301", 507), "to": {"type": "contacts", "id": "301"}}],
        }

    def test_what_is_not_an_id_is_left_to_validation(self) -> None:
        item = json_input_of({"a": "1", "who": [{}, 1.5]}, associate=["contact=who"])

        with pytest.raises(InvalidInputError, match="/inputs/0/associations/0/to/id: "):
            prepare(CREATE, [item])

    def test_types_of_one_record_stand_together(self) -> None:
        row = {"company": "41", "main": "41;42", "contact_id": "41"}

        item = input_of(row, associate=["company=company", "companies=main:509", "contact=contact_id"])

        assert item == {
            "properties": {},
            "associations": [link("41", 934, 509), link("42", 509), link("41", 507)],
        }

    def test_a_type_of_the_user(self) -> None:
        (found,) = input_of({"ref": "9"}, associate=["p_van=ref:4711"])["associations"]

        assert found["types"] == [{"associationCategory": "USER_DEFINED", "associationTypeId": 4711}]

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ("contcat=id", "there is no association from orders to 'contcat'; did you mean contact?"),
            ("contact=id:509", "association type 509 leads from orders to companies, not to contact; "),
            ("contact", "--associate: write OBJECT=COLUMN[@PROPERTY][:TYPE][?]"),
            ("contact=", "--associate: write OBJECT=COLUMN[@PROPERTY][:TYPE][?]"),
            (
                "contact=id@",
                "--associate: write OBJECT=COLUMN[@PROPERTY][:TYPE][?]; the property behind the @ ",
            ),
            (
                "contact=id@?",
                "--associate: write OBJECT=COLUMN[@PROPERTY][:TYPE][?]; the property behind the @ ",
            ),
            ("contact=idd@email", "there is no column 'idd'; did you mean 'id'?"),
            ("quote=id@hs_title", "records of type quotes cannot be looked up by a property; those that can"),
            ("contact=cntact_id", "there is no column 'cntact_id'; the columns are 'id', 'price'"),
        ],
    )
    def test_links_that_there_are_not(self, option: str, message: str) -> None:
        assert refusal(associate=[option]).startswith(message)

    def test_an_update_links_nothing(self) -> None:
        assert refusal(update=True, associate=["contact=price"]) == (
            "only create and upsert link records; leave --associate out"
        )


class TestWholeInputs:
    WHOLE: ClassVar[dict[str, Any]] = {
        "properties": {"price": 9, "note": None, "who": "301"},
        "associations": [link("7", 513)],
        "objectWriteTraceId": "t",
    }

    def test_it_stays_as_it_is(self) -> None:
        assert json_input_of(self.WHOLE) == self.WHOLE

    def test_its_properties_are_its_columns(self) -> None:
        item = json_input_of(
            self.WHOLE, map=["total=price"], set=["stage=new"], associate=["contact=who"], clear_empty=True
        )

        assert item == {
            "properties": {"total": 9, "note": None, "stage": "new"},
            "associations": [link("7", 513), link("301", 507)],
            "objectWriteTraceId": "t",
        }
        assert self.WHOLE["associations"] == [link("7", 513)]

    def test_associations_that_are_none_are_left_to_validation(self) -> None:
        row = {"properties": {"who": "301"}, "associations": {}}

        assert json_input_of(row, associate=["contact=who"]) == {"properties": {}, "associations": {}}

    def test_an_id_property_is_that_of_all_that_name_none(self) -> None:
        rows: list[dict[str, Any]] = [
            {"id": "1", "properties": {}},
            {"id": "1", "idProperty": "ean", "properties": {}},
        ]

        items = [json_input_of(row, update=True, id_property="sku") for row in rows]

        assert [item["idProperty"] for item in items] == ["sku", "ean"]
        assert "idProperty" not in json_input_of(rows[0], update=True)


class TestOptions:
    @pytest.mark.parametrize("option", ["map", "only", "drop", "associate"])
    def test_a_column_that_does_not_exist(self, option: str) -> None:
        text = {"map": "total=prise", "associate": "contact=prise"}.get(option, "prise")

        options: dict[str, Any] = {option: [text]}

        assert refusal(**options) == "there is no column 'prise'; did you mean 'price'?"

    @pytest.mark.parametrize("option", ["map", "only", "drop", "associate"])
    def test_a_column_that_no_row_has_had_so_far(self, option: str) -> None:
        text = {"map": "total=prise", "associate": "contact=prise"}.get(option, "prise")
        options: dict[str, Any] = {option: [text]}
        columns = Columns(CREATE, ColumnOptions(**options))

        columns.input_of({"price": 1})
        assert columns.missing == {"prise"}
        columns.input_of({"properties": {"prise": None}})
        assert columns.missing == set()

    def test_where_columns_are_known_none_is_unseen(self) -> None:
        assert Columns(CREATE, ColumnOptions(only=["a"]), ["a"]).missing == set()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"map": ["price"]}, "--map: write PROPERTY=COLUMN"),
            ({"map": ["=price"]}, "--map: write PROPERTY=COLUMN"),
            ({"map": ["total="]}, "--map: write PROPERTY=COLUMN"),
            ({"set": [SECRET]}, "--set: write PROPERTY=VALUE"),
            ({"set": [f"={SECRET}"]}, "--set: write PROPERTY=VALUE"),
            (
                {"map": ["a=id", "a=price"]},
                "--map and --set fill the property 'a' twice; remove one of the two",
            ),
            ({"map": ["a=id"], "set": [f"a={SECRET}"]}, "--map and --set fill the property 'a' twice; "),
            ({"set": ["a=1", "a=2"]}, "--map and --set fill the property 'a' twice; "),
            (
                {"drop": ["id"], "only": ["id"]},
                "--drop leaves out the column 'id', which another option names; ",
            ),
            (
                {"drop": ["id"], "map": ["a=id"]},
                "--drop leaves out the column 'id', which another option names",
            ),
            (
                {"drop": ["id"], "associate": ["contact=id"]},
                "--drop leaves out the column 'id', which another",
            ),
        ],
    )
    def test_options_that_make_no_sense(self, options: dict[str, Any], message: str) -> None:
        assert re.match(re.escape(message), refusal(**options))


class TestTimezone:
    def test_a_time_that_names_no_zone_gets_this_one(self) -> None:
        row = {
            "text": "2026-07-01 08:15",
            "seconds": "2026-01-01T08:15:30.5",
            "aware": "2026-07-01T08:15:00Z",
            "day": "2026-07-01",
            "none": "2026-02-30 08:15",
            "words": "at 2026-07-01 08:15",
        }
        properties = {
            **row,
            "text": "2026-07-01T06:15:00.000Z",
            "seconds": "2026-01-01T07:15:30.500Z",
        }

        for made in (input_of, json_input_of):
            batch = prepare(CREATE, [made(row, timezone="Europe/Berlin")])
            assert batch.inputs[0]["properties"] == properties
            whole = made({"properties": row} if made is json_input_of else row, timezone="Europe/Berlin")
            assert prepare(CREATE, [whole]).inputs[0]["properties"] == properties
        assert input_of(row)["properties"] == row

    def test_a_time_that_the_clock_shows_twice_is_the_earlier_one(self) -> None:
        row = {"when": datetime(2026, 10, 25, 2, 30)}  # noqa: DTZ001 - it names no zone

        made = json_input_of(row, timezone="Europe/Berlin")

        assert prepare(CREATE, [made]).inputs[0]["properties"] == {"when": "2026-10-25T00:30:00.000Z"}

    def test_a_time_that_the_clock_skips_is_refused(self) -> None:
        for made, value in ((input_of, "2026-03-29 02:30"), (json_input_of, datetime(2026, 3, 29, 2, 30))):  # noqa: DTZ001
            with pytest.raises(InvalidInputError, match="the clock skips that hour"):
                prepare(CREATE, [made({"when": value}, timezone="Europe/Berlin")])

    def test_without_one_a_time_of_a_table_says_which_option_is_missing(self) -> None:
        row = {"when": datetime(2026, 1, 1), "n": "A"}  # noqa: DTZ001 - it names no zone
        columns = Columns(CREATE, ColumnOptions(), list(row), zoneless=["when"])

        with pytest.raises(InvalidInputError) as raised:
            prepare(CREATE, [columns.input_of(row)])

        (fault,) = raised.value.faults
        assert (fault.pointer, fault.remedy) == (
            "/inputs/0/properties/when",
            "say which one is meant: --timezone Europe/Berlin",
        )

    @pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../etc/passwd", "Europe", "a\0b"])
    def test_an_unknown_time_zone(self, name: str) -> None:
        assert refusal(timezone=name) == (
            f"there is no time zone {name!r}; write Europe/Berlin or UTC for example"
        )


def test_of_very_many_columns_only_some_are_reported() -> None:
    assert refusal([f"c{number}" for number in range(20_000)], only=["price"]).endswith(
        "'c48', 'c49' and 19,950 more"
    )

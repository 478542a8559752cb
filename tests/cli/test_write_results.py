"""What became of the rows of a run, in the form in which they came; mended, they are pushed again."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_batch import HubSpot
from hubspot_batch.bulk._lookup import Lookup
from hubspot_batch.transport import _retries

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

NUMBER = "hs_external_order_id"
COLUMNS = ["_row", "_outcome", "_id", "_code", "_message", "_action", "_key"]
CSV = 'name;price;note\nA-1;1;\nA-2;nine;"x;\ny"\nA-3;3;z\nA-4;4;\nA-5;ten;\n'
MAPPED = ("--map", "hs_order_name=name", "--map", "hs_total_price=price", "--drop", "note")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def outcomes(text: str) -> list[tuple[str, str]]:
    return [(row["_row"], row["_outcome"]) for row in table(text)]


@pytest.fixture
def path(write: "Write", shell: "Shell") -> Path:
    """Return a file. Its rows 2 and 5 are refused."""
    path = write("orders.csv", CSV)
    assert shell.push("create", "orders", path, *MAPPED).code == 4
    return path


@pytest.fixture
def mixed(write: "Write", shell: "Shell") -> Path:
    """Return a file with 100 unknown rows, 100 that are done, and 101 that were not sent."""
    rows = "".join(f"A-{row};{row};\n" for row in range(301))
    path = write("mixed.csv", f"name;price;note\n{rows}")
    shell.box.faults.next("504-after", None, "429-daily")
    assert shell.push("create", "orders", path, *MAPPED, "--concurrency", "1").code == 5
    return path


class TestRows:
    @pytest.mark.usefixtures("path")
    def test_all_stand_as_they_were_behind_what_became_of_them(self, shell: "Shell") -> None:
        done = shell("results", "latest")

        assert (done.code, done.err) == (0, "")
        rows = table(done.out)
        ids = {record.properties["hs_order_name"]: record.id for record in shell.box.records("orders")}
        assert done.out.splitlines()[0] == ";".join([*COLUMNS, "name", "price", "note"])
        assert rows[0] == dict(
            zip(
                [*COLUMNS, "name", "price", "note"],
                ["1", "done", ids["A-1"], "", "", "created", "", "A-1", "1", ""],
                strict=True,
            )
        )
        assert [row["_row"] for row in rows] == ["1", "2", "3", "4", "5"]
        assert (rows[1]["_outcome"], rows[1]["_id"], rows[1]["_code"]) == ("rejected", "", "INVALID_LONG")
        assert "hs_total_price" in rows[1]["_message"]
        assert (rows[1]["name"], rows[1]["price"], rows[1]["note"]) == ("A-2", "nine", "x;\ny")

    @pytest.mark.usefixtures("path")
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (["--rejected"], ["2", "5"]),
            (["--done"], ["1", "3", "4"]),
            (["--unknown"], []),
            (["--pending"], []),
            (["--done", "--rejected"], ["1", "2", "3", "4", "5"]),
            (["--unknown", "--rejected"], ["2", "5"]),
        ],
    )
    def test_those_of_some_outcomes(self, options: list[str], expected: list[str], shell: "Shell") -> None:
        done = shell("results", "latest", *options)

        assert done.code == 0
        assert [row["_row"] for row in table(done.out)] == expected

    @pytest.mark.usefixtures("mixed")
    def test_those_in_doubt_and_those_that_are_left(self, shell: "Shell") -> None:
        counts = {
            option: len(table(shell("results", "latest", f"--{option}").out))
            for option in ("done", "rejected", "unknown", "pending")
        }

        assert counts == {"done": 100, "rejected": 0, "unknown": 100, "pending": 101}
        both = outcomes(shell("results", "latest", "--pending", "--unknown").out)
        assert [outcome for _, outcome in both] == ["unknown"] * 100 + ["pending"] * 101

    @pytest.mark.usefixtures("path")
    def test_a_file_for_them(self, tmp_path: Path, shell: "Shell") -> None:
        done = shell("results", "latest", "--output", tmp_path / "results.csv")

        assert done == (0, "", "")
        assert (tmp_path / "results.csv").read_bytes().decode() == shell("results", "latest").out

    def test_a_journal_names_the_run_as_well(self, path: Path, shell: "Shell") -> None:
        (journal,) = shell.runs.glob("*.run")

        assert shell("results", journal).out == shell("results", journal.stem).out
        assert path.exists()


class TestMendedAndPushedAgain:
    def test_csv(self, path: Path, shell: "Shell") -> None:
        mended = path.with_name("fix-me.csv")
        shell("results", "latest", "--rejected", "--output", mended)
        mended.write_text(mended.read_text().replace("nine", "9").replace("ten", "10"))

        done = shell.push("create", "orders", mended, *MAPPED)

        assert (done.code, done.err) == (0, "")
        assert {row["hs_order_name"]: row["hs_total_price"] for row in shell.sent()} == {
            "A-1": "1.00",
            "A-2": "9.00",
            "A-3": "3.00",
            "A-4": "4.00",
            "A-5": "10.00",
        }

    @pytest.mark.parametrize("whole", [False, True])
    def test_json_lines(self, whole: bool, tmp_path: Path, write: "Write", shell: "Shell") -> None:  # noqa: FBT001
        rows: list[Any] = [{"hs_order_name": f"A-{row}", "hs_total_price": row} for row in (1, "nine", 3)]
        if whole:
            rows = [{"properties": row} for row in rows]
        lines = "".join(f"{json.dumps(row)}\n" for row in rows) + "{not json\n"
        assert shell.push("create", "orders", write("orders.jsonl", lines)).code == 4

        done = shell("results", "latest", "--rejected")
        results = [json.loads(line) for line in done.out.splitlines()]
        assert [(row["_row"], row["_code"]) for row in results] == [(2, "INVALID_LONG"), (4, "INVALID_INPUT")]
        assert results[1]["_text"] == "{not json"
        assert "line 4, column 2: not JSON" in results[1]["_message"]

        text = done.out.replace("nine", "9").replace('"{not json"', json.dumps(json.dumps(rows[0])))
        mended = tmp_path / "fix-me.jsonl"
        mended.write_text(text)
        assert shell.push("create", "orders", mended).code == 0
        names = sorted(str(row["hs_order_name"]) for row in shell.sent())
        assert names == ["A-1", "A-1", "A-3", "A-9"]

    def test_record_ids_link_the_next_objects(self, path: Path, write: "Write", shell: "Shell") -> None:
        orders = path.with_name("created.csv")
        shell("results", "latest", "--done", "--output", orders)
        ids = [row["_id"] for row in table(orders.read_text())]
        items = write("items.csv", "name,quantity,order\n" + "".join(f"wool,1,{number}\n" for number in ids))

        assert shell.push("create", "line-items", items, "--associate", "order=order").code == 0
        links = [record.associations[0].to_id for record in shell.box.records("line_items")]
        assert sorted(links) == sorted(ids)


class TestKeys:
    """`_key`: the value that names the record of a row, read from the file again."""

    def test_of_a_unique_property(self, write: "Write", shell: "Shell") -> None:
        path = write("a.csv", "Number,Name\nX-1,A\n -,B\n=2,C\n")
        pushed = shell.push(
            *("create", "orders", path, "--map", f"{NUMBER}=Number", "--map", "hs_order_name=Name"),
            *("--unique-property", NUMBER, "--null", "-"),
        )
        assert pushed.code == 4

        rows = list(csv.DictReader(io.StringIO(shell("results", "latest").out)))

        assert [(row["_outcome"], row["_key"]) for row in rows] == [
            ("done", "X-1"),
            ("rejected", ""),
            ("done", "'=2"),
        ]
        (journal,) = shell.runs.glob("*.run")
        assert b"X-1" not in journal.read_bytes()

    def test_as_the_mapping_file_has_it(self, write: "Write", shell: "Shell") -> None:
        path = write("a.csv", "Number,Name\n 1001.0 ,A\n1002,\n")
        mapping = write("a.toml", f'[columns]\nNumber = "{NUMBER}"\nName = "hs_order_name"\n')
        results = path.with_name("results.csv")
        pushed = ("upsert", "orders", path, "--mapping", mapping, "--id-property", NUMBER)
        assert shell.push(*pushed, "--results", results).code == 4
        mapping.unlink()
        rows = list(csv.DictReader(io.StringIO(results.read_text())))

        assert [(row["_outcome"], row["_key"]) for row in rows] == [("done", "1001"), ("rejected", "1002")]
        assert shell("results", "latest").out == results.read_text()
        path.unlink()
        rows = list(csv.DictReader(io.StringIO(shell("results", "latest").out)))
        assert [row["_key"] for row in rows] == ["", ""]

    def test_of_whole_inputs(self, write: "Write", shell: "Shell") -> None:
        name = {"hs_order_name": "A"}
        lines = [
            {"id": "X-1", "properties": name},
            {"properties": {**name, NUMBER: "X-2"}},
            {NUMBER: 3, **name},
            {"properties": {**name, NUMBER: {}}},
            name,
        ]
        path = write("a.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines))
        assert shell.push("upsert", "orders", path, "--id-property", NUMBER).code == 4

        found = [json.loads(line) for line in shell("results", "latest").out.splitlines()]

        assert [line["_key"] for line in found] == ["X-1", "X-2", "3", None, None]

    @pytest.mark.parametrize("option", [("--set", f"{NUMBER}=X"), ("--drop", NUMBER)])
    def test_not_if_no_column_has_it(self, option: tuple[str, str], write: "Write", shell: "Shell") -> None:
        path = write("a.jsonl", json.dumps({"hs_order_name": "A", NUMBER: "7"}))
        shell.push("create", "orders", path, *option, "--unique-property", NUMBER)

        row = json.loads(shell("results", "latest").out)
        assert (row["_row"], row["_key"]) == (1, None)

    def test_not_of_links(self, write: "Write", shell: "Shell") -> None:
        path = write("a.csv", "from,to\n1,2\n")
        shell.push("associate", "orders", "contacts", path)

        (row,) = csv.DictReader(io.StringIO(shell("results", "latest").out))
        assert (row["_row"], row["_key"]) == ("1", "")


class TestRefusals:
    @pytest.mark.usefixtures("path")
    def test_an_unknown_run(self, shell: "Shell") -> None:
        (journal,) = shell.runs.glob("*.run")
        wrong = journal.stem.replace("create", "crate")

        assert shell("results", wrong) == (
            1,
            "",
            f"Error: there is no run {wrong!r}; did you mean {journal.stem}?\n",
        )
        assert shell("results", "x") == (
            1,
            "",
            "Error: there is no run 'x'; `hubspot-batch runs` lists them\n",
        )

    def test_no_run_at_all(self, shell: "Shell") -> None:
        assert shell("results", "latest").err == (
            "Error: there is no run 'latest'; `hubspot-batch runs` lists them\n"
        )

    def test_a_file_that_has_changed(self, path: Path, shell: "Shell") -> None:
        path.write_text(CSV.replace("A-1", "B-1"))

        done = shell("results", "latest", "--rejected")

        assert done.code == 0
        assert done.err == (
            f"Warning: {path} has changed since the run, so the results are without its columns\n"
        )
        rows = list(csv.DictReader(io.StringIO(done.out)))
        assert [(row["_row"], row["_code"]) for row in rows] == [("2", "INVALID_LONG"), ("5", "INVALID_LONG")]
        assert list(rows[0]) == COLUMNS

    def test_a_file_that_is_gone(self, mixed: Path, shell: "Shell") -> None:
        mixed.unlink()

        done = shell("results", "latest", "--pending", "--unknown")

        assert done.code == 0
        assert done.err == (
            f"Warning: {mixed} is not there any more, so the results are without its columns\n"
        )
        # What the run had not read yet, no one can list.
        rows = list(csv.DictReader(io.StringIO(done.out)))
        assert [row["_outcome"] for row in rows[:100]] == ["unknown"] * 100
        assert {row["_outcome"] for row in rows[100:]} == {"pending"}

    def test_a_file_of_json_that_is_gone(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.json", '[{"hs_order_name": "A-1"}, {"hs_order_name": "", "hs_tax": "x"}]')
        assert shell.push("create", "orders", path).code == 4
        path.unlink()

        lines = [json.loads(line) for line in shell("results", "latest").out.splitlines()]

        assert [(list(line), line["_outcome"]) for line in lines] == [
            (COLUMNS, "done"),
            (COLUMNS, "rejected"),
        ]

    @pytest.mark.parametrize("name", ["orders.csv", "gone/results.csv", ""])
    def test_an_output_that_cannot_be_written(
        self, name: str, path: Path, tmp_path: Path, shell: "Shell"
    ) -> None:
        done = shell("results", "latest", "--output", tmp_path / name)

        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"Error: {tmp_path / name}: ")
        assert "; name a" in done.err
        assert path.read_text() == CSV


class TestUnknownRowsAreLookedFor:
    """`--resolve`: see tests/sandbox/test_bulk_resolve.py for what becomes of the rows."""

    RESOLVE = ("--resolve", "--unique-property", NUMBER)
    TABLE = "Number,Name,Day\n" + "".join(f"X-{row},A {row},02.01.2026\n" for row in range(200))
    OPTIONS = (
        *("--map", f"{NUMBER}=Number", "--map", "hs_order_name=Name", "--drop", "Day"),
        *("--set", "hs_currency_code=USD"),
    )

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let a look, and what is sent again, be sent at once."""

        async def at_once(_lookup: Lookup, _seconds: float) -> None:
            pass

        monkeypatch.setattr(Lookup, "wait", at_once)
        monkeypatch.setattr(_retries, "_FIRST_BACKOFF", 0.01)

    @pytest.fixture
    def shop(self, write: "Write", shell: "Shell") -> Path:
        """Return a file of 100 rows that are there, and 100 that are not, all of them unknown."""
        path = write("shop.csv", self.TABLE)
        shell.box.faults.next("504-after", "504-before")
        pushed = shell.push("create", "orders", path, *self.OPTIONS, "--concurrency", "1")
        assert pushed.code == 6
        assert "--resolve --unique-property PROPERTY" in pushed.out
        return path

    def test_in_the_file_as_the_run_has_read_it(self, shop: Path, shell: "Shell") -> None:
        done = shell.push("results", "latest", *self.RESOLVE, "--set", "hs_currency_code=USD", "--done")

        assert done.code == 4, done.err
        assert done.err == "200 unknown rows looked for: 100 done, 100 rejected\n"
        ids = {record.properties[NUMBER]: record.id for record in shell.box.records("orders")}
        rows = list(csv.DictReader(io.StringIO(done.out)))
        assert {row["Number"]: row["_id"] for row in rows} == ids
        assert len(ids) == 100
        assert json.loads(shell("runs", "--json").out)["exit_code"] == 4

        rejected = shop.with_name("rejected.csv")
        shell("results", "latest", "--rejected", "--output", rejected)
        assert shell.push("create", "orders", rejected, *self.OPTIONS).code == 0
        assert len(shell.sent()) == 200

    @pytest.mark.usefixtures("shop")
    def test_again_with_nothing_to_settle(self, shell: "Shell") -> None:
        options = ("results", "latest", *self.RESOLVE, "--set", "hs_currency_code=USD", "--unknown")
        shell.push(*options)
        done = shell.push(*options)

        assert (done.code, done.err) == (4, "0 unknown rows looked for: nothing to settle\n")

    def test_not_in_a_file_that_has_changed(self, shop: Path, shell: "Shell") -> None:
        set_currency = ("--set", "hs_currency_code=USD")
        shop.write_text(self.TABLE.replace("X-1,", "Y-1,"))
        changed = shell.push("results", "latest", *self.RESOLVE, *set_currency)
        shop.unlink()
        gone = shell.push("results", "latest", *self.RESOLVE, *set_currency)

        assert (changed.code, gone.code) == (1, 1)
        assert "has changed since the run" in changed.err
        assert "is not there any more" in gone.err
        assert json.loads(shell("runs", "--json").out)["unknown"] == 200

    @pytest.mark.usefixtures("shop")
    @pytest.mark.parametrize(
        ("options", "code", "told"),
        [
            (("--resolve",), 2, "needs --unique-property"),
            (("--unique-property", NUMBER), 2, "go with --resolve"),
            (("--settle-after", "1"), 2, "go with --resolve"),
            (
                (*RESOLVE, "--set", "hs_currency_code=USD", "--settle-after", "inf"),
                1,
                "settle_after must be a number of seconds",
            ),
            (RESOLVE, 1, "name the same --set options"),
            ((*RESOLVE, "--set", "hs_currency_code=EUR"), 1, "name the same --set options"),
            (
                ("--resolve", "--unique-property", "hs_order_name", "--set", "hs_currency_code=USD"),
                1,
                f"unique properties of orders: {NUMBER}",
            ),
        ],
    )
    def test_not_with_options_that_are_wrong(
        self, shell: "Shell", options: tuple[str, ...], code: int, told: str
    ) -> None:
        done = shell.push("results", "latest", *options)

        assert (done.code, done.out) == (code, "")
        assert told in done.err.replace("\n", " ")

    @pytest.mark.usefixtures("shop")
    @pytest.mark.parametrize(("fault", "code"), [("429-daily", 5), ("503*10", 5)])
    @pytest.mark.parametrize("place", [0, 1])
    def test_not_while_hubspot_refuses(self, shell: "Shell", fault: str, code: int, place: int) -> None:
        name, _, times = fault.partition("*")
        shell.box.faults.next(*[None] * place, *[name] * int(times or 1))

        done = shell.push("results", "latest", *self.RESOLVE, "--set", "hs_currency_code=USD")

        assert (done.code, done.out) == (code, "")
        assert "may have been written" not in done.err
        assert json.loads(shell("runs", "--json").out)["unknown"] == 200

    def test_not_where_rows_can_be_sent_again(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", f"{NUMBER},hs_order_name\nX-1,A\n")
        shell.push("upsert", "orders", path, "--id-property", NUMBER)

        done = shell.push("results", "latest", *self.RESOLVE)

        assert done.code == 1
        assert "settles them with --new" in done.err

    @pytest.mark.parametrize("joined", [True, False])
    def test_with_the_mapping_file_of_the_run(self, write: "Write", shell: "Shell", *, joined: bool) -> None:
        path = write("shop.csv", self.TABLE)
        mapping = write(
            "shop.toml",
            f'other_columns = "skip"\n[columns]\nNumber = "{NUMBER}"\nName = "hs_order_name"\n',
        )
        option = [f"--mapping={mapping}"] if joined else ["--mapping", mapping]
        shell.box.faults.next(None, "504-after", "504-after")
        assert shell.push("create", "orders", path, *option, "--concurrency", "1").code == 6

        assert shell.push("results", "latest", *self.RESOLVE, "--unknown").code == 0

    def test_not_while_the_token_may_not_read(self, write: "Write", shell: "Shell") -> None:
        shell.box = shell.open(scopes=["crm.objects.orders.write"])
        path = write("orders.csv", f"{NUMBER},hs_order_name\nX-1,A\n")
        shell.box.faults.next("504-after")
        assert shell.push("create", "orders", path).code == 6

        done = shell.push("results", "latest", *self.RESOLVE, "--assume-unique")

        assert done.code == 1
        assert json.loads(shell("runs", "--json").out)["unknown"] == 1

    def test_not_of_a_run_that_a_program_has_begun(self, shell: "Shell", tmp_path: Path) -> None:
        journal = tmp_path / "library.run"
        with HubSpot(shell.box.access_token, base_url=shell.box.url) as hub:
            hub.orders.create_all([{"properties": {"hs_order_name": "A"}}], journal=journal)

        done = shell.push("results", journal, *self.RESOLVE)

        assert done.code == 1
        assert "the method `resolve` of the Python client" in done.err

"""Which faults there are, how they are written, and which request meets one."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import add

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._faults import FAULTS, fault_named, parse_fault
from hubspot_batch.sandbox._injector import FaultInjector

NAMES = sorted(FAULTS)


def chosen(faults: FaultInjector, count: int) -> list[str | None]:
    """What the next requests meet."""
    return [None if (fault := faults.choose()) is None else str(fault) for _ in range(count)]


def test_every_fault_has_a_name() -> None:
    assert set(FAULTS) == {
        "slow",
        "slow-tail",
        "429-ten-secondly",
        "429-secondly",
        "429-daily",
        "423",
        "477",
        "500",
        "500-before",
        "502",
        "502-before",
        "503",
        "504-before",
        "504-after",
        "520",
        "520-before",
        "524",
        "524-before",
        "reset-before",
        "reset-middle",
        "reset-after",
        "never-before",
        "never-after",
        "truncated",
        "invalid-utf8",
        "gzip",
        "200",
        "requested-at-null",
        "unknown-status",
        "late-index",
    }


@pytest.mark.parametrize("name", NAMES)
def test_names_and_descriptions_are_fit_to_be_shown(name: str) -> None:
    fault = FAULTS[name]
    assert fault.name == name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert fault.description.strip() == fault.description
    assert "\n" not in fault.description
    assert len(fault.description) <= 80
    assert fault.takes_seconds == ("seconds: " in fault.description)


def test_no_two_faults_are_described_alike() -> None:
    assert len({fault.description for fault in FAULTS.values()}) == len(FAULTS)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(("-before", "-after"))])
def test_a_name_that_says_when_a_fault_strikes_is_right(name: str) -> None:
    assert name.endswith(FAULTS[name].phase)


@pytest.mark.parametrize(
    "name", ["429-ten-secondly", "429-secondly", "429-daily", "423", "477", "503", "reset-before"]
)
def test_what_is_turned_away_is_not_processed(name: str) -> None:
    assert FAULTS[name].phase == "before"


@pytest.mark.parametrize("name", ["500", "502", "520", "524"])
def test_where_it_is_not_known_the_harder_case_has_the_short_name(name: str) -> None:
    assert FAULTS[name].phase == "after"
    assert FAULTS[f"{name}-before"].phase == "before"


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_found_by_its_name_and_names_itself(name: str) -> None:
    assert fault_named(name) is FAULTS[name]
    assert str(FAULTS[name]) == name


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("slow=0.5", 0.5), ("slow=0", 0.0), ("slow-tail=0.01", 0.01), ("477=60", 60.0), ("423=2", 2.0)],
)
def test_some_take_seconds(text: str, seconds: float) -> None:
    fault = fault_named(text)
    assert fault.seconds == seconds
    assert str(fault) == text


@given(st.floats(0, 86_400))
def test_a_fault_with_seconds_is_found_by_its_text(seconds: float) -> None:
    fault = msgspec.structs.replace(FAULTS["slow"], seconds=seconds)
    found = fault_named(str(fault))
    assert found.seconds == pytest.approx(seconds)
    assert str(found) == str(fault)


def test_seconds_that_go_without_saying_are_not_said() -> None:
    assert fault_named("slow=1") == fault_named("slow")
    assert str(fault_named("slow=1.0")) == "slow"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("504", "did you mean 504-before or 504-after?"),
        ("504-aftre", "did you mean 504-after"),
        ("429", "did you mean 429-ten-secondly or 429-secondly or 429-daily?"),
        ("reset", "did you mean reset-before or reset-middle or reset-after?"),
        ("truncate", "did you mean truncated?"),
        ("slow tail", "did you mean slow-tail"),
        ("", "choose one of slow, slow-tail, 429-ten-secondly,"),
        ("418", "there is no fault '418'; "),
        ("earthquake", "choose one of slow, "),
        ("none", "there is no fault 'none'"),
        ("=1", "there is no fault ''"),
    ],
)
def test_an_unknown_fault_is_refused_with_a_hint(text: str, answer: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no fault") as caught:
        fault_named(text)
    assert answer in str(caught.value)


@pytest.mark.parametrize("text", ["502=1", "gzip=", "reset-before=0.5"])
def test_seconds_are_refused_where_they_say_nothing(text: str) -> None:
    name = text.partition("=")[0]
    with pytest.raises(ConfigurationError, match=f"the fault {name} takes no seconds; write {name}"):
        fault_named(text)


@pytest.mark.parametrize("seconds", ["", "x", "-1", "nan", "inf", "86401"])
def test_invalid_seconds_are_refused(seconds: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"is not a number of seconds from 0 to 86400; write it like slow=0\.5"
    ):
        fault_named(f"slow={seconds}")


@pytest.mark.parametrize(
    ("text", "name", "rate"),
    [
        ("504-after:0.02", "504-after", 0.02),
        ("slow=0.5:0.1", "slow=0.5", 0.1),
        ("503:0", "503", 0.0),
        ("gzip:1", "gzip", 1.0),
        ("502:1e-3", "502", 0.001),
    ],
)
def test_a_fault_with_its_rate_is_read(text: str, name: str, rate: float) -> None:
    assert parse_fault(text) == (fault_named(name), rate)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("504-after", "has no rate; write it like 504-after:0.02 or slow=0.5:0.1"),
        ("", "has no rate"),
        ("504-after:", "'' is not a rate; write 504-after with a number from 0 to 1"),
        ("504-after:often", "'often' is not a rate; write 504-after with a number"),
        ("504-after:2%", "'2%' is not a rate"),
        ("504-after:1.5", "the fault 504-after cannot have the rate 1.5; choose one from 0 to 1"),
        ("504-after:-0.1", "cannot have the rate -0.1"),
        ("504-after:nan", "cannot have the rate nan"),
        ("504:0.1", "did you mean 504-before or 504-after?"),
        ("slow=x:0.1", "'x' is not a number of seconds"),
        ("504-after=0.02", "has no rate"),
        ("none:0.1", "there is no fault 'none'"),
    ],
)
def test_what_is_not_a_fault_with_a_rate_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_fault(text)
    assert problem in str(caught.value)


def test_without_a_plan_there_are_no_faults() -> None:
    faults = FaultInjector()
    assert chosen(faults, 100) == [None] * 100
    assert faults.rates == {}
    assert faults.count == 100


def test_each_fault_occurs_at_its_rate_and_at_most_one_at_a_time() -> None:
    rates = {"504-after": 0.02, "slow=0.5": 0.1, "503": 0.3}
    counts = Counter(chosen(FaultInjector(rates, seed=7), 20_000))
    for name, rate in rates.items():
        assert counts[name] / 20_000 == pytest.approx(rate, abs=0.01)
    assert counts[None] / 20_000 == pytest.approx(0.58, abs=0.01)


def test_the_rates_may_come_to_one() -> None:
    rates = {"500": 0.05, "502": 0.55, "503": 0.3, "520": 0.1}
    assert reduce(add, rates.values()) > 1  # one after the other, as floats; sum is exact from 3.12 on
    assert None not in chosen(FaultInjector(rates), 1_000)
    assert set(chosen(FaultInjector({"503": 1.0}), 1_000)) == {"503"}


def test_the_same_seed_gives_the_same_faults() -> None:
    rates = {"504-after": 0.2, "slow-tail": 0.2, "503": 0.2}
    first, second = (chosen(FaultInjector(rates, seed=7), 200) for _ in range(2))
    assert first == second
    assert first != chosen(FaultInjector(rates, seed=8), 200)


def test_what_one_request_asks_for_does_not_change_what_the_others_meet() -> None:
    rates = {"504-after": 0.3, "slow-tail": 0.3}
    plain, scripted = FaultInjector(rates, seed=7), FaultInjector(rates, seed=7)
    scripted.at(10, "gzip")
    first, second = chosen(plain, 50), chosen(scripted, 20)
    scripted.choose("truncated")
    second += [None, *chosen(scripted, 29)]
    assert second[9] == "gzip"
    assert [name for index, name in enumerate(first) if index not in {9, 20}] == [
        name for index, name in enumerate(second) if index not in {9, 20}
    ]


def test_the_next_requests_meet_faults_in_order() -> None:
    faults = FaultInjector({"503": 1.0})
    faults.next("504-after", None, "slow=0.5")
    faults.next("none", "gzip")
    assert chosen(faults, 7) == ["504-after", None, "slow=0.5", None, "gzip", "503", "503"]


def test_a_request_is_chosen_by_its_number() -> None:
    faults = FaultInjector()
    faults.at(3, "504-after")
    faults.at(1, "gzip")
    assert chosen(faults, 4) == ["gzip", None, "504-after", None]
    faults.at(faults.count + 2, "423")
    assert chosen(faults, 3) == [None, "423", None]


def test_a_number_can_keep_a_request_from_faults() -> None:
    faults = FaultInjector({"503": 1.0})
    faults.at(2, None)
    assert chosen(faults, 3) == ["503", None, "503"]


@pytest.mark.parametrize("number", [-1, 0, 1, 2])
def test_a_request_that_has_come_cannot_be_chosen(number: int) -> None:
    faults = FaultInjector()
    chosen(faults, 2)
    with pytest.raises(ConfigurationError, match=f"request {number} cannot .*; the next one is 3"):
        faults.at(number, "503")


def test_a_request_that_is_chosen_otherwise_takes_nothing_from_the_queue() -> None:
    faults = FaultInjector()
    faults.next("502", "503")
    faults.at(1, "gzip")
    assert chosen(faults, 1) == ["gzip"]
    assert faults.choose("423") == FAULTS["423"]
    assert chosen(faults, 3) == ["502", "503", None]


def test_the_header_comes_before_the_script_and_the_script_before_the_rates() -> None:
    faults = FaultInjector({"503": 1.0})
    faults.next("502")
    assert faults.choose("slow=0.25") == fault_named("slow=0.25")
    assert faults.choose("none") is None
    assert chosen(faults, 2) == ["502", "503"]


def test_a_header_that_names_no_fault_is_refused_and_not_counted() -> None:
    faults = FaultInjector()
    with pytest.raises(ConfigurationError, match="did you mean 504-before or 504-after"):
        faults.choose("504")
    assert faults.count == 0


def test_faults_are_switched_on_and_off() -> None:
    faults = FaultInjector({"503": 1.0})
    faults.set("503", 0)
    assert faults.rates == {}
    faults.set("slow=0.5", 0.25)
    faults.set("502", 0.5)
    faults.set("slow=0.5", 0.5)
    assert faults.rates == {"slow=0.5": 0.5, "502": 0.5}
    assert None not in chosen(faults, 100)
    faults.next("gzip")
    faults.at(faults.count + 2, "gzip")
    faults.clear()
    assert faults.rates == {}
    assert chosen(faults, 3) == [None] * 3


def test_rates_that_come_to_more_than_one_are_refused_and_change_nothing() -> None:
    faults = FaultInjector({"503": 0.6})
    with pytest.raises(
        ConfigurationError, match=r"with 502 at 0\.5 the rates of all faults come to 1\.1; .* at 1 or below"
    ):
        faults.set("502", 0.5)
    assert faults.rates == {"503": 0.6}
    with pytest.raises(ConfigurationError, match=r"come to 1\.2"):
        FaultInjector({"503": 0.6, "502": 0.6})


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_an_invalid_rate_is_refused(rate: float) -> None:
    with pytest.raises(ConfigurationError, match="cannot have the rate"):
        FaultInjector({"503": rate})


@pytest.mark.parametrize("use", ["next", "at", "set"])
def test_an_unknown_fault_is_refused_at_once(use: str) -> None:
    faults = FaultInjector()
    with pytest.raises(ConfigurationError, match="did you mean never-before or never-after"):
        {"next": lambda: faults.next("503", "never"), "at": lambda: faults.at(1, "never")}.get(
            use, lambda: faults.set("never", 0.1)
        )()
    assert chosen(faults, 2) == [None, None]


def test_a_long_tail_is_drawn_per_request() -> None:
    faults = FaultInjector({"slow-tail=0.01": 1.0}, seed=7)
    delays = sorted(fault.seconds or 0.0 for _ in range(2_000) if (fault := faults.choose()))
    assert len(delays) == 2_000
    assert delays[0] >= 0.01
    assert delays[1_000] == pytest.approx(0.02, rel=0.15)
    assert delays[1_980] == pytest.approx(1.0, rel=0.5)
    assert delays[-1] <= 100.0


def test_a_long_tail_ends_somewhere() -> None:
    faults = FaultInjector({"slow-tail=99": 1.0})
    assert max(fault.seconds or 0.0 for _ in range(100) if (fault := faults.choose())) == 100.0


def test_the_draw_of_a_delay_leaves_the_plan_as_it_is() -> None:
    faults = FaultInjector({"slow-tail": 1.0})
    faults.choose()
    assert faults.rates == {"slow-tail": 1.0}


def test_any_thread_may_ask() -> None:
    faults = FaultInjector()
    faults.next(*["503"] * 100, *[None] * 100, *["gzip"] * 100)
    with ThreadPoolExecutor(8) as pool:
        counts = Counter(pool.map(lambda _: faults.choose(), range(400)))
    assert counts == {FAULTS["503"]: 100, FAULTS["gzip"]: 100, None: 200}
    assert faults.count == 400


def test_faults_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        FAULTS["503"].status = 200  # type: ignore[misc]
    with pytest.raises(TypeError):
        FAULTS["x"] = FAULTS["503"]  # type: ignore[index]

"""For any calls and replies, requests leave within the window, in their order, and after the pauses."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_batch import ConfigurationError, Quota, SharedQuota
from hubspot_batch.transport._quota import SOON

limits = st.integers(1, 8)
windows = st.sampled_from([0.05, 1.0, 10.0, 60.0])
gaps = st.just(0.0) | st.floats(0.0, 2.0) | st.floats(0.0, 100.0)
header_values = st.sampled_from(["", "0", "-1", "many", "9999999999", "250000"])

RESERVE = st.just(("reserve", 0.0))
REFUSED = st.tuples(st.just("refused"), st.floats(-5.0, 70.0))


def steps(
    *others: st.SearchStrategy[tuple[str, object]],
) -> st.SearchStrategy[list[tuple[float, str, object]]]:
    """Lists of what happens to a quota: after which gap, which method, and what it is given."""
    actions = st.one_of(RESERVE, RESERVE, REFUSED, *others)
    return st.lists(st.tuples(gaps, actions).map(lambda step: (step[0], *step[1])), max_size=120)


def figures(limit: object, window: float, daily: str) -> dict[str, str]:
    return {
        "x-hubspot-ratelimit-max": str(limit),
        "x-hubspot-ratelimit-interval-milliseconds": str(round(window * 1000)),
        "x-hubspot-ratelimit-daily": daily,
        "x-hubspot-ratelimit-daily-remaining": daily,
    }


SAME = st.tuples(st.just("same"), header_values)
CHANGED = st.tuples(st.just("learn"), st.builds(figures, limits | header_values, windows, header_values))


def departures(quota: Quota, story: list[tuple[float, str, object]]) -> Iterator[tuple[float, float]]:
    """Do what is told, and yield when each request leaves, and how long all is paused by then."""
    now, limit, window = 1000.0, quota.limit, quota.window
    for gap, name, value in story:
        now += gap
        if name == "reserve":
            yield quota.reserve(now), quota.paused_until
        elif name == "refused":
            assert isinstance(value, float)
            quota.refused(now + value, now)
        else:
            quota.learn(value if isinstance(value, dict) else figures(limit, window, str(value)))


@given(limits, windows, steps(SAME))
def test_no_rolling_window_ever_holds_more_departures_than_the_limit(
    limit: int, window: float, story: list[tuple[float, str, object]]
) -> None:
    left = [send_time for send_time, _ in departures(Quota(limit, window), story)]

    assert all(later - earlier >= window for earlier, later in zip(left, left[limit:], strict=False))


@given(limits, windows, steps(CHANGED))
def test_departures_never_go_back_and_never_fall_into_a_pause(
    limit: int, window: float, story: list[tuple[float, str, object]]
) -> None:
    left = list(departures(Quota(limit, window), story))

    assert left == sorted(left)
    # A pause that ends within a clock tick is over.
    assert all(send_time >= paused_until - SOON for send_time, paused_until in left)


@given(limits, windows, steps(CHANGED))
def test_the_margin_stays_between_its_first_and_its_greatest_length(
    limit: int, window: float, story: list[tuple[float, str, object]]
) -> None:
    quota = Quota(limit, window)

    for _ in departures(quota, story):
        assert 0.1 <= quota.margin <= 2.0


def known(quota: Quota) -> tuple[object, ...]:
    return (
        *(quota.limit, quota.window, quota.margin, quota.paused_until),
        *(quota.daily_limit, quota.daily_remaining),
    )


@given(limits, windows, steps(CHANGED))
def test_a_shared_quota_says_what_a_quota_of_one_process_says(
    limit: int, window: float, story: list[tuple[float, str, object]]
) -> None:
    with TemporaryDirectory() as folder, SharedQuota(Path(folder) / "quota.sqlite", limit, window) as shared:
        alone = Quota(limit, window)

        assert list(departures(shared, story)) == list(departures(alone, story))
        assert known(shared) == known(alone)


@given(st.binary(min_size=1, max_size=2000))
def test_a_file_of_whatever_bytes_is_refused_and_left_alone(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "quota.sqlite"
        path.write_bytes(content)

        with pytest.raises(ConfigurationError, match=r"quota\.sqlite cannot be used"):
            SharedQuota(path)

        assert path.read_bytes() == content
        assert [found.name for found in Path(folder).iterdir()] == ["quota.sqlite"]

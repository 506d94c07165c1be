"""What is pure about money: metered time, expected cost, what was spent in a month, and the decision."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.budget.decision import Verdict, decide, usd
from pipelines.budget.estimate import Estimate, PastRun, estimate
from pipelines.budget.metering import Meter
from pipelines.budget.spending import month_start, spent
from pipelines.budget.terms import Budget, NodeRate, Policy, parse_budget, parse_rates
from pipelines.errors import UsageError

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def budget(policy: Policy = "refuse", monthly: str = "10") -> Budget:
    return Budget(cost_centre="cc-1", monthly_usd=Decimal(monthly), policy=policy, source="test")


def past(cost: str, size: int, day: int = 1) -> PastRun:
    return PastRun(NOON - timedelta(days=day), Decimal(cost), size)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# Metering


def test_a_task_alone_is_metered_by_its_nodes() -> None:
    meter = Meter(clock := Clock())
    with meter.running(nodes=3) as share:
        clock.now = 10.0
        assert meter.seconds(share) == 30.0
    clock.now = 99.0
    assert (share.seconds, meter.ended(), meter.all()) == (30.0, 30.0, 30.0)


def test_tasks_at_work_together_share_the_machine() -> None:
    meter = Meter(clock := Clock())
    with meter.running() as first:
        clock.now = 4.0
        with meter.running() as second:
            clock.now = 10.0
        clock.now = 11.0
    assert (first.seconds, second.seconds) == (4.0 + 3.0 + 1.0, 3.0)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    meter = Meter(clock := Clock())
    with meter.running() as share:
        clock.now = 5.0
        assert meter.seconds(share) == 5.0
        clock.now = 2.0
        assert meter.seconds(share) == 5.0
        clock.now = 3.0
    assert share.seconds == 6.0


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=30))
def test_shares_add_up_to_the_time_in_which_anybody_worked(steps: list[tuple[float, bool]]) -> None:
    meter, busy = Meter(clock := Clock()), 0.0
    with ExitStack() as every:
        at_work: list[ExitStack] = []
        for seconds, begin in steps:
            if begin:
                stack = every.enter_context(ExitStack())
                stack.enter_context(meter.running())
                at_work.append(stack)
            elif at_work:
                at_work.pop().close()
            clock.now += seconds
            busy += seconds if at_work else 0.0
    assert meter.all() == pytest.approx(busy)


# Rates and terms


def test_a_rate_prices_node_seconds_exactly() -> None:
    rate = NodeRate(usd_per_hour=Decimal("0.1518"), source="list")
    assert rate.cost(3600) == Decimal("0.1518")
    assert rate.cost(1) == Decimal("0.000042167")


@pytest.mark.parametrize(
    "text", ['{"m5": {"usd_per_hour": "0.1"}}', '{"m5": {"usd_per_hour": -1, "source": "x"}}', "[]", "x"]
)
def test_rates_without_a_source_or_below_nothing_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--rates cannot be read"):
        parse_rates(text)


@pytest.mark.parametrize("text", ['{"cost_centre": "a"}', '{"cost_centre":"a","monthly_usd":1,"source":"s","x":1}'])
def test_a_budget_with_a_key_too_few_or_too_many_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--budget cannot be read"):
        parse_budget(text)
    assert parse_budget("") is None


# Expected cost


def test_without_history_nothing_is_expected() -> None:
    assert estimate([], 10) == Estimate(None, "unknown: no run of this task has succeeded and was priced")


def test_the_median_of_the_last_five_is_scaled_to_the_input() -> None:
    runs = [past("9", 10, day=9), *(past(cost, 100, day) for day, cost in enumerate(("1", "2", "3", "4", "8"), 1))]
    assert estimate(runs, 200).usd == Decimal(6)


def test_no_run_is_expected_to_cost_less_than_the_cheapest() -> None:
    assert estimate([past("2", 100), past("3", 100)], 0).usd == Decimal(2)


def test_beyond_a_hundred_times_what_was_seen_nothing_is_expected() -> None:
    assert estimate([past("1", 10)], 1000).usd == Decimal(100)
    assert estimate([past("1", 10)], 1001).basis.startswith("unknown: 1001 bytes are over 100 times")


def test_where_the_input_cannot_be_known_nothing_is_scaled() -> None:
    assert estimate([past("1", 10), past("3", 999)], None) == Estimate(
        Decimal(2), "median of the last 2 runs, input of unknown size"
    )


# What was spent


def row(at: datetime, usd: str | None, centre: str | None = "cc-1") -> dict[str, object]:
    return {"started_at": at, "cost_centre": centre, "cost_usd": Decimal(usd) if usd else None}


def test_a_month_is_a_calendar_month_in_utc() -> None:
    assert month_start(datetime.fromisoformat("2026-12-01T00:30:00+02:00")) == datetime(2026, 11, 1, tzinfo=UTC)
    rows = [
        row(datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), "1"),
        row(datetime(2026, 11, 1, tzinfo=UTC), "2"),
        row(NOON, "4"),
        row(NOON, None),
        row(NOON, "8", "cc-2"),
        row(NOON, "16", None),
    ]
    assert spent(rows, "cc-1", NOON) == Decimal(6)


def test_a_clock_that_went_back_gives_no_money_back() -> None:
    rows = [row(NOON, "2"), row(NOON + timedelta(days=40), "4")]
    assert spent(rows, "cc-1", NOON) == Decimal(6)
    assert spent(rows, "cc-1", NOON - timedelta(days=31)) == Decimal(6)


# The decision


@pytest.mark.parametrize(
    ("policy", "already", "expected", "confirmed", "verdict"),
    [
        ("refuse", "1", "2", None, Verdict.ALLOWED),
        ("refuse", "1", None, None, Verdict.ALLOWED),
        ("refuse", "7", "2", None, Verdict.WARNED),
        ("refuse", "8", "2", None, Verdict.WARNED),
        ("refuse", "9", "2", None, Verdict.REFUSED),
        ("refuse", "9", "2", "ann", Verdict.REFUSED),
        ("refuse", "10", None, None, Verdict.REFUSED),
        ("ask", "9", "2", None, Verdict.ASKED),
        ("ask", "9", "2", "ann", Verdict.CONFIRMED),
        ("ask", "1", "2", "ann", Verdict.ALLOWED),
        ("warn", "12", "2", None, Verdict.WARNED),
    ],
)
def test_the_policy_decides(
    policy: Policy, already: str, expected: str | None, confirmed: str | None, verdict: Verdict
) -> None:
    said = Estimate(Decimal(expected) if expected else None, "test")
    decision = decide(budget(policy), Decimal(already), said, confirmed)
    assert decision.verdict is verdict
    assert decision.left_usd == max(Decimal(10) - Decimal(already), Decimal(0))


def test_the_reason_has_the_sums() -> None:
    decision = decide(budget("ask"), Decimal("9.5"), Estimate(Decimal("0.75"), "test"), "ann")
    assert decision.reason == "the run is expected to cost $0.75, and cc-1 has $0.50 left; ann confirmed it"
    assert [usd(Decimal(each)) for each in ("0", "1234.5", "0.0000421")] == ["$0.00", "$1,234.50", "$0.0000421"]

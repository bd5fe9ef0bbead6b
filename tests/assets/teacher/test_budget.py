"""Prices, the estimate before, and the cap in flight."""

import asyncio

import pytest

from assets.teacher.budget import Budget, OverBudget, Price, estimate_usd, price_of

MESSAGES = [{"role": "user", "content": "x" * 32}]
DOLLAR_A_TOKEN = Price(1e6, 1e6, "test")


def test_a_known_model_has_the_price_of_the_file_with_or_without_its_date() -> None:
    price = price_of("gpt-4o-mini", True, None)
    assert (price.prompt, price.completion) == (0.15, 0.6)
    assert "as of 20" in price.source
    assert price_of("gpt-4o-mini-2024-07-18", True, None) == price
    assert price.cost_usd(1_000_000, 1_000_000) == pytest.approx(0.75)


def test_a_given_price_wins() -> None:
    assert price_of("gpt-4o-mini", True, (1.0, 2.0)).completion == 2.0


def test_a_model_of_one_s_own_costs_nothing_and_says_so() -> None:
    price = price_of("llama-3", False, None)
    assert price.cost_usd(1000, 1000) == 0.0
    assert "not in prices.json and not asked at OpenAI" in price.source


def test_an_unpriced_model_at_openai_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"'gpt-9'.*known: gpt-4.1.*Add price_per_million"):
        price_of("gpt-9", True, None)


def test_the_estimate_is_four_characters_a_token_and_the_longest_answer() -> None:
    assert estimate_usd([MESSAGES, MESSAGES], DOLLAR_A_TOKEN, 100) == 2 * (32 / 4 + 8 + 100)


def test_an_estimate_over_the_cap_is_refused() -> None:
    budget = Budget(1.0, DOLLAR_A_TOKEN, 100)
    budget.require(1.0, 3)
    with pytest.raises(OverBudget, match=r"3 requests are estimated at \$1.5000.*nothing was sent"):
        budget.require(1.5, 3)


def test_a_request_waits_for_those_in_flight_and_goes_when_they_cost_less() -> None:
    async def go() -> float:
        budget = Budget(100.0, DOLLAR_A_TOKEN, 20)  # the worst case is 32 + 8 + 20 = 60
        first = await budget.reserve(MESSAGES)
        second = asyncio.create_task(budget.reserve(MESSAGES))
        await asyncio.sleep(0)
        assert not second.done()
        await budget.settle(first, 5.0)
        await budget.settle(await second, 5.0)
        return budget.spent_usd

    assert asyncio.run(go()) == 10.0


def test_a_request_that_cannot_fit_any_more_stops_the_run() -> None:
    async def go() -> None:
        budget = Budget(100.0, DOLLAR_A_TOKEN, 20)
        await budget.settle(await budget.reserve(MESSAGES), 50.0)
        await budget.reserve(MESSAGES)

    with pytest.raises(OverBudget, match=r"stopped before max_cost_usd \$100.*materialize again"):
        asyncio.run(go())

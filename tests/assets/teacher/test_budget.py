"""Prices, the estimate before, and the cap in flight."""

import asyncio
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from assets.teacher.budget import Budget, OverBudget, Price, Question, estimate, price_of
from assets.teacher.tokens import TOKENS_PER_MESSAGE, TokenCounter, counter_of

MESSAGES = [{"role": "user", "content": "x" * 30}]
SCHEMA: dict[str, object] = {}  # "{}": 2 bytes
QUESTION: Question = (MESSAGES, SCHEMA)
WORST = 30 + 8 + 2 + 8  # every byte a token, and two messages
DOLLAR_A_TOKEN = Price(1e6, 1e6, "test")
FREE = Price(0.0, 0.0, "test")
WORDS = TokenCounter(lambda text: len(text.split()), "words", exact=True)


def test_a_known_model_has_the_price_of_the_file_with_or_without_its_date() -> None:
    price = price_of("gpt-4o-mini", True, None)
    assert (price.prompt, price.completion) == (0.15, 0.6)
    assert "as of 20" in price.source
    assert price_of("gpt-4o-mini-2024-07-18", True, None) == price
    assert price.cost_usd(1_000_000, 1_000_000) == pytest.approx(0.75)


def test_a_given_price_wins() -> None:
    assert price_of("gpt-4o-mini", True, (1.0, 2.0)).completion == 2.0


def test_a_batch_costs_half_and_the_source_of_the_price_says_so() -> None:
    price = price_of("gpt-4o-mini", True, None, batch=True)
    assert (price.prompt, price.completion) == (0.075, 0.3)
    assert "times 0.5 in batches" in price.source
    assert price_of("m", False, (1.0, 2.0), batch=True).completion == 1.0


def test_a_model_of_one_s_own_costs_nothing_and_says_so() -> None:
    price = price_of("llama-3", False, None)
    assert price.cost_usd(1000, 1000) == 0.0
    assert "not in prices.json and not asked at OpenAI" in price.source


def test_an_unpriced_model_at_openai_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"'gpt-9'.*known: gpt-4.1.*Add price_per_million"):
        price_of("gpt-9", True, None)


def test_the_estimate_counts_prompt_and_schema_and_the_longest_answers() -> None:
    expected = estimate([QUESTION, QUESTION], counter_of("m", False), DOLLAR_A_TOKEN, 100)
    assert expected.requests == 2
    assert expected.prompt_tokens == 2 * (10 + 1 + 2 * TOKENS_PER_MESSAGE)  # 3 bytes a token
    assert expected.completion_tokens == 200
    assert expected.cost_usd == expected.prompt_tokens + 200
    assert "3 bytes of UTF-8 a token" in expected.method
    assert "100 tokens each, the longest" in expected.method


def test_an_estimate_of_many_requests_keeps_none_of_them() -> None:
    def many() -> Iterator[Question]:
        for number in range(20_000):
            yield [{"role": "user", "content": f"{number} " * 50}], SCHEMA

    tracemalloc.start()
    assert estimate(many(), WORDS, FREE, 1).requests == 20_000
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1_000_000


def test_an_estimate_over_a_cap_is_refused_with_the_numbers_of_each() -> None:
    budget = Budget(60.0, DOLLAR_A_TOKEN, 20, max_calls=2)
    budget.require(estimate([QUESTION], WORDS, DOLLAR_A_TOKEN, 20))
    with pytest.raises(OverBudget) as refused:
        budget.require(estimate([QUESTION] * 3, WORDS, DOLLAR_A_TOKEN, 20))
    assert "3 requests of 54 prompt tokens are estimated at $114.0000" in str(refused.value)
    assert "Nothing was sent; over max_cost_usd $60.0000: raise it, lower" in str(refused.value)
    assert "over max_calls 2: raise it" in str(refused.value)


def test_a_request_waits_for_those_in_flight_and_goes_when_they_cost_less() -> None:
    async def go() -> float:
        budget = Budget(100.0, DOLLAR_A_TOKEN, 12)  # the worst case is 60
        first = await budget.reserve(*QUESTION)
        assert first == WORST + 12
        second = asyncio.create_task(budget.reserve(*QUESTION))
        await asyncio.sleep(0)
        assert not second.done()
        await budget.settle(first, 5.0)
        await budget.settle(await second, 5.0)
        return budget.spent_usd

    assert asyncio.run(go()) == 10.0


def test_a_request_that_cannot_fit_any_more_stops_the_run() -> None:
    async def go() -> None:
        budget = Budget(100.0, DOLLAR_A_TOKEN, 12)
        await budget.settle(await budget.reserve(*QUESTION), 50.0)
        await budget.reserve(*QUESTION)

    with pytest.raises(OverBudget, match=r"stopped before max_cost_usd \$100.*materialize again"):
        asyncio.run(go())


def test_the_last_settling_refuses_all_who_still_wait() -> None:
    async def go() -> list[object]:
        budget = Budget(100.0, DOLLAR_A_TOKEN, 12)
        first = await budget.reserve(*QUESTION)
        waiting = asyncio.gather(
            *(budget.reserve(*QUESTION) for _ in range(3)), return_exceptions=True
        )
        await asyncio.sleep(0)
        await budget.settle(first, 60.0)
        return list(await waiting)

    assert [type(outcome) for outcome in asyncio.run(go())] == [OverBudget] * 3


def test_every_attempt_counts_against_max_calls() -> None:
    async def go() -> Budget:
        budget = Budget(1.0, FREE, 12, max_calls=2)
        for _ in range(2):
            await budget.settle(await budget.reserve(*QUESTION), 0.0)
        with pytest.raises(OverBudget, match=r"stopped before max_calls 2: 2 were sent.*raise it"):
            await budget.reserve(*QUESTION)
        return budget

    assert asyncio.run(go()).calls == 2


def test_a_batch_is_set_aside_whole_and_by_the_exact_count_where_there_is_one() -> None:
    async def go() -> None:
        budget = Budget(100.0, DOLLAR_A_TOKEN, 12, max_calls=3, tokens=WORDS)
        reserved = await budget.reserve_together([QUESTION] * 2)
        assert reserved == 2 * (1 + 1 + 2 * TOKENS_PER_MESSAGE + 12)
        assert budget.calls == 2
        await budget.settle(reserved, 10.0)
        with pytest.raises(OverBudget, match="stopped before max_calls 3: 2 were sent"):
            await budget.reserve_together([QUESTION] * 2)

    asyncio.run(go())


def test_a_batch_over_the_cap_is_refused_at_once() -> None:
    with pytest.raises(OverBudget, match=r"the next 2 may cost \$120.0000 at worst"):
        asyncio.run(Budget(100.0, DOLLAR_A_TOKEN, 12).reserve_together([QUESTION] * 2))


def test_the_cost_of_a_batch_of_an_earlier_run_counts_too() -> None:
    budget = Budget(100.0, DOLLAR_A_TOKEN, 12)
    budget.spend(90.0)
    with pytest.raises(OverBudget, match=r"\$90.0000 is spent"):
        asyncio.run(budget.reserve(*QUESTION))


def test_a_cancelled_request_leaves_nothing_set_aside() -> None:
    async def go() -> float:
        budget = Budget(100.0, DOLLAR_A_TOKEN, 12)
        first = await budget.reserve(*QUESTION)
        waits, granted = (asyncio.create_task(budget.reserve(*QUESTION)) for _ in range(2))
        await asyncio.sleep(0)
        waits.cancel()
        await asyncio.sleep(0)
        await budget.settle(first, 0.0)
        granted.cancel()  # its turn has come, and it has not run yet
        await asyncio.gather(waits, granted, return_exceptions=True)
        return await budget.reserve(*QUESTION)

    assert asyncio.run(go()) == 60.0


def test_settling_what_was_never_reserved_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="nothing is reserved"):
        asyncio.run(Budget(1.0, FREE, 12).settle(0.5, 0.5))


def test_512_workers_with_room_for_ten_pass_and_never_pass_the_cap() -> None:
    budget = Budget(600.0, DOLLAR_A_TOKEN, 12)
    passed = 0

    async def work() -> None:
        nonlocal passed
        for _ in range(40):
            reserved = await budget.reserve(*QUESTION)
            assert budget.spent_usd + 60.0 * budget._in_flight <= 600.0
            await asyncio.sleep(0)
            await budget.settle(reserved, 0.001)
            passed += 1

    async def go() -> None:
        await asyncio.gather(*(work() for _ in range(512)))

    began = time.process_time()
    asyncio.run(go())
    assert passed == 512 * 40
    assert time.process_time() - began < 5  # 2,000 a second need half a core at the very most

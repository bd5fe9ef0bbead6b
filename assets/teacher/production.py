"""The room's work in its order: estimate, ask or make offline, finish, audit, carry, word."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from assets.records import Document
from assets.teacher.audit import Audit, audit_by_model, audit_by_rules, draw, instruction_of
from assets.teacher.budget import Budget, Estimate, Price, estimate
from assets.teacher.config import TeacherConfig
from assets.teacher.generate import TeacherRun
from assets.teacher.generation import (
    Generation,
    carry,
    checked,
    finish,
    make_offline,
    pass_through,
    require_metadata,
    word,
)
from assets.teacher.protocol import Teacher
from assets.teacher.tokens import TokenCounter

NOTHING = Estimate(0, 0, 0, 0.0, "no teacher was asked")


class Desk(Protocol):
    """Where teachers are to be had; the caller knows the endpoint."""

    def price(self, model: str) -> Price:
        """Return what a token of the model costs."""
        ...

    def tokens(self, model: str) -> TokenCounter:
        """Return what counts the model's tokens."""
        ...

    def connect(self, model: str, budget: Budget) -> AbstractAsyncContextManager[Teacher]:
        """Return a connection that pays from the budget."""
        ...


@dataclass
class Production:
    """The samples, what they cost, and what the audit found."""

    generation: Generation
    audit: Audit = field(default_factory=lambda: Audit([]))
    expected: Estimate = NOTHING
    cost_usd: float = 0.0
    price: str = "none: no teacher was asked"

    def metadata(self) -> Mapping[str, Any]:
        """Return the numbers that the asset shows."""
        generation, audit = self.generation, self.audit
        return {
            "new": generation.new,
            "cached": generation.cached,
            "withheld": generation.withheld,
            "prompt_tokens": generation.prompt_tokens,
            "completion_tokens": generation.completion_tokens,
            "cost_usd": self.cost_usd,
            "estimated_requests": self.expected.requests,
            "estimated_cost_usd": self.expected.cost_usd,
            "estimate": self.expected.method,
            "price": self.price,
            "audited": len(audit.rows),
            "audit_faults": len(audit.faulty),
            **({} if audit.agreement is None else {"audit_agreement": audit.agreement}),
            **generation.agreement_with_people(),
        }


def produce(
    config: TeacherConfig,
    documents: Sequence[Document],
    desk: Callable[[], Desk],
    pseudonym_key: str,
    say: Callable[[str], None],
) -> Production:
    """Return what becomes of the documents; a desk is opened only where a teacher is asked.

    Raises OverBudget before anything is sent, or when the cap is reached: what is paid is kept.
    """
    if (task := config.task_module()) is None:
        return Production(pass_through(documents))
    require_metadata(documents, config.carry)
    work = _Work(config, task, documents, pseudonym_key, say)
    made = work.offline() if config.model is None else asyncio.run(work.asked(config.model, desk()))
    carry(made.generation, work.by_id, config.carry)
    word(made.generation, work.by_id, config.wordings, config.system_prompts)
    return made


@dataclass
class _Work:
    config: TeacherConfig
    task: Any
    documents: Sequence[Document]
    pseudonym_key: str
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self.options = self.config.options("task")
        self.by_id = {document.id: document for document in self.documents}

    def offline(self) -> Production:
        made = make_offline(self.config.task or "", self.task, self.options, self.documents)
        return Production(made, self._finished_and_audited(made))

    async def asked(self, model: str, desk: Desk) -> Production:
        config, price, tokens = self.config, desk.price(model), desk.tokens(model)
        budget = Budget(
            config.max_cost_usd, price, config.max_output_tokens, config.max_calls, tokens
        )
        async with desk.connect(model, budget) as teacher:
            run = self._run(model, teacher)
            expected = self._estimate(run, tokens, price)
            self._require(expected, budget)
            asking = run.run_in_batches if config.mode == "batch" else run.run
            made = await asking(self.documents)
        audit = self._finished_and_audited(made)
        spent = budget.spent_usd
        if config.audit_model:
            spent += await self._judged(audit, config.audit_model, desk, budget)
        return Production(made, audit, expected, spent, price.source)

    def _run(self, model: str, teacher: Teacher) -> TeacherRun:
        return TeacherRun(
            name=self.config.task or "",
            task=self.task,
            options=self.options,
            model=model,
            teacher=teacher,
            max_concurrency=self.config.max_concurrency,
            pseudonym_key=self.pseudonym_key,
            say=self.say,
        )

    def _estimate(self, run: TeacherRun, tokens: TokenCounter, price: Price) -> Estimate:
        queries = ((query.messages, query.schema) for query in run.missing(self.documents))
        expected = estimate(queries, tokens, price, self.config.max_output_tokens)
        self.say(
            f"{expected.requests:,} requests are not in the cache, estimated at "
            f"${expected.cost_usd:.4f} of ${self.config.max_cost_usd:.2f} ({expected.method})"
        )
        return expected

    def _require(self, expected: Estimate, budget: Budget) -> None:
        if self.config.mode != "replay":
            budget.require(expected)
        elif expected.requests:
            raise ValueError(
                f"replay: {expected.requests} requests have no answer in the cache, and none is "
                "sent. Import a cache that holds them, or set mode: live"
            )

    async def _judged(self, audit: Audit, model: str, desk: Desk, spent: Budget) -> float:
        left = max(0.0, self.config.max_cost_usd - spent.spent_usd)
        calls = None if self.config.max_calls is None else self.config.max_calls - spent.calls
        budget = Budget(left, desk.price(model), self.config.max_output_tokens, calls)
        async with desk.connect(model, budget) as judge:
            told = instruction_of(self.task, self.options)
            workers = self.config.max_concurrency
            await audit_by_model(audit, told, judge, workers, self.pseudonym_key)
        return budget.spent_usd

    def _finished_and_audited(self, made: Generation) -> Audit:
        finish(made, self.task, self.options, self.by_id)
        rows = draw(checked(made, self.by_id), self.config.audit_rows)
        return audit_by_rules(self.task, self.options, rows)

"""lm-eval over the exact token ids of `training_examples`. Heavy: import it inside a function.

lm-eval encodes text itself, and computes the whole vocabulary's logits for the prompt too. Both are
overridden here: the ids are those that the model was trained on, the logits those of completions.
"""

import logging
import math
from typing import Any

from datasets import Dataset
from lm_eval.api.instance import Instance
from lm_eval.evaluator import evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from assets.evaluation.arms import Arm
from assets.evaluation.inference import foresee
from assets.evaluation.test_set import IGNORED, TestSet, completion_ids, prompt_length
from assets.records import Row

Doc = dict[str, Any]  # a test row as lm-eval carries it, with its own token ids
Answer = tuple[float, bool, int]  # log-probability in nats, all greedy, tokens that are the argmax
Pair = tuple[float, float]  # numerator and denominator of a ratio over all rows


_HFLM: Any = HFLM  # its decorator hides its type


class CompletionLM(_HFLM):
    """lm-eval's model, which also counts the completion's tokens that it would have chosen."""

    def loglikelihood(  # type: ignore[override]
        self, requests: list[Instance], disable_tqdm: bool = False
    ) -> list[Answer]:
        """Return one answer a request, in the order of the requests."""
        sequences = [(request.doc["input_ids"], request.doc["labels"]) for request in requests]
        routes = [request.doc["route"] for request in requests]
        made = foresee(self.model, sequences, self.batch_size_per_gpu, routes)
        return [(-found.nats, found.hits == found.tokens, found.hits) for found in made]


def score_completions(
    arm: Arm, test: TestSet, batch_size: int
) -> tuple[dict[str, float], list[Row]]:
    """Return the three metrics over the test split, and nats, hits and tokens of each row.

    Nats are divided by the tokens of `training_examples` for every arm, so that the losses of two
    tokenizers compare.
    """
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    docs = [_doc(arm, test, index) for index in range(len(test.rows))]
    lm = CompletionLM(pretrained=arm.model, tokenizer=arm.tokenizer, batch_size=batch_size)
    _refuse_too_long(docs, lm.max_length)
    task = TaskManager(include_defaults=False).load([_task(docs)])
    found: Any = evaluate(lm=lm, task_dict=task, bootstrap_iters=0)
    if found is None:
        raise RuntimeError("lm-eval gave no results: it took this process for a worker")
    metrics = {m: float(found["results"][_NAME][f"{m},none"]) for m in _RATIOS}
    if not arm.same_tokens:
        del metrics["token_accuracy"]  # other tokens: no one's share compares with it
    samples = sorted(found["samples"][_NAME], key=lambda sample: sample["doc_id"])
    return metrics, [_row(sample) for sample in samples]


_NAME = "held_out_loss"
_RATIOS = {"held_out_loss": False, "token_accuracy": True, "bits_per_byte": False}


def _doc(arm: Arm, test: TestSet, index: int) -> Doc:
    row = test.rows[index]
    input_ids, labels = arm.sequence(test, row)
    trained = completion_ids(row)
    completion = test.decode(trained)
    return {
        "id": row.id,
        "route": row.route,
        "prompt": test.decode(row.input_ids[: prompt_length(row)], special=True),
        "completion": completion,
        "input_ids": input_ids,
        "labels": labels,
        "tokens": len(trained),
        "own_tokens": sum(label != IGNORED for label in labels),
        "bytes": max(1, len(completion.encode())),
    }


def _task(docs: list[Doc]) -> dict[str, object]:
    metrics = [
        {"metric": name, "aggregation": _ratio, "higher_is_better": higher}
        for name, higher in _RATIOS.items()
    ]
    return {
        "task": _NAME,
        "custom_dataset": lambda **_: {"test": Dataset.from_list(docs)},
        "test_split": "test",
        "output_type": "loglikelihood",
        "doc_to_text": "prompt",
        "doc_to_target": "completion",
        "process_results": _measured,
        "metric_list": metrics,
    }


def _measured(doc: Doc, answers: list[Answer]) -> dict[str, Pair]:
    nats, _greedy, hits = answers[0]
    return {
        "held_out_loss": (-nats, float(doc["tokens"])),
        "token_accuracy": (float(hits), float(doc["own_tokens"])),
        "bits_per_byte": (-nats / math.log(2), float(doc["bytes"])),
    }


def _ratio(pairs: list[Pair]) -> float:
    return math.fsum(above for above, _ in pairs) / math.fsum(below for _, below in pairs)


def _row(sample: Doc) -> Row:
    nats, tokens = sample["held_out_loss"]
    counts = {"tokens": tokens, "hits": sample["token_accuracy"][0]}
    counts["bytes"] = sample["bits_per_byte"][1]
    return {"id": sample["doc"]["id"], "nats": nats, **{k: int(n) for k, n in counts.items()}}


def _refuse_too_long(docs: list[Doc], limit: int) -> None:
    for doc in docs:
        if (length := len(doc["input_ids"])) > limit:
            raise ValueError(
                f"test row {doc['id']} has {length} tokens and the model reads {limit}: "
                f"set templating's max_length to {limit} or less"
            )

import pytest

from assets.finetuning.adapters.routing import adapter_weights
from tests.assets.finetuning import tiny

TWO = {"adapters_by": "queue", "adapters": ["billing", "technical"]}


def test_adapters_weigh_the_same_where_no_weights_are_given() -> None:
    assert adapter_weights(tiny.config("sft", "lora", **TWO)) == {"billing": 1, "technical": 1}
    weighted = TWO | {"adapters": {"billing": 2, "technical": 1}}
    assert adapter_weights(tiny.config("sft", "lora", **weighted)) == {"billing": 2, "technical": 1}
    assert adapter_weights(tiny.config("sft", "lora")) == {}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"adapters_by": "queue"}, "need adapters_by, a field of the rows, and adapters, two"),
        ({"adapters": ["billing", "technical"]}, "need adapters_by, a field of the rows"),
        (TWO | {"adapters": ["../x", "y"]}, "a name is letters, digits and _"),
        (TWO | {"adapters": {"x": -1, "y": 1}}, "a weight is 0 or more"),
        (TWO | {"method": "full"}, "'full' makes no adapters that can be averaged"),
        (TWO | {"objective": "classify"}, "'classify' has no rows that several adapters"),
        (TWO | {"merge_adapter": True}, "none of sweep, merge_adapter, average_with and"),
    ],
)
def test_adapters_that_cannot_be_are_refused_at_load(section: dict, message: str) -> None:
    asked = {"objective": "sft", "method": "lora", **section}
    with pytest.raises(ValueError, match=message):
        tiny.config(asked.pop("objective"), asked.pop("method"), **asked)

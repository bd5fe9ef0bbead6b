"""`python -m bench.training --gpu`: a 1.5B Qwen2 shape and, by qlora, an 8B Llama shape.

Ours beside TRL's SFTTrainer as it comes and with the settings that are its fastest, each in a
process of its own and in turn: tokens a second without padding, model FLOPs utilisation (what the
weights need for those tokens as a share of what the device multiplies in bfloat16; attention is
left out, so it is rather too low), and peak memory. What is not installed is said and left out.
"""

from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench import training_arms
from bench.training import held
from bench.training_arms import BATCH, Arm
from bench.training_inputs import Inputs, made_inputs

QWEN2_1B5 = {
    "model_type": "qwen2",
    "vocab_size": 151936,
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
    "max_position_embeddings": 4096,
    "pad_token_id": 0,
    "eos_token_id": 2,
}
LLAMA_8B = {
    **QWEN2_1B5,
    "model_type": "llama",
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
}
QUICK = {"num_hidden_layers": 2}
STEPS, TURNS = 8, 4  # of which the first is warm-up
QLORA_GIB, QLORA_TOKENS = 8.0, 2048
PEAK_TFLOPS = {"H200": 989, "H100": 989, "A100": 312, "L40S": 362, "L4": 121, "4090": 165}


def measure_gpu(quick: bool) -> int:
    """Print every arm and return the exit code: 1 where qlora needs more than its limit."""
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("bench.training --gpu needs a CUDA device, and there is none")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    with TemporaryDirectory() as folder:
        shape = {**QWEN2_1B5, **(QUICK if quick else {})}
        inputs = made_inputs("sft", STEPS * BATCH, Path(folder) / "1.5B", shape)
        for method in ("lora", "full"):
            print(f"sft + {method}, Qwen2 shape of 1.5B, ragged rows")
            for name, arm in _arms(method, inputs).items():
                _measure(name, arm, 2 if quick else TURNS)
    return _qlora(quick)


def _arms(method: str, inputs: Inputs) -> dict[str, Arm | str]:
    """Return the arms by name; for one that cannot run here, why."""
    fast = {"gradient_checkpointing": False, "bf16": True}
    flash = {"model_init_kwargs": {"dtype": "bfloat16", "attn_implementation": "flash_attention_2"}}
    liger: Arm | str = "liger-kernel is not installed"
    packed: Arm | str = "flash-attn is not installed; packed rows would see each other"
    if find_spec("liger_kernel"):
        settings = {**fast, "use_liger_kernel": True}
        liger = Arm("sft", inputs, (), method=method, settings=settings)
    if find_spec("flash_attn"):
        settings = {**fast, **flash, "packing": True}
        packed = Arm("sft", inputs, (), method=method, settings=settings)
    return {
        "TRL as it comes": Arm("sft", inputs, (), method=method),
        "TRL, bfloat16, no checkpointing": Arm(
            "sft", inputs, ("bfloat16 base",), method=method, settings=fast
        ),
        "TRL, with liger": liger,
        "TRL, packed, with flash": packed,
        "ours": Arm("sft", inputs, None, method=method),
    }


def _measure(name: str, arm: Arm | str, turns: int) -> float | None:
    """Print what the arm does and return its memory in GiB; None where it cannot run."""
    if isinstance(arm, str):
        print(f"- {name:<34}left out: {arm}")
        return None
    try:
        with held(arm) as process:
            rounds = [process.submit(training_arms.run, STEPS).result() for _ in range(turns)][1:]
            gibibytes = process.submit(training_arms.gpu_gibibytes).result()
            multiplying, learning = process.submit(training_arms.matrices).result()
    except Exception as error:  # a library's, or out of memory: the other arms go on
        print(f"- {name:<34}left out: {type(error).__name__}: {str(error)[:200]}")
        return None
    speed = median(turn.tokens / turn.seconds for turn in rounds)
    used = _utilisation(speed * (4 * multiplying + 2 * learning))
    print(f"- {name:<34}{speed:>10,.0f} tokens/s, MFU {used}, {gibibytes:.2f} GiB", flush=True)
    return gibibytes


def _utilisation(flops: float) -> str:
    """Return the share of the device's peak: forwards, through the weights, and their gradients."""
    import torch

    name: Any = torch.cuda.get_device_name()
    peak = next((tera for part, tera in PEAK_TFLOPS.items() if part in name), None)
    return f"{flops / peak / 1e12:.1%}" if peak else f"unknown ({flops / 1e12:.0f} TFLOP/s)"


def _qlora(quick: bool) -> int:
    """Train the 8B shape by qlora over rows of 2,048 tokens; return 1 above the limit."""
    print(f"sft + qlora, Llama shape of 8B, rows of {QLORA_TOKENS} tokens, limit {QLORA_GIB:g} GiB")
    if not find_spec("bitsandbytes"):
        print("- ours: left out: bitsandbytes is not installed")
        return 0
    with TemporaryDirectory() as folder:
        shape = {**LLAMA_8B, **(QUICK if quick else {})}
        inputs = made_inputs("sft", STEPS, Path(folder) / "8B", shape, QLORA_TOKENS)
        settings = {
            "per_device_train_batch_size": 1,
            "gradient_checkpointing": True,
        }
        arm = Arm("sft", inputs, None, method="qlora", settings=settings)
        gibibytes = _measure("ours", arm, 2)
    return int(gibibytes is None or gibibytes > QLORA_GIB)

"""What the exit code of a job means, and what to change, in words for the person who reads it."""

import signal

_OUT_OF_MEMORY = (
    "killed by signal 9 (SIGKILL), which nothing can catch; out of memory is the usual cause: the "
    "kernel's log names the process. What uses less: a smaller per_device_train_batch_size with "
    "more gradient_accumulation_steps, gradient_checkpointing: true, method: lora or qlora, "
    "shorter rows, a smaller base_model, or less beside it on this machine"
)
_ASKED_TO_END = (
    "ended by SIGTERM: cancelled, or the machine was taken away; nothing was published, and a "
    "training goes on from its last checkpoint when it runs again"
)


def exit_reason(returncode: int) -> str:
    """Return why a process ended; negative codes, and those above 128, are of signals."""
    number = -returncode if returncode < 0 else returncode - 128
    if number == signal.SIGKILL:
        return _OUT_OF_MEMORY
    if number == signal.SIGTERM:
        return _ASKED_TO_END
    if 0 < number < signal.NSIG:
        names = {s.value: s.name for s in signal.Signals}
        return f"killed by signal {number} ({names.get(number, 'of real time')}), a crash"
    return f"exit code {returncode}"

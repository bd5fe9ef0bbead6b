"""A training that goes on where it was killed, to the very same weights. Imported inside jobs.

What transformers leaves open is done here: a checkpoint at the end of an epoch is written after the
epoch's evaluation (else a resume skips it), the running mean of the loss is kept, and a resumed
model is compared with the one that was saved.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import EarlyStoppingCallback, ExportableState

from assets.finetuning.checkpoints import Checkpoints
from assets.finetuning.interruption import StopRequest
from assets.jobs import Stopped

if TYPE_CHECKING:
    from torch.nn import Module


class EarlyStopping(EarlyStoppingCallback):
    """transformers' own, which goes on counting after a resume.

    The step that ends the training is not saved: the best weights are saved already, or are the
    model's own, and a resume would train one step too many.
    """

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take the count from the checkpoint that is resumed."""
        super().on_train_begin(args, state, control, **kwargs)
        name = "early_stopping_patience_counter"
        kept = stored(state, self).get("attributes", {name: 0})
        self.early_stopping_patience_counter = kept[name]

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **kwargs: Any,
    ) -> None:
        """Stop where the loss has not fallen for `early_stopping_patience` evaluations."""
        super().on_evaluate(args, state, control, metrics, **kwargs)
        if control.should_training_stop:
            control.should_save = False


class Interruptible(TrainerCallback, ExportableState):
    """Saves every `save_steps` and when the job is asked to end; compares what is resumed."""

    def __init__(self, trainer: Trainer, checkpoints: Checkpoints, stop: StopRequest) -> None:
        self.trainer = trainer
        self.checkpoints = checkpoints
        self.stop = stop
        self.due = False  # at the end of this epoch
        self.resumed = checkpoints.newest()  # its manifest

    def state(self) -> dict[str, Any]:
        """Return what of the loss is not logged yet, for trainer_state.json."""
        if not hasattr(self.trainer, "_tr_loss"):  # asked before the first step too
            return {}
        loss = self.trainer._tr_loss.item()
        return {"loss": loss, "logged_step": self.trainer._globalstep_last_logged}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take up the running loss; raise RuntimeError where other weights were loaded."""
        if self.resumed is None:
            every = int(args.save_steps)
            self.checkpoints.say(f"starts: {state.max_steps} steps, saved every {every}")
            return
        require_same_weights(self._model(), self.resumed["weights"])
        unlogged = stored(state, self)
        self.trainer._tr_loss = torch.tensor(unlogged["loss"], device=args.device)
        self.trainer._globalstep_last_logged = int(unlogged["logged_step"])
        self.checkpoints.say(f"goes on after step {state.global_step} of {state.max_steps}")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Ask for a checkpoint where one is due; at the end of an epoch after its evaluation."""
        due = state.global_step % int(args.save_steps) == 0 or self._must_stop(args)
        if state.global_step >= state.max_steps or not due:
            return
        if float(state.epoch or 0).is_integer():
            self.due = True
        else:
            control.should_save = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Ask for the checkpoint that was put off."""
        if self.due:
            control.should_save = True
        self.due = False

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Put what transformers wrote into place; end the job where it was asked to."""
        _wait_for_all(args)
        if state.is_world_process_zero:
            written = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
            sums = parameter_sums(self._model())
            self.checkpoints.keep(written, state.global_step, state.best_global_step, sums)
        _wait_for_all(args)
        if self._must_stop(args):
            raise Stopped(
                f"ended by SIGTERM after step {state.global_step} of {state.max_steps}, which is "
                "saved: the next run goes on from there"
            )

    def _must_stop(self, args: TrainingArguments) -> bool:
        """Return whether any process of the training was asked to end."""
        if args.world_size == 1:
            return self.stop.asked
        asked = torch.tensor(int(self.stop.asked), device=args.device)
        torch.distributed.all_reduce(asked, op=torch.distributed.ReduceOp.MAX)
        return bool(asked)

    def _model(self) -> "Module":
        return cast("Module", self.trainer.model)


def stored(state: TrainerState, callback: TrainerCallback) -> dict[str, Any]:
    """Return what a callback's `state` gave when trainer_state.json was written, {} if nothing."""
    named = cast("dict[str, dict[str, Any]]", state.stateful_callbacks)
    return named.get(type(callback).__name__, {})


def train_on(trainer: Trainer, checkpoints: Checkpoints, stop: StopRequest) -> None:
    """Train to the end from the newest whole checkpoint; the best weights where they count.

    Raises Stopped when the job is asked to end; what it learnt is saved.
    """
    checkpoints = replace(checkpoints, processes=trainer.args.world_size)
    interruptible = Interruptible(trainer, checkpoints, stop)
    trainer.add_callback(interruptible)
    resumed = interruptible.resumed
    trainer.train(str(checkpoints.at(resumed["step"])) if resumed else None)
    if stop.asked:
        raise Stopped("ended by SIGTERM after the last step: the next run repeats the last few")
    _take_the_best(trainer, checkpoints)


def _take_the_best(trainer: Trainer, checkpoints: Checkpoints) -> None:
    best = trainer.state.best_global_step
    if not best or best == trainer.state.global_step:
        return
    checkpoints.say(f"takes the weights of step {best}, whose evaluation was best")
    manifest = checkpoints.manifest(best)
    trainer._load_from_checkpoint(str(checkpoints.at(best)))
    require_same_weights(cast("Module", trainer.model), manifest["weights"])


def parameter_sums(model: "Module") -> dict[str, float]:
    """Return the sum of each trainable parameter: cheap, and another model has others."""
    learning = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return {name: p.detach().sum(dtype=torch.float64).item() for name, p in learning}


def require_same_weights(model: "Module", saved: dict[str, float]) -> None:
    """Raise RuntimeError where a checkpoint did not hold, or bring back, a trainable parameter."""
    loaded = parameter_sums(model)
    other = [name for name in loaded.keys() | saved.keys() if not _same(name, loaded, saved)]
    if other:
        raise RuntimeError(
            f"{len(other)} trained parameters are not those that the checkpoint was made of, "
            f"{min(other)} first: this method cannot be resumed from it"
        )


def _same(name: str, loaded: dict[str, float], saved: dict[str, float]) -> bool:
    ours, theirs = loaded.get(name), saved.get(name)
    if ours is None or theirs is None:
        return False
    both_nan = math.isnan(ours) and math.isnan(theirs)
    return both_nan or math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-6)


def _wait_for_all(args: TrainingArguments) -> None:
    if args.world_size > 1:
        torch.distributed.barrier()

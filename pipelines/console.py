"""What `make demo` prints while a run goes on: a line for each step and each word of a job."""

import logging
from typing import Any

import dagster as dg
from dagster._core.log_manager import LOG_RECORD_METADATA_ATTR

STACK_TRACE = "Stack Trace:"  # the whole of it stands in the Dagster UI


class PlainFormatter(logging.Formatter):
    """`00:12:03  fine_tuned_model    step 12/60, loss 2.310, 14 s left`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one log record."""
        metadata = getattr(record, LOG_RECORD_METADATA_ATTR)
        stage = (metadata["step_key"] or "").rpartition("__")[2]
        text = _words(metadata["dagster_event"]) or metadata["orig_message"]
        return f"{self.formatTime(record, '%H:%M:%S')}  {stage:<18}  {text}"


class WorthSaying(logging.Filter):
    """Keeps what the assets say themselves, and of Dagster's events those that have words."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is printed."""
        metadata = getattr(record, LOG_RECORD_METADATA_ATTR, None)
        if metadata is None:
            return False
        event = metadata["dagster_event"]
        return record.levelno >= logging.INFO if event is None else bool(_words(event))


def _plain_logger(init_context: dg.InitLoggerContext) -> logging.Logger:
    """Return the logger that the demo gives to its runs."""
    logger = logging.Logger("tuneline")
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter())
    handler.addFilter(WorthSaying())
    logger.addHandler(handler)
    return logger


plain_console = dg.LoggerDefinition(_plain_logger, description="One short line a step.")


def _words(event: Any) -> str:
    """Return what a Dagster event says to a person; most say nothing."""
    if event is None:
        return ""
    kind, data = event.event_type, event.event_specific_data
    if kind == dg.DagsterEventType.STEP_SUCCESS:
        return f"done in {data.duration_ms / 1000:.1f} s"
    if kind == dg.DagsterEventType.STEP_FAILURE:
        failure = data.user_failure_data
        text = failure.description if failure else data.error_display_string
        return f"FAILED: {text.partition(STACK_TRACE)[0].strip()}"
    if kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION and not data.passed:
        return f"check {data.check_name} FAILED: {data.description}"
    return ""

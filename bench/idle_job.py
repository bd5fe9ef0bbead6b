"""A heavy job with the work left out: it imports what its job file names, and publishes nothing.

{"output_dir": "/tmp/…/fine_tuned_model", "imports": ["assets.finetuning.training"]}
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from assets.jobs import Say, run_job


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Import, say a line of progress through Pipes, and return an empty manifest."""
    for name in job["imports"]:
        import_module(name)
    say(f"{len(job['imports'])} modules imported")
    return {}


if __name__ == "__main__":
    run_job(work)

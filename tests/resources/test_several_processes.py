from resources.several_processes import exit_code, of_the_job

AGENT = "0102 10:11:12.13 42 /site/torch/distributed/elastic/multiprocessing/api.py:1] "
LOG = [
    "step 1/3",
    "[rank1]: Traceback (most recent call last):",
    "[rank1]: FileNotFoundError: no such file",
    "[rank0]: RuntimeError: Connection closed by peer",
    f"W{AGENT}Sending process 41 closing signal SIGTERM",
    f"E{AGENT}failed (exitcode: -9) local_rank: 1 (pid: 43) of binary: python",
    "Traceback (most recent call last):",
    "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
]


def test_what_is_shown_of_a_log_is_the_traceback_of_the_process_that_failed_first() -> None:
    assert of_the_job(LOG) == [
        "Traceback (most recent call last):",
        "FileNotFoundError: no such file",
    ]
    assert exit_code(LOG, 1) == -9


def test_a_log_without_an_agent_is_shown_whole() -> None:
    assert of_the_job(LOG[:1]) == LOG[:1]
    assert exit_code(LOG[:1], 3) == 3

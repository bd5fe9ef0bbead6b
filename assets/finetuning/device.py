"""What the device has: the memory that is free, and the most that a process held of it."""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Device:
    """Where a training runs, and what it may hold there."""

    kind: str  # "cuda" or "cpu"
    name: str
    available: int  # bytes, what the process holds already included
    process: int  # bytes that the process holds already


def device() -> Device:
    """Return the GPU, or this machine's memory where there is none."""
    import torch

    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        held = torch.cuda.memory_reserved()
        return Device("cuda", torch.cuda.get_device_name(), free + held, held)
    held = _status("VmRSS") or _most_resident()
    return Device("cpu", "this machine", host_available() + held, held)


def host_available() -> int:
    """Return the bytes that this process can still take: of the machine, or of its container."""
    return min([_free_of_machine(), *_free_of_groups(_own_group())])


def begin_peak() -> None:
    """Forget the most that was held so far, where the system lets us."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not Linux, or a container that forbids it: loading counts as well
        return


def peak() -> int:
    """Return the most bytes held since `begin_peak`: of the GPU where there is one."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return _status("VmHWM") or _most_resident()


def _status(name: str) -> int:
    """Return a size of /proc/self/status in bytes, 0 where the system has no such file."""
    if not _STATUS.exists():
        return 0
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines[name].split()[0]) * 1024


def _most_resident() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _free_of_machine() -> int:
    import os

    information = Path("/proc/meminfo")
    if not information.exists():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    lines = dict(line.split(":", 1) for line in information.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def _own_group() -> str:
    """Return the path of this process's control group, version 2, "/" where it has none."""
    groups = Path("/proc/self/cgroup")
    lines = groups.read_text().splitlines() if groups.exists() else []
    return next((line[3:] for line in lines if line.startswith("0::")), "/")


def _free_of_groups(group: str, root: Path = _GROUPS) -> list[int]:
    """Return what each limit over this group leaves; none where nothing is limited."""
    folder = root / group.strip("/")
    version_2 = [folder, *folder.parents]
    pairs = [(f / "memory.max", f / "memory.current", f / "memory.stat") for f in version_2]
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat")
    first = root / "memory"
    pairs.append((first / names[0], first / names[1], first / names[2]))
    return [free for limit, used, stat in pairs if (free := _free(limit, used, stat)) is not None]


def _free(limit: Path, used: Path, stat: Path) -> int | None:
    """Return a limit less what is used, files that the kernel can drop at once not counted."""
    if not limit.exists() or limit.read_text().strip() == "max":
        return None
    dropped = 0
    if stat.exists():
        lines = dict(line.split() for line in stat.read_text().splitlines())
        dropped = int(lines.get("inactive_file", 0))
    return int(limit.read_text()) - int(used.read_text()) + dropped

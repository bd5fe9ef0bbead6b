"""The raw export as it lies on the disk: the hash of its content, and how much of it there is."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

_CLUTTER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # what a file browser leaves behind


@dataclass(frozen=True)
class Fingerprint:
    """What `source_files` observes."""

    version: str  # 16 hex digits over names and content
    files: int
    bytes: int
    changed: float  # newest modification, seconds since 1970


def fingerprint(path: Path) -> Fingerprint:
    """Return the fingerprint of a file, a zip, a Maildir or any folder, read in bounded memory.

    A renamed file is a change; a touched one is not.
    """
    files = files_under(path)
    seen = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        seen.update(f"{file.relative_to(path.parent).as_posix()}\0{content}\n".encode())
    facts = [file.stat() for file in files]
    return Fingerprint(
        version=seen.hexdigest()[:16],
        files=len(files),
        bytes=sum(fact.st_size for fact in facts),
        changed=max((fact.st_mtime for fact in facts), default=0.0),
    )


def files_under(path: Path) -> list[Path]:
    """Return the file itself, or a folder's files by name; raises FileNotFoundError."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(
            f"there is nothing at {path}: put the export there, or set extraction.path in "
            "defs.yaml (relative to the pipeline's folder) to where it lies"
        )
    return sorted(f for f in path.rglob("*") if f.is_file() and f.name not in _CLUTTER)

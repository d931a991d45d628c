"""Opens a spreadsheet in a child process that has little memory and time and can be killed; gives its cells."""

import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path

import msgspec

from app.integrations.imports.refusals import BrokenSpreadsheet, FileTooLarge

CHILD = Path(__file__).with_name("sheet_child.py")
MOST_ENTRIES = 2_000
MOST_DIRECTORY = 1024 * 1024
MOST_UNPACKED = 100 * 1024 * 1024
MOST_RATIO = 100
SECONDS = 20
END = struct.Struct("<4s4H2LH")

Cell = str | int | float | bool | date | datetime | time
KINDS: dict[str, Callable[[str], Cell]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
}


def cells_of_sheet(raw: bytes) -> Iterator[tuple[int, list[Cell]]]:
    """Every row of the first sheet with its number, from 1. Raises FileTooLarge or BrokenSpreadsheet."""
    _look_at_directory(raw)
    try:
        done = subprocess.run(  # noqa: S603 - our own file, by our own interpreter
            [sys.executable, "-I", str(CHILD)], input=raw, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise BrokenSpreadsheet(why=f"over {SECONDS} s") from late
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise BrokenSpreadsheet(why=words[-1][:200] if words and done.returncode == 1 else "memory")
    return ((at, [_cell(one) for one in row]) for at, row in enumerate(msgspec.json.decode(done.stdout), start=1))


def _cell(one: object) -> Cell:
    if isinstance(one, list):
        return KINDS[str(one[0])](str(one[1]))
    if isinstance(one, str | int | float | bool):
        return one
    return ""


def _look_at_directory(raw: bytes) -> None:
    """Refuse a bomb by its directory alone: too many entries, too much unpacked, packed far too well (T129)."""
    at = raw.rfind(b"PK\x05\x06")
    if at < 0 or at + END.size > len(raw):
        raise BrokenSpreadsheet(why="zip")
    _, _, _, _, entries, size, _, _ = END.unpack_from(raw, at)
    if entries > MOST_ENTRIES or size > MOST_DIRECTORY:
        raise FileTooLarge(what="entries", limit=MOST_ENTRIES)
    try:
        packed = zipfile.ZipFile(BytesIO(raw)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as broken:
        raise BrokenSpreadsheet(why="zip") from broken
    unpacked = sum(one.file_size for one in packed)
    if unpacked > MOST_UNPACKED or any(
        one.file_size > MOST_RATIO * max(one.compress_size, 1) and one.file_size > 1024 * 1024 for one in packed
    ):
        raise FileTooLarge(what="bytes unpacked", limit=MOST_UNPACKED)

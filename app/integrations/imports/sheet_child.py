"""The child that opens a spreadsheet: bytes in on standard input, rows out as JSON. Knows nothing of the rest."""

import json
import sys
from datetime import date, datetime, time
from io import BytesIO

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 15
MOST_CELLS = 5_000_000


def limited() -> None:
    """Little memory and time for this process; where the system knows no such limits, the parent's clock remains."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def plain(cell: object) -> object:
    """A cell for JSON: days and times as a pair of kind and text, so that they are not taken for text."""
    if isinstance(cell, datetime):
        return ["datetime", cell.isoformat()]
    if isinstance(cell, date):
        return ["date", cell.isoformat()]
    if isinstance(cell, time):
        return ["time", cell.isoformat()]
    return cell if isinstance(cell, str | int | float | bool) else str(cell)


def main() -> None:
    raw = sys.stdin.buffer.read()
    limited()
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(raw))
        sheet = book.get_sheet_by_index(0)
        if sheet.total_height * sheet.total_width > MOST_CELLS:
            sys.exit(f"over {MOST_CELLS} cells")
        rows = sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, IndexError, ValueError) as broken:
        sys.exit(str(broken) or type(broken).__name__)
    json.dump([[plain(cell) for cell in row] for row in rows], sys.stdout)


if __name__ == "__main__":
    main()

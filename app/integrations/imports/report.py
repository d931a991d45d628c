"""The failed rows of an import as a CSV file: what stood in them, and why they were refused."""

import csv
from typing import TextIO

from app.core.i18n import Language, text
from app.integrations.imports.load import Bad
from app.integrations.imports.table import Table, guarded


def sentence(bad: Bad, language: Language) -> str:
    """Why a row is bad, in words."""
    return text(bad.code, bad.facts, language)


def write_report(target: TextIO, table: Table, bad: list[Bad], language: Language) -> int:
    """Write each bad row with its line, field and reason, one line per reason. Gives how many lines.

    Texts that a spreadsheet would take for formulas are guarded; the importer takes the guard off again.
    """
    rows = {row.line: row for row in table.rows}
    writer = csv.writer(target)
    writer.writerow(["line", "field", "reason", *table.columns])
    for one in bad:
        cells = rows[one.line].cells if one.line in rows else {}
        shown = [guarded(str(cells.get(column, ""))) for column in table.columns]
        writer.writerow([one.line, one.field, sentence(one, language), *shown])
    return len(bad)

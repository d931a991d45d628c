"""Why a whole file is refused, before any of its rows is looked at."""

from app.core.errors import BadRequest, Refusal, Unprocessable


class FileTooLarge(Refusal):
    """More bytes, rows, columns or a longer line than an import takes."""

    status, code = 413, "imports.too_large"


class LineTooLong(Refusal):
    """One line of text that no table has; most often a file that is no table."""

    status, code = 413, "imports.line_too_long"


class UnknownEncoding(BadRequest):
    """The bytes are no text in an encoding we can tell."""

    code = "imports.encoding_unknown"


class WrongEncoding(BadRequest):
    """The bytes are not in the encoding that was stated."""

    code = "imports.encoding_wrong"


class BrokenTable(BadRequest):
    """The file is cut off, or its quotes do not match."""

    code = "imports.broken_table"


class BrokenSpreadsheet(Refusal):
    """The spreadsheet cannot be opened, or opening it would take more memory or time than allowed."""

    status, code = 422, "imports.broken_sheet"


class OldSpreadsheet(BadRequest):
    """An .xls or an encrypted file."""

    code = "imports.old_sheet"


class NoRows(Unprocessable):
    """A file without a row below its headings."""

    code = "imports.no_rows"


class BadHeadings(Unprocessable):
    """Columns that are unknown, missing, named twice or not named; each is in `errors`."""

    code = "imports.bad_headings"


class BadCalendarRange(BadRequest):
    """Not a country and years as in CN:2026 or CN:2015-2027."""

    code = "imports.bad_calendar_range"


class AlreadyImported(Refusal):
    """The row is in the database as it stands in the file."""

    status, code = 409, "imports.already_there"

"""Reports: the question as the title, the sentence that answers it, one chart, the table, the misses with reasons."""

from app.web.reports import doors, files

HANDLERS = [*doors.HANDLERS, *files.HANDLERS]

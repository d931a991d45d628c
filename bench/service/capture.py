"""The product's own statements, seen on their way to the driver, and as a script that pgbench can run."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

OUR_ID = re.compile(r"\b(?:req|lin|ver|evt|hk)_([0-9a-f]{32})\b")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as the driver gets it: `$1…` and their values."""

    sql: str
    parameters: tuple[Any, ...]


@contextmanager
def captured(engine: AsyncEngine) -> Iterator[list[Statement]]:
    """Every statement the engine runs in the block, rows of one statement each for themselves."""
    found: list[Statement] = []

    def note(_: Any, __: Any, sql: str, parameters: Any, ___: Any, many: bool) -> None:
        found.extend(Statement(sql, tuple(one)) for one in (parameters if many else [parameters]))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


def transaction_script(statements: list[Statement]) -> str:
    """One write transaction as a pgbench script whose made-up ids differ each time; `:k` and `:run` are given with -D.

    11 digits of time, two that tell the ids of one transaction apart, 19 of the run: as long and as ordered as ours.
    """
    texts = [literal_sql(one) for one in statements]
    for number, one in enumerate(dict.fromkeys(one for text in texts for one in OUR_ID.findall(text))):
        texts = [text.replace(one, f"{one[:11]}{number:02x}' || CAST(:n AS text) || E'") for text in texts]
    head = ["\\set k :k + 1", "\\set n 1000000000000000000 + (:run * 10000000 + :k) * 128 + :client_id"]
    return "\n".join([*head, "BEGIN;", *(f"{text};" for text in texts), "COMMIT;", ""])


def literal_sql(statement: Statement) -> str:
    """The statement on one line with its values written out."""
    sql = re.sub(r"\s+", " ", statement.sql).strip()
    return re.sub(r"\$(\d+)", lambda found: literal(statement.parameters[int(found[1]) - 1]), sql)


def read_script(statement: Statement) -> tuple[str, dict[str, str]]:
    """One read as a pgbench script with the same parameters, lists and texts as variables: one plan for all of them,
    as the product's prepared statement has it."""
    variables = {
        f"p{number}": "{" + ",".join(value) + "}" if isinstance(value, list) else value.isoformat()
        for number, value in enumerate(statement.parameters, 1)
        if isinstance(value, list | datetime)
    }
    sql = re.sub(r"\s+", " ", statement.sql).strip()

    def bound(found: re.Match[str]) -> str:
        name = f"p{found[1]}"
        return f":{name}" if name in variables else literal(statement.parameters[int(found[1]) - 1])

    return re.sub(r"\$(\d+)", bound, sql) + ";\n", variables


def literal(value: Any) -> str:
    """A value as PostgreSQL writes it.

    Strings are in parentheses, so that a cast after one takes all of it, and spell their colons so that pgbench takes
    none for a variable of its own.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case datetime():
            return f"CAST('{value.isoformat()}' AS timestamptz)"
        case date():
            return f"CAST('{value.isoformat()}' AS date)"
        case list() | tuple():
            return f"ARRAY[{', '.join(map(literal, value))}]"
        case bytes():
            return f"CAST('\\x{value.hex()}' AS bytea)"
        case str():
            plain = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
            return "(E'" + re.sub(r":(?=[^\W\d])", r"\\x3a", plain) + "')"
        case _:
            raise TypeError(f"no literal for {type(value)}")

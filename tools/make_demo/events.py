"""One constructor per kind of device event: rows of device_events.csv before they get their `ref`."""

from datetime import date, datetime

from tools.make_demo.basics import Row, instant

FIELDS = (
    "ref",
    "serial",
    "type",
    "occurred_at",
    "on",
    "position",
    "part_number",
    "new_serial",
    "part_serial",
    "cause",
    "system_stopped",
    "months",
    "reason",
    "from",
    "site",
    "event_ref",
)


def moment(when: str | datetime) -> datetime:
    """`2017-05-10 09:30` means Beijing time; a full ISO instant is taken as it is."""
    if isinstance(when, datetime):
        return when
    if "T" in when:
        return datetime.fromisoformat(when)
    day, clock = when.split()
    return instant(date.fromisoformat(day), clock)


def event(serial: str, kind: str, when: str | datetime, **payload: object) -> Row:
    """Any event; `corrects` holds the very row that a correction is about, until refs are given."""
    return {"serial": serial, "type": kind, "occurred_at": moment(when), **payload}


def replaced(
    serial: str, when: str | datetime, position: str, part: str, cause: str, *, stopped: bool = True, new: str = ""
) -> Row:
    """A component was replaced; `new` is the serial of the part put in, where it has one."""
    return event(
        serial,
        "component_replaced",
        when,
        position=position,
        part_number=part,
        part_serial=new or None,
        cause=cause,
        system_stopped=stopped,
    )


def swapped(serial: str, when: str | datetime, successor: str, cause: str, *, stopped: bool = True) -> Row:
    """The whole device was replaced (W13); later events belong to the successor."""
    return event(serial, "device_replaced", when, new_serial=successor, cause=cause, system_stopped=stopped)


def confirmed(serial: str, when: str | datetime, position: str) -> Row:
    """Normal operation was confirmed: the anchor of a restart (W4)."""
    return event(serial, "operation_confirmed", when, position=position)


def numbered(rows: list[Row]) -> list[Row]:
    """Sorted by time, each with its `ref`; a correction names the ref of the row it is about."""
    ordered = sorted(rows, key=lambda row: (row["occurred_at"], row["serial"], row["type"]))
    for number, row in enumerate(ordered, 1):
        row["ref"] = f"EV-{number:05}"
    for row in ordered:
        corrects = row.pop("corrects", None)
        if corrects is not None:
            row["event_ref"] = corrects["ref"]
    return ordered

"""From an event on the wire to a typed event: which fields each type needs and knows."""

from datetime import date
from typing import Any

import msgspec

from app.core.errors import FieldError
from app.core.http import BadFields
from app.warranty.rules.events import TYPES, Corrected, What, plain
from app.warranty.schemas import EventIn

NEEDED: dict[str, tuple[str, ...]] = {
    "accepted": ("on",),
    "component_installed": ("position", "part_number"),
    "component_replaced": ("position", "cause", "system_stopped"),
    "device_replaced": ("new_serial", "cause", "system_stopped"),
    "operation_confirmed": ("position",),
    "extended": ("months", "reason"),
    "voided": ("reason",),
    "transferred": ("site",),
    "corrected": ("event", "reason"),
}
KNOWN: dict[str, tuple[str, ...]] = {
    "component_installed": ("serial",),
    "component_replaced": ("part_number", "serial", "failed_at"),
    "device_replaced": ("part_number", "failed_at"),
    "operation_confirmed": ("presumed",),
    "voided": ("position", "from_day"),
    "corrected": (
        "on", "position", "part_number", "serial", "new_serial", "cause", "system_stopped", "failed_at", "presumed",
        "months", "from_day", "site", "happened_at", "withdrawn",
    ),
}  # fmt: skip
WIRE_NAMES = {one.name: one.encode_name for one in msgspec.structs.fields(EventIn)}
OWN = ("event", "reason", "happened_at", "withdrawn")


def what_of_wire(new: EventIn, *, on: date) -> What:
    """The typed event; `on` is the site's day of the event, from which a void counts unless it says otherwise.

    Raises BadFields naming every field that is missing or does not belong to the type.
    """
    given = {
        name: value
        for name in EventIn.__struct_fields__
        if name not in ("type", "occurred_at") and (value := getattr(new, name)) is not None
    }
    needed, known = NEEDED[new.type], KNOWN.get(new.type, ())
    errors = [FieldError(WIRE_NAMES[name], "field.required") for name in needed if name not in given]
    errors += [FieldError(WIRE_NAMES[name], "field.unknown") for name in given if name not in needed + known]
    if errors:
        raise BadFields(errors=errors)
    if new.type == "corrected":
        return correction(given)
    if new.type == "voided":
        given.setdefault("from_day", on)
    made: What = TYPES[new.type](**given)
    return made


def correction(given: dict[str, Any]) -> Corrected:
    """A correction: its own fields, and the changes in plain form."""
    own = {name: given.pop(name) for name in OWN if name in given}
    return Corrected(**own, changes={name: plain(value) for name, value in given.items()})

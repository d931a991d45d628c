"""A connection as data: how to verify, where the fields are, what becomes of them, what goes back. And paths into JSON."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

Priority = Literal["general", "severe", "emergency"]
Status = Literal["open", "closed", "canceled"]
STEP = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]|\[([^=\[\]]+)=([^\[\]]*)\]")
LONGEST = 2000


class Shape(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Part of a profile; a misspelt name is refused."""


class Verify(Shape, kw_only=True, frozen=True):
    """How a delivery proves whose it is. `signed` is built of {body}, {timestamp}, {id}; the signature may be one of
    several, parted by blanks."""

    kind: Literal["none", "token", "basic", "hmac"] = "hmac"
    header: str = "x-signature"
    prefix: str = ""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    key_encoding: Literal["text", "base64"] = "text"
    signed: str = "{body}"
    timestamp_header: str | None = None
    tolerance_s: int = 300
    id_header: str | None = None


class Identity(Shape, kw_only=True, frozen=True):
    """What tells one delivery from another: a header, paths, or the body's digest where there is neither."""

    header: str | None = None
    paths: list[str] = []


class Labeled(Shape, kw_only=True, frozen=True):
    """A value that stands in a text behind a label: `S/N:` in a description, up to the next blank."""

    path: str
    after: list[str]


class Events(Shape, kw_only=True, frozen=True):
    """Which kind of event a delivery tells of, and what it means: `seen` (a ticket as it stands) or `canceled`. Kinds
    that are not listed are kept without effect; without a path or header every delivery is `seen`."""

    path: str | None = None
    header: str | None = None
    known: dict[str, Literal["seen", "canceled"]] = {}


class Condition(Shape, kw_only=True, frozen=True):
    """A ticket asks for parts only where the value at the path is one of these, compared without case."""

    path: str
    any_of: list[str]


class Becomes(Shape, kw_only=True, frozen=True):
    """What is filled in where a ticket does not say it."""

    only_if: list[Condition] = []
    cause: str = "undetermined"
    system_stopped: bool = False
    quantity: int = 1
    priority: Priority = "general"
    status: Status = "open"


class Credentials(Shape, kw_only=True, frozen=True):
    """How we prove ourselves to the ticketing system: the secret as it is, behind a prefix, or as user:password."""

    kind: Literal["none", "header", "basic"] = "none"
    header: str = "authorization"
    prefix: str = ""


class WriteCall(Shape, kw_only=True, frozen=True):
    """One call into the ticket for some events. Texts may hold {text}, {link}, {eta}, {number}, {id}, {request}, {state}."""

    on: list[str]
    path: str
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    body: dict[str, Any] = {}


class Poll(Shape, kw_only=True, frozen=True):
    """Asking for tickets where none are sent: {since} in the path is the last time asked, {ago} how long ago that was
    (`7 minutes ago`), for systems that read every time as one of their own zone."""

    path: str
    items: str | None = None
    next: str | None = None
    wrap: str | None = None
    every_s: int = 60
    since_format: str = "%Y-%m-%dT%H:%M:%SZ"


class Profile(Shape, kw_only=True, frozen=True):
    """A ticketing system as data."""

    title: str
    verify: Verify = Verify()
    identity: Identity = Identity()
    events: Events = Events()
    fields: dict[str, list[str | Labeled]] = {}
    statuses: dict[str, Status] = {}
    priorities: dict[str, Priority] = {}
    becomes: Becomes = Becomes()
    credentials: Credentials = Credentials()
    write_back: dict[str, WriteCall] = {}
    poll: Poll | None = None


FIELDS = (
    "number", "id", "title", "description", "status", "priority", "serial", "part", "quantity", "position", "requester",
    "url", "edition", "reported_at", "cause", "system_stopped",
)  # fmt: skip


class ProfileWrong(ValueError):
    """The overrides do not fit a profile; `at` is the path where known."""

    def __init__(self, at: str, why: str) -> None:
        super().__init__(f"{at}: {why}")
        self.at, self.why = at, why


def merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides laid over a profile: tables are merged, everything else is replaced, null takes away."""
    found = dict(base)
    for name, value in overrides.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(found.get(name), Mapping):
            found[name] = merged(found[name], value)
        else:
            found[name] = value
    return found


def by_name(calls: Any) -> Any:
    """The calls back as a table by name: overrides may also list them, with their names inside, and mean no others."""
    if not isinstance(calls, list) or not all(isinstance(one, Mapping) for one in calls):
        return calls
    return {
        str(one.get("name", number)): {name: value for name, value in one.items() if name != "name"}
        for number, one in enumerate(calls, 1)
    }


def profile_of(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> Profile:
    """A provider's profile with a connection's own changes. Raises ProfileWrong."""
    whole = merged(base, overrides)
    try:
        profile = msgspec.convert(whole | {"write_back": by_name(whole.get("write_back", {}))}, Profile)
    except msgspec.ValidationError as wrong:
        why, _, at = str(wrong).partition(" - at `$.")
        raise ProfileWrong(f"overrides.{at.rstrip('`')}" if at else "overrides", why) from wrong
    strangers = sorted(set(profile.fields) - set(FIELDS))
    if strangers:
        raise ProfileWrong(f"overrides.fields.{strangers[0]}", f"one of {', '.join(FIELDS)}")
    for call in profile.write_back.values():
        if not call.path.startswith("/") and call.path:
            raise ProfileWrong("overrides.write_back", "path: starts with a slash")
    if profile.poll is not None and not profile.poll.path.startswith("/"):
        raise ProfileWrong("overrides.poll", "path: starts with a slash")
    return profile


def value_at(document: Any, path: str) -> Any:
    """What lies at a path such as `ticket.fields[name=Serial].value` or `rows[-1].id`; None where there is nothing."""
    found = document
    for step in STEP.finditer(path):
        name, index, key, wanted = step.groups()
        if name is not None:
            found = found.get(name) if isinstance(found, dict) else None
        elif index is not None:
            found = _nth(found, int(index))
        else:
            found = _where(found, key, wanted)
        if found is None:
            return None
    return found


def _nth(found: Any, index: int) -> Any:
    inside = isinstance(found, list) and -len(found) <= index < len(found)
    return found[index] if inside else None


def _where(found: Any, key: str, wanted: str) -> Any:
    rows: Iterable[Any] = found if isinstance(found, list) else ()
    return next((one for one in rows if isinstance(one, dict) and plain_text(one.get(key)) == wanted), None)


def plain_text(value: Any) -> str | None:
    """A JSON scalar as text without blanks around it or anything PostgreSQL cannot store; None for all else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        told = str(value).replace("\x00", "").strip()
        return told or None
    return None


def field_of(document: Any, wanted: Iterable[str | Labeled]) -> str | None:
    """The first of several places that holds something."""
    for one in wanted:
        path = one if isinstance(one, str) else one.path
        told = plain_text(value_at(document, path))
        if told is not None and isinstance(one, Labeled):
            told = _behind(told, one.after)
        if told is not None:
            return told[:LONGEST]
    return None


def _behind(text: str, labels: Iterable[str]) -> str | None:
    """The word behind the first of several labels."""
    for label in labels:
        _, met, rest = text.partition(label)
        words = rest.split(maxsplit=1)
        if met and words:
            return words[0].strip(",.;:，。；、")
    return None

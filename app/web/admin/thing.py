"""One thing that is set up, as a page: its fields, hours and map, what belongs to it, and what a change brings about."""

from dataclasses import dataclass
from typing import Any, Literal

from litestar import Request, Response

from app.web.admin.filled import Filled
from app.web.admin.hours import HoursField
from app.web.render import page
from app.web.sessions import SignedIn

Sort = Literal["text", "code", "number", "decimal", "pick", "tick", "lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One field. `options` are value and words; `empty` are the words for no choice."""

    name: str
    label: str
    sort: Sort = "text"
    hint: str = ""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    empty: str | None = None
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Things of another kind that belong to this one, to tick: code, name, whether it is ticked."""

    name: str
    label: str
    hint: str
    options: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something about the thing that is not changed here; `href` leads to where it is."""

    label: str
    words: str
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """The page. Without `version` the thing is not there yet."""

    title: str
    address: str
    back: str
    save: str
    consequence: str
    inputs: tuple[Input, ...]
    version: int | None = None
    shown_code: str | None = None
    subject: str | None = None
    hours: HoursField | None = None
    hours_words: tuple[tuple[str, str], ...] = ()
    members: tuple[Members, ...] = ()
    map: str | None = None
    doubt: str | None = None
    warnings: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


def thing_page(request: Request[Any, Any, Any], who: SignedIn, thing: Thing, filled: Filled) -> Response[str]:
    return page(request, "admin/thing.html", status=filled.status, who=who, thing=thing, f=filled)


def coordinates(say: Any) -> tuple[Input, Input]:
    """The two fields of a spot on earth."""
    hint = say("Degrees, north and east positive, as maps show them: 38.4872")
    return (
        Input(name="latitude", label=say("Latitude"), sort="decimal", hint=hint, required=True, low="-90", high="90"),
        Input(name="longitude", label=say("Longitude"), sort="decimal", required=True, low="-180", high="180"),
    )

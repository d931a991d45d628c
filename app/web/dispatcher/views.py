"""The finished values of the dispatcher's pages, word for word."""

from dataclasses import dataclass

from app.web.views import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One thing to do, and the values its form sends; without an address it is done by telling somebody."""

    words: str
    address: str | None
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRow:
    """What would help: what to do, all of it, what it wins and what it costs."""

    changes: tuple[ChangeRow, ...]
    outcome: str
    standing: Standing
    costs: tuple[str, ...]
    needs_customer: bool
    needs_approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFixes:
    """One line with what clashes, what would bring it sooner, who may be given it, and whom it is given to."""

    line: str
    part_number: str
    part_name: str
    standing: Standing
    stands: str
    clash_words: str
    clash: tuple[str, ...]
    fixes: tuple[FixRow, ...]
    pinned: str | None
    couriers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixPanel:
    """All that a dispatcher can do about one request."""

    request: str
    label: str
    site: str
    customer: str
    priority_word: str
    why: tuple[str, ...]
    lines: tuple[LineFixes, ...]
    plan_agreed: str | None
    called: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line in two plans."""

    label: str
    address: str
    site: str
    before: str
    after: str
    standing: Standing
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What the newest plan changed, and how much driving it takes."""

    region: str
    area_name: str
    sentence: str
    rows: tuple[Change, ...]
    driving: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRow:
    """One step of an escalation: when, about which clock, who was told, and how the request stands now."""

    seq: int
    at: str
    label: str
    address: str
    site: str
    what: str
    level: str
    standing: Standing
    told: str
    state: str
    priority_word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalations:
    rows: tuple[EscalationRow, ...]
    older: str | None
    show: str

"""From a stored verdict to its finished page: the answer, what it rests on, and the picture folded anew from its inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from app.accounts.rules import Actor
from app.core.money import Money
from app.warranty.queries.lives import Proof
from app.warranty.rules.events import NAMES, payload_of
from app.warranty.rules.inputs import Candidate, VerdictInputs
from app.warranty.schemas import EventOut, VerdictOut
from app.web import addresses
from app.web.engineer.device_view import HistoryRow, history_row, terms_told
from app.web.engineer.request_view import failure_told
from app.web.engineer.words import full_time
from app.web.life import Picture, day_at, drawn
from app.web.render import Words
from app.web.verdict import Verdict, stored_verdict, verdict_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What a line of the request costs the customer under this verdict."""

    part: str
    net: str
    tax: str
    gross: str
    currency: str
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """Everything the page shows."""

    id: str
    link: str
    verdict: Verdict
    serial: str | None
    device: str | None
    position: str
    model_candidates: int
    on: str
    zone: str
    request: str | None
    request_label: str
    given: datetime
    given_at: str
    given_by: str
    fingerprint: str
    rule_version: str
    calendar_version: str
    failure: tuple[tuple[str, str], ...]
    reported: str
    terms: tuple[str, ...]
    events: tuple[HistoryRow, ...]
    picture: Picture | None
    supersedes: str | None
    superseded_by: str | None
    amounts: tuple[Amount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Names for what the verdict holds as codes."""

    parts: Mapping[str, str]
    people: Mapping[str, str]
    model: str
    site: str
    customer: str
    contract: str


def view_of(
    out: VerdictOut,
    outcome: Any,
    inputs: VerdictInputs,
    proof: Proof | None,
    lines: Sequence[Any],
    named: Named,
    *,
    actor: Actor,
    link: str,
    fingerprint: str,
    say: Words,
) -> VerdictView:
    """The finished page."""
    zone, first = out.coverage["zone"], inputs.candidates[0]
    mine = [one for one in lines if one.position in (None, inputs.position)]
    return VerdictView(
        id=out.id,
        link=link,
        verdict=stored_verdict(outcome, out.reasons, say),
        serial=out.device_serial,
        device=f"/devices/{quote(out.device_serial, safe='')}" if out.device_serial else None,
        position=inputs.position,
        model_candidates=len(inputs.candidates),
        on=out.coverage["on"],
        zone=zone,
        request=addresses.request(out.subject) if out.subject and lines else None,
        request_label=lines[0].ticket_number or f"R-{lines[0].request[-5:].upper()}" if lines else "",
        given=out.given_at,
        fingerprint=fingerprint,
        given_at=full_time(out.given_at, zone),
        given_by=named.people.get(out.given_by, out.given_by),
        rule_version=out.rule_version,
        calendar_version=out.calendar_version or "",
        failure=failure_told(Failed(inputs), zone, say),
        reported=full_time(inputs.failure.reported_at, zone),
        terms=tuple(terms_told(first.installation.terms.plain(), say)) if inputs.serial_known else (),
        events=tuple(events_told(first, zone, say)) if inputs.serial_known else (),
        picture=picture_of(proof, out, named, say) if proof else None,
        supersedes=out.supersedes,
        superseded_by=out.superseded_by,
        amounts=tuple(amount(one, named) for one in mine) if actor.sees_price else (),
    )  # fmt: skip


class Failed:
    """The failure as a request's row names it."""

    def __init__(self, inputs: VerdictInputs) -> None:
        one = inputs.failure
        self.failed_at, self.cause, self.system_stopped, self.found_on = (
            one.occurred_at, one.cause, one.system_stopped, one.found_on
        )  # fmt: skip


def events_told(one: Candidate, zone: str, say: Words) -> Sequence[HistoryRow]:
    """The history as it was known when the verdict was given."""
    return [
        history_row(
            EventOut(
                id=event.id,
                type=NAMES[type(event.what)],
                serial=one.serial,
                occurred_at=event.occurred_at,
                recorded_at=event.recorded_at,
                actor="",
                payload=payload_of(event.what),
                version=event.seq,
            ),
            zone,
            {"": ""},
            say,
        )
        for event in one.events
    ]


def picture_of(proof: Proof, out: VerdictOut, named: Named, say: Words) -> Picture:
    """The unit and the position that failed, on the day of the failure; the solid line is the day it was given."""
    on = date.fromisoformat(out.coverage["on"])
    verdicts = {
        position: verdict_of(
            status=state.status,
            first_day=state.first_day,
            last_day=state.last_day,
            payer=state.payer,
            on=on,
            say=say,
        )
        for position, state in proof.states.items()
    }
    return drawn(
        proof.lifetimes,
        verdicts=verdicts,
        parts={one.position: one.part_number for one in proof.lifetimes},
        names=named.parts,
        on=on,
        today=day_at(out.given_at, out.coverage["zone"]),
        say=say,
        from_day=proof.delivered_on,
        today_word=say("verdict given"),
    )


def amount(one: Any, named: Named) -> Amount:
    return Amount(
        part=f"{named.parts.get(one.supplied_part_number, one.supplied_part_number)} ×{one.quantity}",
        net=Money(one.net_minor, one.currency).amount,
        tax=Money(one.tax_minor, one.currency).amount,
        gross=Money(one.gross_minor, one.currency).amount,
        currency=one.currency,
        ended=one.state in ("canceled", "lost"),
    )

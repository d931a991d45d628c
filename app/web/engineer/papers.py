"""A verdict on paper: the page's finished values as the value that is set and printed."""

from datetime import date, datetime
from typing import Any

from app.accounts.rules import Actor
from app.core.settings import Settings
from app.warranty.queries.lives import Proof
from app.warranty.rules.events import UNIT
from app.warranty.rules.inputs import VerdictInputs
from app.warranty.rules.lifetimes import Lifetime
from app.web import paper
from app.web.engineer.verdict_view import Named, VerdictView
from app.web.life import day_at
from app.web.render import Words
from app.web.verdict import PAYS


def verdict_paper(
    view: VerdictView,
    inputs: VerdictInputs,
    proof: Proof | None,
    named: Named,
    *,
    actor: Actor,
    settings: Settings,
    now: datetime,
    say: Words,
) -> paper.VerdictPaper:
    """The same answer as the page gives, in the same words."""
    said = view.verdict
    price = ", ".join(f"{one.gross} {one.currency}" for one in view.amounts if not one.ended)
    notes = list(said.notes)
    if view.superseded_by:
        notes.append(say("A later fact made a new verdict:") + " " + view.superseded_by)
    return paper.VerdictPaper(
        head=paper.letterhead(settings),
        verdict=view.id,
        link=view.link,
        standing="ok" if said.tone == "covered" else "risk",
        word=said.word,
        until=said.until,
        payer=said.payer,
        device=view.serial or say("Serial not readable"),
        model=named.model,
        site=named.site,
        customer=named.customer,
        contract=named.contract,
        failure=" · ".join(f"{word} {value}" for word, value in view.failure),
        reasons=tuple(paper.ReasonLine(rule=one.rule, words=one.text) for one in said.why),
        timeline=timeline(proof, view, named, say) if proof is not None else None,
        given_at=view.given,
        made_at=now,
        zone=view.zone,
        rule_version=view.rule_version,
        calendar_version=view.calendar_version or None,
        position=inputs.position,
        price=price or None if actor.sees_price else None,
        notes=tuple(notes),
        fingerprint=view.fingerprint,
    )


def timeline(proof: Proof, view: VerdictView, named: Named, say: Words) -> paper.Timeline:
    """The unit and the position that failed; the line of today is the day the verdict was given."""
    rows = {one.position: timeline_row(one, view, named, say) for one in proof.lifetimes}
    return paper.Timeline(
        device=rows[UNIT],
        positions=tuple(row for position, row in rows.items() if position != UNIT),
        today=day_at(view.given, view.zone),
        failed_on=date.fromisoformat(view.on),
    )


def timeline_row(one: Lifetime, view: VerdictView, named: Named, say: Words) -> Any:
    return paper.TimelineRow(
        name=say("the whole device") if one.position == UNIT else one.position,
        part=view.serial if one.position == UNIT else named.parts.get(one.part_number, one.part_number),
        key=one.key and one.position != UNIT,
        bars=tuple(
            paper.Bar(first=layer.first, last=layer.last, kind=stretch.kind, payer=say(PAYS[layer.payer]))
            for stretch in one.stretches
            for layer in stretch.paid
        ),
    )

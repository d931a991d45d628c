"""The papers that go to customers: quotation and verdict."""

from typing import Any

from app.core.money import zero
from app.web.paper.drawing import link_code, picture
from app.web.paper.press import PRESS
from app.web.paper.values import Quotation, QuotedLine, VerdictPaper
from app.web.paper.warehouse_papers import party
from app.web.paper.words import amount, frame, money, wall_time
from app.web.render import Words


async def quotation(paper: Quotation, say: Words) -> bytes:
    """The quotation as PDF, A4: parts at procurement cost, every service at nothing, a place to sign."""
    data = frame(say("Quotation"), paper.head, paper.made_at, paper.zone, say)
    until = wall_time(paper.valid_until, paper.zone)
    data["words"] |= {
        "to": say("For"),
        "total": say("To pay"),
        "with_tax": say("tax included"),
        "valid": say("Valid until {at}", at=until),
        "device": say("Device"),
        "model": say("Model"),
        "contract": say("Contract"),
        "date": say("Date"),
        "part": say("Part, at procurement cost"),
        "quantity": say("Quantity"),
        "net": say("Net"),
        "tax": say("Tax amount"),
        "tax_rate": say("Tax {rate}", rate=paper.tax_rate),
        "gross": say("Gross"),
        "consent_title": say("Consent"),
        "consent": say(
            "We agree to this price of {amount}. The parts are sent once this is signed.", amount=money(paper.gross)
        ),
        "name": say("Name and company"),
        "signature": say("Signature or seal"),
        "signed_on": say("Date"),
    }
    data |= {
        "label": paper.label,
        "qr": link_code(paper.link),
        "link": paper.link,
        "to": party(paper.to),
        "device": paper.device,
        "model": paper.model,
        "contract": paper.contract,
        "date": wall_time(paper.made_at, paper.zone)[:10],
        "why": list(paper.why),
        "lines": [_quoted(one) for one in paper.lines],
        "services": [say("Transport"), say("Insurance"), say("Installation and testing"), say("Labor and service")],
        "currency": paper.gross.currency,
        "zero": amount(zero(paper.gross.currency)),
        "net": money(paper.net),
        "tax": money(paper.tax),
        "gross": money(paper.gross),
        "provisional": paper.provisional,
    }
    return await PRESS.set("quotation", data, made_at=paper.made_at)


def _quoted(one: QuotedLine) -> dict[str, Any]:
    amounts = {"net": amount(one.net), "tax": amount(one.tax), "gross": amount(one.gross)}
    return {
        "part_number": one.part_number,
        "part_name": one.part_name,
        "quantity": one.quantity,
        "note": one.note,
    } | amounts


async def verdict(paper: VerdictPaper, say: Words) -> bytes:
    """The verdict as PDF, A4: the answer, the picture of the warranty, and the rules that lead to it."""
    data = frame(say("Warranty verdict"), paper.head, paper.made_at, paper.zone, say)
    given = wall_time(paper.given_at, paper.zone)
    rules = say("rules version {version}", version=paper.rule_version)
    calendar = say("calendar {version}", version=paper.calendar_version) if paper.calendar_version else ""
    data["words"] |= {
        "payer": say("Who pays"),
        "device": say("Device"),
        "model": say("Model"),
        "position": say("Position"),
        "site": say("Site"),
        "customer": say("Customer"),
        "contract": say("Contract"),
        "failure": say("Failure"),
        "why": say("Why it was decided so"),
        "rule": say("Rule"),
        "reason": say("What it says here"),
        "given": " · ".join(one for one in (say("Given {at}", at=given), rules, calendar) if one),
        "fingerprint": say("Fingerprint of the outcome"),
        "replay": say("This verdict is stored with everything it rests on and can be replayed to the same result."),
    }
    taken = ("head", "made_at", "given_at", "zone", "timeline", "reasons", "rule_version", "calendar_version")
    data |= {name: getattr(paper, name) for name in paper.__slots__ if name not in taken}
    data |= {
        "verdict_short": f"V-{paper.verdict[-5:].upper()}",
        "qr": link_code(paper.link),
        "reasons": [{"rule": one.rule, "words": one.words} for one in paper.reasons],
        "timeline": picture(paper.timeline, say) if paper.timeline is not None else None,
    }
    return await PRESS.set("verdict", data, made_at=paper.made_at)

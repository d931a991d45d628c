"""A contract's terms: in words with the rule that each rests on, as fields to fill in, and back as the API's body."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.network.schemas import TermsIn
from app.web.admin.words import CLOCK_LABEL, PRIORITY_ORDER
from app.web.forms import Form
from app.web.render import Words
from app.web.words import PRIORITY

SCOPE = {"part": "that part alone", "device": "the whole device"}
INSPECTIONS = {"monthly": "every month", "quarterly": "every quarter", "both": "every month and every quarter"}
NUMBERS = ("months", "oem_months", "oem_service_months", "return_days", "doa_days", "local_hours", "national_hours")
FLAGS = ("restart_after_expiry", "holiday_rollover", "commit_after_warranty")
PLAIN = ("restart_scope", "calendar", "tax_rate", "inspections")


def terms_in_words(raw: Mapping[str, Any], say: Words) -> tuple[tuple[str, str], ...]:
    """Each promise with the rule it rests on."""
    one = msgspec.convert(dict(raw), TermsIn)
    told = [
        ("W1", say("Warranty for {months} months, from the day after the acceptance.", months=one.months)),
        ("W9", payers_in_words(one, say)),
        ("W4", say("A key part whose failure stopped the system starts anew once replaced: {scope}.",
                   scope=say(SCOPE[one.restart_scope]))),
        ("W4", say("It does so after the warranty has ended, too.") if one.restart_after_expiry
         else say("It does so only while the warranty runs.")),
        ("W2", say("A last day on a day off moves to the next working day ({calendar}).", calendar=one.calendar)
         if one.holiday_rollover else say("A last day stays where it falls, day off or not.")),
        ("W8", say("What is found wrong on opening is exchanged within {days} days of delivery.", days=one.doa_days)
         if one.doa_days is not None else say("What is found wrong on opening is exchanged, whenever that is.")),
        ("W8", say("Complete goods may go back without a reason within {days} days of delivery.", days=one.return_days)),
        ("C1", say("From local stock: replaced within {hours} hours.", hours=one.local_hours)),
        ("C2", say("From elsewhere: with a carrier within {hours} hours.", hours=one.national_hours)),
        ("P2", say("After the warranty the part costs what we paid for it; work and transport are free.")
         if float(one.tax_rate) == 0 else
         say("After the warranty the part costs what we paid for it, and {percent} % tax; work and transport are free.",
             percent=f"{float(one.tax_rate) * 100:g}")),
        ("C3", say("The hours hold after the warranty as well.") if one.commit_after_warranty
         else say("The hours hold only under warranty.")),
    ]  # fmt: skip
    if one.inspections:
        told.append(("A2", say("Inspected {often}.", often=say(INSPECTIONS[one.inspections]))))
    return tuple(told)


def payers_in_words(one: TermsIn, say: Words) -> str:
    oem = min(one.oem_months, one.months)
    service = min(one.oem_months + one.oem_service_months, one.months) - oem
    if service > 0:
        return say(
            "The manufacturer bears months 1 to {oem}, the service we bought there the {service} months after, we the rest.",
            oem=oem,
            service=service,
        )
    return say("The manufacturer bears months 1 to {oem}, we the rest.", oem=oem)


def clocks_in_words(raw: Mapping[str, Any], say: Words) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """C4: for each priority the minutes of each clock."""
    clocks = msgspec.convert(dict(raw), TermsIn).clocks
    return tuple(
        (
            say(PRIORITY[priority]),
            tuple(minutes(getattr(getattr(clocks, priority), name), say) for name in CLOCK_LABEL),
        )
        for priority in PRIORITY_ORDER
    )


def minutes(many: int | None, say: Words) -> str:
    if many is None:
        return "—"
    if many >= 60 and many % 60 == 0:
        return say("{hours} h", hours=many // 60)
    return say("{minutes} min", minutes=many)


def terms_values(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Terms that stand, as the fields' values."""
    one = msgspec.convert(dict(raw), TermsIn)
    values = {name: getattr(one, name) for name in (*NUMBERS, *FLAGS, *PLAIN)}
    for priority in PRIORITY_ORDER:
        for name in CLOCK_LABEL:
            values[f"{priority}_{name}"] = getattr(getattr(one.clocks, priority), name)
    return values


def terms_in(form: Form) -> TermsIn:
    """The terms that a form says. Raises BadFields by the fields' own names."""
    clocks = {
        priority: {name: _number(form.text(f"{priority}_{name}")) for name in CLOCK_LABEL}
        for priority in PRIORITY_ORDER
    }
    return form.into(
        TermsIn,
        clocks=clocks,
        doa_days=_number(form.text("doa_days")),
        inspections=form.text("inspections"),
        **{name: form.flag(name) for name in FLAGS},
    )


def _number(typed: str | None) -> Any:
    """A number as typed; nothing typed is no such clock or limit. What is no number stays text, to be named as wrong."""
    return int(typed) if typed is not None and typed.isdecimal() and len(typed) < 10 else typed

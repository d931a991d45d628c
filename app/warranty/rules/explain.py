"""Why a state is what it is (W11): the facts of a folded cover as reasons, in the order in which they count."""

from datetime import date

from app.core.errors import Fact, Reason
from app.warranty.rules.coverage import Cover, Interval
from app.warranty.rules.events import UNIT
from app.warranty.rules.states import State, governing, serial_state
from app.warranty.rules.terms import last_day, return_window


def why(cover: Cover, serial: str, position: str, on: date) -> list[Reason]:
    """Acceptance, succession, the interval that governs, voids, and the status with its payer."""
    state = serial_state(cover, serial, position, on)
    reasons = [accepted(cover, on), *succession(cover, serial, on)]
    if state.status != "replaced":
        shown = governing(cover.of(position), on)
        reasons += [] if shown is None else days(cover, shown, position)
        reasons += unrestarted(cover, position, on)
        reasons += voids(cover, position, on)
    reasons.append(status(state, position, on))
    return reasons + paid(cover, state, on)


def accepted(cover: Cover, on: date) -> Reason:
    """W1: what anchors the device, if anything does yet."""
    if cover.accepted_on is None:
        return Reason("W1", "cover.not_accepted")
    months = cover.installation.terms.months
    return Reason("W1", "cover.accepted", {"accepted_on": cover.accepted_on.isoformat(), "months": months})


def succession(cover: Cover, serial: str, on: date) -> list[Reason]:
    """W13: which serial this one follows, and which follows it."""
    found = []
    for swap in cover.swaps:
        facts = {"old_serial": swap.old_serial, "new_serial": swap.new_serial, "on": swap.on.isoformat()}
        if swap.new_serial == serial:
            found.append(Reason("W13", "device.took_over" if swap.on <= on else "device.not_yet_there", facts))
        if swap.old_serial == serial and swap.on <= on:
            found.append(Reason("W13", "device.replaced", facts))
    return found


def days(cover: Cover, shown: Interval, position: str) -> list[Reason]:
    """W2 and W4: how the last day came about."""
    nominal = last_day(shown.anchor, shown.months)
    facts: dict[str, Fact] = {
        "anchor": shown.anchor.isoformat(),
        "months": shown.months,
        "first_day": shown.first.isoformat(),
        "last_day": nominal.isoformat(),
        "position": position,
    }
    rule, code = {
        "base": ("W2", "cover.last_day"),
        "extension": ("W2", "cover.extended"),
        "restart": ("W4", "cover.restarted"),
    }[shown.kind]
    reasons = [Reason(rule, code, facts)]
    if nominal != shown.last:
        reasons.append(
            Reason("W2", "cover.rolled", {"nominal": nominal.isoformat(), "last_day": shown.last.isoformat()})
        )
    if "calendar" in shown.provisional:
        calendar = cover.installation.terms.calendar
        reasons.append(Reason("W2", "cover.calendar_open", {"last_day": shown.last.isoformat(), "calendar": calendar}))
    if "cause" in shown.provisional:
        reasons.append(Reason("W4", "cover.restart_provisional", {"position": position}))
    return reasons


def unrestarted(cover: Cover, position: str, on: date) -> list[Reason]:
    """W5: the latest replacement that took the remaining interval, and the conditions it missed."""
    missed = [one for one in cover.unrestarted if one.position == position and one.on <= on]
    if not missed:
        return []
    latest = max(missed, key=lambda one: (one.on, one.event))
    return [
        Reason("W5", "cover.remaining", {"position": position, "on": latest.on.isoformat()}),
        *(Reason("W4", f"restart.{because}", {"position": position}) for because in latest.because),
    ]


def voids(cover: Cover, position: str, on: date) -> list[Reason]:
    """W10: a void that is in force."""
    day = cover.void_from(position)
    return [] if day is None or day > on else [Reason("W10", "cover.void", {"from": day.isoformat()})]


def status(state: State, position: str, on: date) -> Reason:
    """The status of the day, in one reason."""
    facts = {
        "on": on.isoformat(),
        "position": position,
        "last_day": state.last_day.isoformat() if state.last_day else None,
    }
    rule = {"replaced": "W13", "void": "W10"}.get(state.status, "W1" if position == UNIT else "W5")
    return Reason(rule, f"status.{state.status}", facts)


def paid(cover: Cover, state: State, on: date) -> list[Reason]:
    """W9: whose layer holds the day; W1 before the start."""
    if state.payer is None:
        return []
    if state.status == "not_started":
        return [Reason("W1", "payer.before_start", {"payer": state.payer})]
    layer = next(
        (layer for layer in cover.paid if layer.payer == state.payer and layer.first <= on <= layer.last), None
    )
    if layer is None:
        return [Reason("W9", "payer.vendor", {"payer": state.payer, "on": on.isoformat()})]
    facts = {"payer": layer.payer, "first_day": layer.first.isoformat(), "last_day": layer.last.isoformat()}
    return [Reason("W9", "payer.layer", facts)]


def returnable(cover: Cover, on: date) -> list[Reason]:
    """W8b: whether complete goods may still go back without a reason."""
    delivered = cover.installation.delivered_on
    if delivered is None:
        return []
    window = return_window(delivered, on, cover.installation.terms)
    facts: dict[str, Fact] = {"delivered_on": delivered.isoformat(), "last_day": window.last_day.isoformat()}
    return [Reason("W8b", "return.open", facts)] if window.open else []

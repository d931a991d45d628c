"""The verdict on one failure (W1-W10): covered or not, until when, who pays, what restarts, and why.

Prices are billing's; a verdict only names the price rule (P1 free, P2 after warranty, P3 not covered within it).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from app.core.errors import Reason
from app.warranty.rules.coverage import Cover, fold
from app.warranty.rules.explain import why
from app.warranty.rules.inputs import Candidate, Change, Failure, VerdictInputs
from app.warranty.rules.restart import NoRestart, Replacement, Restart, restart_after
from app.warranty.rules.states import State, fitted_before, governing, serial_state
from app.warranty.rules.terms import Payer, opened_box_holds

RULE_VERSION = "1"
LATE_NOTICE = timedelta(days=7)
LONGEST_ROLL = timedelta(days=15)
COST_ONLY_CAUSES = ("customer", "force_majeure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The interval the verdict rests on, as of the failure; days are inclusive."""

    serial: str
    position: str
    on: date
    zone: str
    status: str
    first_day: date | None
    last_day: date | None
    restarted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Free (P1): `payer` bears the cost. `opened_box` runs on its own clock in the emergency tier (W8a)."""

    coverage: Coverage
    payer: Payer
    opened_box: bool
    restart_if_confirmed: Restart | NoRestart
    late_notice: bool
    provisional: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCovered:
    """Cost-only price: P2 after the warranty, P3 within it (W7). `needs_consent`: billable only if agreed before."""

    coverage: Coverage
    price_rule: Literal["P2", "P3"]
    needs_consent: bool
    restart_if_confirmed: Restart | NoRestart
    late_notice: bool
    provisional: bool
    reasons: tuple[Reason, ...]


Verdict = Covered | NotCovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one candidate's cover says about the failure, before cause and opened box are weighed."""

    failure: Failure
    coverage: Coverage
    state: State
    runs: bool
    uncertain: bool
    opened_box: bool
    restart: Restart | NoRestart
    late_notice: bool
    reasons: tuple[Reason, ...]


def refused_because(inputs: VerdictInputs, candidate: Candidate | None = None) -> Reason | None:
    """Why no verdict can be given at all: the device was not there yet, or not there any more (W1, W13)."""
    one = candidate or inputs.candidates[0]
    cover = fold(one.installation, one.events, inputs.calendar)
    at = inputs.failure.occurred_at
    on = cover.day_at(at)
    delivered = one.installation.delivered_on
    if delivered is not None and on < delivered:
        return Reason("W1", "failure.before_delivery", {"on": on.isoformat(), "delivered_on": delivered.isoformat()})
    for swap in cover.swaps:
        facts = {"serial": one.serial, "new_serial": swap.new_serial, "on": swap.on.isoformat()}
        if swap.old_serial == one.serial and swap.at <= at:
            return Reason("W13", "failure.device_replaced", facts)
        if swap.new_serial == one.serial and at < swap.at:
            return Reason("W13", "failure.before_installation", facts)
    return None


def decide_verdict(inputs: VerdictInputs) -> Verdict:
    """Judge a failure at the moment it occurred (W10), by everything known.

    Without a serial every device of the site and model is judged and the best verdict stands provisionally: the
    burden is ours (W7). Candidates that could not have failed are left out as long as one could.
    """
    if inputs.serial_known:
        return judge(inputs, inputs.candidates[0])
    possible = [one for one in inputs.candidates if refused_because(inputs, one) is None] or list(inputs.candidates)
    verdicts = [judge(inputs, one) for one in sorted(possible, key=lambda one: one.serial)]
    best = next((one for one in verdicts if isinstance(one, Covered)), verdicts[0])
    unread = Reason("W7", "serial.unread", {"candidates": len(verdicts), "position": inputs.position})
    return provisional(best, unread)


def provisional(verdict: Verdict, because: Reason) -> Verdict:
    """The same verdict, open until the serial is read."""
    changed = {name: getattr(verdict, name) for name in verdict.__slots__}
    return type(verdict)(**changed | {"provisional": True, "reasons": (because, *verdict.reasons)})


def judge(inputs: VerdictInputs, candidate: Candidate) -> Verdict:
    """The verdict for one device."""
    found = look(inputs, candidate)
    failure = found.failure
    settled = failure.settled_from == "undetermined" and failure.cause == "customer"
    open_cause = failure.cause == "undetermined" and found.runs and not found.opened_box
    shared: dict[str, Any] = {
        "coverage": found.coverage,
        "restart_if_confirmed": found.restart,
        "late_notice": found.late_notice,
        "provisional": found.uncertain or open_cause,
    }
    weighed = weigh(found)
    reasons = (*found.reasons, *weighed, *notice(found), *restart_reasons(found))
    free = found.opened_box or (found.runs and failure.cause not in COST_ONLY_CAUSES)
    if free:
        payer = found.state.payer or "vendor"
        return Covered(payer=payer, opened_box=found.opened_box, reasons=reasons, **shared)
    within = found.runs or found.state.status == "void"
    return NotCovered(price_rule="P3" if within else "P2", needs_consent=settled, reasons=reasons, **shared)


def look(inputs: VerdictInputs, candidate: Candidate) -> Found:
    """Fold the candidate's events and read the position's state at the failure."""
    failure, position = inputs.failure, inputs.position
    cover = fold(candidate.installation, candidate.events, inputs.calendar)
    on = cover.day_at(failure.occurred_at)
    zone = candidate.installation.zones[cover.site_at(failure.occurred_at)]
    state = serial_state(cover, candidate.serial, position, on)
    dated = Reason("W3", "failure.dated", {"at": failure.occurred_at.isoformat(), "zone": zone, "on": on.isoformat()})
    return Found(
        failure=failure,
        coverage=Coverage(
            serial=candidate.serial,
            position=position,
            on=on,
            zone=zone,
            status=state.status,
            first_day=state.first_day,
            last_day=state.last_day,
            restarted=state.restarted,
        ),
        state=state,
        runs=running(cover, position, on, state, failure),
        uncertain=uncertain(cover, position, on, state),
        opened_box=failure.found_on == "opening"
        and opened_box_holds(came_on(cover, position, failure), on, candidate.installation.terms),
        restart=expected_restart(cover, position, on, state, failure),
        late_notice=late(cover, state, failure),
        reasons=(dated, *why(cover, candidate.serial, position, on)),
    )


def running(cover: Cover, position: str, on: date, state: State, failure: Failure) -> bool:
    """Whether faults of that moment are ours: covered, or between delivery and start (W1).

    On the day of a confirmation after expiry the new interval counts from its instant.
    """
    if state.status != "not_started":
        return state.status == "covered"
    shown = governing(cover.of(position), on)
    return shown is None or shown.activated_at is None or shown.activated_at <= failure.occurred_at


def uncertain(cover: Cover, position: str, on: date, state: State) -> bool:
    """Whether an open fact decides the day: only restarts with an open cause hold it, or a roll-over might reach it."""
    holding = [one for one in cover.of(position) if one.since <= on and one.first <= on <= one.last]
    if holding:
        return all("cause" in one.provisional for one in holding)
    return state.last_day is not None and "calendar" in state.provisional and on - state.last_day <= LONGEST_ROLL


def came_on(cover: Cover, position: str, failure: Failure) -> date | None:
    """The delivery W8a's limit counts from: the spare's, else the device's."""
    return fitted_before(cover, position, failure.occurred_at) or cover.installation.delivered_on


def expected_restart(cover: Cover, position: str, on: date, state: State, failure: Failure) -> Restart | NoRestart:
    """W4 as it would be if the part were replaced and confirmed on the day of the report."""
    reported_on = cover.day_at(failure.reported_at)
    frozen = cover.installation.position(position)
    assumed = Replacement(
        key=frozen is not None and frozen.key,
        cause=failure.cause,
        system_stopped=failure.system_stopped,
        replaced_on=reported_on,
        operation_confirmed_on=reported_on,
        cover_ended=state.status == "expired",
        void=state.status == "void",
        not_started=cover.accepted_on is None or reported_on <= cover.accepted_on,
    )
    return restart_after(assumed, cover.installation.terms, cover.calendar)


def late(cover: Cover, state: State, failure: Failure) -> bool:
    """W10: reported over seven days later and after the cover had ended."""
    if state.last_day is None or state.status != "covered":
        return False
    told_late = failure.reported_at - failure.occurred_at > LATE_NOTICE
    return told_late and cover.day_at(failure.reported_at) > state.last_day


def weigh(found: Found) -> list[Reason]:
    """W8a before W7: on opening no cause is asked."""
    cause = found.failure.cause
    facts = {"cause": cause, "position": found.coverage.position}
    if found.opened_box:
        return [Reason("W8a", "box.opened", facts)]
    reasons = [Reason("W8a", "box.too_late", facts)] if found.failure.found_on == "opening" else []
    if not found.runs:
        return reasons
    if cause in COST_ONLY_CAUSES:
        reasons.append(Reason("W7", "cause.not_covered", facts))
        if found.failure.settled_from == "undetermined" and cause == "customer":
            reasons.append(Reason("W7", "cause.settled", facts))
    elif cause == "undetermined":
        reasons.append(Reason("W7", "cause.undetermined", facts))
    else:
        reasons.append(Reason("W7", "cause.covered", facts))
    return reasons


def notice(found: Found) -> list[Reason]:
    """W10's flag for finance."""
    if not found.late_notice:
        return []
    days = (found.failure.reported_at - found.failure.occurred_at).days
    return [Reason("W10", "notice.late", {"days": days})]


def restart_reasons(found: Found) -> list[Reason]:
    """W4: what would restart, or which conditions are missing."""
    position = found.coverage.position
    match found.restart:
        case Restart(anchor=anchor, last_day=last):
            facts = {"position": position, "anchor": anchor.isoformat(), "last_day": last.isoformat()}
            return [Reason("W4", "restart.expected", facts)]
        case NoRestart(because=because):
            return [Reason("W4", f"restart.{one}", {"position": position}) for one in because]


def outcome(verdict: Verdict, inputs: VerdictInputs) -> dict[str, Any]:
    """The verdict as JSON values: what is stored, hashed and shown."""
    covered = isinstance(verdict, Covered)
    held = verdict.coverage
    return {
        "covered": covered,
        "coverage": {
            "serial": held.serial if inputs.serial_known else None,
            "position": held.position,
            "on": held.on.isoformat(),
            "zone": held.zone,
            "status": held.status,
            "first_day": held.first_day.isoformat() if held.first_day else None,
            "last_day": held.last_day.isoformat() if held.last_day else None,
            "restarted": held.restarted,
        },
        "payer": verdict.payer if isinstance(verdict, Covered) else None,
        "price_rule": "P1" if isinstance(verdict, Covered) else verdict.price_rule,
        "opened_box": isinstance(verdict, Covered) and verdict.opened_box,
        "needs_consent": isinstance(verdict, NotCovered) and verdict.needs_consent,
        "late_notice": verdict.late_notice,
        "provisional": verdict.provisional,
        "restart_if_confirmed": plain_restart(verdict.restart_if_confirmed),
        "reasons": [{"rule": one.rule, "code": one.code, "facts": dict(one.facts)} for one in verdict.reasons],
        "rule_version": RULE_VERSION,
        "calendar_version": inputs.calendar_version,
    }


def plain_restart(restart: Restart | NoRestart) -> dict[str, Any] | None:
    """The restart a confirmation would bring, or None."""
    if isinstance(restart, NoRestart):
        return None
    return {
        "anchor": restart.anchor.isoformat(),
        "first_day": restart.first_day.isoformat(),
        "last_day": restart.last_day.isoformat(),
        "provisional": bool(restart.provisional),
    }


def verdict_bytes(inputs: Mapping[str, Any]) -> bytes:
    """Canonical JSON of the verdict on stored inputs (IW10): same inputs and versions, same bytes."""
    typed = VerdictInputs.of(inputs)
    return canonical(outcome(decide_verdict(typed), typed))


def canonical(plain: Mapping[str, Any]) -> bytes:
    """Sorted keys, no blanks, UTF-8."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The fields in which a new outcome differs from the old, reasons left out (W12)."""
    names = ("covered", "payer", "price_rule", "needs_consent", "provisional", "late_notice", "restart_if_confirmed")
    top = [Change(name, before[name], after[name]) for name in names if before[name] != after[name]]
    held = [
        Change(f"coverage.{name}", before["coverage"][name], value)
        for name, value in after["coverage"].items()
        if before["coverage"][name] != value
    ]
    return (*top, *held)

"""What may be recorded on a request now, and by whom: the API's verbs as buttons, the one that is next in front."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, WAREHOUSE, Role
from app.fulfillment import schemas
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.clocks import Clock
from app.fulfillment.rules.states import ENDED, State, allowed_in
from app.fulfillment.service import attending, journey, losing
from app.web.render import Words

SERVICE: tuple[Role, ...] = (ENGINEER, DISPATCHER, ADMIN)
BILLING: tuple[Role, ...] = (*SERVICE, FINANCE)
EVERYBODY: tuple[Role, ...] = (*BILLING, WAREHOUSE)
WORDS: Mapping[str, str] = {
    "answer": "Answer",
    "depart": "Set out",
    "arrive": "Arrived",
    "diagnose": "Diagnosis",
    "consent": "Customer's word on the price",
    "deliver": "Part is here",
    "fit": "Fitted",
    "confirm": "Does it run?",
    "hold": "Put on hold",
    "resume": "Go on",
    "priority": "Change the priority",
    "note": "Note",
    "delivery-failed": "Could not be delivered",
    "return-unused": "Not needed, send back",
    "lost": "Part is lost",
    "cancel": "Cancel the request",
}
RECORDED: Mapping[str, str] = {
    "answer": "Answered.",
    "depart": "You are on the way.",
    "arrive": "You are on site.",
    "diagnose": "Diagnosis recorded.",
    "consent": "The customer's word is recorded.",
    "deliver": "The part is here.",
    "fit": "Fitted. Try it, then say whether it runs.",
    "confirm": "Recorded.",
    "hold": "The clocks stand still until you go on.",
    "resume": "The clocks run on.",
    "priority": "The priority is changed.",
    "note": "Noted.",
    "delivery-failed": "Recorded; the plan finds another way.",
    "return-unused": "The part comes back; what was charged is reversed.",
    "lost": "Booked as lost; another part is on its way.",
    "cancel": "Canceled.",
}
SHAPES: Mapping[str, str] = {
    "answer": "phone",
    "depart": "truck",
    "arrive": "pin",
    "diagnose": "scale",
    "consent": "coin",
    "deliver": "hand",
    "fit": "wrench",
    "confirm": "shield",
    "hold": "clock",
    "resume": "clock",
    "priority": "bell",
    "note": "note",
    "return-unused": "undo",
}
Verb = Callable[..., Awaitable[Loaded]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A verb of the API behind a button."""

    run: Verb
    body: type[schemas.StepIn]
    roles: tuple[Role, ...]
    kept: bool = True
    """Whether it is kept on the device while offline: only what nobody has to decide about with fresh facts."""


ACTS: Mapping[str, Act] = {
    "answer": Act(run=attending.answer, body=schemas.AnswerIn, roles=SERVICE),
    "depart": Act(run=attending.depart, body=schemas.DepartIn, roles=SERVICE),
    "arrive": Act(run=attending.arrive, body=schemas.StepIn, roles=SERVICE),
    "diagnose": Act(run=attending.diagnose, body=schemas.DiagnoseIn, roles=SERVICE),
    "consent": Act(run=attending.consent, body=schemas.ConsentIn, roles=BILLING, kept=False),
    "deliver": Act(run=journey.deliver, body=schemas.StepIn, roles=SERVICE),
    "fit": Act(run=journey.fit, body=schemas.FitIn, roles=SERVICE),
    "confirm": Act(run=journey.confirm, body=schemas.ConfirmIn, roles=SERVICE),
    "hold": Act(run=attending.hold, body=schemas.HoldIn, roles=SERVICE),
    "resume": Act(run=attending.resume, body=schemas.StepIn, roles=SERVICE),
    "priority": Act(run=attending.set_priority, body=schemas.PriorityIn, roles=SERVICE, kept=False),
    "note": Act(run=attending.add_note, body=schemas.NoteIn, roles=EVERYBODY),
    "delivery-failed": Act(run=journey.delivery_failed, body=schemas.DeliveryFailedIn, roles=SERVICE),
    "return-unused": Act(run=journey.return_line, body=schemas.StepIn, roles=SERVICE, kept=False),
    "lost": Act(run=losing.lose_line, body=schemas.StepIn, roles=SERVICE, kept=False),
    "cancel": Act(run=journey.cancel, body=schemas.CancelIn, roles=SERVICE, kept=False),
}
WHOLE = ("answer", "depart", "arrive", "diagnose", "hold", "resume", "priority", "note")
"""Verbs of the whole request; the others move lines and are allowed by their states."""
NEXT_BY_STATE: Mapping[str, str] = {
    "dispatched": "fit",
    "delivered": "fit",
    "fitted": "confirm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button, and the lines it may be for."""

    verb: str
    words: str
    shape: str
    first: bool
    kept: bool
    lines: tuple[str, ...]


def actions_of(loaded: Loaded, clocks: Iterable[Clock], *, role: Role, on_hold: bool, say: Words) -> tuple[Action, ...]:
    """Everything this role may record now; what is next comes first."""
    is_open = any(line.state not in ENDED for line in loaded.lines)
    able: dict[str, list[str]] = {}
    for line in loaded.lines:
        for verb in allowed_in(State(line.state)):
            able.setdefault(verb, []).append(line.id)
    shown = []
    for verb, act in ACTS.items():
        if role not in act.roles or (verb == "hold" and on_hold) or (verb == "resume" and not on_hold):
            continue
        if verb in able or (verb in WHOLE and (is_open or verb == "note")):
            shown.append(verb)
    following = next_of(loaded, clocks, on_hold=on_hold)
    ordered = sorted(shown, key=lambda verb: (verb != following, list(ACTS).index(verb)))
    return tuple(
        Action(
            verb=verb,
            words=say(WORDS[verb]),
            shape=SHAPES.get(verb, "dot"),
            first=verb == following,
            kept=ACTS[verb].kept,
            lines=tuple(able.get(verb, ())),
        )
        for verb in ordered
    )


def next_of(loaded: Loaded, clocks: Iterable[Clock], *, on_hold: bool) -> str | None:
    """What the person in front of the page most likely does next."""
    verbs = {step.verb for step in loaded.steps}
    if loaded.row.on_hold is not None and on_hold:
        return "resume"
    if loaded.row.state == "awaiting_consent":
        return "consent"
    running = {one.name for one in clocks if one.ended_at is None}
    if "answer" in running:
        return "answer"
    if loaded.row.state in NEXT_BY_STATE and ("departed" not in verbs or "arrived" in verbs):
        return NEXT_BY_STATE[loaded.row.state]
    if "departed" not in verbs and "depart" in running:
        return "depart"
    if "departed" in verbs and "arrived" not in verbs:
        return "arrive"
    return NEXT_BY_STATE.get(loaded.row.state)


def held_by_hand(loaded: Loaded) -> bool:
    """Whether somebody put the whole request on hold; what waits for consent ends with that word alone."""
    own = [step for step in loaded.steps if step.line is None and step.verb in ("held", "resumed")]
    return bool(own) and own[-1].verb == "held"

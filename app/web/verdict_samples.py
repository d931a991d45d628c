"""Made-up verdicts and a made-up life for the page of components: the camera of the domain's examples, folded for real."""

from datetime import UTC, date, datetime

from app.core.errors import Reason
from app.core.http import reasons_out
from app.warranty.rules.coverage import Cover, Installation, Position, fold
from app.warranty.rules.events import Accepted, ComponentReplaced, Event, OperationConfirmed, What
from app.warranty.rules.explain import why
from app.warranty.rules.lifetimes import lifetimes
from app.warranty.rules.states import state_on
from app.warranty.rules.terms import Terms
from app.web.life import Picture, drawn
from app.web.render import Words
from app.web.verdict import Verdict, verdict_of

ZONE = "Asia/Shanghai"


def sample_cover() -> Cover:
    """A camera accepted on 2015-07-31 whose power supply started anew twice (W4, W6)."""
    positions = (
        Position("unit", "CAM-B200", True),
        Position("psu", "PSU-12V-5A", True),
        Position("lens", "LENS", False),
    )
    installation = Installation(
        serial="CAM-YC-0001",
        terms=Terms(),
        positions=positions,
        site="A",
        zones={"A": ZONE},
        delivered_on=date(2015, 6, 30),
    )
    failed = ComponentReplaced(position="psu", cause="defect", system_stopped=True, part_number="PSU-12V-5A")
    happened: tuple[tuple[datetime, What], ...] = (
        (datetime(2015, 7, 31, 4, tzinfo=UTC), Accepted(on=date(2015, 7, 31))),
        (datetime(2017, 5, 9, 4, tzinfo=UTC), failed),
        (datetime(2017, 5, 10, 4, tzinfo=UTC), OperationConfirmed(position="psu")),
        (datetime(2019, 11, 19, 4, tzinfo=UTC), failed),
        (datetime(2019, 11, 20, 4, tzinfo=UTC), OperationConfirmed(position="psu")),
    )
    return fold(installation, [Event(n, f"e{n}", at, at, what) for n, (at, what) in enumerate(happened, 1)])


def sample_verdicts(cover: Cover, say: Words) -> list[Verdict]:
    """Each big word, and what is shown while a day lies within the cover, after it and before it."""
    states = [(day, state_on(cover, "unit", day)) for day in (date(2017, 8, 1), date(2019, 1, 1), date(2015, 7, 1))]
    made = [
        verdict_of(
            status=state.status,
            first_day=state.first_day,
            last_day=state.last_day,
            payer=state.payer,
            on=day,
            say=say,
            reasons=reasons_out(why(cover, "CAM-YC-0001", "unit", day), say.language),
        )
        for day, state in states
    ]
    ended = [("replaced", None), ("void", date(2018, 7, 31))]
    reasons = reasons_out([Reason("W10", "cover.void", {"from": "2018-08-01"})], say.language)
    return made + [
        verdict_of(status=status, first_day=None, last_day=last, payer=None, on=last or date(2019, 1, 1), say=say,
                   reasons=reasons if last else ())
        for status, last in ended
    ]  # fmt: skip


def sample_life(cover: Cover, on: date, say: Words) -> Picture:
    """The timeline of the same camera."""
    lives = lifetimes(cover)
    shown = [one for one in lives if one.key]
    verdicts = {}
    for one in shown:
        state = state_on(cover, one.position, on)
        verdicts[one.position] = verdict_of(
            status=state.status, first_day=state.first_day, last_day=state.last_day, payer=state.payer, on=on, say=say
        )
    return drawn(
        shown,
        verdicts=verdicts,
        parts={one.position: one.part_number for one in lives},
        names={"PSU-12V-5A": "电源 12V 5A", "LENS": "镜头"},
        on=on,
        today=date(2021, 3, 15),
        say=say,
        alike=[one for one in lives if not one.key],
        from_day=cover.installation.delivered_on,
    )

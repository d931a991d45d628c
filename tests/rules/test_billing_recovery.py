"""How a claim on an OEM moves (P7), and which replacements open one."""

from datetime import UTC, datetime, timedelta

import pytest

from app.billing.rules.pricing import Payer
from app.billing.rules.recovery import (
    Claim,
    Moved,
    NoClaim,
    NotAllowed,
    State,
    Verb,
    age_days,
    decide_claim,
    move,
    unrecovered,
)
from app.core.money import Money


@pytest.mark.parametrize(
    ("state", "verb", "then"),
    [
        ("open", "file", "filed"),
        ("open", "expire", "expired"),
        ("filed", "accept", "accepted"),
        ("filed", "reject", "rejected"),
        ("filed", "expire", "expired"),
        ("accepted", "settle", "settled"),
    ],
)
def test_P7_a_claim_moves_forward(state: str, verb: str, then: str) -> None:
    assert move(State(state), Verb(verb)) == Moved(State(then))


@pytest.mark.parametrize("state", ["rejected", "expired", "settled"])
@pytest.mark.parametrize("verb", list(Verb))
def test_P7_an_ended_claim_stays(state: str, verb: Verb) -> None:
    assert move(State(state), verb) == NotAllowed(())


def test_P7_a_refused_verb_says_what_is_allowed() -> None:
    assert move(State.OPEN, Verb.SETTLE) == NotAllowed((Verb.FILE, Verb.EXPIRE))


@pytest.mark.parametrize(
    ("covered", "payer", "settled", "outcome"),
    [
        (True, Payer.OEM, True, Claim(Payer.OEM)),
        (True, Payer.OEM_SERVICE, True, Claim(Payer.OEM_SERVICE)),
        (True, Payer.VENDOR, True, NoClaim("claim.vendor_pays")),
        (True, None, True, NoClaim("claim.vendor_pays")),
        (True, Payer.OEM, False, NoClaim("claim.cause_open")),
        (False, Payer.OEM, True, NoClaim("claim.not_covered")),
    ],
)
def test_P7_each_free_replacement_is_claimed_from_its_payer(
    covered: bool, payer: Payer | None, settled: bool, outcome: Claim | NoClaim
) -> None:
    assert decide_claim(covered=covered, payer=payer, cause_settled=settled) == outcome


@pytest.mark.parametrize(("recovered", "left"), [(0, 500), (200, 300), (500, 0), (700, 0)])
def test_P7_what_is_not_recovered_moves_to_the_vendor(recovered: int, left: int) -> None:
    assert unrecovered(Money(500, "CNY"), Money(recovered, "CNY")) == Money(left, "CNY")


def test_P7_claims_age_in_whole_days() -> None:
    opened = datetime(2026, 11, 1, tzinfo=UTC)
    assert age_days(opened, opened + timedelta(days=20, hours=23)) == 20

"""C1-C3 as a table: which commitment a line gets, and the states that a line may move through."""

from datetime import UTC, datetime

import pytest

from app.fulfillment.rules.commitments import Demand, LocalStock, Rules, decide_commitment
from app.fulfillment.rules.states import MOVES, Moved, NotNow, State, Verb, allowed_in, move, request_state

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def decided(quantity=1, free=0, substitute=0, **rules):
    local = LocalStock("YC", {"PSU": free, "PSU-B": substitute})
    found = decide_commitment(
        Demand("PSU", quantity), local=local, substitutes=("PSU-B",), rules=Rules(**rules), received_at=NOW
    )
    return [(one.quantity, one.kind, (one.due_at - NOW).total_seconds() // 3600, one.reasons[0].code) for one in found]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"free": 1}, [(1, "local", 2, "commitment.local_stock")]),
        ({"free": 0}, [(1, "national", 8, "commitment.no_local_stock")]),
        ({"substitute": 1}, [(1, "local", 2, "commitment.local_substitute")]),
        ({"substitute": 1, "accept_substitutes": False}, [(1, "national", 8, "commitment.no_local_stock")]),
        (
            {"quantity": 5, "free": 3},
            [(3, "local", 2, "commitment.split_local"), (2, "national", 8, "commitment.split_national")],
        ),
        ({"quantity": 5, "free": 3, "allow_split": False}, [(5, "national", 8, "commitment.local_short")]),
        ({"quantity": 5, "free": 3, "substitute": 2}, [(5, "local", 2, "commitment.local_substitute")]),
        ({"assortment": frozenset({"PSU"})}, [(1, "local", 2, "commitment.listed")]),
        ({"assortment": frozenset({"FAN"}), "free": 9}, [(1, "national", 8, "commitment.not_listed")]),
        ({"free": 1, "local_hours": 4}, [(1, "local", 4, "commitment.local_stock")]),
        ({"national_hours": 24}, [(1, "national", 24, "commitment.no_local_stock")]),
    ],
)  # fmt: skip
def test_C1_C2_C3_the_commitment_of_a_line(asked, expected):
    assert decided(**asked) == expected


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", list(Verb))
def test_a_state_allows_what_its_list_says(state, verb):
    match move(state, verb):
        case Moved(to=to):
            assert verb.value in allowed_in(state)
            assert to == MOVES[verb][state]
        case NotNow(allowed=allowed):
            assert verb.value not in allowed


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (["accepted", "fitted"], "accepted"),
        (["confirmed", "fitted"], "fitted"),
        (["confirmed", "canceled"], "confirmed"),
        (["canceled", "canceled"], "canceled"),
        (["lost", "accepted"], "accepted"),
        (["lost", "canceled"], "lost"),
        (["awaiting_consent", "accepted"], "awaiting_consent"),
    ],
)
def test_a_request_stands_where_its_least_advanced_open_line_stands(lines, state):
    assert request_state(State(one) for one in lines) == state

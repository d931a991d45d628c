"""The harnesses of tools/ at a small size; `python -m tools.race` and `tools.crash` run them at full size."""

import asyncio

import pytest

from tools import crash, idem, outbox, race


def test_H1_clients_race_for_too_little_stock(capsys):
    code = asyncio.run(race.run(clients=16, requests=160, stock=20))
    assert code == 0, capsys.readouterr().out


def test_H3_a_killed_server_loses_nothing_it_acknowledged(capsys):
    code = asyncio.run(crash.run(kills=2, clients=6, seed=1))
    assert code == 0, capsys.readouterr().out


def test_H4_events_to_faulty_endpoints_are_all_there_unchanged_and_in_order(capsys):
    code = asyncio.run(outbox.run(events=60, endpoints=5, kill_worker=2))
    assert code == 0, capsys.readouterr().out


def test_H5_a_key_has_one_effect_and_a_shuffled_story_its_end(capsys):
    code = asyncio.run(idem.run(keys=15, fanout=8, cut_response=0.3, tickets=6, dup=4))
    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize("harness", [race, crash, outbox, idem])
def test_a_harness_says_what_it_does(harness):
    assert "python -m tools." in (harness.__doc__ or "")

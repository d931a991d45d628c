"""Addresses of pages: what stands in them is quoted, whatever people call their things."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from app.web import addresses


@pytest.mark.parametrize("name", ["PSU-12V-5A", "电源/5A", "a b", "100%", "?x=1&y#z", "..%2f", "é'\"<>"])
def test_a_name_comes_back_from_its_address(name):
    for address in (addresses.device(name), addresses.request(name), addresses.picking(name), addresses.part(name)):
        assert unquote(urlsplit(address).path.rsplit("/", 1)[1]) == name
        assert address.isascii()


def test_a_lot_and_a_serial_are_pointed_out():
    address = addresses.part("P&1", lot="L=2", serial="S 3")
    assert (urlsplit(address).path, parse_qs(urlsplit(address).query)) == (
        "/stock/parts/P%261",
        {"lot": ["L=2"], "serial": ["S 3"]},
    )


def test_a_bin_lies_under_its_place():
    assert addresses.bin("YC-WH", "A-03-2/左") == "/stock/bins/YC-WH/A-03-2%2F%E5%B7%A6"


def test_the_warehouse_picks_what_others_look_at():
    assert addresses.work_on("req_1", "warehouse") == "/picking/req_1"
    assert {addresses.work_on("req_1", role) for role in ("engineer", "dispatcher", "finance", "admin")} == {
        "/requests/req_1"
    }

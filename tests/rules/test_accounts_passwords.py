"""Which passwords are taken, how they are kept and proven, and how often one may try."""

from datetime import UTC, datetime, timedelta

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from app.accounts.rules import (
    Actor,
    MayTry,
    Tries,
    Wait,
    address_bucket,
    decide_try,
    folded_login,
    hashed,
    one_time_password,
    password_faults,
    proven,
    wider_scopes,
)
from app.accounts.rules.passwords import HASHER, NOBODYS

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NONE = Tries(begun=0, failed=0, oldest=None)


@pytest.mark.parametrize(
    ("password", "login", "codes"),
    [
        ("four words apart", "ma", []),
        ("银川机场北侧的白猫三只", "ma", []),
        ("一二三四五六七八九十", "ma", ["password.common"]),
        ("123456789", "ma", ["password.too_short"]),
        ("", "ma", ["password.too_short"]),
        ("1234567890", "ma", ["password.common"]),
        ("１２３４５６７８９０", "ma", ["password.common"]),
        ("QwertyUIOP", "ma", ["password.common"]),
        ("aaaaaaaaaaaa", "ma", ["password.common"]),
        ("abababababab", "ma", ["password.common"]),
        ("ma.xiaoming", "Ma.XiaoMing", ["password.is_login"]),
        ("ma", "ma", ["password.too_short", "password.is_login"]),
        ("x" * 100 + "yz" * 50, "ma", ["password.common"]),
        ("x1y2" * 50, "ma", []),
        ("x1y2" * 50 + "z", "ma", ["password.too_long"]),
    ],
)
def test_a_password_is_judged(password, login, codes):
    assert [one.code for one in password_faults(password, login=login)] == codes


def test_a_kept_password_is_proven_and_no_other():
    kept = hashed("four words apart")
    assert kept.hash.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert (proven("four words apart", kept.hash).right, proven("four words apart ", kept.hash).right) == (True, False)
    assert kept.hash not in repr(kept)
    assert "four" not in repr(kept)


def test_full_width_letters_are_the_same_password():
    assert proven("ｆｏｕｒ　words apart", hashed("four words apart").hash).right


def test_where_there_is_no_password_none_is_right_and_the_work_is_the_same():
    assert not proven("", None).right
    assert not proven("four words apart", None).right
    assert HASHER.verify_and_update(b"x", NOBODYS) == (False, None)
    assert not Argon2Hasher(time_cost=3, memory_cost=64 * 1024, parallelism=1).check_needs_rehash(NOBODYS)


def test_a_hash_by_older_parameters_is_renewed_once_its_password_is_proven():
    older = Argon2Hasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("four words apart")
    proof = proven("four words apart", older)
    assert proof.right
    assert proven("four words apart", proof.renewed).renewed is None
    assert proven("wrong", older).renewed is None


def test_one_time_passwords_can_be_read_aloud_and_are_taken():
    made = {one_time_password() for _ in range(100)}
    assert len(made) == 100
    assert not set("".join(made)) & set("ilo01")
    assert {len(one) for one in made} == {19}
    assert [one for one in made if password_faults(one, login="ma")] == []


@pytest.mark.parametrize("written", ["Ma", "MA", "ma", " ma ", "Ｍａ"])
def test_a_login_has_one_spelling(written):
    assert folded_login(written) == "ma"


def tries(failed: int, under_way: int = 0, minutes_ago: int = 5) -> Tries:
    return Tries(begun=failed + under_way, failed=failed, oldest=NOW - timedelta(minutes=minutes_ago))


@pytest.mark.parametrize(
    ("by_login", "by_address", "decided"),
    [
        (NONE, NONE, MayTry()),
        (tries(9), tries(49), MayTry()),
        (tries(10), tries(10), Wait(NOW + timedelta(minutes=10), guessing=True)),
        (NONE, tries(50, minutes_ago=14), Wait(NOW + timedelta(minutes=1), guessing=True)),
        (tries(10, minutes_ago=5), tries(50, minutes_ago=9), Wait(NOW + timedelta(minutes=10), guessing=True)),
        (tries(9, under_way=1), tries(9, under_way=1), Wait(NOW + timedelta(seconds=5), guessing=False)),
        (NONE, tries(0, under_way=50), Wait(NOW + timedelta(seconds=5), guessing=False)),
    ],
)
def test_ten_failures_for_a_login_and_fifty_for_an_address(by_login, by_address, decided):
    assert decide_try(by_login=by_login, by_address=by_address, now=NOW) == decided


@pytest.mark.parametrize(
    ("address", "bucket"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_is_what_one_user_has(address, bucket):
    assert address_bucket(address) == bucket


@pytest.mark.parametrize(
    ("mine", "given", "wider"),
    [
        (None, None, []),
        (None, ["A"], []),
        ({"A", "B"}, ["A"], []),
        ({"A"}, ["A", "B"], ["places"]),
        ({"A"}, None, ["places"]),
        ({"A"}, [], []),
    ],
)
def test_nobody_gives_a_scope_wider_than_the_own(mine, given, wider):
    actor = Actor(id="usr_1", name="x", role="admin", places=None if mine is None else frozenset(mine))
    assert wider_scopes(actor, {"customers": None, "areas": None, "places": given}) == wider

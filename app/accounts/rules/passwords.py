"""Logins and passwords: how they are written, which passwords are refused, and how one is kept (argon2id) and proven.

Hashing and proving take a tenth of a second and 64 MB each, by design: doors run them off the loop, two at a time.
"""

import secrets
import unicodedata
from dataclasses import dataclass, field

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.errors import FieldError

SHORTEST, LONGEST = 10, 200
FEWEST_DIFFERENT = 4
COMMON = frozenset(
    (
        "0123456789", "0987654321", "1122334455", "1234567890", "12345678910", "123456789a", "1234554321", "1q2w3e4r5t",
        "1qaz2wsx3edc", "5201314520", "a123456789", "a1234567890", "aa123456789", "abc1234567", "abc123456789",
        "abcd123456", "abcdefghij", "administrator", "asd123456789", "asdfghjkl;", "changeme123", "iloveyou123",
        "iloveyou520", "letmein123", "passw0rd123", "password01", "password12", "password123", "password1234",
        "password!@#", "qazwsxedcrfv", "qq123456789", "qwe123456789", "qwerty12345", "qwerty123456", "qwertyuiop",
        "sparelane1", "sparelane123", "welcome123", "woaini1314", "woaini520", "woaini1314520", "zxcvbnm123",
        "zaq12wsxcde3", "一二三四五六七八九十",
    )
)  # fmt: skip
# Written by hand, read aloud and typed with gloves: no i, l, o, 0, 1. 16 of 31 letters are 79 bits.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 4

# Stated here, not left to the package: a sign-in may take 64 MB and one core, and `NOBODYS` must cost the same.
HASHER = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=64 * 1024, parallelism=1),))
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$Pjh2AokPRYxeJEyzs9HpTA$zW5KJ+2HAs8DA7z9RtSKEeXTTLCgJqPnrpErFHYP2jE"
"""What is tried where there is no account or no password, so that it takes as long. No password is known for it."""


@dataclass(frozen=True, slots=True)
class HashedPassword:
    """A password as it was chosen, for the rules to judge, and the hash that is kept of it."""

    plain: str = field(repr=False)
    hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a password was right; and its hash made anew, where it was kept by older parameters."""

    right: bool
    renewed: str | None = field(default=None, repr=False)


def folded_login(login: str) -> str:
    """The one spelling of a login: `Ｍa`, `MA` and `ma` are the same person."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", login).casefold()).strip()


def password_faults(password: str, *, login: str) -> list[FieldError]:
    """Why a password is refused; empty if it may be taken."""
    one = _written(password)
    faults = []
    if len(one) < SHORTEST:
        faults.append(FieldError("password", "password.too_short", {"least": SHORTEST}))
    if len(one) > LONGEST:
        faults.append(FieldError("password", "password.too_long", {"most": LONGEST}))
    if folded_login(one) == folded_login(login):
        faults.append(FieldError("password", "password.is_login"))
    if not faults and (one.casefold() in COMMON or len(set(one.casefold())) < FEWEST_DIFFERENT):
        faults.append(FieldError("password", "password.common"))
    return faults


def one_time_password() -> str:
    """A password to be handed over once: `k7mq-2hnd-x9tp-4rwe`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def hashed(password: str) -> HashedPassword:
    """Hash a password (slow)."""
    return HashedPassword(plain=password, hash=HASHER.hash(_bytes(password)))


def proven(password: str, kept: str | None) -> Proof:
    """Whether a password is the kept one (slow, and as slow where none is kept)."""
    right, renewed = HASHER.verify_and_update(_bytes(password), kept or NOBODYS)
    return Proof(right=right and kept is not None, renewed=renewed if right and kept is not None else None)


def _written(password: str) -> str:
    """One spelling however it was typed: a Chinese keyboard gives full-width letters."""
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    return _written(password)[: 4 * LONGEST].encode("utf-8", "surrogatepass")

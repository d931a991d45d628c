"""GS1 element strings: application identifiers and their values, as scanners give them. Pure; nothing of ours in here.

Source: GS1 General Specifications, sections 3 (application identifiers), 7.8 (element strings) and 7.9 (check digits).
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

GS = "\x1d"
SPELLED = re.compile(r"<GS>|<FNC1>|\{GS\}|\{FNC1\}|\[GS\]|\^\]|\\x1d|\\u001d|\x1d|␝", re.IGNORECASE)
"""How scanners spell the separator that keyboards have no key for."""
MOST_READINGS = 12


@dataclass(frozen=True, slots=True)
class Format:
    """What a value may be: `least` to `most` characters, digits alone or any of GS1's set. Fixed ones need no separator."""

    least: int
    most: int
    digits: bool = False
    fixed: bool = False

    def fits(self, value: str) -> bool:
        right = value.isascii() and (value.isdecimal() if self.digits else CHARACTERS.match(value) is not None)
        return right and self.least <= len(value) <= self.most


CHARACTERS = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+\Z""")
DAY = Format(6, 6, digits=True, fixed=True)
NAME = Format(1, 20)
FORMATS: dict[str, Format] = {
    "00": Format(18, 18, digits=True, fixed=True),
    "01": Format(14, 14, digits=True, fixed=True),
    "02": Format(14, 14, digits=True, fixed=True),
    **dict.fromkeys(("11", "12", "13", "15", "16", "17"), DAY),
    "20": Format(2, 2, digits=True, fixed=True),
    **dict.fromkeys(("10", "21", "22", "243", "254", "420", "710", "711", "712"), NAME),
    **dict.fromkeys(("30", "37"), Format(1, 8, digits=True)),
    **dict.fromkeys(("240", "241", "250", "251", "400", "403", "90"), Format(1, 30)),
    "242": Format(1, 6, digits=True),
    **{f"41{digit}": Format(13, 13, digits=True, fixed=True) for digit in range(8)},
    **{f"{measure}{place}": DAY for measure in range(310, 317) for place in range(6)},
    **{f"9{digit}": Format(1, 90) for digit in range(1, 10)},
}
SPLIT = ("21", "10", "240", "17", "11", "37", "30")
"""Identifiers at which a value is cut where a keyboard swallowed the separators."""
HUMAN = re.compile(r"\((\d{2,4})\)([^(]+)")

Elements = dict[str, str]


@dataclass(slots=True)
class Effort:
    """How often a value may still be cut: nobody shall be able to make a code that takes long to read."""

    may_cut: bool
    left: int = 500

    def spent(self) -> bool:
        self.left -= 1
        return self.may_cut and self.left > 0


def check_digit(digits: str) -> int:
    """The digit that completes a GTIN's or SSCC's other digits."""
    return -sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits))) % 10


def is_gtin(digits: str) -> bool:
    """Whether these are 8, 12, 13 or 14 digits of which the last is right."""
    shaped = len(digits) in (8, 12, 13, 14) and digits.isascii() and digits.isdecimal()
    return shaped and check_digit(digits[:-1]) == int(digits[-1])


def readings(text: str) -> list[Elements]:
    """Every way to read a whole text as element string, the likeliest first; none if it is not one.

    With separators, or in the printed form `(01)…(10)…`, there is one way at most. Without, a value may have swallowed
    what follows it: all its cuts that leave a readable rest are readings too, after the one that takes it whole.
    """
    if text.startswith("("):
        return [printed] if (printed := _printed(text)) else []
    plain = SPELLED.sub(GS, text).strip(GS)
    return list(islice(_parsed(plain, frozenset(), Effort(may_cut=GS not in plain)), MOST_READINGS))


def day_of(yymmdd: str) -> date | None:
    """A GS1 date of this century; day 00 is the month's last. None if there is no such day."""
    year, month, day = 2000 + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
    if not 1 <= month <= 12 or day > (last := monthrange(year, month)[1]):
        return None
    return date(year, month, day or last)


def _printed(text: str) -> Elements | None:
    """The form for people: identifiers in brackets, no separators."""
    pairs = HUMAN.findall(text)
    if "".join(f"({identifier}){value}" for identifier, value in pairs) != text:
        return None
    values = {identifier: value.strip(GS + " ") for identifier, value in pairs}
    right = all(identifier in FORMATS and FORMATS[identifier].fits(value) for identifier, value in values.items())
    return values if right else None


def _parsed(text: str, used: frozenset[str], effort: Effort) -> Iterator[Elements]:
    for length in (2, 3, 4):
        identifier = text[:length]
        if (form := FORMATS.get(identifier)) is None or identifier in used:
            continue
        for end in _ends(text, length, form, effort):
            value, rest = text[length:end], text[end:].removeprefix(GS)
            if not form.fits(value):
                continue
            if not rest:
                yield {identifier: value}
            else:
                for following in _parsed(rest, used | {identifier}, effort):
                    yield {identifier: value} | following


def _ends(text: str, start: int, form: Format, effort: Effort) -> Iterator[int]:
    """Where a value that begins at `start` may end, the likeliest first."""
    if form.fixed:
        yield start + form.most
        return
    separator = text.find(GS, start)
    whole = separator if separator >= 0 else len(text)
    yield whole
    for at in range(start + 1, min(whole, start + form.most + 1)):
        if text.startswith(SPLIT, at) and effort.spent():
            yield at

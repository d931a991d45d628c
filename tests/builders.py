"""Small makers for tests: names that nobody else uses."""

from itertools import count
from os import getpid

_numbers = count(1)


def unique(prefix: str) -> str:
    """A code that no other test has: `PSU-4711-1`."""
    return f"{prefix}-{getpid()}-{next(_numbers)}"

"""What a request's page knows beside the request itself: where it is, the plan's word, and names for every code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.web.words import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the page knows beside the request itself."""

    where: Any
    model_name: str
    names: Mapping[str, str]
    people: Mapping[str, str]
    frame: Frame
    photos: Sequence[Any]


def part_told(line: Any, names: Mapping[str, str]) -> str:
    """`电源 12V 5A · psu ×1`."""
    where = f" · {line.position}" if line.position else ""
    return f"{names.get(line.supplied_part_number, line.supplied_part_number)}{where} ×{line.quantity}"

"""Why things are decided and why they are refused: codes and facts, never sentences. Texts are made at the door."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as kept
from typing import Any, ClassVar

Fact = str | int | bool | None | list[str] | list[int]


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a decision: the rule's id (`W4`), a stable code (`restart.not_key_part`), and the facts it rests on.

    Facts are plain JSON values (dates and instants as ISO 8601), so that a stored reason replays in any language.
    """

    rule: str
    code: str
    facts: Mapping[str, Fact] = kept(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request: its path (`lines.0.quantity`), a code, and the facts of its text."""

    field: str
    code: str
    facts: Mapping[str, Any] = kept(default_factory=dict)


class Refusal(Exception):
    """An anticipated failure. Subclasses name what happened; `code` is stable, `status` is HTTP's, facts fill the text.

    Raising is what undoes the transaction, so a refusal is never returned.
    """

    status: ClassVar[int] = 422
    code: ClassVar[str] = "refused"

    def __init__(
        self, *, errors: list[FieldError] | None = None, retry_after_s: int | None = None, **facts: Any
    ) -> None:
        super().__init__(self.code)
        self.facts = facts
        self.errors = errors or []
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code

    @property
    def sentence(self) -> str:
        """The code whose text says this refusal: its own, unless its facts need another."""
        return self.code


class NotFound(Refusal):
    """Nothing by that name that this asker may see: out of scope and missing answer alike."""

    status, code = 404, "not_found"


class Conflict(Refusal):
    """The present state does not allow it."""

    status, code = 409, "conflict"


class Unprocessable(Refusal):
    """Well formed, but a value breaks a rule."""

    status, code = 422, "unprocessable"


class BadRequest(Refusal):
    """Not understood: syntax, a bad cursor, a bad header."""

    status, code = 400, "bad_request"


class Forbidden(Refusal):
    """Known asker, but not theirs to do."""

    status, code = 403, "forbidden"

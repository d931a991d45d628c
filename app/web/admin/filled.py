"""A form as it is shown: what stands in its fields, and what was wrong with what was typed, beside the very field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import Request

from app.core.errors import FieldError, Refusal
from app.core.i18n import Language, text
from app.integrations.imports.load import worded
from app.web.forms import Form
from app.web.render import language_of

TYPED_WRONG = (400, 403, 409, 412, 413, 422)
"""Refusals that are about what was typed; all others are not the form's."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The fields' values by name, what is wrong with each in words, and what is wrong with the whole."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""
    status: int = 200

    def value(self, name: str, otherwise: str = "") -> str:
        return next(iter(self.values.get(name, ())), otherwise)

    def all(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())

    def has(self, name: str, value: str) -> bool:
        return value in self.values.get(name, ())


def standing(**values: Any) -> Filled:
    """A form that shows how things stand: texts and numbers as they are typed, lists as several values, a yes as `on`."""
    return Filled({name: _typed(value) for name, value in values.items()})


def _typed(value: Any) -> tuple[str, ...]:
    if value is None or value is False:
        return ()
    if value is True:
        return ("on",)
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(str(one) for one in value)
    return (str(value),)


def typed(request: Request[Any, Any, Any], form: Form, refused: Refusal) -> Filled:
    """The form as it was sent, with every fault in its place. What is not about the typing is raised again."""
    if refused.status not in TYPED_WRONG:
        raise refused
    language, values = language_of(request), dict[str, tuple[str, ...]]()
    for name, value in form.fields:
        values[name] = (*values.get(name, ()), value)
    wrong: dict[str, str] = {}
    for one in refused.errors:
        name = one.field.split(".")[0]
        sentence = told(one, language)
        wrong[name] = f"{wrong[name]} {sentence}" if name in wrong and sentence not in wrong[name] else sentence
    return Filled(values, wrong, text(refused.sentence, refused.facts, language), refused.status)


def told(one: FieldError, language: Language) -> str:
    """A wrong field in words: what a decoder says in English is said as the importers say it."""
    if one.code != "field.bad" or "why" not in one.facts:
        return text(one.code, one.facts, language)
    again = worded(0, one.field, str(one.facts["why"]))
    return text(again.code, again.facts, language)


def version_of(form: Form) -> int | None:
    """The version that a form was filled in for."""
    given = form.text("version") or ""
    return int(given) if re.fullmatch(r"\d{1,18}", given) else None

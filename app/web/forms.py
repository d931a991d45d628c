"""What people send: a form of this site, checked to be its own, as plain values or as a body of the API."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile

from app.core.errors import FieldError, Forbidden
from app.core.http import BadFields
from app.core.types import out_of_time, wrong_fields

T = TypeVar("T", bound=msgspec.Struct)


class StaleForm(Forbidden):
    """A form that this site did not give to this browser."""

    code = "web.form_stale"


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one posted form. Texts are stripped; a field left empty counts as not sent."""

    fields: tuple[tuple[str, str], ...]
    files: Mapping[str, tuple[UploadFile, ...]]

    def text(self, name: str) -> str | None:
        """The field's first value that is not empty."""
        return next((value for key, value in self.fields if key == name and value), None)

    def texts(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name and value]

    def flag(self, name: str) -> bool:
        """A checkbox or a yes/no choice."""
        return self.text(name) in ("on", "true", "yes", "1")

    def instant(self, name: str, zone: str) -> datetime | None:
        """A `datetime-local` field, meant on the wall clock of a zone; BadFields if it is no time."""
        value = self.text(name)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value)
        except ValueError as wrong:
            raise BadFields(errors=[FieldError(name, "field.bad", {"why": value})]) from wrong
        return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))

    def into(self, shape: type[T], **more: Any) -> T:
        """A body of the API made of the fields it knows and `more`; texts become what the shape says. Raises BadFields
        with every field that does not fit."""
        known = {one.encode_name for one in msgspec.structs.fields(shape)}
        raw = {name: value for name in known if (value := self.text(name)) is not None} | more
        try:
            made = msgspec.convert(raw, shape, strict=False)
        except msgspec.ValidationError as wrong:
            found = wrong_fields(raw, shape, strict=False) or [("", str(wrong))]
            raise BadFields(errors=[_field_error(path, message) for path, message in found]) from wrong
        if late := out_of_time(made):
            raise BadFields(errors=[FieldError(path, "field.out_of_time") for path in late])
        return made

    def digest(self) -> bytes:
        """What two sendings of the same form have in common, however they were encoded; the token is not part of it."""
        whole = hashlib.sha256()
        for name, value in sorted(self.fields):
            if name != "token":
                whole.update(f"{len(name)}:{name}={len(value)}:{value};".encode())
        for name, files in sorted(self.files.items()):
            for one in files:
                whole.update(f"{name}={one.filename};".encode())
        return whole.digest()


def _field_error(path: str, message: str) -> FieldError:
    return (
        FieldError(path, message) if message.startswith("field.") else FieldError(path, "field.bad", {"why": message})
    )


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The posted form, read once a request: two dependencies that ask at the same time wait for one reading."""
    state = request.scope.setdefault("state", {})
    async with state.setdefault("form_lock", asyncio.Lock()):
        if "form" not in state:
            state["form"] = await _read(request)
    form: Form = state["form"]
    return form


async def _read(request: Request[Any, Any, Any]) -> Form:
    sent = await request.form()
    fields, files = [], {}
    for name in dict.fromkeys(sent):
        values = sent.getall(name)
        fields += [(name, str(value).strip()) for value in values if not isinstance(value, UploadFile)]
        if uploads := tuple(value for value in values if isinstance(value, UploadFile) and value.filename):
            files[name] = uploads
    return Form(tuple(fields), files)


def need_own_form(request: Request[Any, Any, Any], *, expected: str, given: str | None) -> None:
    """Refuse a form from another site: its token belongs to a cookie that only this site's pages can send (T141)."""
    origin = request.headers.get("origin")
    foreign = origin not in (None, "null") and origin.partition("://")[2] != request.headers.get("host")
    right = given is not None and given.isascii() and hmac.compare_digest(expected, given)
    if foreign or not right:
        raise StaleForm

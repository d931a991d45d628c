"""Photos from phones: the codes in one, and a small still of one to keep. Each is opened in a child of its own."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from app.core.errors import Refusal, Unprocessable
from app.web.child import Child, ChildFailed

MOST_BYTES = 10 * 1024 * 1024
SECONDS = 15.0
AT_ONCE = 2
MOST_WAITING = 12
_rooms = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="photo")
_waiting = 0


class PhotoTooLarge(Refusal):
    """More bytes or more pixels than are opened here."""

    status, code = 413, "web.photo_too_large"


class PhotoUnreadable(Unprocessable):
    """No JPEG, PNG or WebP, or a broken one, or one that took too long."""

    code = "web.photo_unreadable"


class NoCodeInPhoto(Unprocessable):
    """A picture, but no code that could be made out."""

    code = "web.photo_without_code"


class PhotosBusy(Refusal):
    """Too many photos wait already."""

    status, code = 503, "web.photos_busy"


@dataclass(frozen=True, slots=True)
class Found:
    """A code in a photo: its kind (`QR Code`) and what a scanner would have sent for it."""

    kind: str
    code: str


async def codes_in(raw: bytes) -> tuple[Found, ...]:
    """The codes in a photo, at least one. Raises NoCodeInPhoto, PhotoUnreadable, PhotoTooLarge or PhotosBusy."""
    found = tuple(Found(kind, code) for kind, code in json.loads(await _opened(b"c", raw)))
    if not found:
        raise NoCodeInPhoto
    return found


async def still(raw: bytes) -> bytes:
    """The photo as a JPEG of at most 1600 pixels a side, upright and without what phones write into one (place, device).

    Raises PhotoUnreadable, PhotoTooLarge or PhotosBusy.
    """
    return await _opened(b"s", raw)


async def _opened(task: bytes, raw: bytes) -> bytes:
    global _waiting
    if len(raw) > MOST_BYTES:
        raise PhotoTooLarge(limit_mb=MOST_BYTES // (1024 * 1024))
    if _waiting >= MOST_WAITING:
        raise PhotosBusy(retry_after_s=3)
    _waiting += 1
    try:
        answer = await asyncio.get_running_loop().run_in_executor(_rooms, _ask, task + raw)
    finally:
        _waiting -= 1
    if answer[:1] == b"+":
        return answer[1:]
    if answer == b"-too_large":
        raise PhotoTooLarge(limit_mb=MOST_BYTES // (1024 * 1024))
    raise PhotoUnreadable


def _ask(question: bytes) -> bytes:
    """A child for this picture alone: whatever it does to it ends with it."""
    child = Child("app.web.photo_child")
    try:
        return child.ask(question, seconds=SECONDS)
    except ChildFailed:
        return b"-unreadable"
    finally:
        child.close()

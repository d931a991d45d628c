"""Sets a paper in a warm child, kept apart from the server: it can be killed, and its memory is bounded."""

import asyncio
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import structlog

from app.core.errors import Refusal
from app.web.child import Child, ChildFailed

SECONDS = 15.0
PAPERS_PER_CHILD, LARGE_PAPER = 400, 2 * 1024 * 1024
"""After so many, or after one so large, the child is replaced: it keeps what it remembers of papers."""
UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""Controls, and marks that would turn the order of what follows them around."""

log = structlog.get_logger("paper")


class PaperNotMade(Refusal):
    """The paper could not be set: the child was late, died, or the values are beyond it."""

    status, code = 503, "web.paper_not_made"


class Press:
    """One child and one thread that asks it, so that papers wait in line."""

    def __init__(self, module: str = "app.web.paper.press_child") -> None:
        self._child = Child(module, heard=True)
        self._turn = ThreadPoolExecutor(1, thread_name_prefix="press")

    async def set(self, source: str, data: Mapping[str, Any], *, made_at: datetime) -> bytes:
        """The PDF of a source, `press_child` says how. Raises PaperNotMade."""
        values = json.dumps(cleaned(data), ensure_ascii=False, separators=(",", ":"))
        question = {"source": source, "made_at": int(made_at.timestamp()), "data": values}
        answer = await asyncio.get_running_loop().run_in_executor(self._turn, self._ask, json.dumps(question).encode())
        if answer[:1] == b"+":
            return answer[1:]
        log.error("paper_not_made", source=source, why=answer[1:2000].decode(errors="replace"))
        raise PaperNotMade(retry_after_s=2)

    def close(self) -> None:
        """End the child; the next paper starts another."""
        self._child.close()

    def _ask(self, question: bytes) -> bytes:
        try:
            answer = self._child.ask(question, seconds=SECONDS)
        except ChildFailed as failed:
            return f"-{type(failed).__name__}".encode()
        if self._child.answered >= PAPERS_PER_CHILD or len(answer) >= LARGE_PAPER:
            self._child.close()
        return answer


PRESS = Press()


def cleaned(value: Any) -> Any:
    """The same value without what cannot be printed in any of its texts."""
    if isinstance(value, str):
        return UNPRINTABLE.sub("", value)
    if isinstance(value, Mapping):
        return {key: cleaned(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(one) for one in value]
    return value

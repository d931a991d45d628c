"""Identifiers: UUIDv7 (RFC 9562) under a prefix that names the kind, `req_019a…`. Time-ordered, hard to guess."""

import secrets
import threading
from datetime import datetime

_lock = threading.Lock()
_last = (0, 0)


def new_id(prefix: str, now: datetime) -> str:
    """A new id of a kind: `<prefix>_` and 32 hex digits. In one process, later calls at one instant sort later."""
    global _last
    milliseconds = int(now.timestamp() * 1000)
    with _lock:
        count = _last[1] + 1 if _last[0] == milliseconds else secrets.randbelow(64)
        if count > 0xFFF:  # more than 4,000 in one millisecond: order within it is given up, uniqueness is not
            count = secrets.randbelow(0x1000)
        _last = (milliseconds, count)
    number = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | count << 64 | 2 << 62 | secrets.randbits(62)
    return f"{prefix}_{number:032x}"

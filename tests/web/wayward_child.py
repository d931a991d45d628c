"""A child that does what children of Sparelane should not: for the tests of what becomes of it."""

import sys
from threading import Event

from app.web.child import serve


def answer(question: bytes) -> bytes:
    """Do as told."""
    if question == b"dawdle":
        Event().wait(600)
    elif question == b"hoard":
        return str(len(bytearray(1024 * 1024 * 1024))).encode()
    elif question == b"leave":
        sys.exit(0)
    elif question == b"chatter":
        sys.stdout.write("not an answer")
        sys.stdout.flush()
    return question[::-1]


if __name__ == "__main__":
    serve(answer, memory=512 * 1024 * 1024)

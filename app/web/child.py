"""A child process for what is better not done in the server: it has little memory, a deadline, and is killed when late.

Both ends live here: `Child` asks from the server, `serve` answers in the child. Questions and answers are bytes.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent.parent
LONGEST = 64 * 1024 * 1024
ENVIRONMENT = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""One arena and one thread: else a machine with many cores would need more address space than the limit gives."""


class ChildFailed(Exception):
    """The child gave no answer. It is gone; the next question starts another."""


class ChildLate(ChildFailed):
    """It took longer than it had, and was killed."""


class ChildDied(ChildFailed):
    """It ended by itself: out of memory, out of its CPU seconds, or broken by what it was given."""


class Child:
    """A child that runs one module and answers questions one after another. Its owner sees that only one thread asks.

    `heard`: what it says on standard error goes where the server's goes; else it is lost, as for files from outside.
    """

    def __init__(self, module: str, *, heard: bool = False) -> None:
        self._module, self._heard = module, heard
        self._process: subprocess.Popen[bytes] | None = None
        self.answered = 0

    @property
    def pid(self) -> int | None:
        """The process id while it lives."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def ask(self, question: bytes, *, seconds: float) -> bytes:
        """The child's answer within `seconds`. Raises ChildLate or ChildDied."""
        child = self._started()
        late = threading.Event()

        def kill() -> None:
            late.set()
            child.kill()

        deadline = threading.Timer(seconds, kill)
        deadline.start()
        try:
            if child.stdin is None or child.stdout is None:
                raise ChildDied(self._module)
            _write(child.stdin, question)
            answer = _read(child.stdout)
        except OSError as broken:
            self.close()
            raise (ChildLate if late.is_set() else ChildDied)(self._module) from broken
        finally:
            deadline.cancel()
        if answer is None:
            self.close()
            raise (ChildLate if late.is_set() else ChildDied)(self._module)
        self.answered += 1
        return answer

    def close(self) -> None:
        """End the child, whatever it does."""
        child, self._process = self._process, None
        self.answered = 0
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what was still to be written
                    continue

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._process = subprocess.Popen(  # noqa: S603 - a module of ours, by our own interpreter
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if self._heard else subprocess.DEVNULL,
            cwd=ROOT,
            env=ENVIRONMENT,
            start_new_session=True,
        )
        return self._process


def serve(answer: Callable[[bytes], bytes], *, memory: int, cpu_s: int | None = None) -> None:
    """The child's life: answer until the other end is gone. What is printed by libraries is lost."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limited(memory, cpu_s)
    while (question := _read(questions)) is not None:
        _write(answers, answer(question))


def limited(memory: int, cpu_s: int | None) -> None:
    """Little memory and time for this process; where the system knows no such limits, the parent's clock remains."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if cpu_s is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))


def _write(pipe: IO[bytes], what: bytes) -> None:
    pipe.write(len(what).to_bytes(4))
    pipe.write(what)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes | None:
    """The next message; None where the other end is gone or talks nonsense."""
    size = int.from_bytes(head) if len(head := pipe.read(4)) == 4 else LONGEST + 1
    if size > LONGEST:
        return None
    what = pipe.read(size)
    return what if len(what) == size else None

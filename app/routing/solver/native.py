"""The one place where numba comes in: plain functions over arrays become native code, compiled once on each machine.

Only the solving child and the benchmarks import this; the compiled code lies in a folder named by its sources.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

HERE = Path(__file__).parent
SOURCES = ("native.py", "arrays.py", "moves.py", "walk.py", "errands.py", "fetching.py", "errand_walk.py", "paths.py")
"""All files with kernels: numba itself would not see that a function called from another file has changed."""
LAST = 4
P = ParamSpec("P")
T = TypeVar("T")


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """The function as native code, compiled at its first call or read from the folder."""
    return cast(Callable[P, T], numba.njit(cache=KEPT, forceinline=True)(function))


def apart(function: Callable[P, T]) -> Callable[P, T]:
    """A kernel that is compiled once and called, not made part of each caller: for what is large and called seldom."""
    return cast(Callable[P, T], numba.njit(cache=KEPT)(function))


def digest() -> str:
    """Names what the compiled code was made from."""
    made = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for name in SOURCES:
        made.update((HERE / name).read_bytes())
    return made.hexdigest()[:16]


def folder(name: str) -> Path | None:
    """Where compiled code is kept: beside the sources, or where that cannot be written, in the user's own cache.

    A folder that set-up filled and that is read-only now is copied. None means that every process compiles for itself.
    """
    beside = HERE / "__pycache__" / f"native-{name}"
    for base in (beside, *_elsewhere(f"native-{name}")):
        if _writable(base):
            if base != beside and not any(base.iterdir()):
                with contextlib.suppress(OSError):  # set-up left nothing there, or nothing for us
                    shutil.copytree(beside, base, dirs_exist_ok=True)
                base.chmod(0o700)
            return base
    return None


def forget_old() -> None:
    """Delete what older sources were compiled to, but for the last few: a process may still run them."""
    for base in (HERE / "__pycache__" / "any", *_elsewhere("any")):
        with contextlib.suppress(OSError):  # somebody else's, or gone meanwhile
            made = sorted(base.parent.glob("native-*"), key=lambda one: one.stat().st_mtime)
            for old in made[:-LAST]:
                shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Of several processes that get ready at once, one compiles and the others wait to read what it made."""
    kept = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):  # without locks all compile, which costs time alone
            import fcntl

            fcntl.flock(stack.enter_context((Path(kept) / ".lock").open("w")), fcntl.LOCK_EX)
        yield


def _elsewhere(name: str) -> Iterator[Path]:
    """Folders of this user alone: code is loaded from there."""
    with contextlib.suppress(RuntimeError):  # nobody's home is known
        yield Path.home() / ".cache" / "sparelane" / name
    if hasattr(os, "getuid"):
        yield Path(tempfile.gettempdir()) / f"sparelane-{os.getuid()}" / name


def _writable(base: Path) -> bool:
    try:
        base.mkdir(mode=0o755 if base.is_relative_to(HERE) else 0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            pass
    except OSError:
        return False
    return not hasattr(os, "getuid") or base.parent.stat().st_uid == base.stat().st_uid == os.getuid()


KEPT = bool(numba.config.CACHE_DIR)  # type: ignore[attr-defined]
"""Whoever sets NUMBA_CACHE_DIR chose a folder that numba looks after itself."""
if not KEPT and (found := folder(digest())) is not None:
    KEPT = True
    numba.config.CACHE_DIR = str(found)  # type: ignore[attr-defined]

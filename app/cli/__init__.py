"""The command line: `python -m app …`. Each command is a module with `add`, which names it and says what runs it."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from sqlalchemy.exc import DBAPIError

from app.cli.frame import Stop
from app.core.errors import Refusal
from app.core.i18n import text
from app.core.migrate import TooOld
from app.core.settings import BadSetting, read_settings

MODULES = {
    "serve": "serve", "worker": "work", "migrate": "schema", "seal": "schema", "demo": "demo", "import": "imports",
    "keys": "keys", "plan": "plan", "roads": "roads", "users": "users", "check": "check",
}  # fmt: skip
"""Which module has which command: only the one that was asked for is loaded, since all of them take seconds."""
STOPPED = 143


def parser(asked: str | None = None) -> argparse.ArgumentParser:
    """All commands with their words, or only the one that is asked for."""
    top = argparse.ArgumentParser(
        prog="python -m app", description="Sparelane: warranty and spare-parts logistics that keeps its promises."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = [MODULES[asked]] if asked in MODULES else dict.fromkeys(MODULES.values())
    for name in wanted:
        import_module(f"app.cli.{name}").add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 only when it is done. What went wrong is one sentence on standard error."""
    words = sys.argv[1:] if argv is None else list(argv)
    given = parser(words[0] if words else None).parse_args(words)
    signal.signal(signal.SIGTERM, _stop)
    try:
        done = given.run(given, read_settings())
        return int(done or 0)
    except BadSetting as wrong:
        return _say(str(wrong), 2)
    except Stop as stop:
        return _say(str(stop), stop.code)
    except Refusal as refusal:
        return _refused(refusal)
    except (TooOld, OSError) as failed:
        return _say(str(failed), 1)
    except DBAPIError as failed:
        return _say(f"The database refused: {failed.orig}", 1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except RuntimeError as failed:
        if type(failed).__name__ == "EmbeddedFailed":
            return _say(str(failed), 1)
        raise


def _stop(signum: int, frame: object) -> NoReturn:
    """SIGTERM unwinds like an exit, so that the embedded database is left properly."""
    sys.exit(STOPPED)


def _refused(refusal: Refusal) -> int:
    for one in refusal.errors:
        _say(f"{one.field}: {text(one.code, one.facts, 'en')}", 1)
    return _say(text(refusal.sentence, refusal.facts, "en"), 1)


def _say(words: str, code: int) -> int:
    print(words, file=sys.stderr)
    return code

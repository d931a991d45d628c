"""The command line: `python -m app …`. Each command is a module with `add`, which names it and says what runs it."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from sqlalchemy.exc import DBAPIError

from app.cli import check, demo, imports, keys, plan, roads, schema, serve, users, work
from app.cli.frame import Stop
from app.core.errors import Refusal
from app.core.i18n import text
from app.core.migrate import TooOld
from app.core.settings import BadSetting, read_settings

COMMANDS = (serve, work, schema, demo, imports, keys, plan, roads, users, check)
STOPPED = 143


def parser() -> argparse.ArgumentParser:
    """All commands with their words."""
    top = argparse.ArgumentParser(
        prog="python -m app", description="Sparelane: warranty and spare-parts logistics that keeps its promises."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 only when it is done. What went wrong is one sentence on standard error."""
    given = parser().parse_args(argv)
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
    return _say(text(refusal.code, refusal.facts, "en"), 1)


def _say(words: str, code: int) -> int:
    print(words, file=sys.stderr)
    return code

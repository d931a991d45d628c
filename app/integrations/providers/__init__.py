"""Ready profiles, one file of data for each ticketing system: `zammad.toml` and so on."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def providers() -> dict[str, dict[str, Any]]:
    """Every ready profile by its name."""
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}

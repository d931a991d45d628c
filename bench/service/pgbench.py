"""The yardsticks of writes and bulk reads: the same statements run by pgbench, PostgreSQL's own load program."""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from app.core.embedded import programs
from bench.service.client import Wrong

_runs = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What pgbench measured."""

    per_s: float
    mean_ms: float


def pgbench(
    url: str, scripts: list[str], *, clients: int, seconds: float, variables: Mapping[str, str] | None = None
) -> Rate:
    """Run the scripts in random turns as prepared statements. Raises Wrong with pgbench's words when one fails."""
    given = {"run": str(next(_runs)), "k": "0"} | dict(variables or {})
    with tempfile.TemporaryDirectory(prefix="sl-bench-") as folder:
        paths = [Path(folder) / f"{number}.sql" for number in range(len(scripts))]
        for path, script in zip(paths, scripts, strict=True):
            path.write_text(script, encoding="utf-8")
        command = [programs() / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2))]
        command += ["-T", str(max(1, round(seconds)))]
        command += [word for name, value in given.items() for word in ("-D", f"{name}={value}")]
        command += [word for path in paths for word in ("-f", path)]
        done = subprocess.run([*command, url], capture_output=True, text=True, check=False)
    tps = re.search(r"^tps = ([\d.]+)", done.stdout, re.M)
    latency = re.search(r"^latency average = ([\d.]+) ms", done.stdout, re.M)
    if done.returncode or tps is None or latency is None or "ERROR" in done.stderr:
        raise Wrong(done.stderr[-2000:] or done.stdout[-2000:])
    return Rate(per_s=float(tps[1]), mean_ms=float(latency[1]))

"""H8: the API held to its own description by schemathesis, role by role, on the demo network; then `check`.

    python -m tools.fuzz --role all --examples 100

Every phase and every check. Most of what is made up is about things that exist (`tools.fuzz_stage`): a request that nobody
made tells nothing of its verbs. Besides that no answer takes over two seconds, no bug is logged, the server keeps within 256 MB
of what it took idle, and every invariant holds at the end. Each role has a fresh server. Revoking keys is tried last and alone:
the fuzzer finds its own key in the list, and whatever followed would show nothing but 401.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx

from app.accounts.rules import ROLES
from app.core.db import make_engine
from app.core.embedded import prepare
from tools.fuzz_stage import lived_in, with_names
from tools.server import ROOT, Server, fresh_server

MOST_MB = 256
SLOWEST_S = 2
SETTINGS = {
    "SPARELANE_KEY_RATE": "60000",  # the fuzzer is to be answered, not told to come again
    "SPARELANE_WORKER": "apart",  # and nobody calls the webhook addresses that it makes up
}
ENDS_KEYS = "revoke_key"


def key(server: Server, role: str) -> str:
    made = server.cli("keys", "create", "--role", role, "--name", f"fuzz {role}")
    if made.returncode:
        raise RuntimeError(made.stderr)
    return made.stdout.strip()


def fuzz(
    server: Server, settings: Path, secret: str, examples: int, seed: int, phases: str, *chosen: str
) -> tuple[int, str]:
    """One run of schemathesis. Gives its exit code and what it said."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run",
        f"{server.url}/schema/openapi.json", "--header", f"Authorization: Bearer {secret}", "--checks", "all",
        "--phases", phases, "--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none",
        "--max-response-time", str(SLOWEST_S), "--continue-on-failure", "--no-color", *chosen,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=server.data.parent, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


async def named(server: Server) -> Path:
    """The settings, with the names of what exists on this server by now."""
    engine = make_engine(f"postgresql://postgres@/postgres?host={prepare(server.data / 'pg')}", pool_size=2)
    try:
        async with server.admin() as api:
            names = await lived_in(api, engine)
    finally:
        await engine.dispose()
    return with_names(ROOT / "schemathesis.toml", names, server.data.parent / "schemathesis.toml")


def resident_mb(server: Server) -> int:
    """What the server has in memory; 0 where the system does not say."""
    status = Path(f"/proc/{server.process.pid}/status") if server.process else Path("/nowhere")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) // 1024 if found else 0


def still_counts(server: Server, secret: str) -> bool:
    return httpx.get(f"{server.url}/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


async def of_role(role: str, *, examples: int, seed: int, phases: str) -> list[str]:
    """What is wrong for one role."""
    wrong = []
    with fresh_server(**SETTINGS) as server:
        server.start("--demo")
        await server.ready(within_s=180)
        secret, other = key(server, role), key(server, role)
        settings = await named(server)
        idle, began = resident_mb(server), time.monotonic()
        for used, chosen in ((secret, "--exclude-operation-id"), (other, "--include-operation-id")):
            code, said = fuzz(server, settings, used, examples, seed, phases, chosen, ENDS_KEYS)
            if code:
                wrong.append(said)
            cases = re.search(r"Test cases:\n\s+(.*)", said)
            print(f"{role}: {cases[1] if cases else said}", flush=True)
            if chosen.startswith("--exclude") and not still_counts(server, secret):
                wrong.append(f"{role}'s key ended on the way: what followed showed nothing")
        grown = resident_mb(server) - idle
        print(
            f"{role}: {time.monotonic() - began:.0f} s, {grown} MB over idle, load {os.getloadavg()[0]:.1f}", flush=True
        )
        wrong += [f"{grown} MB over idle"] if grown > MOST_MB else []
        log = (server.data.parent / "server.log").read_text(encoding="utf-8")
        wrong += [line for line in log.splitlines() if '"event": "bug"' in line]
        checked = server.cli("check")
        wrong += [checked.stdout or checked.stderr] if checked.returncode else []
        server.stop()
    return wrong


async def run(roles: tuple[str, ...], *, examples: int, seed: int, phases: str) -> int:
    failed = []
    for role in roles:
        wrong = await of_role(role, examples=examples, seed=seed, phases=phases)
        for one in wrong:
            print(f"WRONG ({role}): {one}")
        failed += [role] if wrong else []
    print(f"seed {seed}, {examples} examples: " + (f"WRONG for {', '.join(failed)}" if failed else "0 findings"))
    return 1 if failed else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", choices=["all", *ROLES], default="all")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    given = parser.parse_args()
    roles = tuple(ROLES) if given.role == "all" else (given.role,)
    sys.exit(asyncio.run(run(roles, examples=given.examples, seed=given.seed, phases=given.phases)))


if __name__ == "__main__":
    main()

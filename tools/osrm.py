"""A real OSRM server on this machine, from the package in `.venv/peers`: for tests and benchmarks of travel times."""

import contextlib
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEER = ROOT / ".venv" / "peers" / "osrm"
READY = "running and waiting for requests"
MOST_TABLE = 1_000


class NoOsrm(Exception):
    """The programs are not there."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers, and what it took to prepare."""

    url: str
    extract_s: float
    contract_s: float


def program(name: str) -> Path:
    """One of OSRM's programs; NoOsrm with what to do if it is missing."""
    found = next((path for path in (PEER / "bin").glob(f"{name}*") if path.stem == name), None)
    if found is None:
        raise NoOsrm("OSRM is not installed. Run: make test (or python3 bootstrap.py test), which installs it.")
    return found


@contextlib.contextmanager
def osrm(extract: Path, folder: Path, *, most_table: int = MOST_TABLE) -> Iterator[Served]:
    """Prepare an extract in a folder with the car profile, serve it on loopback, stop it at the end."""
    copy = folder / extract.name
    copy.write_bytes(extract.read_bytes())
    base = folder / f"{extract.name.removesuffix('.pbf').removesuffix('.osm')}.osrm"
    extract_s = _run(program("osrm-extract"), "-p", PEER / "share" / "profiles" / "car.lua", copy)
    contract_s = _run(program("osrm-contract"), base)
    with _routed(base, most_table) as port:
        yield Served(f"http://127.0.0.1:{port}", extract_s, contract_s)


def _run(*command: object) -> float:
    """Run a program; gives its seconds. What it said is shown if it failed."""
    began = time.perf_counter()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {(done.stdout + done.stderr)[-500:]}")
    return time.perf_counter() - began


@contextlib.contextmanager
def _routed(base: Path, most_table: int) -> Iterator[int]:
    """The server on a free port, once it says that it waits for requests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [program("osrm-routed"), "--ip", "127.0.0.1", "--port", port, "--max-table-size", most_table, base]
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said: list[str] = []
        for line in process.stdout or ():
            said.append(line)
            if READY in line:
                break
        else:
            raise RuntimeError(f"osrm-routed did not start: {''.join(said)[-500:]}")
        threading.Thread(target=_drained, args=(process,), daemon=True).start()
        yield port
    finally:
        process.terminate()
        process.wait()


def _drained(process: subprocess.Popen[str]) -> None:
    """Read on, since a server whose words nobody reads stands still when the pipe is full."""
    deque(process.stdout or (), maxlen=0)

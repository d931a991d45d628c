"""Sets a fresh machine up and runs one of Sparelane's tasks; the Makefile only calls this. Standard library alone."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PEERS = VENV / "peers"
YARDSTICKS = ROOT / "bench" / "routing" / "yardsticks-requirements"
HELPDESK = VENV / "peer-helpdesk"
REQUEST_TRACKER = Path("/usr/share/request-tracker5/libexec/standalone_httpd")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def sh(*command: object, **options: object) -> int:
    """Run a command in the checkout; its failure is ours, with its exit code."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([str(word) for word in command], cwd=ROOT, env=environment, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(done.returncode)
    return 0


def install(requirements: str) -> None:
    """Make `.venv` and install a lock file into it; does nothing when that very file is installed already."""
    if sys.version_info < (3, 11):  # noqa: UP036 - bootstrap is what tells an old Python so
        sys.exit(f"Sparelane needs Python 3.11 or newer; this is {sys.version.split()[0]}. Set PYTHON=python3.12, say.")
    lock = ROOT / "requirements" / requirements
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = VENV / f".installed-{lock.stem}"
    if stamp.exists() and stamp.read_text() == digest and PYTHON.exists():
        return
    if not PYTHON.exists():
        try:
            import ensurepip  # noqa: F401
            import venv
        except ImportError:
            sys.exit("Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv")
        print("Making .venv …", flush=True)
        venv.create(VENV, with_pip=True, symlinks=os.name != "nt")
    if not (VENV / ".uv").exists():
        sh(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
        (VENV / ".uv").touch()
    print(f"Installing {lock.name} …", flush=True)
    sh(
        PYTHON,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        PYTHON,
        "--compile-bytecode",
        "--require-hashes",
        "-r",
        lock,
    )
    stamp.write_text(digest)


def compile_kernels() -> None:
    """Compile the routing search's inner loop once, so that no search and no test waits for it (docs/decisions/0016)."""
    solver = ROOT / "app" / "routing" / "solver"
    made = hashlib.sha256((ROOT / "requirements" / "run.txt").read_bytes() + str(PYTHON.resolve()).encode())
    for file in sorted(solver.glob("*.py")):
        made.update(file.read_bytes())
    stamp = solver / "__pycache__" / ".kernels"
    if stamp.exists() and stamp.read_text() == made.hexdigest():
        return
    print("Compiling the routing search …", flush=True)
    sh(PYTHON, "-m", "app.routing.solver.ready")
    if os.access(stamp.parent, os.W_OK):
        stamp.write_text(made.hexdigest())


def find_chromium() -> str | None:
    """The Chromium the page tests drive: CHROMIUM, or the first one on PATH."""
    return os.environ.get("CHROMIUM") or next((found for name in CHROMIUMS if (found := shutil.which(name))), None)


def apt(what: str, *packages: str, answers: str = "") -> None:
    """Install Debian packages where we are root; `answers` are to what they would ask."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"Installing {what} …", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
    if answers and shutil.which("debconf-set-selections"):
        subprocess.run(["debconf-set-selections"], input=answers, text=True, check=False, **quiet)
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], check=False, **quiet)


def need_chromium() -> None:
    """Install Debian's Chromium where that is allowed; say what to install where it is not."""
    if find_chromium():
        return
    apt("Chromium for the page tests", "chromium", "fonts-noto-cjk")
    if not find_chromium():
        print(
            "No Chromium found: page tests cannot run. Install one (Debian: apt-get install chromium) or set CHROMIUM."
        )
        if os.environ.get("CI"):
            sys.exit(1)


def need_peers() -> None:
    """Put the programs that tests compare us with into a folder of their own; say so where that is not possible.

    They come in a wheel for Python 3.12 that holds programs which need no Python, so any Python can fetch it.
    """
    lock = ROOT / "requirements" / "peers.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = PEERS / ".installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    print("Installing peers.txt …", flush=True)
    shutil.rmtree(PEERS, ignore_errors=True)
    command = (
        PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, "--target", PEERS,
        "--python-version", "3.12", "--no-build", "--no-deps", "--require-hashes", "-r", lock,
    )  # fmt: skip
    done = subprocess.run([str(word) for word in command], cwd=ROOT, check=False)
    if done.returncode == 0:
        stamp.write_text(digest)
        return
    print(
        "The road server OSRM could not be installed: the tests in tests/travel that compare with it will fail. "
        "It needs the package registry, and 64-bit Linux, macOS or Windows."
    )
    if os.environ.get("CI"):
        sys.exit(1)


def need_helpdesk() -> None:
    """Put the ticketing system that tests talk to into a venv of its own; say so where that is not possible."""
    lock = ROOT / "requirements" / "peer-helpdesk.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = HELPDESK / ".installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"Installing {lock.name} …", flush=True)
    shutil.rmtree(HELPDESK, ignore_errors=True)
    inside = HELPDESK / PYTHON.relative_to(VENV)
    commands: tuple[tuple[object, ...], ...] = (
        (PYTHON, "-m", "uv", "venv", "--quiet", "--python", PYTHON, HELPDESK),
        (PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", inside, "--require-hashes", "-r", lock),
    )
    if all(subprocess.run([str(word) for word in one], cwd=ROOT, check=False).returncode == 0 for one in commands):
        stamp.write_text(digest)
        return
    print(
        "django-helpdesk could not be installed: the tests that talk to it are left out. It needs the package registry."
    )
    if os.environ.get("CI"):
        sys.exit(1)


def need_request_tracker() -> None:
    """Install Debian's Request Tracker where that is allowed; nothing of it runs but what tests start."""
    if REQUEST_TRACKER.exists():
        return
    answers = "request-tracker5 request-tracker5/install-cronjobs boolean false\n"
    apt("Request Tracker 5 to be talked to in tests", "request-tracker5", "rt5-db-sqlite", answers=answers)
    if not REQUEST_TRACKER.exists():
        print(
            "No Request Tracker 5 found: the tests that talk to it are left out (Debian: apt-get install rt5-db-sqlite)."
        )


def run() -> None:
    install("run.txt")
    compile_kernels()
    os.chdir(ROOT)
    command = [str(PYTHON), "-m", "app", "serve", "--demo"]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execv(command[0], command)  # so that a signal to make's child reaches the server itself


def test() -> None:
    install("dev.txt")
    compile_kernels()
    need_chromium()
    need_peers()
    need_helpdesk()
    need_request_tracker()
    what = os.environ.get("TESTS", "tests").split()
    workers = os.environ.get("WORKERS", str(os.cpu_count() or 2))
    sh(PYTHON, "-m", "pytest", "-n", workers, "--dist", "worksteal", *what)


def lint() -> None:
    install("dev.txt")
    sh(PYTHON, "-m", "ruff", "check", ".")
    sh(PYTHON, "-m", "ruff", "format", "--check", ".")


def types() -> None:
    install("dev.txt")
    sh(PYTHON, "-m", "mypy")


def bench() -> None:
    install("dev.txt")
    sh(PYTHON, "-m", "bench.service")


def yardsticks() -> None:
    """Other people's solvers for the routing benchmarks, in an environment of their own."""
    install("dev.txt")
    there = ROOT / ".yardsticks"
    python = there / PYTHON.relative_to(VENV)
    if not python.exists():
        sh(PYTHON, "-m", "uv", "venv", "--quiet", "--python", PYTHON, there)
    lock_file = YARDSTICKS.with_suffix(".txt")
    sh(PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock_file)


def lock() -> None:
    install("dev.txt")
    for name in (*(ROOT / "requirements" / one for one in ("run", "dev", "peer-helpdesk")), YARDSTICKS):
        sh(
            PYTHON, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-header", name.with_suffix(".in").relative_to(ROOT),
            "-o", name.with_suffix(".txt").relative_to(ROOT),
        )  # fmt: skip
    sh(
        PYTHON, "-m", "uv", "pip", "compile", "--quiet", "--python-version", "3.12", "--generate-hashes", "--no-header",
        "requirements/peers.in", "-o", "requirements/peers.txt",
    )  # fmt: skip


TASKS = {task.__name__: task for task in (run, test, lint, types, bench, yardsticks, lock)}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in TASKS:
        sys.exit(f"usage: python3 bootstrap.py {'|'.join(TASKS)}")
    TASKS[sys.argv[1]]()

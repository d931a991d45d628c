"""Which peers are here: what is not installed is left out of collection, and the run says so."""

import os
from pathlib import Path

import pytest

from tests.peers.request_tracker import SERVER

ROOT = Path(__file__).parent.parent.parent
HELPDESK_PYTHON = Path(os.environ.get("HELPDESK_PYTHON", ROOT / ".venv" / "peer-helpdesk" / "bin" / "python"))

collect_ignore = [] if HELPDESK_PYTHON.exists() else ["test_helpdesk.py"]
collect_ignore += [] if SERVER.exists() else ["test_request_tracker.py"]


@pytest.fixture(scope="session")
def helpdesk_python() -> Path:
    return HELPDESK_PYTHON

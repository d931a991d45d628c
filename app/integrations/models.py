"""The integrations' tables: files that were imported, or are about to be."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class ImportRun(Base):
    """One file on its way in: looked at first, then loaded whole or not at all. Its hash tells the same file again.

    The content is kept until it is loaded, or a week; bad rows are kept with what was wrong with them.
    """

    __tablename__ = "import_run"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    file_name: Mapped[str]
    file_hash: Mapped[str]
    size_bytes: Mapped[int]
    content: Mapped[bytes | None]
    state: Mapped[str]
    rows: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    bad: Mapped[list[Any]] = mapped_column(server_default="[]")
    refusal: Mapped[dict[str, Any] | None]
    would: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    loaded_by: Mapped[str | None]
    loaded_at: Mapped[datetime | None]

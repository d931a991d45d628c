"""The accounts' tables: API keys."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class ApiKey(Base):
    """A key for the API: its prefix finds it, its hash proves it; the key itself is shown once and never kept."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    prefix: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    customers: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    areas: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    places: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")

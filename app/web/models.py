"""The pages' own tables: who is signed in, the secret that signs cookies, and the views that readers saved."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class WebSession(Base):
    """One browser signed in by a person, or with a key. The cookie holds the id, the table only its hash.

    A person's session counts in the epoch in which it was opened.
    """

    __tablename__ = "web_session"

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    api_key: Mapped[str | None] = mapped_column(ForeignKey("api_key.id"))
    user_account: Mapped[str | None] = mapped_column(ForeignKey("user_account.id"))
    epoch: Mapped[int | None]
    browser: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    proven_at: Mapped[datetime | None]


class WebSecret(Base):
    """A secret that all processes share; made by the migration, read-only to the application."""

    __tablename__ = "web_secret"

    name: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[str]


class SavedView(Base):
    """A name that a reader gave to what the address of a list says."""

    __tablename__ = "saved_view"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    page: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    is_default: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime]

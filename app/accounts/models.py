"""The accounts' tables: API keys, people, and tries to sign in."""

from datetime import datetime

from sqlalchemy import Identity, Text
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


class UserAccount(Base):
    """A person. The login is folded; the password is kept as an argon2id hash, none until one is set.

    A sign-in belongs to an epoch; a new password, being disabled and an end to all sessions begin the next one.
    """

    __tablename__ = "user_account"

    id: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    customers: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    areas: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    places: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    password_hash: Mapped[str | None]
    must_change: Mapped[bool] = mapped_column(server_default="false")
    language: Mapped[str | None]
    epoch: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class SignInTry(Base):
    """A try to sign in that failed or is under way; forgotten after the window in which they are counted.

    Of the login only a hash is kept: people type their password into that field now and then.
    """

    __tablename__ = "sign_in_try"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    address: Mapped[str]
    login_hash: Mapped[str | None]
    tried_at: Mapped[datetime]
    failed: Mapped[bool] = mapped_column(server_default="false")

"""The routing wing's tables: standing plans, dirty marks, every plan that was in force, times and lines along roads."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class RegionPlan(Base):
    """The plan in force of a region, with the lease and fencing number of whoever plans it."""

    __tablename__ = "region_plan"

    region: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default="0")
    planned_at: Mapped[datetime | None]
    problem: Mapped[dict[str, Any] | None]
    plan: Mapped[dict[str, Any] | None]
    fence: Mapped[int] = mapped_column(server_default="0")
    lease_until: Mapped[datetime | None]
    explained: Mapped[int] = mapped_column(server_default="0")
    improved: Mapped[int] = mapped_column(server_default="0")


class RegionDirty(Base):
    """Something happened in a region; the next plan takes the marks it has seen away."""

    __tablename__ = "region_dirty"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    region: Mapped[str]
    why: Mapped[str]
    marked_at: Mapped[datetime]


class PlanHistory(Base):
    """A plan as it was applied, with the problem it answers and how it came about (`rules/making.py`): it can be made again."""

    __tablename__ = "plan_history"

    id: Mapped[str] = mapped_column(primary_key=True)
    region: Mapped[str]
    version: Mapped[int]
    planned_at: Mapped[datetime]
    problem: Mapped[dict[str, Any]]
    plan: Mapped[dict[str, Any]]
    making: Mapped[dict[str, Any] | None]


class PlanClash(Base):
    """What clashes for a line that a plan will miss, and what would help; the version says of which plan it was told."""

    __tablename__ = "plan_clash"

    region: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    line: Mapped[str] = mapped_column(primary_key=True)
    told: Mapped[dict[str, Any]]


class TravelSource(Base):
    """A source of road times by its version; the one in force is what plans and promises use."""

    __tablename__ = "travel_source"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    version: Mapped[str]
    by_hour: Mapped[bool]
    in_force: Mapped[bool]
    since: Mapped[datetime]


class TravelTime(Base):
    """What a source said the way from one point to another takes in a part of the day; null: there is no road."""

    __tablename__ = "travel_time"

    source: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[int] = mapped_column(primary_key=True)
    seconds: Mapped[int | None]
    asked_at: Mapped[datetime]


class TravelLine(Base):
    """The way from one point to another on the map, as an encoded line; null: there is no road."""

    __tablename__ = "travel_line"

    source: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[str | None]
    asked_at: Mapped[datetime]

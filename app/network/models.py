"""The network's tables. Natural keys (codes, numbers) are primary keys; dated facts are ranges that may not overlap."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, Double, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Customer(Base):
    __tablename__ = "customer"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    engineer: Mapped[str | None]
    contact: Mapped[str | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class Contract(Base):
    __tablename__ = "contract"

    number: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    currency: Mapped[str]
    accepted_on: Mapped[date | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class ContractTerms(Base):
    """The terms in force over a range of days; an amendment ends the one before it."""

    __tablename__ = "contract_terms"

    contract: Mapped[str] = mapped_column(ForeignKey("contract.number"), primary_key=True)
    valid: Mapped[Range[date]] = mapped_column(DATERANGE, primary_key=True)
    terms: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class Assortment(Base):
    """A part that a contract lists as locally stocked, over a range of days (C3)."""

    __tablename__ = "assortment"

    contract: Mapped[str] = mapped_column(ForeignKey("contract.number"), primary_key=True)
    part: Mapped[str] = mapped_column(ForeignKey("part.number"), primary_key=True)
    valid: Mapped[Range[date]] = mapped_column(DATERANGE, primary_key=True)


class Part(Base):
    __tablename__ = "part"

    number: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    tracking: Mapped[str]
    fitting_minutes: Mapped[int] = mapped_column(server_default="20")
    weight_g: Mapped[int] = mapped_column(server_default="500")
    hazardous: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class Substitution(Base):
    """`to_part` may stand in for `from_part`; an equivalent also the other way round (S5)."""

    __tablename__ = "substitution"

    from_part: Mapped[str] = mapped_column(ForeignKey("part.number"), primary_key=True)
    to_part: Mapped[str] = mapped_column(ForeignKey("part.number"), primary_key=True)
    kind: Mapped[str]
    model: Mapped[str] = mapped_column(primary_key=True, server_default="")
    valid: Mapped[Range[date]] = mapped_column(DATERANGE, primary_key=True)
    recorded_at: Mapped[datetime]


class Model(Base):
    __tablename__ = "model"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class ModelPosition(Base):
    """A place in a model and the part that belongs there; `unit` is the device itself."""

    __tablename__ = "model_position"

    model: Mapped[str] = mapped_column(ForeignKey("model.code"), primary_key=True)
    position: Mapped[str] = mapped_column(primary_key=True)
    part_number: Mapped[str] = mapped_column(ForeignKey("part.number"))
    key: Mapped[bool] = mapped_column(Boolean)


class Area(Base):
    __tablename__ = "area"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class Site(Base):
    __tablename__ = "site"

    code: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    name: Mapped[str]
    latitude: Mapped[float] = mapped_column(Double)
    longitude: Mapped[float] = mapped_column(Double)
    timezone: Mapped[str]
    area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    address: Mapped[str | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class Place(Base):
    """Where parts lie: own warehouse, branch, partner, supplier or van (S1)."""

    __tablename__ = "place"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    latitude: Mapped[float] = mapped_column(Double)
    longitude: Mapped[float] = mapped_column(Double)
    timezone: Mapped[str]
    area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    preparation_minutes: Mapped[int] = mapped_column(server_default="10")
    opening_hours: Mapped[dict[str, Any]]
    stock: Mapped[str]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class AreaSource(Base):
    """A place that serves an area from inside the local commitment."""

    __tablename__ = "area_source"

    area: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)


class Courier(Base):
    """Who drives, or drives and fits; works out of one place and so in one area."""

    __tablename__ = "courier"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    place: Mapped[str] = mapped_column(ForeignKey("place.code"))
    area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    shift: Mapped[dict[str, Any]]
    capacity_g: Mapped[int] = mapped_column(server_default="50000")
    skills: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    role: Mapped[str]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class Lane(Base):
    """A carrier's regular run from a place to an area; cut-offs in the sender's zone."""

    __tablename__ = "lane"

    carrier: Mapped[str] = mapped_column(primary_key=True)
    from_place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)
    to_area: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    cutoffs: Mapped[list[str]] = mapped_column(ARRAY(Text))
    transit_hours: Mapped[int]
    cost_minor: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class CalendarVersion(Base):
    """A country's working days of one year, as published or guessed at one time; never edited."""

    __tablename__ = "calendar_version"

    country: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    published: Mapped[bool] = mapped_column(Boolean)
    working_days_off: Mapped[list[date]] = mapped_column(ARRAY(Date))
    make_up_days: Mapped[list[date]] = mapped_column(ARRAY(Date))
    recorded_at: Mapped[datetime]

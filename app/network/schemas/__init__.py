"""The network on the wire: what is set up, and how it is shown."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.core.types import Code, Currency, Instant, Latitude, Longitude, Name, Text, Timezone, Wire

Minutes = Annotated[int, Meta(ge=0, le=525_600)]
Months = Annotated[int, Meta(ge=1, le=600)]
LayerMonths = Annotated[int, Meta(ge=0, le=600)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z|^24:00\Z")]
Rate = Annotated[str, Meta(pattern=r"^0(\.\d{1,4})?\Z|^1\Z")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Hours = Literal["24x7"] | dict[Weekday, list[tuple[Clock, Clock]]]


class CustomerIn(Wire):
    """A customer; `engineer` is the named engineer of A5."""

    code: Code
    name: Name
    engineer: Code | None = None
    contact: Text | None = None


class GeneralClocks(Wire):
    """C4 for general: minutes from `received_at`; what is left out is the letter's, null is no such clock."""

    answer_minutes: Minutes | None = 120
    depart_minutes: Minutes | None = None
    on_site_minutes: Minutes | None = 120
    done_minutes: Minutes | None = 480
    done_after_arrival_minutes: Minutes | None = None


class SevereClocks(Wire):
    """C4 for severe: at once, one hour, two hours, four hours."""

    answer_minutes: Minutes | None = 5
    depart_minutes: Minutes | None = 60
    on_site_minutes: Minutes | None = 120
    done_minutes: Minutes | None = 240
    done_after_arrival_minutes: Minutes | None = None


class EmergencyClocks(Wire):
    """C4 for emergency: at once, ten minutes, two hours, and two hours after arrival."""

    answer_minutes: Minutes | None = 5
    depart_minutes: Minutes | None = 10
    on_site_minutes: Minutes | None = 120
    done_minutes: Minutes | None = None
    done_after_arrival_minutes: Minutes | None = 120


class Clocks(Wire):
    """The clocks of each priority, as the letter has them unless the contract says otherwise."""

    general: GeneralClocks = msgspec.field(default_factory=GeneralClocks)
    severe: SevereClocks = msgspec.field(default_factory=SevereClocks)
    emergency: EmergencyClocks = msgspec.field(default_factory=EmergencyClocks)


class TermsIn(Wire):
    """A contract's terms; what is left out takes the letter's or the house's default."""

    months: Months = 36
    oem_months: LayerMonths = 24
    oem_service_months: LayerMonths = 12
    restart_scope: Literal["part", "device"] = "part"
    restart_after_expiry: bool = True
    holiday_rollover: bool = False
    doa_days: Annotated[int, Meta(ge=0, le=3650)] | None = None
    return_days: Annotated[int, Meta(ge=0, le=3650)] = 15
    local_hours: Annotated[int, Meta(ge=1, le=8760)] = 2
    national_hours: Annotated[int, Meta(ge=1, le=8760)] = 8
    clocks: Clocks = msgspec.field(default_factory=Clocks)
    service_hours: Literal["24x7"] = "24x7"
    calendar: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")] = "CN"
    tax_rate: Rate = "0"
    commit_after_warranty: bool = True
    inspections: Literal["monthly", "quarterly", "both"] | None = None


class ContractIn(Wire):
    """A project delivered to a customer; an unknown customer code is created."""

    number: Code
    customer: Code
    currency: Currency
    accepted_on: date | None = None
    terms: TermsIn = msgspec.field(default_factory=TermsIn)


class AmendmentIn(Wire):
    """New terms from a day on."""

    valid_from: date
    terms: TermsIn


class AssortmentIn(Wire):
    """The parts a contract lists as locally stocked from a day on (C3)."""

    valid_from: date
    parts: Annotated[list[Code], Meta(max_length=5000)]


class AreaIn(Wire):
    """A service area and the places that serve it."""

    code: Code
    name: Name
    sources: Annotated[list[Code], Meta(max_length=500)] = []


class SiteIn(Wire):
    """Where devices stand; an unknown customer or area code is created."""

    code: Code
    customer: Code
    name: Name
    latitude: Latitude
    longitude: Longitude
    timezone: Timezone
    area: Code | None = None
    address: Text | None = None


class PartIn(Wire):
    number: Code
    name: Name
    tracking: Literal["none", "lot", "serial"]
    fitting_minutes: Annotated[int, Meta(ge=0, le=1440)] = 20
    weight_g: Annotated[int, Meta(ge=0, le=10_000_000)] = 500
    hazardous: bool = False


class SubstitutionIn(Wire):
    """`to_part` may stand in for `from_part`, for one model or all, over a range of days (end excluded)."""

    from_part: Code
    to_part: Code
    kind: Literal["supersedes", "equivalent"]
    model: Code | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class PositionIn(Wire):
    position: Code
    part_number: Code
    key: bool


class ModelIn(Wire):
    """A model and its positions; `unit`, the device itself, is there by itself and is key."""

    code: Code
    name: Name
    positions: Annotated[list[PositionIn], Meta(max_length=200)] = []


class PlaceIn(Wire):
    """A place that can give parts; `area` makes it a source of that area."""

    code: Code
    name: Name
    kind: Literal["own", "branch", "partner", "supplier", "van"]
    latitude: Latitude
    longitude: Longitude
    timezone: Timezone
    area: Code | None = None
    preparation_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 10
    opening_hours: Hours = "24x7"
    stock: Literal["ours", "reported"] | None = None


class CourierIn(Wire):
    """Who drives, out of one place."""

    code: Code
    name: Name
    place: Code
    shift: Hours
    capacity_g: Annotated[int, Meta(ge=1, le=100_000_000)] = 50_000
    skills: Annotated[list[Code], Meta(max_length=50)] = []
    role: Literal["courier", "engineer"] = "courier"


class LaneIn(Wire):
    """A carrier's regular run; cut-offs in the sender's zone, `cost` in the company's currency."""

    carrier: Code
    from_place: Code
    to_area: Code
    cutoffs: Annotated[list[Clock], Meta(min_length=1, max_length=48)]
    transit_hours: Annotated[int, Meta(ge=0, le=8760)]
    cost: Annotated[str, Meta(pattern=r"^\d{1,9}(\.\d{1,2})?\Z")] | None = None


class CalendarIn(Wire):
    """A country's days off and make-up working days of a year."""

    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]
    year: Annotated[int, Meta(ge=1970, le=2200)]
    published: bool
    working_days_off: Annotated[list[date], Meta(max_length=366)] = []
    make_up_days: Annotated[list[date], Meta(max_length=366)] = []


class CustomerOut(Wire):
    code: str
    name: str
    engineer: str | None
    contact: str | None
    created_at: datetime
    version: int


class DatedTerms(Wire):
    """Terms and the days they are in force: from (included) to (excluded), null is open."""

    valid_from: date | None
    valid_to: date | None
    terms: dict[str, Any]


class ContractOut(Wire):
    number: str
    customer: str
    currency: str
    accepted_on: date | None
    terms: list[DatedTerms]
    assortment: list[str]
    created_at: datetime
    version: int


class AreaOut(Wire):
    code: str
    name: str
    sources: list[str]
    version: int


class SiteOut(Wire):
    code: str
    customer: str
    name: str
    latitude: float
    longitude: float
    timezone: str
    area: str | None
    address: str | None
    version: int


class PartOut(Wire):
    number: str
    name: str
    tracking: str
    fitting_minutes: int
    weight_g: int
    hazardous: bool
    version: int


class SubstitutionOut(Wire):
    from_part: str
    to_part: str
    kind: str
    model: str | None
    valid_from: date | None
    valid_to: date | None


class PositionOut(Wire):
    position: str
    part_number: str
    key: bool


class ModelOut(Wire):
    code: str
    name: str
    positions: list[PositionOut]
    version: int


class PlaceOut(Wire):
    code: str
    name: str
    kind: str
    latitude: float
    longitude: float
    timezone: str
    area: str | None
    preparation_minutes: int
    opening_hours: Any
    stock: str
    version: int


class CourierOut(Wire):
    code: str
    name: str
    place: str
    area: str | None
    shift: Any
    capacity_g: int
    skills: list[str]
    role: str
    version: int


class LaneOut(Wire):
    carrier: str
    from_place: str
    to_area: str
    cutoffs: list[str]
    transit_hours: int
    cost: str
    version: int


class CalendarOut(Wire):
    country: str
    year: int
    version: int
    published: bool
    working_days_off: list[date]
    make_up_days: list[date]
    recorded_at: Instant


class CustomersOut(Wire):
    items: list[CustomerOut]
    next: str | None


class ContractsOut(Wire):
    items: list[ContractOut]
    next: str | None


class SitesOut(Wire):
    items: list[SiteOut]
    next: str | None


class PartsOut(Wire):
    items: list[PartOut]
    next: str | None


class ModelsOut(Wire):
    items: list[ModelOut]
    next: str | None


class PlacesOut(Wire):
    items: list[PlaceOut]
    next: str | None


class CouriersOut(Wire):
    items: list[CourierOut]
    next: str | None


class AreasOut(Wire):
    items: list[AreaOut]
    next: str | None

"""What may be changed of the network; what is left out stays as it is."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from app.core.types import Code, Latitude, Longitude, Name, Text, Wire
from app.network.schemas import Clock, Hours, PositionIn


class CustomerChange(Wire):
    name: Name | UnsetType = UNSET
    engineer: Code | UnsetType | None = UNSET
    contact: Text | UnsetType | None = UNSET


class SiteChange(Wire):
    """A site keeps its customer and its zone: contracts and days already counted rest on them."""

    name: Name | UnsetType = UNSET
    latitude: Latitude | UnsetType = UNSET
    longitude: Longitude | UnsetType = UNSET
    area: Code | UnsetType | None = UNSET
    address: Text | UnsetType | None = UNSET


class PlaceChange(Wire):
    """A place keeps its kind, its zone and whose stock it holds: books and hours rest on them."""

    name: Name | UnsetType = UNSET
    latitude: Latitude | UnsetType = UNSET
    longitude: Longitude | UnsetType = UNSET
    preparation_minutes: Annotated[int, Meta(ge=0, le=10_080)] | UnsetType = UNSET
    opening_hours: Hours | UnsetType = UNSET


class AreaChange(Wire):
    """`sources` is the whole list of the places that serve the area."""

    name: Name | UnsetType = UNSET
    sources: Annotated[list[Code], Meta(max_length=500)] | UnsetType = UNSET


class CourierChange(Wire):
    """A courier keeps the place he or she starts from."""

    name: Name | UnsetType = UNSET
    shift: Hours | UnsetType = UNSET
    capacity_g: Annotated[int, Meta(ge=1, le=100_000_000)] | UnsetType = UNSET
    skills: Annotated[list[Code], Meta(max_length=50)] | UnsetType = UNSET
    role: Literal["courier", "engineer"] | UnsetType = UNSET


class LaneChange(Wire):
    """Cut-offs are in the sender's zone, `cost` in the company's currency."""

    cutoffs: Annotated[list[Clock], Meta(min_length=1, max_length=48)] | UnsetType = UNSET
    transit_hours: Annotated[int, Meta(ge=0, le=8760)] | UnsetType = UNSET
    cost: Annotated[str, Meta(pattern=r"^\d{1,9}(\.\d{1,2})?\Z")] | UnsetType = UNSET


class PartChange(Wire):
    """A part keeps its tracking: every piece in the books is told apart by it."""

    name: Name | UnsetType = UNSET
    fitting_minutes: Annotated[int, Meta(ge=0, le=1440)] | UnsetType = UNSET
    weight_g: Annotated[int, Meta(ge=0, le=10_000_000)] | UnsetType = UNSET
    hazardous: bool | UnsetType = UNSET


class ModelChange(Wire):
    """`positions` is the whole list; devices that are registered keep the positions frozen into them (W1)."""

    name: Name | UnsetType = UNSET
    positions: Annotated[list[PositionIn], Meta(max_length=200)] | UnsetType = UNSET

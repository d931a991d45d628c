"""Which places could serve a line, and when the part would be there: couriers by cheapest insertion, carriers by lane."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.fulfillment.queries.gather import Facts, LaneFacts, PlaceFacts
from app.fulfillment.queries.planning import HANDLING_S, Planning, planning, spans_of
from app.network.rules.hours import after_open_time, parse_hours
from app.routing.rules.depletion import piece_prices, piece_risks
from app.routing.rules.insertion import Insertion, cheapest_insertion
from app.routing.rules.lanes import Departure, Lane, next_departure
from app.routing.rules.problem import Job, Location
from app.routing.rules.sourcing import Candidate
from app.stock.queries.offers import Offer

DRIVE_MINOR_PER_S = 1
"""What a second of a courier's driving costs in minor units of the company's currency [house]: 36.00 an hour."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a part would come from one place: by whom, handed over when, there (and fitted) when."""

    mode: str | None
    eta: datetime | None
    handover_at: datetime | None
    carrier: str | None = None
    cost_minor: int = 0
    courier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The way from each place with stock, for one line; computed once a place."""

    facts: Facts
    now: datetime
    tier: int
    appointment_at: datetime | None
    planned: Planning | None

    def of(self, offer: Offer, *, due_at: datetime, quantity: int, kind: str) -> Way:
        """By courier where the place serves the site's area, else by the first carrier that takes it."""
        place = self.facts.places[offer.place]
        if offer.place in self.facts.setting.sources and self.planned is not None and self.planned.problem.couriers:
            return self._by_courier(place, offer.part, due_at=due_at, quantity=quantity)
        return self.by_lane(place, self.facts.lanes.get(place.code, ()), due_at if kind == "national" else None)

    def _by_courier(self, place: PlaceFacts, part: str, *, due_at: datetime, quantity: int) -> Way:
        planned = self.planned
        if planned is None:
            return Way(None, None, None)
        if planned.waiting:
            return Way("courier", None, None)  # more is open than a plan looks at: whatever was said would be a guess
        problem = planned.problem
        job = self.job(place, part, planned, due_at=due_at, quantity=quantity)
        found = cheapest_insertion(planned.plan, problem, job)
        if not isinstance(found, Insertion):
            return Way(None, None, None)
        eta = self.now + timedelta(seconds=found.finish_s)
        driver = problem.couriers[found.courier].code
        return Way("courier", eta, None, cost_minor=found.added_drive_s * DRIVE_MINOR_PER_S, courier=driver)

    def job(self, place: PlaceFacts, part: str, planned: Planning, *, due_at: datetime, quantity: int) -> Job:
        """What a courier would have to do to bring so many pieces from there."""
        facts, setting, appointment = self.facts.parts[part], self.facts.setting, self.appointment_at
        rows = {(one.latitude, one.longitude): at for at, one in enumerate(planned.problem.locations)}
        return Job(
            id="asked",
            tier=self.tier,
            pickup=rows[place.latitude, place.longitude],
            ready_s=place.preparation_s,
            pickup_service_s=HANDLING_S,
            pickup_open=spans_of(place.opening_hours, place.timezone, self.now, place.opened),
            drop=rows[setting.latitude, setting.longitude],
            drop_service_s=facts.fitting_s,
            due_s=int((due_at - self.now).total_seconds()),
            pieces=quantity,
            grams=facts.weight_g * quantity,
            earliest_drop_s=max(0, int((appointment - self.now).total_seconds())) if appointment else 0,
        )

    def by_lane(
        self, place: PlaceFacts, lanes: Sequence[LaneFacts], handover_due: datetime | None, *, earliest_s: int = 0
    ) -> Way:
        """The carrier that arrives first, of those that take it in time where a hand-over is promised (C2).

        `earliest_s` is when the pieces are ready to be prepared, from now.
        """
        begins = self.now + timedelta(seconds=earliest_s)
        ready = after_open_time(parse_hours(place.opening_hours, place.timezone), begins, place.preparation_s)
        if ready is None:
            return Way(None, None, None)
        ready_s = int((ready - self.now).total_seconds())
        ways = [way for lane in lanes if (way := self._lane(place, lane, ready_s))]

        def late(way: Way) -> bool:
            return handover_due is not None and way.handover_at is not None and way.handover_at > handover_due

        return min(
            ways, key=lambda way: (late(way), way.eta, way.cost_minor, way.carrier or ""), default=Way(None, None, None)
        )

    def _lane(self, place: PlaceFacts, lane: LaneFacts, ready_s: int) -> Way | None:
        run = Lane(carrier=lane.carrier, zone=place.timezone, cutoffs=lane.cutoffs, transit_s=lane.transit_s)
        leaves = next_departure(run, now=self.now, preparation_s=ready_s)
        if not isinstance(leaves, Departure):
            return None
        return Way("lane", leaves.arrives_at, leaves.handover_at, lane.carrier, lane.cost_minor)


def ways_of(facts: Facts, *, now: datetime, tier: int, appointment_at: datetime | None) -> Ways:
    """The region's standing plan as of now, with every place and the site in its travel matrix."""
    planned = None
    if facts.region is not None and facts.region.couriers:
        setting = facts.setting
        also = [Location(setting.site, setting.latitude, setting.longitude)]
        also += [
            Location(one.code, one.latitude, one.longitude)
            for one in facts.places.values()
            if one.code in setting.sources
        ]
        planned = planning(facts.region, now=now, also=also)
    return Ways(facts=facts, now=now, tier=tier, appointment_at=appointment_at, planned=planned)


def candidate_of(offer: Offer, way: Way, *, asked_part: str, local: bool, quantity: int, now: datetime) -> Candidate:
    """A place's offer as the sourcing rule weighs it."""
    handover = way.handover_at or (way.eta if way.mode == "courier" else None)
    risks: tuple[float, ...] = ()
    if offer.level is not None and local:  # no local promise rests on a piece elsewhere
        risks = piece_risks(offer.level.base_stock, offer.free, offer.level.load, most=quantity)
    return Candidate(
        place=offer.place,
        part=offer.part,
        free=offer.free,
        eta_s=int((way.eta - now).total_seconds()) if way.eta else None,
        handover_s=int((handover - now).total_seconds()) if handover else None,
        substitute=offer.part != asked_part,
        ours=offer.ours,
        local=local,
        cost_minor=way.cost_minor,  # never what the piece was bought for (P2)
        piece_prices_minor=piece_prices(risks, offer.level.miss_minor) if offer.level is not None else (),
        piece_risks=risks,
    )

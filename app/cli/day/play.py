"""Plays the day through the public API: calls come in, people act, couriers execute the plan in force, duties run."""

import heapq
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.day.demand import Call
from app.cli.day.facts import BEFORE, Roads, World, next_run, ready_at
from app.cli.day.tickets import Leg, Line, Ticket, told_at_first
from app.cli.frame import Stop
from app.core.clock import SteppedClock
from app.core.settings import Settings
from app.fulfillment.jobs import escalate_due, plan_dirty
from app.routing.solver.child import Solver
from app.worker import DUTIES, Context, in_transaction, step

CONFIRMS = timedelta(minutes=10)
AWAY = timedelta(minutes=40)
TICK = timedelta(minutes=15)
LIMIT_S = 60.0
"""Of one plan: never reached, since plans are bounded by solutions."""
APART = ("plan", "improve", "explain", "escalate_due")
HEADS = ("routing.late", "routing.unserved")
Act = Callable[[], Awaitable[None]]


class Player:
    """The people of the day, in one event queue. Events of one instant run together, then the duties, then the plan."""

    def __init__(
        self, *, api: httpx.AsyncClient, engine: AsyncEngine, clock: SteppedClock, world: World, settings: Settings,
        solver: Solver | None, solutions: int | None, seed: int, ends: datetime,
    ) -> None:  # fmt: skip
        self._api, self._engine, self._clock, self._world, self._ends = api, engine, clock, world, ends
        self._solver, self._solutions, self._seed = solver, solutions, seed
        self._slow = [duty for duty in DUTIES if duty.name not in APART]
        self._context = Context(engine, clock, settings, solver)
        self._roads = Roads()
        self.at = {person.code: person.point for person in world.people}
        self.legs: dict[str, Leg] = {}
        self.lines: dict[str, Line] = {}
        self.tickets: list[Ticket] = []
        self.refused = self.driven_s = self.swerves = self.plans = 0
        self.pays: set[int] = set()
        self._touched: set[str] = set()
        self._areas = sorted({person.area for person in world.people})
        self._events: list[tuple[datetime, int, int, Act]] = []
        self._numbers = count()

    @property
    def now(self) -> datetime:
        return self._clock.now()

    async def play(self, calls: Sequence[Call], told: Callable[[], object] = lambda: None) -> None:
        """Every call to its end, or to the day's. `told` is called once a call."""
        for call in calls:
            self._plan(call.at, 2, lambda call=call: self._call(call, told))  # type: ignore[misc]
        self._plan(calls[0].at, 9, self._tick)
        while self._events and self._events[0][0] <= self._ends:
            at = self._events[0][0]
            self._clock.set(at)
            while self._events and self._events[0][0] == at:
                await heapq.heappop(self._events)[3]()
            await self._duties()

    def _plan(self, at: datetime, rank: int, act: Act) -> None:
        """Let something happen: couriers' reports (0) before the rest of the same instant."""
        heapq.heappush(self._events, (max(at, self.now), rank, next(self._numbers), act))

    async def do(self, ticket: Ticket, verb: str, *, unless: str = "", **body: Any) -> Any:
        """One verb of the journey; anything but success, or the refusal named (then None), ends the day."""
        self._touched.add(ticket.call.area)
        answer = await self._api.post(f"/v1/part-requests/{ticket.id}/{verb}", json=body)
        if unless and answer.status_code == 409 and answer.json()["code"] == unless:
            return None
        if answer.status_code != 200:
            raise Stop(f"Call {ticket.call.number}: {verb} was answered with {answer.status_code} {answer.text}")
        return answer.json()

    # Calls and the people who answer them

    async def _call(self, call: Call, told: Callable[[], object]) -> None:
        told()
        body: dict[str, Any] = {
            "device_serial": call.serial,
            "priority": call.priority,
            "failure": {
                "occurred_at": (call.at - timedelta(minutes=10)).isoformat(),
                "cause": call.cause,
                "system_stopped": call.stopped,
                "found_on": call.found_on,
            },
            "lines": [
                {"part_number": one.part, "quantity": one.quantity, "position": one.position} for one in call.lines
            ],
        }
        if call.appointment_s is not None:
            body["appointment_at"] = (call.at + timedelta(seconds=call.appointment_s)).isoformat()
        answer = await self._api.post("/v1/part-requests", json=body)
        if answer.status_code == 409 and answer.json()["code"] == "stock.insufficient":
            self.refused += 1
            return
        if answer.status_code != 201:
            raise Stop(f"Call {call.number} was answered with {answer.status_code} {answer.text}")
        ticket = Ticket(id=answer.json()["id"], call=call)
        self.tickets.append(ticket)
        self._touched.add(call.area)
        made = self._learn(ticket, answer.json())
        await self._settle(ticket, made, answer.json())

    async def _settle(self, ticket: Ticket, made: list[Line], answer: Mapping[str, Any]) -> None:
        """What follows from the acceptance: an answer, the customer's word, an appointment, a change of mind."""
        call, now = ticket.call, self.now
        self._plan(now + timedelta(seconds=call.answers_s), 3, lambda: self._answer(ticket))
        if call.cancels_s is not None:
            self._plan(now + timedelta(seconds=call.cancels_s), 4, lambda: self._cancel(ticket))
        if any(one["state"] == "awaiting_consent" for one in answer["lines"]):
            self.pays.add(call.number)
            self._plan(now + timedelta(seconds=call.consents_s), 3, lambda: self._consent(ticket))
            return
        for line in made:
            self._prepare(line)
        await self._appoint(ticket)

    async def _appoint(self, ticket: Ticket) -> None:
        """The customer chose a later time: the clocks stand still until an hour before it."""
        call = ticket.call
        back = call.at + timedelta(seconds=call.appointment_s or 0) - BEFORE
        if back > self.now and any(line.kind == "local" for line in ticket.lines if line.state != "gone"):
            await self.do(ticket, "hold", reason="customer_appointment")
            self._plan(back, 3, lambda: self._resume(ticket))

    def _learn(self, ticket: Ticket, answer: Mapping[str, Any]) -> list[Line]:
        """New lines of a request."""
        made = []
        for one in answer["lines"]:
            if one["id"] not in self.lines:
                handover = datetime.fromisoformat(one["handover_at"]) if one["handover_at"] else None
                line = Line(
                    id=one["id"], label=f"#{ticket.call.number:03}", request=ticket, part=one["supplied_part_number"],
                    place=one["source"], kind=one["commitment"]["kind"], mode=one["mode"], carrier=one["carrier"],
                    handover_at=handover, why=told_at_first(one, ticket),
                )  # fmt: skip
                self.lines[line.id] = line
                ticket.lines.append(line)
                made.append(line)
        return made

    async def _answer(self, ticket: Ticket) -> None:
        if any(line.state not in ("gone", "confirmed") for line in ticket.lines):
            await self.do(ticket, "answer", method="on_site", plan="bring the part and fit it")

    async def _consent(self, ticket: Ticket) -> None:
        open_ones = [line for line in ticket.lines if line.state == "accepted"]
        if not open_ones:
            return
        answer = await self.do(ticket, "consent", agreed=ticket.call.agrees, by="customer")
        waited = {one["id"] for one in answer["lines"] if one["state"] == "canceled"}
        for line in open_ones:
            if line.id in waited:
                line.state = "gone"
            else:
                self._prepare(line)
        await self._appoint(ticket)

    async def _resume(self, ticket: Ticket) -> None:
        if any(line.state not in ("gone", "confirmed") for line in ticket.lines):
            await self.do(ticket, "resume")

    async def _cancel(self, ticket: Ticket) -> None:
        """Not wanted any more: canceled before the hand-over, returned unused after it; too late once it is fitted."""
        early = [line for line in ticket.lines if line.state in ("accepted", "packed")]
        late = [line for line in ticket.lines if line.state == "dispatched" and line.mode != "lane"]
        for lines, verb in ((early, "cancel"), (late, "return-unused")):
            if lines:
                await self.do(ticket, verb, lines=[{"id": line.id} for line in lines])
                for line in lines:
                    line.state = "gone"

    # The warehouse and the carriers

    def _prepare(self, line: Line) -> None:
        """The warehouse takes the part from the shelf; the carrier comes at its cut-off."""
        place = self._world.places[line.place]
        ready = ready_at(place, self.now)
        self._plan(ready, 1, lambda: self._pick(line))
        if line.mode == "lane" and line.handover_at is not None:
            handover: datetime | None = line.handover_at
            if line.handover_at < ready:  # the customer's word came after the cut-off that was meant
                run = next_run(self._world, place, line.request.call.area, ready, line.carrier)
                handover = run[0] if run else None
            if handover is not None:
                self._plan(handover, 5, lambda: self._hand_over(line))

    async def _pick(self, line: Line) -> None:
        if line.state == "accepted":
            for verb in ("pick", "pack"):
                await self.do(line.request, verb, lines=[{"id": line.id}])
            line.state = "packed"

    async def _hand_over(self, line: Line) -> None:
        if line.state != "packed":
            return
        waybill = f"WB{len(self.lines):05}{line.label[1:]}"
        answer = await self.do(line.request, "dispatch", lines=[{"id": line.id}], carrier=line.carrier, waybill=waybill)
        line.state = "dispatched"
        if line.kind == "national":
            line.ended_at = self.now
        shown = next(one for one in answer["lines"] if one["id"] == line.id)
        if line.kind == "local" and shown["eta"]:
            fitting = timedelta(seconds=self._world.parts[line.part].fitting_s)
            self._plan(datetime.fromisoformat(shown["eta"]) + fitting, 3, lambda: self._fit(line))

    # Couriers

    async def _duties(self) -> None:
        """Clocks and plans; then everyone looks at the plan."""
        await in_transaction(escalate_due)(self._context)
        planned = await plan_dirty(
            self._engine, self._solver, self.now, limit_s=LIMIT_S, solutions=self._solutions, seed=self._seed
        )
        self.plans += planned
        areas = [area for area in self._areas if area in self._touched or planned > len(self._touched)]
        self._touched.clear()
        for area in areas:
            await self._follow(area)
        for leg in list(self.legs.values()):
            if leg.begins <= self.now and not leg.line.request.departed:
                leg.line.request.departed = True
                await self.do(leg.line.request, "depart", courier=leg.courier)

    async def _tick(self) -> None:
        """Partners answer what they were asked, then the duties that are in no hurry."""
        asked = (await self._api.get("/v1/call-offs", params={"state": "open"})).json()["items"]
        for one in asked:
            await self._api.post(f"/v1/call-offs/{one['id']}/confirm", json={})
        await step(self._context, self._slow)
        self._plan(self.now + TICK, 9, self._tick)

    async def _follow(self, area: str) -> None:
        """The couriers of an area look up what comes next."""
        plan = (await self._api.get("/v1/plan", params={"area": area})).json()["items"][0]
        missed = {one["line"]: one["reasons"] for one in plan["missed"]}
        for line in self.lines.values():
            if line.request.call.area == area:
                if line.id in missed and not line.misses:
                    line.why = self._words(missed[line.id])
                line.misses = line.id in missed
        nexts: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        for route in plan["routes"]:
            for stop in route["stops"]:
                if stop["line"] not in self.lines:
                    await self._meet(stop["request"])
            if route["stops"]:
                nexts.setdefault(route["courier"], (route, route["stops"][0]))
        for person in self._world.people:
            if person.area == area:
                found = nexts.get(person.code)
                self._turn(person.code, None if found is None else found[1])

    async def _meet(self, request: str) -> None:
        """A line that a duty made: a lost one's successor, found when stock came free."""
        ticket = next(one for one in self.tickets if one.id == request)
        for line in self._learn(ticket, (await self._api.get(f"/v1/part-requests/{request}")).json()):
            self._prepare(line)

    def _words(self, reasons: Sequence[Mapping[str, Any]]) -> str:
        """Why a line will be late, when the plan first says so; calls' numbers in place of ids, alike on any run."""
        told = [one["text"] for one in reasons if one["code"] not in HEADS]
        words = told[0] if told else ""
        for line in self.lines.values():
            words = words.replace(line.id, line.label)
        return words

    def _turn(self, courier: str, stop: Mapping[str, Any] | None) -> None:
        """Go on as before if the next stop is the same, else to the new one; what was driven so far counts."""
        old = self.legs.get(courier)
        if old is not None and (stop is None or (old.kind, old.line.id) != (stop["kind"], stop["line"])):
            if old.begins <= self.now and not old.there:
                self._drive(old)
            if old.begins <= self.now and old.line.state != "gone":
                self.swerves += 1
            del self.legs[courier]
            old = None
        if stop is None:
            return
        arrives, leaves = (datetime.fromisoformat(stop[name]) for name in ("arrive_at", "leave_at"))
        point = (stop["latitude"], stop["longitude"])
        if old is not None and (old.there or old.arrives == arrives) and old.leaves == leaves:
            return
        there = old is not None and old.there
        way = timedelta(seconds=self._roads.seconds(self.at[courier], point))
        leg = Leg(
            courier=courier, kind=stop["kind"], line=self.lines[stop["line"]], point=point, begins=arrives - way,
            arrives=arrives, leaves=leaves, there=there,
        )  # fmt: skip
        self.legs[courier] = leg
        if not there:
            self._plan(arrives, 0, lambda: self._arrive(leg))
        self._plan(leaves, 0, lambda: self._leave(leg.courier, leg.line, leaves))

    def _drive(self, leg: Leg) -> None:
        self.driven_s += self._roads.seconds(self.at[leg.courier], leg.point)
        self.at[leg.courier] = leg.point

    async def _arrive(self, leg: Leg) -> None:
        if self.legs.get(leg.courier) is not leg:
            return
        self._drive(leg)
        self.legs[leg.courier] = replace(leg, there=True)
        ticket = leg.line.request
        if leg.kind == "pickup":
            return
        if not ticket.arrived:
            ticket.arrived = True
            await self.do(ticket, "arrive")
        if ticket.call.fate != "smooth" and not ticket.struck:
            ticket.struck = True
            del self.legs[leg.courier]
            await self._strike(leg.line)

    async def _strike(self, line: Line) -> None:
        """Nobody there: held until the site can be entered. Lost: a new line from a new source."""
        ticket, chosen = line.request, [{"id": line.id}]
        if ticket.call.fate == "nobody_there":
            line.state = "packed"
            await self.do(ticket, "delivery-failed", lines=chosen, reason="nobody there")
            if await self.do(ticket, "hold", unless="hold.after_breach", reason="site_access"):
                self._plan(self.now + AWAY, 3, lambda: self._resume(ticket))
            return
        line.state = "gone"
        for made in self._learn(ticket, await self.do(ticket, "lost", lines=chosen)):
            self._prepare(made)

    async def _leave(self, courier: str, line: Line, leaves: datetime) -> None:
        """A stop is done: the part is taken over, or fitted."""
        leg = self.legs.get(courier)
        if leg is None or leg.line is not line or leg.leaves != leaves:
            return
        del self.legs[courier]
        if leg.kind == "pickup":
            await self._pick(line)
            await self.do(line.request, "dispatch", lines=[{"id": line.id}], courier=courier)
            line.state = "dispatched"
            if line.kind == "national":
                line.ended_at = self.now
        else:
            await self._fit(line)

    async def _fit(self, line: Line) -> None:
        if line.state != "dispatched":
            return
        await self.do(line.request, "fit", lines=[{"id": line.id}])
        line.state = "fitted"
        line.ended_at = line.ended_at or self.now
        self._plan(self.now + CONFIRMS, 3, lambda: self._confirm(line))

    async def _confirm(self, line: Line) -> None:
        if line.state == "fitted":
            await self.do(line.request, "confirm", lines=[{"id": line.id}], operation_normal=True)
            line.state = "confirmed"

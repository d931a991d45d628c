"""What a region has to plan: couriers, jobs, travel times, as frozen values that pickle and store. No plan, no clock.

Times are whole seconds after `Problem.start`; quantities are whole pieces and grams.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

EMERGENCY, SEVERE, GENERAL = 0, 1, 2
TIERS = (EMERGENCY, SEVERE, GENERAL)

Kind = Literal["pickup", "drop"]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Location:
    """A row of the travel matrix: a place, a site or where a courier is now."""

    code: str
    latitude: float = 0.0
    longitude: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One thing a courier does at one stop: fetch a job's part, or bring and fit it."""

    kind: Kind
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One line to bring and fit by `due_s` (fitting finished at or before; C1, C2, C4).

    `pickup` and `drop` are rows of the travel matrix; `pickup` None is a visit that fetches nothing. `ready_s` is when
    preparation is done, `earliest_drop_s` an appointment, `told_s` the finish people were told. The `*_open` spans say
    when a service may take place (it starts and ends inside one); none means always. Jobs of one `group` belong to one
    request at one site.
    """

    id: str
    tier: int
    drop: int
    drop_service_s: int
    due_s: int
    pickup: int | None = None
    ready_s: int = 0
    pickup_service_s: int = 0
    pieces: int = 1
    grams: int = 0
    skills: tuple[str, ...] = ()
    pinned_courier: str | None = None
    earliest_drop_s: int = 0
    told_s: int | None = None
    group: str | None = None
    pickup_open: tuple[Span, ...] = ()
    drop_open: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """One shift of one person: from `start` at `available_s` until `end_s` (finish of the last service, or at `home`).

    Tomorrow's shift of the same person is a second value with the same code and `shift` 1. `carrying` names jobs whose
    part is on board: only their drop remains. `first` is the stop being driven to now: it stays first (R4), and then
    `start` is that stop's location and `available_s` its expected arrival. What was started is finished, overtime or
    not (`until`).
    """

    code: str
    start: int
    available_s: int
    end_s: int
    shift: int = 0
    pieces: int = 1_000
    grams: int = 1_000_000_000
    skills: tuple[str, ...] = ()
    carrying: tuple[str, ...] = ()
    first: Visit | None = None
    home: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Cost per second [house]: of driving, of a job still open (else each promise is used to its last minute), and of
    finishing later than people were told; `tolerance_s` is what nobody needs to be told anew."""

    drive: int = 10
    lead: int = 1
    calm: int = 2
    tolerance_s: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One region at one instant. `travel[i][j]` is seconds from location i to j and may be asymmetric.

    Raises ValueError on values that contradict each other, since a solver would answer them with nonsense.
    """

    region: str
    start: datetime
    horizon_s: int
    couriers: tuple[Courier, ...]
    jobs: tuple[Job, ...]
    locations: tuple[Location, ...]
    travel: tuple[tuple[int, ...], ...]
    estimated: bool = False
    prices: Prices = field(default_factory=Prices)

    def __post_init__(self) -> None:
        wrong = _contradictions(self)
        if wrong:
            raise ValueError("; ".join(wrong))

    def by_id(self) -> dict[str, Job]:
        """Jobs by their id, built anew at each call."""
        return {job.id: job for job in self.jobs}

    def carried_by(self) -> dict[str, int]:
        """Index of the courier that has the job's part on board, by job id."""
        return {job: index for index, courier in enumerate(self.couriers) for job in courier.carrying}


def _contradictions(problem: Problem) -> list[str]:
    size = len(problem.locations)
    jobs = {job.id: job for job in problem.jobs}
    wrong = []
    if problem.start.tzinfo is None:
        wrong.append("start is not aware")
    if len(problem.travel) != size or any(len(row) != size or min(row, default=0) < 0 for row in problem.travel):
        wrong.append(f"travel is not a {size} x {size} matrix of seconds >= 0")
    if len(jobs) != len(problem.jobs):
        wrong.append("two jobs share an id")
    if len({(courier.code, courier.shift) for courier in problem.couriers}) != len(problem.couriers):
        wrong.append("two couriers share code and shift")
    carried = [job for courier in problem.couriers for job in courier.carrying]
    if len(set(carried)) != len(carried) or not set(carried) <= jobs.keys():
        wrong.append("a carried job is unknown or on board twice")
    for job in problem.jobs:
        wrong += _wrong_job(job, size)
    for courier in problem.couriers:
        wrong += _wrong_courier(courier, jobs, size)
    firsts = [courier.first.job for courier in problem.couriers if courier.first]
    if len(set(firsts)) != len(firsts):
        wrong.append("two couriers drive to the same stop")
    return wrong


def _wrong_job(job: Job, size: int) -> list[str]:
    wrong = []
    if job.tier not in TIERS:
        wrong.append(f"job {job.id}: tier {job.tier}")
    if not all(0 <= place < size for place in (job.drop, job.pickup or 0)):
        wrong.append(f"job {job.id}: no such location")
    if min(job.drop_service_s, job.pickup_service_s, job.pieces, job.grams) < 0:
        wrong.append(f"job {job.id}: negative service or load")
    return wrong


def _wrong_courier(courier: Courier, jobs: Mapping[str, Job], size: int) -> list[str]:
    wrong = []
    if not 0 <= courier.start < size or (courier.home is not None and not 0 <= courier.home < size):
        wrong.append(f"courier {courier.code}: no such location")
    if courier.available_s < 0:
        wrong.append(f"courier {courier.code}: available before the start")
    first = courier.first
    if first is not None:
        job = jobs.get(first.job)
        carried = first.job in courier.carrying
        if job is None or (first.kind == "pickup") == (carried or job.pickup is None):
            wrong.append(f"courier {courier.code}: drives to a stop that is not left to do")
    return wrong


def place_of(job: Job, kind: Kind) -> int:
    """The location of a visit; a job that fetches nothing has only its drop."""
    return job.drop if kind == "drop" or job.pickup is None else job.pickup


def service_of(job: Job, kind: Kind) -> int:
    """Seconds a visit takes at the stop."""
    return job.drop_service_s if kind == "drop" else job.pickup_service_s


def start_of(job: Job, kind: Kind, arrive_s: int) -> int | None:
    """Earliest start of the service after arriving, or None when no open span is left for it (R1)."""
    earliest, spans, service = (
        (job.earliest_drop_s, job.drop_open, job.drop_service_s)
        if kind == "drop"
        else (job.ready_s, job.pickup_open, job.pickup_service_s)
    )
    at = max(arrive_s, earliest)
    if not spans:
        return at
    return next((max(at, opens) for opens, closes in spans if max(at, opens) + service <= closes), None)


def visits_of(job: Job, courier: Courier) -> tuple[Visit, ...]:
    """What this courier would have to do for the job, in order."""
    if job.pickup is None or job.id in courier.carrying:
        return (Visit("drop", job.id),)
    return (Visit("pickup", job.id), Visit("drop", job.id))


def until(courier: Courier, jobs: Mapping[str, Job], problem: Problem) -> int:
    """When this courier's last service must be over: end of shift, or later if the started leg needs it."""
    end = min(courier.end_s, problem.horizon_s)
    if courier.first is None:
        return end
    job = jobs[courier.first.job]
    at = started(courier, job, problem)[-1][2]
    if courier.home is not None:
        at += problem.travel[job.drop][courier.home]
    return max(end, at)


def started(courier: Courier, job: Job, problem: Problem) -> list[tuple[Kind, bool, int]]:
    """The visits of the courier's started job done straight away: kind, whether its doors are open, end of service."""
    kinds: tuple[Kind, ...] = ("pickup", "drop") if courier.first and courier.first.kind == "pickup" else ("drop",)
    at, place, found = courier.available_s, courier.start, []
    for kind in kinds:
        at += problem.travel[place][place_of(job, kind)]
        begin = start_of(job, kind, at)
        at = (at if begin is None else begin) + service_of(job, kind)
        place = place_of(job, kind)
        found.append((kind, begin is not None, at))
    return found


def allowed(job: Job, problem: Problem) -> list[int]:
    """Indices of the couriers who may serve the job: on board, started, pinned, skilled; capacity and time aside."""
    for index, courier in enumerate(problem.couriers):
        if job.id in courier.carrying or (courier.first and courier.first.job == job.id):
            return [index]
    needed = set(job.skills)
    return [
        index
        for index, courier in enumerate(problem.couriers)
        if needed <= set(courier.skills) and job.pinned_courier in (None, courier.code)
    ]


def to_json(problem: Problem) -> dict[str, Any]:
    """The problem as JSON values, so that a stored plan replays."""
    return {**asdict(problem), "start": problem.start.isoformat()}


def from_json(raw: Mapping[str, Any]) -> Problem:
    """Inverse of `to_json`; raises KeyError, TypeError or ValueError on anything else."""
    return Problem(
        region=raw["region"],
        start=datetime.fromisoformat(raw["start"]),
        horizon_s=raw["horizon_s"],
        couriers=tuple(_courier(each) for each in raw["couriers"]),
        jobs=tuple(_job(each) for each in raw["jobs"]),
        locations=tuple(Location(**each) for each in raw["locations"]),
        travel=tuple(tuple(row) for row in raw["travel"]),
        estimated=raw["estimated"],
        prices=Prices(**raw["prices"]),
    )


def _courier(raw: Mapping[str, Any]) -> Courier:
    first = Visit(**raw["first"]) if raw["first"] else None
    return Courier(**{**raw, "skills": tuple(raw["skills"]), "carrying": tuple(raw["carrying"]), "first": first})


def _job(raw: Mapping[str, Any]) -> Job:
    spans = {name: tuple((opens, closes) for opens, closes in raw[name]) for name in ("pickup_open", "drop_open")}
    return Job(**{**raw, **spans, "skills": tuple(raw["skills"])})

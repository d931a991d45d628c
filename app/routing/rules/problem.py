"""What a region has to plan: couriers, jobs, travel times, as frozen values that pickle and store. No plan, no clock.

Times are whole seconds after `Problem.start`; quantities are whole pieces and grams. The JSON form is described in
docs/routing-json.md.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from app.routing.rules.shape import shaped

EMERGENCY, SEVERE, GENERAL = 0, 1, 2
TIERS = (EMERGENCY, SEVERE, GENERAL)

DEAREST = 1 << 62
"""Costs beyond it do not fit into the whole numbers of a search."""
Kind = Literal["pickup", "drop"]
Whole = Annotated[int, Meta(ge=-(10**12), le=10**12)]
Span = tuple[Whole, Whole]


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
    tier: Whole
    drop: Whole
    drop_service_s: Whole
    due_s: Whole
    pickup: Whole | None = None
    ready_s: Whole = 0
    pickup_service_s: Whole = 0
    pieces: Whole = 1
    grams: Whole = 0
    skills: tuple[str, ...] = ()
    pinned_courier: str | None = None
    earliest_drop_s: Whole = 0
    told_s: Whole | None = None
    group: str | None = None
    pickup_open: tuple[Span, ...] = ()
    drop_open: tuple[Span, ...] = ()
    hard: bool = False
    loaded: bool = False
    line: str | None = None
    shelf: str | None = None

    @property
    def whole(self) -> str:
        """What is served or left out as one thing: the line, or the job itself."""
        return self.line or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """One shift of one person: from `start` at `available_s` until `end_s` (finish of the last service, or at `home`).

    Tomorrow's shift of the same person is a second value with the same code and `shift` 1. `carrying` names jobs whose
    part is on board: only their drop remains. `first` is the stop being driven to now: it stays first (R4), and then
    `start` is that stop's location and `available_s` its expected arrival. What was started is finished, overtime or
    not (`until`).

    With `latest_start_s` the courier may wait and leave as late as that. `work_s` bounds the time from leaving to the
    end, waiting included; `length` the way, in the unit of `Problem.lengths`.
    """

    code: str
    start: Whole
    available_s: Whole
    end_s: Whole
    shift: Whole = 0
    pieces: Whole = 1_000
    grams: Whole = 1_000_000_000
    skills: tuple[str, ...] = ()
    carrying: tuple[str, ...] = ()
    first: Visit | None = None
    home: Whole | None = None
    latest_start_s: Whole | None = None
    work_s: Whole | None = None
    length: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Cost per second [house]: of driving, of a job still open (else each promise is used to its last minute), and of
    finishing later than people were told; `tolerance_s` is what nobody needs to be told anew. `length` is the price of
    one unit of way."""

    drive: Whole = 10
    lead: Whole = 5
    calm: Whole = 2
    tolerance_s: Whole = 300
    length: Whole = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One region at one instant. `travel[i][j]` is seconds from location i to j and may be asymmetric.

    `lengths[i][j]` is the way in whole units of whoever asks; without it the way is the travel time. `stock` is how many
    pieces lie on a shelf; a shelf that is not named has enough.

    Raises ValueError on values that contradict each other, since a solver would answer them with nonsense.
    """

    region: str
    start: datetime
    horizon_s: Whole
    couriers: tuple[Courier, ...]
    jobs: tuple[Job, ...]
    locations: tuple[Location, ...]
    travel: tuple[tuple[Whole, ...], ...]
    estimated: bool = False
    prices: Prices = field(default_factory=Prices)
    lengths: tuple[tuple[Whole, ...], ...] | None = None
    stock: tuple[tuple[str, Whole], ...] = ()

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

    def by_line(self) -> dict[str, list[Job]]:
        """Jobs by what is served as one thing (`Job.whole`), in order; most have no alternative."""
        found: dict[str, list[Job]] = {}
        for job in self.jobs:
            found.setdefault(job.whole, []).append(job)
        return found


def _contradictions(problem: Problem) -> list[str]:
    size = len(problem.locations)
    jobs = {job.id: job for job in problem.jobs}
    wrong = []
    if problem.start.tzinfo is None:
        wrong.append("start is not aware")
    for name, matrix in (("travel", problem.travel), ("lengths", problem.lengths)):
        if matrix is not None and not _square(matrix, size):
            wrong.append(f"{name} is not a {size} x {size} matrix of whole numbers >= 0")
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
    wrong += [f"job {name}: on board and loaded at the start" for name in carried if name in jobs and jobs[name].loaded]
    if len(dict(problem.stock)) != len(problem.stock) or any(pieces < 0 for _, pieces in problem.stock):
        wrong.append("a shelf is named twice or holds less than nothing")
    if min(problem.horizon_s, *asdict(problem.prices).values()) < 0:
        wrong.append("negative horizon or price")
    begun = {*carried, *firsts}
    for line, alike in problem.by_line().items():
        wrong += _wrong_line(line, alike, begun)
    return wrong


def _square(matrix: tuple[tuple[int, ...], ...], size: int) -> bool:
    return len(matrix) == size and all(len(row) == size and min(row, default=0) >= 0 for row in matrix)


def _dearest(problem: Problem) -> int:
    """More than any plan costs."""
    price, visits = problem.prices, 2 * len(problem.jobs) + 2 * len(problem.couriers)
    longest, farthest = (max(map(max, each), default=0) if each else 0 for each in (problem.travel, problem.lengths))
    latest = problem.horizon_s + visits * longest
    legs = price.drive * longest + price.length * max(longest, farthest)
    return legs * visits + (price.lead + price.calm) * latest * len(problem.jobs)


def _wrong_line(line: str, alike: list[Job], begun: set[str]) -> list[str]:
    """Alternatives differ only in what is fetched where; what has begun has none."""
    if len(alike) == 1:
        return []
    different = {
        replace(job, id="", pickup=0, ready_s=0, pickup_service_s=0, pickup_open=(), shelf=None, line=None)
        for job in alike
    }
    if len(different) > 1 or any(job.pickup is None for job in alike):
        return [f"line {line}: its jobs differ in more than where the part is fetched"]
    return [f"line {line}: {job.id} has begun, it has no alternative" for job in alike if job.id in begun]


def _wrong_job(job: Job, size: int) -> list[str]:
    wrong = []
    if job.tier not in TIERS:
        wrong.append(f"job {job.id}: tier {job.tier}")
    if not all(0 <= place < size for place in (job.drop, job.pickup or 0)):
        wrong.append(f"job {job.id}: no such location")
    if min(job.drop_service_s, job.pickup_service_s, job.pieces, job.grams) < 0:
        wrong.append(f"job {job.id}: negative service or load")
    if job.loaded and job.pickup is not None:
        wrong.append(f"job {job.id}: is fetched and comes along from the start")
    return wrong


def _wrong_courier(courier: Courier, jobs: Mapping[str, Job], size: int) -> list[str]:
    wrong = []
    if not 0 <= courier.start < size or (courier.home is not None and not 0 <= courier.home < size):
        wrong.append(f"courier {courier.code}: no such location")
    if courier.available_s < 0:
        wrong.append(f"courier {courier.code}: available before the start")
    if min(courier.pieces, courier.grams, courier.work_s or 0, courier.length or 0) < 0:
        wrong.append(f"courier {courier.code}: negative capacity, work or length")
    if courier.latest_start_s is not None and (courier.latest_start_s < courier.available_s or courier.first):
        wrong.append(f"courier {courier.code}: has left already or must leave before coming")
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


def way(problem: Problem, here: int, there: int) -> int:
    """Units of way between two locations."""
    return (problem.lengths or problem.travel)[here][there]


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
    """Inverse of `to_json`; what has a default may be left out. Raises KeyError or ValueError on anything else."""
    problem: Problem = shaped({"region": "", **raw, "start": datetime.fromisoformat(raw["start"])}, Problem)
    if _dearest(problem) >= DEAREST:
        raise ValueError("times, ways and prices are so large that costs could pass 2^62")
    jobs = tuple(_in_time(job) for job in problem.jobs)
    return (
        problem if all(one is job for one, job in zip(jobs, problem.jobs, strict=True)) else replace(problem, jobs=jobs)
    )


def _in_time(job: Job) -> Job:
    """Its open spans in the order of time, which `start_of` takes for granted."""
    if len(job.pickup_open) < 2 and len(job.drop_open) < 2:
        return job
    return replace(job, pickup_open=tuple(sorted(job.pickup_open)), drop_open=tuple(sorted(job.drop_open)))

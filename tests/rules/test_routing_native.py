"""The native inner loop: its numbers, its judgment of every position, and where its compiled code is kept."""

import os
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.rules.judge import faults
from app.routing.rules.plan import schedule
from app.routing.rules.problem import Problem, Visit
from app.routing.solver import native
from app.routing.solver.anneal import Annealing, Pace
from app.routing.solver.moves import best_position, chance, renew, take_out
from tests.rules.routing_general import classic


def cost_of(problem: Problem, lists: list[list[int]]) -> int | None:
    """What the routes cost by the product's own plan, or None where its judge finds a fault."""
    plan = schedule([[Visit("drop", problem.jobs[job].id) for job in jobs] for jobs in lists], problem)
    return None if faults(plan, problem) else plan.costs.cost


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_R3_the_best_position_is_what_trying_all_with_the_judge_finds(seed: int) -> None:
    problem = classic(seed, jobs=10, couriers=3)
    walk = Annealing(problem, [[] for _ in problem.couriers], seed, 0.05)
    walk.run(Pace(lambda: 0.0, rounds=1 + seed % 20))
    routes, sizes = walk.routes, walk.routes.size.tolist()
    route = max(range(3), key=lambda each: sizes[each])
    job = int(routes.place[route, 1 + seed % max(1, sizes[route])])
    take_out(walk.facts, routes, route, 1 + seed % max(1, sizes[route]), 1)
    renew(walk.facts, routes, route)
    lists = [routes.place[each, 1 : size + 1].tolist() for each, size in enumerate(routes.size.tolist())]
    before = cost_of(problem, lists)
    tried = {
        (each, at): cost_of(problem, [*lists[:each], [*jobs[:at], job, *jobs[at:]], *lists[each + 1 :]])
        for each, jobs in enumerate(lists)
        for at in range(len(jobs) + 1)
    }
    sound = {spot: cost for spot, cost in tried.items() if cost is not None}
    assert before is not None
    assert sound[best_position(walk.facts, routes, job, 0.0, walk.walk.random)] == min(sound.values())


def test_the_random_numbers_are_splitmix64_s() -> None:
    state = np.array([0], dtype=np.uint64)
    assert chance(state) == (0xE220A8397B1DCDAF >> 11) / 2**53
    assert chance(state) == (0x6E789E6AA1B965F4 >> 11) / 2**53


def test_compiled_code_lies_beside_its_sources_or_in_the_user_s_own_cache(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(native, "HERE", tmp_path / "app")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    beside = native.folder("x")
    assert beside == tmp_path / "app" / "__pycache__" / "native-x"
    assert beside.is_dir()
    (beside / "made").write_text("kernel")
    allowed = native._writable
    monkeypatch.setattr(native, "_writable", lambda base: base != beside and allowed(base))
    kept = native.folder("x")
    assert kept == tmp_path / "home" / ".cache" / "sparelane" / "native-x"
    assert (kept / "made").read_text() == "kernel"  # what set-up made is not made again
    assert kept.stat().st_mode & 0o077 == 0


def test_where_nothing_can_be_written_every_process_compiles_for_itself(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(native, "HERE", tmp_path / "file")
    monkeypatch.setattr(native.tempfile, "gettempdir", lambda: str(tmp_path / "file"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "file")
    assert native.folder("x") is None


def test_other_sources_are_kept_apart(tmp_path: Path, monkeypatch) -> None:
    one = native.digest()
    for name in native.SOURCES:
        (tmp_path / name).write_bytes((native.HERE / name).read_bytes())
    monkeypatch.setattr(native, "HERE", tmp_path)
    assert native.digest() == one
    (tmp_path / "moves.py").write_text("other")
    assert native.digest() != one


def test_every_module_with_a_kernel_counts_for_the_folder_s_name() -> None:
    using = {path.name for path in native.HERE.glob("*.py") if "@kernel" in path.read_text()}
    assert using <= set(native.SOURCES)


def test_only_the_last_few_compiled_versions_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(native, "HERE", tmp_path / "app")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(native.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    cache = tmp_path / "app" / "__pycache__"
    for age, name in enumerate("abcdef"):
        (cache / f"native-{name}").mkdir(parents=True)
        os.utime(cache / f"native-{name}", (1_000 + age, 1_000 + age))
    (cache / "other").mkdir()
    native.forget_old()
    assert sorted(one.name for one in cache.iterdir()) == ["native-c", "native-d", "native-e", "native-f", "other"]

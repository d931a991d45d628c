"""`plan solve` and `plan judge`: from a JSON file to a plan without a fault, the same for the same seed, and refusals."""

import json

import pytest

from app.cli import main
from app.routing.rules import problem as problems
from tests.rules.routing_general import classic, shelves


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Writes a value as a JSON file and gives its path; the tests' own variable is no setting."""
    monkeypatch.delenv("SPARELANE_TEST_CLUSTER", raising=False)

    def store(name, value):
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return str(path)

    return store


@pytest.mark.parametrize("problem", [classic(3), shelves(4)], ids=["single visits", "shelves"])
def test_a_problem_is_solved_judged_and_replayed(problem, stored, capsys):
    file = stored("problem.json", problems.to_json(problem))
    assert main(["plan", "solve", file, "--seconds", "5", "--seed", "7", "--solutions", "5"]) == 0
    said = capsys.readouterr().out
    plan = json.loads(said)
    assert plan["seed"] == 7
    assert plan["costs"]["cost"] > 0
    assert main(["plan", "judge", file, stored("plan.json", said)]) == 0
    assert capsys.readouterr().out == "no fault\n"
    assert main(["plan", "solve", file, "--replay", stored("plan.json", said)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert [again[name] for name in ("routes", "unserved", "costs")] == [
        plan[name] for name in ("routes", "unserved", "costs")
    ]


def test_faults_are_listed_and_the_exit_code_says_so(stored, capsys):
    problem = shelves(4)
    file = stored("problem.json", problems.to_json(problem))
    main(["plan", "solve", file, "--seconds", "5", "--solutions", "5"])
    plan = json.loads(capsys.readouterr().out)
    plan["costs"]["cost"] += 1
    assert main(["plan", "judge", file, stored("plan.json", plan)]) == 1
    assert "the plan claims" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing", "is no routing problem"),
        ("[]", "is no routing problem"),
        ('{"horizon_s": 1}', "'start' is missing"),
        (
            '{"start": "2026-11-22T10:00:00Z", "horizon_s": 1, "locations": [], "couriers": [{"name": "x"}]}',
            "unexpected",
        ),
    ],
)
def test_what_is_no_problem_is_refused_in_words(text, words, stored, capsys):
    assert main(["plan", "solve", stored("bad.json", text)]) == 1
    assert words in capsys.readouterr().err
    assert main(["plan", "solve", "/nowhere/problem.json"]) == 1

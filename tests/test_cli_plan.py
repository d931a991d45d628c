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


def test_a_plan_that_is_not_made_again_is_said(stored, capsys):
    file = stored("problem.json", problems.to_json(shelves(4)))
    main(["plan", "solve", file, "--seconds", "5", "--solutions", "5"])
    plan = json.loads(capsys.readouterr().out)
    plan["costs"]["cost"] += 1
    assert main(["plan", "solve", file, "--replay", stored("plan.json", plan)]) == 1
    said = capsys.readouterr()
    assert "This is not the plan of" in said.err
    assert json.loads(said.out)["costs"]["cost"] == plan["costs"]["cost"] - 1


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
        ("[" * 100_000, "recursion"),
    ],
)
def test_what_is_no_problem_is_refused_in_words(text, words, stored, capsys):
    assert main(["plan", "solve", stored("bad.json", text)]) == 1
    assert words in capsys.readouterr().err
    assert main(["plan", "solve", "/nowhere/problem.json"]) == 1


def _at(*path):
    """Sets a value deep in a JSON value."""

    def change(raw, value):
        for step in path[:-1]:
            raw = raw[step]
        raw[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("stocks",), [], "unexpected field `stocks` - at `$`"),
        (("couriers", 0, "name"), "x", "unexpected field `name` - at `$.couriers[0]`"),
        (("jobs", 0, "due_s"), "7200", "Expected `int`, got `str` - at `$.jobs[0].due_s`"),
        (("jobs", 0, "due_s"), float("nan"), "NaN is no number"),
        (("jobs", 0, "tier"), True, "Expected `int`, got `bool`"),
        (("jobs", 0, "tier"), None, "Expected `int`, got `null`"),
        (("jobs", 0, "drop"), 1.5, "Expected `int`, got `float`"),
        (("jobs", 0, "skills"), "x", "Expected `array`, got `str`"),
        (("jobs", 0, "drop_open"), ["ab"], "Expected `array`, got `str`"),
        (("travel", 0, 1), 10**30, "Expected `int` <= 1000000000000 - at `$.travel[0][1]`"),
        (("prices",), {"drive": 1.5}, "Expected `int`, got `float` - at `$.prices.drive`"),
        (("horizon_s",), -1, "negative horizon"),
        (("couriers", 0, "length"), -1, "negative capacity"),
        (("couriers", 0, "first"), {"kind": "fly", "job": "A"}, "fly"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_where_it_is(path, value, words, stored, capsys):
    raw = json.loads(json.dumps(problems.to_json(classic(3))))
    _at(*path)(raw, value)
    assert main(["plan", "solve", stored("bad.json", raw), "--seconds", "0.1"]) == 1
    assert words in capsys.readouterr().err


def test_prices_that_no_whole_number_of_a_search_holds_are_refused():
    raw = json.loads(json.dumps(problems.to_json(classic(3))))
    raw["prices"]["drive"] = raw["travel"][0][1] = 10**12
    with pytest.raises(ValueError, match="costs could pass"):
        problems.from_json(raw)


def test_whole_numbers_may_be_written_with_a_point_and_spans_in_any_order(stored, capsys):
    raw = json.loads(json.dumps(problems.to_json(classic(3))))
    spans = [[4_000, raw["horizon_s"]], [0, 3_000]]
    raw["jobs"][0]["drop_open"], raw["horizon_s"] = spans, float(raw["horizon_s"])
    file = stored("points.json", "\ufeff" + json.dumps(raw))
    assert main(["plan", "solve", file, "--seconds", "5", "--solutions", "2"]) == 0
    assert main(["plan", "judge", file, stored("plan.json", capsys.readouterr().out)]) == 0
    raw["horizon_s"] = int(raw["horizon_s"])
    assert problems.from_json(raw).jobs[0].drop_open == tuple(map(tuple, sorted(spans)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("routes", 0, "start_s"), "x"),
        (("routes", 0, "drive_s"), None),
        (("routes", 0, "stops"), [5]),
        (("unserved",), [["A", "because"]]),
        (("costs", "misses"), [0, 0]),
        (("costs", "cost"), float("nan")),
        (("effort", "foo"), 1),
    ],
)
def test_what_is_no_plan_is_refused_in_words(path, value, stored, capsys):
    file = stored("problem.json", problems.to_json(classic(3)))
    main(["plan", "solve", file, "--seconds", "5", "--solutions", "2"])
    plan = json.loads(capsys.readouterr().out)
    _at(*path)(plan, value)
    assert main(["plan", "judge", file, stored("plan.json", plan)]) == 1
    assert "is no plan" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"), [("--seconds", "-1"), ("--seconds", "nan"), ("--seconds", "inf"), ("--solutions", "0")]
)
def test_an_effort_that_is_none_is_refused(option, value, stored, capsys):
    file = stored("problem.json", problems.to_json(classic(3)))
    with pytest.raises(SystemExit) as ended:
        main(["plan", "solve", file, option, value])
    assert ended.value.code == 2
    assert f"{value} is not" in capsys.readouterr().err

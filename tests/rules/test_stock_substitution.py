"""The substitution graph (S5): directions, dates and models."""

from datetime import date

from app.stock.rules.substitution import Link, substitutes

TODAY = date(2026, 11, 22)


def supersedes(old: str, new: str, **more: str | date | None) -> Link:
    return Link(old, new, "supersedes", **more)  # type: ignore[arg-type]


def equal(one: str, other: str) -> Link:
    return Link(one, other, "equivalent")


def found(part: str, *links: Link, model: str | None = None) -> list[str]:
    return [substitute.part for substitute in substitutes(part, links, on=TODAY, model=model)]


def test_S5_supersession_is_one_way_and_transitive() -> None:
    links = (supersedes("A", "B"), supersedes("B", "C"))
    assert found("A", *links) == ["B", "C"]
    assert found("C", *links) == []


def test_S5_equivalence_is_two_way() -> None:
    assert found("A", equal("A", "B")) == ["B"]
    assert found("B", equal("A", "B")) == ["A"]


def test_S5_a_path_is_named_and_the_nearest_comes_first() -> None:
    links = (supersedes("A", "Z"), equal("A", "M"), supersedes("M", "B"))
    assert [(s.part, s.path) for s in substitutes("A", links, on=TODAY)] == [
        ("M", ("M",)),
        ("Z", ("Z",)),
        ("B", ("M", "B")),
    ]


def test_S5_links_hold_from_their_day_until_before_their_end() -> None:
    assert found("A", supersedes("A", "B", valid_from=TODAY)) == ["B"]
    assert found("A", supersedes("A", "B", valid_from=date(2026, 11, 23))) == []
    assert found("A", supersedes("A", "B", valid_to=TODAY)) == []
    assert found("A", supersedes("A", "B", valid_to=date(2026, 11, 23))) == ["B"]


def test_S5_a_link_of_one_model_serves_only_that_model() -> None:
    link = supersedes("A", "B", model="CAM-2")
    assert found("A", link, model="CAM-2") == ["B"]
    assert found("A", link, model="CAM-1") == []
    assert found("A", link) == []

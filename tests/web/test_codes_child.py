"""Children that dawdle, hoard memory or die are gone at once, and the next question finds another."""

import os

import pytest

from app.web.child import Child, ChildDied, ChildLate


@pytest.fixture
def child():
    made = Child("tests.web.wayward_child")
    yield made
    made.close()


def test_a_child_answers_again_and_again(child):
    first = child.ask(b"abc", seconds=30)
    pid = child.pid
    assert (first, child.ask(bytes(3_000_000), seconds=30), child.pid) == (b"cba", bytes(3_000_000), pid)


def test_a_child_that_is_late_is_killed_and_replaced(child):
    child.ask(b"a", seconds=30)
    pid = child.pid
    with pytest.raises(ChildLate):
        child.ask(b"dawdle", seconds=0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert child.ask(b"ab", seconds=30) == b"ba"


@pytest.mark.parametrize("fate", [b"hoard", b"leave"])
def test_a_child_that_dies_is_replaced(child, fate):
    with pytest.raises(ChildDied):
        child.ask(fate, seconds=30)
    assert child.ask(b"ab", seconds=30) == b"ba"


def test_what_libraries_print_is_no_answer(child):
    assert child.ask(b"chatter", seconds=30) == b"rettahc"


def test_a_closed_child_is_gone_and_starts_anew_when_asked(child):
    child.ask(b"a", seconds=30)
    child.close()
    assert child.pid is None
    assert child.ask(b"ab", seconds=30) == b"ba"

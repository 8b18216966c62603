import numpy as np
import pytest

from pipeline.explore.class_menu import ClassLink, ClassMenu

PATHS = ["bags<big", "hats", "bags<small", "bags<big", "bags"]


@pytest.fixture
def menu():
    return ClassMenu(PATHS, "<")


def test_every_beginning_of_a_path_can_be_chosen(menu):
    assert menu.paths == ["bags", "bags<big", "bags<small", "hats"]


def test_what_is_below_comes_with_how_many_items_are_left_there(menu):
    assert menu.below("", None) == [ClassLink("bags", "bags", 4), ClassLink("hats", "hats", 1)]
    assert menu.below("bags", None) == [
        ClassLink("big", "bags<big", 2),
        ClassLink("small", "bags<small", 1),
    ]
    inside_N = np.array([True, False, False, False, True])
    assert menu.below("", inside_N) == [ClassLink("bags", "bags", 2)]
    assert menu.below("bags<big", None) == []
    assert menu.below("boots", None) == []


def test_a_path_is_found_however_it_was_typed(menu):
    assert [link.path for link in menu.trail(" BAGS < Big")] == ["bags", "bags<big"]
    assert [link.path for link in menu.trail("Boots<x")] == ["Boots", "Boots<x"]
    assert menu.below(" BAGS ", None) == menu.below("bags", None)


def test_an_added_class_comes_with_what_is_probably_of_it():
    likely = {"hats<cap": np.array([0, 2]), "toys<kite": np.array([3]), "toys<top": np.array([])}
    likely["toys<top"] = likely["toys<top"].astype(int)
    menu = ClassMenu([*PATHS, "toys<kite"], "<", None, likely)
    assert set(menu.paths) >= {"hats<cap", "toys", "toys<kite", "toys<top"}
    # Items of a trained class are counted where they are filed.
    assert menu.below("", None) == [
        ClassLink("bags", "bags", 4),
        ClassLink("hats", "hats", 1),
        ClassLink("toys", "toys", 2, 1),
    ]
    assert menu.below("hats", None) == [ClassLink("cap", "hats<cap", 2, 2)]
    assert menu.below("toys", None) == [ClassLink("kite", "toys<kite", 2, 1)]
    inside_N = np.array([True, False, False, False, True, True])
    assert menu.below("hats", inside_N) == [ClassLink("cap", "hats<cap", 1, 1)]
    assert menu.below("toys", inside_N) == [ClassLink("kite", "toys<kite", 1)]
    assert menu.below("hats<cap", None) == []
    assert [link.path for link in menu.trail("HATS<Cap")] == ["hats", "hats<cap"]


def test_what_is_filed_beside_its_prediction_is_counted_once():
    likely = {"toys<kite": np.array([0, 1, 2]), "toys<top": np.array([], int)}
    menu = ClassMenu(["toys<top", "toys<kite<small", "hats"], "<", None, likely)
    assert menu.below("", None) == [ClassLink("hats", "hats", 1), ClassLink("toys", "toys", 3, 1)]
    assert menu.below("toys", None) == [
        ClassLink("kite", "toys<kite", 3, 2),
        ClassLink("top", "toys<top", 1),
    ]
    inside_N = np.array([True, True, False])
    assert menu.below("", inside_N) == [ClassLink("toys", "toys", 2)]

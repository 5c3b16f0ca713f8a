"""Labels on the desk: their tree, their changes, and labels that come from elsewhere."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.models.draft import Draft
from app.models.label_tree import below, indents
from app.models.panel import build_panel
from nearl_core.types import UNSEEN, Label, LabelSet


def test_children_are_set_in_below_their_parent_only() -> None:
    tree = [("a", ""), ("b", "a"), ("c", "b"), ("d", "a"), ("e", ""), ("f", "a")]
    assert indents(tree) == (0, 1, 2, 1, 0, 0)
    assert below("a", tree) == {"a", "b", "c", "d", "f"}
    assert below("e", tree) == {"e"}


@given(st.lists(st.integers(-1, 8), max_size=9))
def test_a_label_is_never_set_in_deeper_than_one_step(parents: list[int]) -> None:
    tree = [(str(one), str(parent)) for one, parent in enumerate(parents)]
    found = indents(tree)
    assert len(found) == len(tree)
    assert all(two <= one + 1 for one, two in pairwise(found))


def test_a_row_names_its_parent_where_it_does_not_stand_below_it() -> None:
    labels = (Label("m", "Mass"), Label("s", "Solid", parent="m"), Label("x", "X"))
    moved = (*labels, Label("c", "Cyst", parent="m"))
    panel = build_panel(
        LabelSet(moved),
        UNSEEN,
        Draft(),
        ranking=None,
        suggestions=True,
        can_decide=True,
    )
    assert [line.full_name for line in panel.lines] == ["Mass", "Solid", "X", "Mass › Cyst"]
    assert [line.indent for line in panel.lines] == [0, 1, 0, 0]
    assert [line.key for line in panel.lines] == ["1", "2", "3", "4"]

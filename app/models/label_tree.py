"""How labels that have parents stand below one another in a list whose order is the reader's."""

from collections.abc import Sequence


def indents(labels: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    """How far each label is set in: below its parent, where it follows it or another child.

    Args:
        labels: Id and parent's id of each, in order.

    Returns:
        0 for a label without a parent, and for one that stands elsewhere than below it.
    """
    branch: list[str] = []
    found = []
    for label_id, parent in labels:
        while branch and branch[-1] != parent:
            branch.pop()
        found.append(len(branch))
        branch.append(label_id)
    return tuple(found)


def below(label_id: str, labels: Sequence[tuple[str, str]]) -> frozenset[str]:
    """A label and whatever has it for a parent, directly or not."""
    found = {label_id}
    grown = True
    while grown:
        more = {one for one, parent in labels if parent in found} - found
        found |= more
        grown = bool(more)
    return frozenset(found)

"""Values of one frame: from its own functional groups, the shared ones, or the root of the file."""

from collections.abc import Iterator

from pydicom.dataset import Dataset

from nearl_core.dicom.tags import items


class FrameHeader:
    """Looks a frame's values up in the order of DICOM PS3.3 C.7.6.16.

    Attributes:
        root: The data set of the file.
    """

    def __init__(self, root: Dataset, frame: int) -> None:
        self.root = root
        per_frame = items(root, "PerFrameFunctionalGroupsSequence")
        shared = items(root, "SharedFunctionalGroupsSequence")
        self._groups = (*per_frame[frame : frame + 1], *shared[:1])

    def places(self, group: str) -> Iterator[Dataset]:
        """The items where a functional group may stand, the most specific first, then the root."""
        for holder in self._groups:
            yield from items(holder, group)[:1]
        yield self.root

    def holder(self, group: str, keyword: str) -> Dataset | None:
        """The first of `places` that has a value of the keyword, or None."""
        for place in self.places(group):
            if keyword in place:
                return place
        return None

"""Values of one frame: from its own functional groups, the shared ones, or the root of the file."""

from collections.abc import Iterator

from pydicom.dataset import Dataset

from nearl_core.dicom.tags import items, text

_PROJECTIONS = tuple(f"1.2.840.10008.5.1.4.1.1.12.{number}" for number in (1, 2, 3))
"""X-ray angiography, fluoroscopy, and angiography in two planes, which is retired."""


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

    @property
    def shows_stored(self) -> bool:
        """Whether windows count stored values, whatever Modality LUT or rescale there is.

        In angiography and fluoroscopy these lead back to the X-ray's intensity, and are not for
        display (PS3.3 C.8.7.1.1.2 and FFF.2.3.1.3.4); DCMTK does so too.
        """
        return text(self.root, "SOPClassUID") in _PROJECTIONS

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

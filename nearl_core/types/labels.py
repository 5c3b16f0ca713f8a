"""The label set."""

from collections import Counter
from dataclasses import dataclass

from nearl_core.errors import LabelSetError


@dataclass(frozen=True)
class Label:
    """One label of a label set.

    Attributes:
        id: Stable; a rename keeps it.
        name: What the reader sees.
        prompts: Texts for the text tower; empty means the name itself in the usual templates.
        code: Optional code, such as "SCT 233604007" or "RID5350".
    """

    id: str
    name: str
    prompts: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class LabelSet:
    """The project's labels, in the order of their keys.

    Attributes:
        revision: Counts changes; a version is bound to one revision.

    Raises:
        LabelSetError: If there is no label, or a name or an id is empty or stands twice.
    """

    labels: tuple[Label, ...]
    multi_label: bool = False
    revision: int = 1

    def __post_init__(self) -> None:
        if not self.labels:
            raise LabelSetError("The label set has no label.", "Add at least one label.")
        for label in self.labels:
            if not label.name.strip() or not label.id.strip():
                raise LabelSetError("A label has no name.", "Give each label a name.")
        names = Counter(label.name.strip().casefold() for label in self.labels)
        ids = Counter(label.id for label in self.labels)
        for counted, what in ((names, "name"), (ids, "id")):
            value, count = counted.most_common(1)[0]
            if count > 1:
                raise LabelSetError(
                    f"The label {what} {value!r} stands {count} times in the label set.",
                    f"Give each label its own {what}.",
                )

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in order."""
        return tuple(label.id for label in self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(label.name for label in self.labels)

    def by_id(self, label_id: str) -> Label:
        """The label of an id.

        Raises:
            LabelSetError: If there is none.
        """
        for label in self.labels:
            if label.id == label_id:
                return label
        raise LabelSetError(f"There is no label with the id {label_id!r}.")

    def by_name(self, name: str) -> Label:
        """The label of a name (case and outer blanks do not matter) or, failing that, of an id.

        Raises:
            LabelSetError: If there is none.
        """
        wanted = name.strip().casefold()
        for label in self.labels:
            if label.name.strip().casefold() == wanted:
                return label
        for label in self.labels:
            if label.id == name.strip():
                return label
        raise LabelSetError(
            f"There is no label {name.strip()!r} in the label set.",
            f"The labels are: {', '.join(self.names)}.",
        )

"""The label set."""

from collections import Counter
from collections.abc import Iterable
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
        parent: Id of the label that this one is a kind of, or "".
    """

    id: str
    name: str
    prompts: tuple[str, ...] = ()
    code: str = ""
    parent: str = ""


@dataclass(frozen=True)
class LabelSet:
    """The project's labels, in the order of their keys.

    A decision for a label implies its parents, which need not be named; one for a parent alone
    says that it can't be told which kind it is.

    Attributes:
        revision: Counts changes; a version is bound to one revision.

    Raises:
        LabelSetError: If there is no label, a name or an id is empty or stands twice, or a parent
            is not there or comes to be its own.
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
        self._require_tree()

    def _require_tree(self) -> None:
        parents = {label.id: label.parent for label in self.labels}
        names = {label.id: label.name for label in self.labels}
        for label in self.labels:
            seen, above = {label.id}, label.parent
            while above:
                if above not in parents:
                    raise LabelSetError(
                        f"The label {label.name!r} has a parent {above!r} that is not there.",
                        "Name the id of another label, or no parent.",
                    )
                if above in seen:
                    raise LabelSetError(
                        f"The label {names[above]!r} comes to be its own parent.",
                        "Give one of its parents another parent, or none.",
                    )
                seen.add(above)
                above = parents[above]

    def ancestors(self, label_id: str) -> tuple[str, ...]:
        """Ids of a label's parent, of that one's parent and so on, the nearest first.

        Raises:
            LabelSetError: If there is no such label.
        """
        above = []
        parent = self.by_id(label_id).parent
        while parent:
            above.append(parent)
            parent = self.by_id(parent).parent
        return tuple(above)

    def implied(self, label_ids: Iterable[str]) -> tuple[str, ...]:
        """Ids of the labels that follow from some without being among them, in order.

        Raises:
            LabelSetError: If one of them does not exist.
        """
        named = set(label_ids)
        above = {parent for one in named for parent in self.ancestors(one)}
        return tuple(one for one in self.ids if one in above - named)

    def meant(self, label_ids: Iterable[str]) -> frozenset[str]:
        """What a decision comes to: its labels and, where a scan can have several, their parents.

        Ids that are not in the set stay as they are.
        """
        named = frozenset(label_ids)
        if not self.multi_label:
            return named
        return named.union(self.implied(named.intersection(self.ids)))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in order."""
        return tuple(label.id for label in self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(label.name for label in self.labels)

    def names_of(self, label_ids: Iterable[str]) -> tuple[str, ...]:
        """The names of labels, in their order; an id that is not in the set stays as it is."""
        names = dict(zip(self.ids, self.names, strict=True))
        return tuple(names.get(one, one) for one in label_ids)

    def by_id(self, label_id: str) -> Label:
        """The label of an id.

        Raises:
            LabelSetError: If there is none.
        """
        for label in self.labels:
            if label.id == label_id:
                return label
        raise LabelSetError(f"There is no label with the id {label_id!r}.")

    def named(self, name: str) -> Label | None:
        """The label of a name, of which case and outer blanks do not matter."""
        wanted = name.strip().casefold()
        return next((one for one in self.labels if one.name.strip().casefold() == wanted), None)

    def find(self, word: str) -> Label | None:
        """The label of a name or, failing that, of an id."""
        by_id = (one for one in self.labels if one.id == word.strip())
        return self.named(word) or next(by_id, None)

    def by_name(self, name: str) -> Label:
        """The label of a name or, failing that, of an id.

        Raises:
            LabelSetError: If there is none.
        """
        if label := self.find(name):
            return label
        raise LabelSetError(
            f"There is no label {name.strip()!r} in the label set.",
            f"The labels are: {', '.join(self.names)}.",
        )

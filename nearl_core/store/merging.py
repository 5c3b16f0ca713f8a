"""Taking into a project what readers decided in a copy of its folder, see `nearl_core/merging`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.errors import ProjectError, UsageError
from nearl_core.merging import Merge, compare
from nearl_core.portions import portions
from nearl_core.store import decisions, readings, scans
from nearl_core.store.folder import project_folder
from nearl_core.store.project import Project
from nearl_core.store.stack_files import Write
from nearl_core.types import Decision, NewDecision

_TOGETHER: Final = 100
"""Decisions in one transaction: a reader's own waits behind no more than these."""


def look(project: Project, copy: Path) -> Merge:
    """Find what the project lacks of a copy of it; nothing is changed in either.

    Args:
        project: An open one.
        copy: The folder of its copy.

    Raises:
        UsageError: If it is the project itself.
        ProjectError: If it can't be read, or is a copy of another project or with other labels.
    """
    folder = project_folder(copy)
    if folder == project.folder:
        raise UsageError("This is the project itself.", "Choose the folder of a copy of it.")
    with Project.open(folder, read_only=True) as other:
        if other.id != project.id:
            raise ProjectError(
                f"{other.name} is no copy of this project.",
                "Choose a folder that was copied from this project's. Labels of other projects "
                "come in as a table: Project, Import labels…",
            )
        known = readings.sources(project) | readings.sources(other)
        with project.reading() as here, other.reading() as there:
            merge = compare(
                decisions.moments(here),
                decisions.every(there),
                scans=_same(scans.when_added(here), scans.when_added(there)),
                sources=known,
            )
        named = tuple(_named(merge.decisions, project, other))
        _require_labels(named, project, other)
    return replace(merge, decisions=named)


def _same(here: Sequence[scans.WhenAdded], there: Sequence[scans.WhenAdded]) -> Mapping[int, int]:
    """The project's number of each scan of its copy: by when it was added, else by its path."""
    together, by_path = {(one.id, one.added) for one in here}, {one.path: one.id for one in here}
    found = dict[int, int]()
    for one in there:
        same = one.id if (one.id, one.added) in together else by_path.get(one.path)
        if same is not None:
            found[one.id] = same
    return found


def _named(made: Sequence[Decision], project: Project, copy: Project) -> list[Decision]:
    """With versions that were trained in the copy named apart from the project's of like name."""
    here = {(version.id, version.created) for version in project.versions()}
    names = {
        version.id: f"{version.id}-{version.created:%Y%m%dT%H%M%S}"
        for version in copy.versions()
        if (version.id, version.created) not in here
    }
    return [
        one
        if one.ranking is None or one.ranking.version not in names
        else replace(one, ranking=replace(one.ranking, version=names[one.ranking.version]))
        for one in made
    ]


def _require_labels(made: Sequence[Decision], project: Project, copy: Project) -> None:
    """Refuse decisions that the project's labels do not allow.

    Raises:
        ProjectError: If labels were changed in the copy, or a decision names none of them.
    """
    here, there = (
        {one.label_set.revision: one for one in each.label_history().revisions}
        for each in (project, copy)
    )
    for one in made:
        if one.revision not in here or here[one.revision] != there.get(one.revision):
            raise ProjectError(
                "The labels were changed in the copy, so its decisions can't be taken over.",
                "Change labels in the project itself only. What was decided in the copy comes "
                "in as a table: `decisions` there, `decide` here.",
            )
        asked = NewDecision(one.scan_id, one.reader, one.verdict, unasked=one.unasked)
        decisions.require_valid(asked, here[one.revision].label_set)


def take(
    project: Project,
    merge: Merge,
    control: RunControl,
    *,
    write: Write = lambda work: work(),
) -> None:
    """Save what was found, in small transactions.

    Raises:
        Cancelled: If the control says so; what was saved stays, and looking again finds the rest.
        ProjectError: If it can't be saved.
    """
    numbers, done = dict(merge.numbers), 0
    for part in portions(merge.decisions, _TOGETHER):
        control.step(done, len(merge.decisions), "Taking decisions over")
        write(partial(project.take_over, part, numbers))
        done += len(part)

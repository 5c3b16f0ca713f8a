"""Taking into a project what readers decided in a copy of its folder, see `nearl_core/merging`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nearl_core.control import RunControl
from nearl_core.errors import NearlError, ProjectDamagedError, ProjectError, UsageError
from nearl_core.merging import Merge, Moment, compare
from nearl_core.store import decisions, readings, scans
from nearl_core.store.bulk import Write, save_in_parts
from nearl_core.store.decision_rows import is_sound
from nearl_core.store.folder import project_folder
from nearl_core.store.paths import PathKeeper
from nearl_core.store.project import Project
from nearl_core.types import Decision, NewDecision


def look(project: Project, copy: Path, control: RunControl | None = None) -> Merge:
    """Find what the project lacks of a copy of it; nothing is changed in either.

    Args:
        project: An open one.
        copy: The folder of its copy.
        control: Asked between steps, each of which takes seconds in a large project.

    Raises:
        Cancelled: If the control says so.
        UsageError: If it is the project itself.
        ProjectError: If it can't be read, or is a copy of another project or with other labels.
    """
    folder = project_folder(copy)
    if folder == project.folder:
        raise UsageError("This is the project itself.", "Choose the folder of a copy of it.")
    control = control or RunControl()
    here, known = _State.of(project, control), readings.sources(project)
    try:
        with Project.open(folder, read_only=True) as other:
            return _compared(project, here, known, other, control)
    except ProjectDamagedError as error:  # whose remedy would bring this project's copy back
        raise ProjectDamagedError(
            f"{folder.stem} is damaged; nothing of it was taken over.",
            "Copy it again from where it was worked in, or check it there: `check COPY`.",
        ) from error


@dataclass(frozen=True)
class _State:
    """What is compared of a project, as of one moment."""

    moments: Sequence[Moment]
    marks: Sequence[scans.Mark]
    keeper: PathKeeper

    @classmethod
    def of(cls, project: Project, control: RunControl) -> "_State":
        control.check()
        with project.reading() as connection:
            moments = decisions.moments(connection)
            control.check()
            marks = scans.marks(connection)
        return cls(moments, marks, project.keeper)

    def paths(self, mark: scans.Mark) -> tuple[str | Path, ...]:
        """As it is kept, seen from the project, and where that leads from here."""
        return mark.path, self.keeper.restore(mark.path)


def _compared(
    project: Project, here: _State, sources: Collection[str], copy: Project, control: RunControl
) -> Merge:
    if copy.id != project.id:
        raise ProjectError(
            f"{copy.name} is no copy of this project.",
            "Choose a folder that was copied from this project's. Labels of other projects "
            "come in as a table: Project, Import labels…",
        )
    there, known = _State.of(copy, control), readings.sources(copy).union(sources)
    same = _same(here, there)
    found, made = compare(here.moments, there.moments, scans=same, sources=known), list[Decision]()
    with copy.reading() as connection:
        for one in decisions.as_made(connection, found.new):
            control.check()
            made.append(_of_scan(one, same))
    named = tuple(_named(made, project, copy))
    _require_sound(named, project, copy)
    return Merge(named, found)


def _same(here: _State, there: _State) -> Mapping[int, int]:
    """The project's number of each scan of its copy.

    By when it was added; of those that were added to each since, by path and by what is known of
    the file: on two computers one path can lead to two files.
    """
    common = {(one.id, one.added) for one in here.marks}
    common &= {(one.id, one.added) for one in there.marks}
    later = {
        path: one
        for one in here.marks
        if (one.id, one.added) not in common
        for path in here.paths(one)
    }
    found = {scan_id: scan_id for scan_id, _ in common}
    for one in there.marks:
        known = (later[path] for path in there.paths(one) if path in later)
        same = next((other for other in known if one.is_like(other)), None)
        if one.id not in found and same is not None:
            found[one.id] = same.id
    return found


def _of_scan(decision: Decision, same: Mapping[int, int]) -> Decision:
    scan_id, ranking = same[decision.scan_id], decision.ranking
    if ranking is not None:
        ranking = replace(ranking, scan_id=scan_id)
    return replace(decision, scan_id=scan_id, ranking=ranking)


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


def _require_sound(made: Sequence[Decision], project: Project, copy: Project) -> None:
    """Refuse decisions that the project's labels do not allow, and what no program wrote.

    Raises:
        ProjectError: If labels were changed in the copy.
        ProjectDamagedError: If one holds what decisions do not, or names no label of then.
    """
    here, there = (
        {one.label_set.revision: one for one in each.label_history().revisions}
        for each in (project, copy)
    )
    for one in made:
        if one.revision not in here or here[one.revision] != there.get(one.revision):
            raise ProjectError(
                f"The labels were changed in {copy.name}, so its decisions can't be taken over.",
                "Change labels in the project itself only. What was decided in the copy comes "
                "in as a table: `decisions` there, `decide` here.",
            )
        if not is_sound(one):
            raise ProjectDamagedError("A decision holds what none does.")
        asked = NewDecision(one.scan_id, one.reader, one.verdict, unasked=one.unasked)
        try:
            decisions.require_valid(asked, here[one.revision].label_set)
        except NearlError as error:  # it was refused when it was made, if a program made it
            raise ProjectDamagedError(*error.args) from error


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
    numbers = dict(merge.compared.numbers)

    def save(part: Sequence[Decision]) -> None:
        project.take_over(part, numbers)

    save_in_parts(merge.decisions, save, control, "Taking decisions over", write)

"""The command on a project's label set: list it, change it, take a change back."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import SubParsers
from nearl_core.cli.output import Output
from nearl_core.errors import UsageError
from nearl_core.words import counted

if TYPE_CHECKING:
    # Imported inside the command: the command line must answer before all of this is loaded.
    from nearl_core.store.project import Project
    from nearl_core.types import Effect, Label, LabelChange, LabelSet, Revision

_RENAME, _MERGE, _SPLIT, _RETIRE, _PARENT = "rename", "merge", "split", "retire", "parent"


def add_commands(commands: SubParsers) -> None:
    """Register the command."""
    labels = commands.add_parser(
        "labels",
        help="list a project's labels, change them, take a change back",
        description="Labels are named by name or id. Changes are made in the order given. What "
        "was decided is kept as it was said; --dry-run shows what a change would come to.",
    )
    labels.add_argument("project", type=Path, metavar="PROJECT")
    for name, metavar, words in (
        (_RENAME, "LABEL=NAME", "another name; the id and all decisions stay"),
        (_MERGE, "A,B=C", "one label of several, an existing or a new one"),
        (_SPLIT, "A=B,C", "several labels in place of one, to be decided again"),
        (_RETIRE, "A", "ask for a label no longer"),
        (_PARENT, "A=B", "A is a kind of B; A= for a kind of nothing else"),
    ):
        labels.add_argument(
            f"--{name}",
            dest="asked",
            action="append",
            type=partial(_asked, name),
            metavar=metavar,
            help=words,
        )
    labels.add_argument("--undo", action="store_true", help="take the latest change back")
    labels.add_argument("--dry-run", action="store_true", help="show it, but change nothing")
    labels.set_defaults(run=_labels)


def _asked(what: str, text: str) -> tuple[str, str]:
    return what, text


def _labels(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.store.project import Project
    from nearl_core.store.relabelling import effects_of

    asked: list[tuple[str, str]] = args.asked or []
    if args.undo and asked:
        raise UsageError("A change and an undo can't be asked for at once.", "Ask one by one.")
    changing = bool(asked) or args.undo
    with Project.open(args.project, read_only=args.dry_run or not changing) as project:
        revision = _undone(project) if args.undo else _wanted(project.label_set(), asked)
        wanted = revision.label_set
        found = effects_of(project, revision) if changing else ()
        saved = changing and not args.dry_run
        if saved:
            project.save_revision(revision)
        counts = None
        if saved or not changing:
            counts = Counter(one for said in project.standing() for one in said.verdict.labels)
        again = _again(project)
        output.result(
            {
                "revision": project.label_set().revision,
                "multi_label": wanted.multi_label,
                "labels": [_record(label, counts) for label in wanted.labels],
                "changes": [asdict(change) for change in revision.changes],
                "restores": revision.restores,
                "effects": [asdict(effect) for effect in found],
                "saved": saved,
                "to_decide_again": again,
            },
            "\n".join(_lines(wanted, counts)),
        )
        _tell(found, again, saved=saved if changing else None, output=output)


def _undone(project: "Project") -> "Revision":
    back = project.label_history().undone()
    if back is None:
        raise UsageError("There is no change of the labels to take back.")
    return back


def _wanted(label_set: "LabelSet", asked: list[tuple[str, str]]) -> "Revision":
    from nearl_core.types import Revision

    changes = []
    for what, text in asked:
        label_set, change = _change(label_set, what, text)
        changes += [] if change is None else [change]
    return Revision(label_set, tuple(changes))


def _change(label_set: "LabelSet", what: str, text: str) -> "tuple[LabelSet, LabelChange | None]":
    from nearl_core.label_changes import merge, rename, retire, split
    from nearl_core.labels_file import new_id

    if what == _RETIRE:
        return retire(label_set, _id(label_set, text))
    left, equals, right = text.partition("=")
    if not equals or not left.strip() or (what != _PARENT and not right.strip()):
        raise UsageError(f"--{what} {text} can't be read.", "See the command's help.")
    if what == _RENAME:
        return rename(label_set, _id(label_set, left), right)
    if what == _MERGE:
        return merge(label_set, _ids(label_set, left), right, new_id=new_id)
    if what == _SPLIT:
        return split(label_set, _id(label_set, left), right.split(","), new_id=new_id)
    child, parent = _id(label_set, left), _id(label_set, right) if right.strip() else ""
    labels = (replace(one, parent=parent) if one.id == child else one for one in label_set.labels)
    return replace(label_set, labels=tuple(labels)), None


def _id(label_set: "LabelSet", text: str) -> str:
    return label_set.by_name(text).id


def _ids(label_set: "LabelSet", text: str) -> list[str]:
    return [_id(label_set, part) for part in text.split(",") if part.strip()]


def _record(label: "Label", counts: Counter[str] | None) -> dict[str, object]:
    return {**asdict(label), "decisions": None if counts is None else counts[label.id]}


def _lines(label_set: "LabelSet", counts: Counter[str] | None) -> list[str]:
    names = {label.id: label.name for label in label_set.labels}
    lines = []
    for label in label_set.labels:
        kind = f"a kind of {names[label.parent]}" if label.parent else ""
        decided = "" if counts is None else counted(counts[label.id], "decision")
        parts = (f"{label.name} ({label.id})", kind, label.code, decided)
        lines.append(", ".join(part for part in parts if part))
    return lines


def _again(project: "Project") -> list[dict[str, str]]:
    """What was decided before the labels changed, and is to be decided again."""
    from nearl_core.store.relabelling import to_decide_again

    found, history = to_decide_again(project), project.label_history()
    paths = {scan.id: str(scan.path) for scan in project.scans()} if found else {}
    again = []
    for (scan_id, reader), said in found.items():
        was = ";".join(history.label_set(said.revision).names_of(said.verdict.labels))
        again.append({"path": paths[scan_id], "reader": reader, "was": was})
    return again


def _tell(
    effects: "Sequence[Effect]",
    again: list[dict[str, str]],
    *,
    saved: bool | None,
    output: Output,
) -> None:
    """What it comes to; `saved` is None where nothing was asked for."""
    for effect in effects:
        output.text(_sentence(effect))
    if again:
        scans = counted(len({one["path"] for one in again}), "scan")
        decisions = counted(len(again), "decision")
        output.text(f"To be made again since the labels changed: {decisions} on {scans}:")
        output.some([f"{one['path']} (was {one['was']}, {one['reader']})" for one in again])
    if saved is not None:
        output.text("Saved." if saved else "Nothing was changed.")


def _sentence(effect: "Effect") -> str:
    before = " + ".join(effect.before) or "nothing"
    after = " + ".join(effect.after)
    becomes = after or ("to be decided again" if effect.again else "left out")
    return f"{effect.reader}: {effect.decisions} × {before} → {becomes}"

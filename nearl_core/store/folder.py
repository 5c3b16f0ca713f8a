"""The folder of a project: its name, what stands in it, how it is made."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, insert, text

from nearl_core.errors import ProjectDamagedError, ProjectError
from nearl_core.links import is_link
from nearl_core.store import label_sets, migrations
from nearl_core.store.database import Database
from nearl_core.store.faults import WAY_BACK, understood
from nearl_core.store.hashes import new_key
from nearl_core.store.schema import TRIGGERS, meta
from nearl_core.types import LabelSet, Revision, Unit

SUFFIX: Final = ".nearl"
DATABASE: Final = "project.db"
LOCK: Final = "project.lock"
_WRITTEN_DEPTH: Final = 3
"""How deep files are changed in place; deeper ones (thumbnails) are put in place by renaming."""
_CACHE_TAG: Final = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# What stands here can be made again.\n"
)


def project_folder(path: Path) -> Path:
    """The folder that a path means: `chest`, `chest.nearl` and `chest.nearl/project.db` are one.

    A project's folder name ends in `.nearl`; what is named without it gets it. A root has no name
    and stays as it is.
    """
    folder = Path(os.path.abspath(path))
    if folder.name == DATABASE and folder.parent.suffix.lower() == SUFFIX:
        return folder.parent
    if not folder.name or folder.suffix.lower() == SUFFIX:
        return folder
    return folder.with_name(folder.name + SUFFIX)


def make(folder: Path, label_set: LabelSet, *, backbone: str, unit: Unit) -> None:
    """Make a project's folder, whole or not at all.

    Raises:
        ProjectError: If something stands there already.
        OSError: If it can't be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(
            f"{folder.name or folder} already exists.", "Choose another name, or open it."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Made beside and renamed: a program that dies on the way leaves no half project.
    beside = folder.with_name(f"{folder.name}.partial-{secrets.token_hex(4)}")
    try:
        _fill(beside, label_set, backbone=backbone, unit=unit, home=folder)
        if folder.exists():
            folder.rmdir()  # Windows does not rename onto an empty folder
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def require_meta(values: Mapping[str, str]) -> None:
    """Refuse what no program wrote of a project itself.

    Raises:
        ProjectDamagedError: If something of it is missing or can't be read.
    """
    with understood():
        bytes.fromhex(values["key"])
        Path(json.loads(values["home"]))
        Unit(values.get("unit", Unit.IMAGE))
        if not all(isinstance(values[name], str) for name in ("project", "backbone")):
            raise TypeError("names are texts")


def make_folders(folder: Path) -> tuple[str, ...]:
    """Make what a project's folder holds beside its database; says what was missing.

    Raises:
        OSError: If it can't be made.
    """
    made = []
    for name in ("adapters", "cache"):
        inner = folder / name
        if not inner.is_dir():
            inner.mkdir()
            made.append(f"The folder {name} was missing and was made.")
    tag = folder / "cache" / "CACHEDIR.TAG"
    if not tag.exists():
        tag.write_text(_CACHE_TAG, encoding="utf-8")
    return tuple(made)


def _fill(folder: Path, label_set: LabelSet, *, backbone: str, unit: Unit, home: Path) -> None:
    folder.mkdir()
    make_folders(folder)
    database = Database(folder / DATABASE, read_only=False)
    try:
        with database.writing() as connection:
            migrations.create(connection)
            values = {
                "project": str(uuid4()),
                "key": new_key(),
                "backbone": backbone,
                "unit": unit.value,
                "home": json.dumps(os.fspath(home)),
                "sources": "[]",
            }
            for key, value in values.items():
                connection.execute(insert(meta).values(key=key, value=value))
            label_sets.append(connection, Revision(label_set))
    finally:
        database.close()


def require_folder(folder: Path) -> None:
    """Refuse a folder that is not there.

    Raises:
        ProjectError: If it is missing.
    """
    if not folder.is_dir():
        raise ProjectError(
            f"There is no project {folder.name} in this place.",
            "Check the name, or create the project first.",
        )


def require_no_links(folder: Path) -> None:
    """Refuse a project in which a link leads elsewhere.

    A project can come from anyone. What it keeps is written, cut short and deleted without asking:
    through a link that would happen to files which are none of its own.

    Raises:
        ProjectError: If it holds a link.
        OSError: If it can't be read.
    """
    link = next(_links(folder, _WRITTEN_DEPTH), None)
    if link is not None:
        raise ProjectError(
            f"{link.relative_to(folder).as_posix()} in the project leads elsewhere, so it is not "
            "opened.",
            "Remove this link, or put a copy of what it leads to in its place.",
        )


def _links(folder: Path, depth: int) -> Iterator[Path]:
    """Links in a folder and in those below it, not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_link(entry):
                yield Path(entry)
            elif depth > 1 and entry.is_dir(follow_symlinks=False):
                yield from _links(Path(entry), depth - 1)


def require_project(folder: Path) -> None:
    """Refuse a folder that is no project.

    Raises:
        ProjectError: If it is missing.
        ProjectDamagedError: If it has no database.
    """
    require_folder(folder)
    if not (folder / DATABASE).is_file():
        raise ProjectDamagedError(
            f"{folder.name or folder} is not a NEARL Desk project: it has no project.db.",
            f"Choose another folder. If project.db was lost: {WAY_BACK}",
        )


def require_schema(database: Database, before: migrations.Before = migrations.nothing) -> None:
    """Bring the database to this program's schema, or refuse.

    Args:
        database: A project's.
        before: Called with the number of an older schema before anything is changed.

    Raises:
        ProjectError: If it is newer, no project's, older and opened read-only, or changes by
            itself what is saved.
    """
    if database.read_only:
        with database.reading() as connection:
            migrations.require_readable(migrations.current(connection))
        return
    with database.writing() as connection:
        migrations.migrate(connection, before)
        _require_no_own_will(connection)


def _require_no_own_will(connection: Connection) -> None:
    """Refuse a database that does anything by itself but guard its history.

    Whoever made it elsewhere could have it drop decisions that are told as saved.

    Raises:
        ProjectError: If it has a trigger or a view that no program of ours made.
    """
    query = "SELECT sql FROM sqlite_master WHERE type IN ('trigger', 'view')"
    if not TRIGGERS.issuperset(connection.scalars(text(query))):
        raise ProjectError(
            "The project's database changes by itself what is saved, so it is not written to.",
            "Ask for the project as NEARL Desk made it, or look at this one read-only.",
        )

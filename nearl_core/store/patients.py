"""How paths tell a project's patients apart, kept for what is added later."""

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from nearl_core.store.schema import meta

if TYPE_CHECKING:
    from nearl_core.store.project import Project

_KEY: Final = "patients"


def kept_rule(project: "Project") -> str | None:
    """The rule as `nearl_core.adding.patient_rule` reads it; None where the files are asked."""
    with project.reading() as connection:
        text: str | None = connection.scalar(select(meta.c.value).where(meta.c.key == _KEY))
    return text


def keep_rule(project: "Project", text: str) -> None:
    """Keep a rule.

    Raises:
        ProjectError: If it can't be saved.
    """
    with project.writing() as connection:
        connection.execute(delete(meta).where(meta.c.key == _KEY))
        connection.execute(insert(meta).values(key=_KEY, value=text))

"""How a test makes an export."""

from pathlib import Path
from typing import Any

from nearl_core.export.exporter import ExportReport, export
from nearl_core.store.project import Project
from tests.support.projects import PillowReader


def run(project: Project, out: Path, format: str = "csv", **more: Any) -> ExportReport:
    """Export pictures of 8 bits, read in this process unless another reader is given."""
    return export(project, out, format=format, **{"reader": PillowReader(), **more})

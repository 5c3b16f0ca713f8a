"""A project that commands are tried on."""

from pathlib import Path

import pytest

from tests.support.projects import new_project


@pytest.fixture(autouse=True)
def _children_handed_on(children_handed_on: None) -> None:
    """Commands that are called in this process borrow their decoding processes."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed project of six scans (no files) with the labels Disc, Stripes and Dots."""
    with new_project(tmp_path) as project:
        return project.folder

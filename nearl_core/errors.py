"""Expected troubles: each carries one sentence for the reader and what to do about it.

Anything that is not a NearlError is a bug and is reported as one.
"""


class NearlError(Exception):
    """An expected trouble; as text both sentences.

    Attributes:
        message: One sentence that says what is wrong, without patient data.
        remedy: One sentence that says what the reader can do; may be empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy


class ScanError(NearlError):
    """A scan that can't be read or shown."""


class NotWrittenError(ScanError):
    """A copy of a scan that the disk did not take; the scan itself can be read."""


class LabelSetError(NearlError):
    """A label set that can't be used."""


class ProjectError(NearlError):
    """A project that can't be created, opened or written."""


class ProjectLockedError(ProjectError):
    """A project that is open for writing elsewhere."""


class ProjectDamagedError(ProjectError):
    """A project whose database is damaged or gone."""


class BackboneError(NearlError):
    """A backbone that can't be found, loaded or trusted."""


class VersionError(NearlError):
    """A version that can't be loaded or does not fit the project."""


class TrainingError(NearlError):
    """A training run that can't start or go on."""


class ExportError(NearlError):
    """An export that can't be made or did not verify."""


class UsageError(NearlError):
    """A command or argument that does not exist or does not fit."""


class Cancelled(Exception):  # noqa: N818 - not an error: the reader asked for it
    """Work that stopped because the reader asked for it."""

"""What a hub of models has, and how a file of it comes here. The only door to the network.

The hub's own client asks; the bytes are taken here, because that client (huggingface_hub 2)
begins a stopped download anew, and half a gigabyte over a clinic's line is not begun anew.
No login is sent.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nearl_core.errors import BackboneError

_CHUNK = 1 << 16
_TRIES = 4
_TIMEOUT_S = 15.0
_PART = ".part"
Report = Callable[[int], None]
"""Called with the bytes of a file that are here; may raise to stop."""


@dataclass(frozen=True)
class HubFile:
    """A file of a repository.

    Attributes:
        size: In bytes.
        sha256: Of a large file, else empty.
        git_sha1: Of its git object, else empty.
    """

    name: str
    size: int
    sha256: str
    git_sha1: str


@dataclass(frozen=True)
class Listing:
    """What a repository holds at one commit."""

    repository: str
    commit: str
    files: tuple[HubFile, ...]


class BrokenDownloadError(Exception):
    """The line broke, or what came is not what the hub says it has."""


def listing(repository: str) -> Listing:
    """The files at the top of a repository's newest commit.

    Raises:
        BackboneError: If the hub can't be reached or does not know it.
    """
    from huggingface_hub import HfApi

    try:
        info = HfApi(token=False).model_info(repository, files_metadata=True)
    except _line_trouble() as error:
        raise _unreached(repository) from error
    found = [
        HubFile(
            name=file.rfilename,
            size=file.size or 0,
            sha256=file.lfs.sha256 if file.lfs else "",
            git_sha1="" if file.lfs else file.blob_id or "",
        )
        for file in info.siblings or ()
        if not {"/", "\\"} & set(file.rfilename)  # Windows takes both
    ]
    return Listing(repository, info.sha or "main", tuple(found))


def download(source: Listing, file: HubFile, folder: Path, report: Report) -> Path:
    """Bring a file of a listing into a folder; one that was stopped goes on where it was.

    Raises:
        BackboneError: If the hub can't be reached, or what it sends is not the file.
    """
    target = folder / file.name
    if target.is_file() and _is(target, file):
        return target
    part = part_of(file, folder)
    tries = _TRIES
    while part_size(part) < file.size or not part.is_file():
        before = part_size(part)
        try:
            _stream(source, file, part, report)
        except _line_trouble() as error:
            tries = _TRIES if part_size(part) > before else tries - 1
            if tries == 0:
                raise _unreached(source.repository) from error
    if not _is(part, file):
        part.unlink()
        raise BackboneError(
            f"The file {file.name} of {source.repository} did not arrive whole.", "Try again."
        )
    part.replace(target)
    return target


def part_of(file: HubFile, folder: Path) -> Path:
    """Where a file stands until it is whole; another content has another place."""
    return folder / f"{file.name}.{(file.sha256 or file.git_sha1)[:12]}{_PART}"


def part_size(part: Path) -> int:
    """How much of a file is here, in bytes."""
    return part.stat().st_size if part.is_file() else 0


def _stream(source: Listing, file: HubFile, part: Path, report: Report) -> None:
    """Take what is missing of a file until the line breaks or all is here."""
    from huggingface_hub import get_session, hf_hub_url

    url = hf_hub_url(source.repository, file.name, revision=source.commit)
    # Not compressed on the way, or the places in the file would not be those of the range.
    headers = {"Accept-Encoding": "identity"}
    here = part_size(part)
    if here:
        headers["Range"] = f"bytes={here}-"
    how: dict[str, Any] = {"follow_redirects": True, "timeout": _TIMEOUT_S}
    with get_session().stream("GET", url, headers=headers, **how) as response:
        if response.status_code not in (200, 206):
            raise BrokenDownloadError
        _write(part, response.iter_bytes(_CHUNK), report, anew=response.status_code == 200)
    if part_size(part) < file.size:
        raise BrokenDownloadError


def _write(part: Path, chunks: Iterable[bytes], report: Report, *, anew: bool) -> None:
    with part.open("wb" if anew else "ab") as out:
        here = 0 if anew else part_size(part)
        for chunk in chunks:
            try:
                out.write(chunk)
            except OSError as error:
                raise BackboneError(
                    f"What is fetched could not be written: {error.strerror}.",
                    "Make room on the disk and try again, which goes on where it stopped.",
                ) from error
            here += len(chunk)
            report(here)


def _is(path: Path, file: HubFile) -> bool:
    if path.stat().st_size != file.size:
        return False
    if file.sha256:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == (file.sha256 or file.git_sha1)


def _line_trouble() -> tuple[type[Exception], ...]:
    """What is raised where a hub is not reached, or the line breaks."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    # Its bases are the HTTP client's own errors, by whatever client this version uses.
    return (*HfHubHTTPError.__bases__, OfflineModeIsEnabled, BrokenDownloadError)


def _unreached(repository: str) -> BackboneError:
    return BackboneError(
        f"{repository} could not be fetched.",
        "Check the network and try again, which goes on where it stopped, or add a folder copied "
        "from another machine.",
    )

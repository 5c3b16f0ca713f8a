"""All hostile files together, or a quick selection of them."""

import tempfile
from pathlib import Path

from tests.hostile import (
    container_traps,
    dicom_traps,
    element_traps,
    kind_traps,
    other_kinds,
    picture_traps,
    place_traps,
    volume_traps,
)
from tests.hostile.making import Maker, Trap, sound

_SMALL_BYTES = 400_000


def write_traps(
    folder: Path, *, seed: int = 0, quick: bool = False, real: Path | None = None
) -> list[Trap]:
    """Write them; the paths in the order in which they are to be given.

    Args:
        folder: Empty, or not there yet.
        seed: Of the damage.
        quick: Some five hundred small ones, none of which takes long; else thrice as many.
        real: A folder of real files to be damaged too.
    """
    maker = Maker(folder, seed)
    with tempfile.TemporaryDirectory() as work:
        whole = sound(Path(work))
    place_traps.places(maker, whole)
    place_traps.names(maker, whole)
    place_traps.damaged(maker, whole, cuts=1 if quick else 11, flips=1 if quick else 11)
    if real is not None:
        found = (path for path in sorted(real.rglob("*")) if path.is_file())
        small = (path for path in found if path.stat().st_size < _SMALL_BYTES)
        scans = {f"{path.name[-60:]}": path.read_bytes() for path in small}
        place_traps.damaged(maker, scans, cuts=6, flips=6, sound=False)
    picture_traps.odd_but_sound(maker, whole, frames=30 if quick else 3000)
    dicom_traps.nested(maker, whole, depth=2_000 if quick else 100_000)
    dicom_traps.noise_files(maker, whole)
    element_traps.groups(maker, many=100 if quick else 20_000)
    element_traps.other_files(maker)
    container_traps.code_streams(maker)
    for kinds in (kind_traps, other_kinds):
        kinds.write(maker)
    if quick:
        return maker.traps
    picture_traps.bombs(maker, whole)
    volume_traps.volumes(maker, whole)
    dicom_traps.lying_headers(maker, whole)
    dicom_traps.lying_frames(maker, whole)
    dicom_traps.lying_lengths(maker, whole)
    dicom_traps.bombs(maker, whole)
    dicom_traps.wrong_streams(maker, whole)
    dicom_traps.odd_values(maker, whole)
    element_traps.elements(maker, whole)
    element_traps.fragments(maker, whole)
    container_traps.jpegs(maker)
    container_traps.tiffs(maker)
    container_traps.pngs(maker)
    container_traps.moving(maker)
    return maker.traps

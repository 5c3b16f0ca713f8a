"""PNG, JPEG, TIFF, BMP, WebP and GIF: read by Pillow, whose bomb limit stays on."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from nearl_core.errors import ScanError
from nearl_core.scans.png import deep_values, has_exif
from nearl_core.scans.tiff import DeepTiff, deep_tiff
from nearl_core.scans.upright import turned
from nearl_core.scans.windows import as_stored, automatic
from nearl_core.types import Frame, Identity, ScanInfo

# Named by hand: left to itself, Pillow loads the plugins of forty other formats.
_FORMATS = tuple(
    plugin.format
    for plugin in (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        TiffImagePlugin.TiffImageFile,
        BmpImagePlugin.BmpImageFile,
        WebPImagePlugin.WebPImageFile,
        GifImagePlugin.GifImageFile,
    )
)
_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "GIF": b";"}
"""The last bytes of a whole file, by format."""
_NARROW: dict[object, int] = {"L;2": 3, "L;4": 15}
"""The largest value by what Pillow calls pixels that it widens to 8 bits."""

DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    ArithmeticError,
    LookupError,
    AttributeError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow's plugins raise for damaged files."""


def info(path: Path) -> tuple[ScanInfo, Identity]:
    """Size and number of frames; nothing of whose it is.

    Raises:
        ScanError: If it is no picture that can be read, or one that is cut short.
    """
    deep = _deep(path)
    if deep is not None:
        if not deep.whole:
            deep.page(0)
        return _deep_info(deep), Identity()
    with _opened(path) as picture:
        found = _info(picture)
        if not _has_end(path, picture):
            # Decoded only then: what has its end costs no more than its header.
            picture.load()
        return found, Identity()


def frame(path: Path, index: int = 0) -> tuple[Frame, ScanInfo]:
    """One frame: grey with an automatic window where it has more than 8 bits, else as it is.

    Raises:
        ScanError: If it can't be read, decoded, or does not exist.
    """
    deep = _deep(path)
    if deep is not None:
        found = _deep_info(deep)
        _refuse_beyond(index, found)
        if deep.pages[index].is_deep:
            page = deep.page(index)
            return _shown(page.values, page.profile, inverted=page.inverted), found
    # A page of 8 bits behind a deep one, such as a picture of the slide's label, is Pillow's.
    with _opened(path) as picture:
        found = _info(picture)
        _refuse_beyond(index, found)
        picture.seek(index)
        profile = picture.info.get("icc_profile") or b""
        return _shown(_values(picture), profile, inverted=_is_inverted(picture)), found


def stored(path: Path) -> NDArray[np.generic]:
    """The values of all frames: frames x rows x columns [x 3], one frame without the first.

    Raises:
        ScanError: If they can't be decoded, or frames differ in size or kind.
    """
    deep = _deep(path)
    if deep is not None:
        return _stacked(deep.page(index).values for index in range(len(deep.pages)))
    with _opened(path) as picture:
        return _stacked(map(partial(_page, picture), range(_frames(picture))))


def _page(picture: Image.Image, index: int) -> NDArray[np.generic]:
    picture.seek(index)
    return _values(picture)


def _stacked(frames: Iterable[NDArray[np.generic]]) -> NDArray[np.generic]:
    found: list[NDArray[np.generic]] = []
    for values in frames:
        found.append(values)
        if values.shape != found[0].shape or values.dtype != found[0].dtype:
            raise ScanError("The frames differ in size or kind.")
    return found[0] if len(found) == 1 else np.stack(found)


def _shown(values: NDArray[np.generic], profile: bytes, *, inverted: bool) -> Frame:
    """Colour by 8 bits (Pillow's is through its profile already), or grey with its window."""
    if values.ndim == 3:
        down = 8 * (values.dtype.itemsize - 1)
        if not down:
            return Frame(values)
        rgb = np.right_shift(values, down).astype(np.uint8)
        return Frame(to_srgb(rgb, profile) if profile else rgb)
    plain = values.dtype == np.uint8
    window = as_stored() if plain else automatic(values)
    return Frame(values, windows=(window,), inverted=inverted, automatic=not plain)


def _refuse_beyond(index: int, found: ScanInfo) -> None:
    if not 0 <= index < found.frames:
        raise ScanError(f"There is no frame {index}; the scan has {found.frames}.")


def _deep(path: Path) -> DeepTiff | None:
    try:
        return deep_tiff(path)
    except OSError as error:
        raise ScanError("The file can't be read.") from error


def _deep_info(deep: DeepTiff) -> ScanInfo:
    rows, columns = deep.size
    return ScanInfo(rows=rows, columns=columns, frames=len(deep.pages))


def coarse_jpeg_2000(stream: bytes, halvings: int) -> NDArray[np.generic] | None:
    """A JPEG 2000 picture at a lower resolution, for a preview; much faster than the whole.

    Args:
        stream: A code stream, boxed or bare.
        halvings: How often its sides are halved.

    Returns:
        Rows x columns uint8 or uint16, or rows x columns x 3 uint8; deep values fill 16 bits from
        the top, and signed ones begin at 0. None where this can't be.
    """
    try:
        formats = (Jpeg2KImagePlugin.Jpeg2KImageFile.format,)
        with Image.open(io.BytesIO(stream), formats=formats) as picture:
            # Assigned, since the plugin reads it when the picture is loaded.
            picture.reduce = halvings  # type: ignore[assignment]
            return np.array(picture) if picture.mode in ("L", "I;16", "RGB") else None
    except (*DAMAGED, Image.DecompressionBombError):
        return None


def to_srgb(rgb: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    """Colours through an ICC profile; as they are where the profile is not valid.

    Args:
        rgb: Rows x columns x 3.
        profile: Of an RGB device.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        picture = ImageCms.profileToProfile(
            Image.fromarray(rgb), source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return rgb
    return rgb if picture is None else np.asarray(picture).copy()


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Given a path, Pillow maps a TIFF that lies on its side with its sides exchanged.
            with path.open("rb") as stream, Image.open(stream, formats=_FORMATS) as picture:
                if _frames(picture) > path.stat().st_size:
                    raise ScanError("The header promises more frames than the file can hold.")
                yield picture
    except UnidentifiedImageError as error:
        raise ScanError("The picture is damaged, or of a kind that can't be read.") from error
    except Image.DecompressionBombError as error:
        raise ScanError("The picture is larger than 178 megapixels.") from error
    except DAMAGED as error:
        raise ScanError("The picture is damaged or cut short.") from error


def _has_end(path: Path, picture: Image.Image) -> bool:
    """Whether a file is as long as it says, or ends as its format does."""
    size = path.stat().st_size
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        tags = picture.tag_v2
        starts, lengths = (tags.get(a, tags.get(b, ())) for a, b in ((273, 324), (279, 325)))
        return all(start + n <= size for start, n in zip(starts, lengths, strict=False))
    end = _ENDS.get(picture.format or "", b"")
    with path.open("rb") as stream:
        if picture.format == "BMP":
            return size >= int(struct.unpack("<2xI", stream.read(6))[0])
        stream.seek(-min(len(end), size), io.SEEK_END)
        return stream.read() == end


def _info(picture: Image.Image) -> ScanInfo:
    width, height = picture.size
    if _lies_on_its_side(picture):
        width, height = height, width
    return ScanInfo(rows=height, columns=width, frames=_frames(picture))


def _lies_on_its_side(picture: Image.Image) -> bool:
    """Whether rows and columns change places when it is turned as its EXIF says: 5 to 8."""
    if picture.format == "TIFF":
        return False  # Pillow says already how it will stand
    if picture.format == "PNG" and not _has_exif(picture):
        return False  # asked for it, Pillow would decode the pixels first
    return picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)


def _has_exif(picture: Image.Image) -> bool:
    """Whether a PNG that was just opened has EXIF; its pixels are passed over."""
    stream = getattr(picture, "fp", None)
    return "exif" in picture.info or stream is None or has_exif(stream)


def _frames(picture: Image.Image) -> int:
    # An MPO holds a preview or a second eye behind its one picture.
    return 1 if picture.format == "MPO" else max(int(getattr(picture, "n_frames", 1)), 1)


def _tiff_tag(picture: Image.Image, tag: int, default: int) -> int:
    """The first value of a TIFF's tag on the current page; the default for other formats."""
    value = getattr(picture, "tag_v2", {}).get(tag, default)
    return int(value[0] if isinstance(value, tuple) else value)


def _is_inverted(picture: Image.Image) -> bool:
    """Whether the values of the current page are grey and low ones are white.

    PhotometricInterpretation 0 of TIFF 6.0: Pillow turns 1 and 8 bits over, and no others.
    """
    return picture.mode not in ("1", "L") and _tiff_tag(picture, 262, 1) == 0


def _values(picture: Image.Image) -> NDArray[np.generic]:
    """The current frame: rows x columns of any real dtype, or x 3 uint8 (a deep PNG's: uint16)."""
    profile = picture.info.get("icc_profile")
    if picture.format == "PNG":
        stream = getattr(picture, "fp", None)
        deep = None if stream is None else deep_values(stream)
        if deep is not None:
            turn = picture.getexif().get(0x0112, 1) if _has_exif(picture) else 1
            return turned(deep, int(turn))
        _widen_clear(picture)
    upright = ImageOps.exif_transpose(picture)
    if upright.mode == "1" and "transparency" not in upright.info:
        return np.array(upright.convert("L"))
    # SampleFormat of TIFF 6.0: Pillow reads the sign of 16 bits alone.
    kind = _tiff_tag(picture, 339, 1)
    if upright.mode == "L" and "transparency" not in upright.info:
        return np.array(upright).view(np.int8 if kind == 2 else np.uint8)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
        values = np.array(upright)
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        return values.view(np.uint32) if kind == 1 and _tiff_tag(picture, 258, 0) == 32 else values
    if upright.mode == "CMYK" and profile:
        return _cmyk(upright, profile)
    rgb = np.array(_flat(upright).convert("RGB"))
    return to_srgb(rgb, profile) if profile else rgb


def _widen_clear(picture: Image.Image) -> None:
    """Bring the grey that is transparent to 8 bits: of 2 and 4 Pillow widens the pixels alone."""
    clear, tiles = picture.info.get("transparency"), getattr(picture, "tile", None)
    widest = _NARROW.get(tiles[0].args) if tiles else None
    if widest and isinstance(clear, int):
        picture.info["transparency"] = (clear & widest) * 255 // widest


def _flat(picture: Image.Image) -> Image.Image:
    """Without transparency: what is transparent is black, as around any scan."""
    clear = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    if not clear:
        return picture
    layer = picture.convert("RGBA")
    ground = Image.new("RGBA", layer.size, (0, 0, 0, 255))
    return Image.alpha_composite(ground, layer)


def _cmyk(picture: Image.Image, profile: bytes) -> NDArray[np.uint8]:
    try:
        shown = ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        shown = None
    return np.array(shown if shown is not None else picture.convert("RGB"))

"""Pictures whose containers lie: directories, chunks, frames and tiles that loop or never end."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
from PIL import Image

from tests.dicom import making
from tests.hostile.making import Maker, chunk, j2k, png

_HUGE = 0x7FFFFFFF


def tiffs(maker: Maker, *, many: int = 100_000) -> None:
    """Directories in a circle or without end, strips and tiles beyond counting."""
    one = _directory({})
    maker.write("circle.tif", b"II*\0" + _u32(8) + one + _u32(8))
    second = 8 + len(one) + 4
    maker.write("circle-2.tif", b"II*\0" + _u32(8) + one + _u32(second) + one + _u32(8))
    size = len(one) + 4
    chain = b"".join(one + _u32(8 + size * (k + 1)) for k in range(many))
    maker.write("directories.tif", b"II*\0" + _u32(8) + chain + one + _u32(0))
    for name, entries in {
        "strips": {273: (4, _HUGE, 8), 279: (4, _HUGE, 8)},
        "strips-many": {273: (4, 1 << 24, 8), 279: (4, 1 << 24, 8), 278: (4, 1, 1)},
        "samples": {277: (3, 1, 65535), 258: (3, 65535, 8)},
        "bits": {258: (4, 1, _HUGE)},
        "tiles": {322: (4, 1, 1), 323: (4, 1, 1), 324: (4, _HUGE, 8), 325: (4, _HUGE, 8)},
        "tile-size": {322: (4, 1, _HUGE), 323: (4, 1, _HUGE), 324: (4, 1, 8), 325: (4, 1, 9)},
        "text": {270: (2, _HUGE, 8)},
        "orientation": {274: (2, 4, 8)},
        "format": {339: (5, 1, 8)},
        "exif": {34665: (4, 1, 8)},
        "below": {330: (4, 1, 8)},
        "icc": {34675: (7, _HUGE, 8)},
        "rows": {278: (4, 1, 0)},
    }.items():
        maker.write(f"{name}.tif", b"II*\0" + _u32(8) + _directory(entries) + _u32(0))
    for offset in (8, 16, 1 << 40, (1 << 64) - 1):
        maker.write("big.tif", b"II+\0\x08\0\0\0" + struct.pack("<QQ", offset, 1 << 62))
    squeezed = zlib.compress(b"\0" * (1 << 28), 9)
    entries = {256: (4, 1, 13_000), 257: (4, 1, 13_000), 278: (4, 1, 13_000)}
    entries |= {259: (3, 1, 8), 273: (4, 1, 8), 279: (4, 1, len(squeezed))}
    head = b"II*\0" + _u32(8 + len(squeezed)) + squeezed
    maker.write("deflate.tif", head + _directory(entries) + _u32(0))


def _u32(value: int) -> bytes:
    return struct.pack("<I", value & 0xFFFFFFFF)


def _directory(entries: dict[int, tuple[int, int, int]]) -> bytes:
    """A page of 8 x 8 with other entries: type, count, and the value or where it stands."""
    usual = {256: (4, 1, 8), 257: (4, 1, 8), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1)}
    usual |= {273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, 8), 279: (4, 1, 64)}
    said = usual | entries
    body = b"".join(
        struct.pack("<HHI", tag, kind, count) + _u32(value)
        for tag, (kind, count, value) in sorted(said.items())
    )
    return struct.pack("<H", len(said)) + body


def pngs(maker: Maker, *, megabytes: int = 2000, many: int = 1_000_000) -> None:
    """Chunks that balloon, and chunks beyond counting."""
    rows = b"\0" * 72
    whole = png(8, 8, rows=rows)
    head, body, tail = whole[:33], whole[33:-12], whole[-12:]
    squeezer = zlib.compressobj(9)
    bomb = b"".join(squeezer.compress(b"\0" * (1 << 20)) for _ in range(megabytes))
    bomb += squeezer.flush()
    for kind, before in (
        (b"iCCP", b"x\0\0"),
        (b"zTXt", b"x\0\0"),
        (b"iTXt", b"x\0\1\0\0\0"),
        (b"zxIf", b""),
    ):
        maker.write(f"{kind.decode()}.png", head + chunk(kind, before + bomb) + body + tail)
    maker.write("idat.png", head + chunk(b"IDAT", bomb) + tail)
    maker.write("exif.png", head + chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" * 9) + body + tail)
    maker.write("chunks.png", head + chunk(b"tEXt", b"a\0b") * many + body + tail)
    content = zlib.compress(rows)
    bytes_apart = b"".join(chunk(b"IDAT", content[k : k + 1]) for k in range(len(content)))
    maker.write("idat-bytes.png", head + bytes_apart + tail, opens=True)
    maker.write("idat-empty.png", head + chunk(b"IDAT", b"") * (many // 10) + body + tail)
    for frames in (0, 2, _HUGE, 0xFFFFFFFF):
        animated = head + chunk(b"acTL", struct.pack(">II", frames, 0))
        for place in (0, 1, 0xFFFFFFF0):
            control = struct.pack(">IIIIIHHBB", 0, 8, 8, place, place, 1, 1, 9, 9)
            maker.write("acTL.png", animated + chunk(b"fcTL", control) + body + tail)
    maker.write("plte.png", png(8, 8, colour=3, rows=rows))
    maker.write("plte-short.png", head[:25] + b"\3" + head[26:] + chunk(b"PLTE", b"abc") + body)
    for depth, colour in ((16, 3), (3, 0), (0, 0), (255, 255), (1, 2)):
        maker.write("depth.png", png(8, 8, depth=depth, colour=colour, rows=rows), opens=False)


def moving(maker: Maker, *, many: int = 300_000) -> None:
    """GIF and WebP whose frames are beyond counting, or larger than any canvas."""
    out = io.BytesIO()
    Image.new("L", (2, 2), 7).save(out, "GIF")
    gif = out.getvalue()
    start = gif.index(b"\x2c")
    frame = gif[start:-1]
    maker.write("frames.gif", gif[:start] + frame * many + b";")
    for side in (13_000, 20_000, 65_535):
        canvas = gif[:6] + struct.pack("<HH", side, side) + gif[10:start]
        maker.write("canvas.gif", canvas + frame * 500 + b";")
        wide = frame[:5] + struct.pack("<HH", side, side) + frame[9:]
        maker.write("frame-size.gif", gif[:start] + wide * 50 + b";")
        away = frame[:1] + struct.pack("<HH", side, side) + frame[5:]
        maker.write("frame-place.gif", gif[:start] + frame + away * 50 + b";")
    maker.write("blocks.gif", gif[:start] + b"!\xfe" + b"\xff" * 256 * 50_000)
    maker.write("empty.gif", gif[:start] + b";")
    maker.write("zeros.gif", gif[:start] + b"\0" * 1_000_000)
    out = io.BytesIO()
    pages = [Image.fromarray(making.noise((8, 8, 3)) // (k + 1)) for k in range(3)]
    pages[0].save(out, "WEBP", save_all=True, append_images=pages[1:])
    webp = out.getvalue()
    at = webp.index(b"ANMF")
    for length in (0, 1, _HUGE, 0xFFFFFFFF):
        maker.write("anmf.webp", webp[: at + 4] + _u32(length) + webp[at + 8 :])
        maker.write("riff.webp", webp[:4] + _u32(length) + webp[8:])
    maker.write("canvas.webp", webp[:24] + b"\xff" * 6 + webp[30:], opens=False)
    maker.write("anmf-many.webp", webp[:at] + webp[at:] * 2000)


def jpegs(maker: Maker) -> None:
    """JPEG with scans, markers and heights that are not what they should be."""
    out = io.BytesIO()
    Image.fromarray(making.noise((64, 64, 3))).save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    at, scan = whole.index(b"\xff\xc2"), whole.rindex(b"\xff\xda")
    large = whole[: at + 5] + struct.pack(">HH", 13_000, 13_000) + whole[at + 9 :]
    maker.write("scans.jpg", large[:-2] + large[scan:-2] * 3000 + b"\xff\xd9")
    maker.write("no-height.jpg", whole[: at + 5] + b"\0\0" + whole[at + 7 :], opens=False)
    maker.write("fill.jpg", whole[:2] + b"\xff" * 1_000_000 + whole[2:])
    maker.write("comments.jpg", whole[:2] + b"\xff\xfe\x00\x02" * 500_000 + whole[2:])
    icc = b"".join(
        b"\xff\xe2"
        + struct.pack(">H", 16 + 60_000)
        + b"ICC_PROFILE\0"
        + bytes([k, 255])
        + b"i" * 60_000
        for k in range(1, 256)
    )
    maker.write("icc.jpg", whole[:2] + icc + whole[2:])
    for kind in (1, 2, 5, 7, 99):
        exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + struct.pack("<HHII", 274, kind, _HUGE, 6)
        exif += struct.pack("<HHII", 34665, 4, 1, 8) + b"\x08\0\0\0"
        app = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        maker.write("exif.jpg", whole[:2] + app + whole[2:], opens=True)
    mpo = b"MPF\0II*\0\x08\0\0\0\x02\0" + struct.pack("<HHII", 0xB001, 4, 1, _HUGE)
    mpo += struct.pack("<HHII", 0xB002, 7, _HUGE, 0) + b"\0" * 4
    app = b"\xff\xe2" + struct.pack(">H", len(mpo) + 2) + mpo
    maker.write("mpo.jpg", whole[:2] + app + whole[2:])


def code_streams(maker: Maker) -> None:
    """JPEG 2000, JPEG-LS and JPEG XL in DICOM whose own headers lie."""
    pixels = making.noise((16, 16), "u2", below=4096)
    stream = j2k(pixels)
    at = stream.index(b"\xff\x51") + 4
    for side in (16, 65_535):
        for tile in (1, 2, _HUGE):
            said = stream[: at + 2] + struct.pack(">8I", side, side, 0, 0, tile, tile, 0, 0)
            _wrapped(maker, "tiles.dcm", said + stream[at + 34 :], side=side)
    for components in (0, 2, 3, 16_384, 65_535):
        said = stream[: at + 34] + struct.pack(">H", components) + b"\x0b\1\1" * components
        _wrapped(maker, "components.dcm", said + stream[at + 39 :])
    cod = stream.index(b"\xff\x52")
    for place, value in ((9, 33), (9, 255), (10, 255), (11, 255), (12, 255), (5, 255), (6, 255)):
        said = stream[: cod + place] + bytes([value]) + stream[cod + place + 1 :]
        _wrapped(maker, "coding.dcm", said)
    part = stream.index(b"\xff\x90")
    for length in (0, 1, 13, _HUGE, 0xFFFFFFFF):
        said = stream[: part + 6] + struct.pack(">I", length) + stream[part + 10 :]
        _wrapped(maker, "tile-part.dcm", said)
    near = bytes(imagecodecs.jpegls_encode(pixels))
    frame = near.index(b"\xff\xf7")
    for rows, columns, count in ((65_535, 65_535, 1), (0, 16, 1), (16, 0, 1), (16, 16, 255)):
        said = near[: frame + 5] + struct.pack(">HHB", rows, columns, count) + near[frame + 10 :]
        _wrapped(maker, "jls-size.dcm", said, syntax=making.JPEG_LS, side=max(rows, 16))
    for bits in (0, 1, 17, 255):
        said = near[: frame + 4] + bytes([bits]) + near[frame + 5 :]
        _wrapped(maker, "jls-bits.dcm", said, syntax=making.JPEG_LS)
    preset = b"\xff\xf8" + struct.pack(">HBHHHHH", 13, 1, 65_535, 65_535, 65_535, 65_535, 65_535)
    _wrapped(maker, "jls-preset.dcm", near[:2] + preset + near[2:], syntax=making.JPEG_LS)
    for head in (b"\xff\x0a\xff\xff\xff\xff", b"\xff\x0a" + b"\x55" * 30):
        _wrapped(maker, "jxl.dcm", head + maker.rng.bytes(400))
    lossless = bytes(imagecodecs.ljpeg_encode(pixels, bitspersample=16))
    at = lossless.index(b"\xff\xc3")
    for rows, columns in ((65_535, 65_535), (0, 16)):
        said = lossless[: at + 5] + struct.pack(">HH", rows, columns) + lossless[at + 9 :]
        _wrapped(maker, "sof3.dcm", said, syntax=making.JPEG_LOSSLESS, side=max(rows, 16))


def _wrapped(
    maker: Maker, name: str, stream: bytes, *, syntax: str = making.JPEG_2000, side: int = 16
) -> None:
    path = maker.place(name)
    pixels = np.zeros((2, 2), "u2")
    making.dicom(path, pixels, syntax=syntax, frames=[stream], Rows=side, Columns=side)

"""Pictures that lie, balloon, or are merely odd."""

import struct
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from tests.dicom.making import noise, ramp
from tests.hostile.making import Maker, encoded, png

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def odd_but_sound(maker: Maker, sound: dict[str, bytes], *, frames: int = 3000) -> None:
    """What a reader may well have, and expects to see."""
    del sound
    tall = b"\0\x40" * 30_000
    maker.write("1x30000.png", png(1, 30_000, rows=tall), opens=True)
    maker.write("30000x1.png", png(30_000, 1, rows=b"\0" + b"\x40" * 30_000), opens=True)
    small = [Image.fromarray(np.full((8, 8), k % 251, "u1")) for k in range(frames)]
    moving = encoded(small[0], "GIF", save_all=True, append_images=small[1:])
    maker.write(f"{frames}.gif", moving, opens=True)
    grey, colour = noise((24, 20)), noise((24, 20, 3))
    alpha = Image.fromarray(noise((24, 20, 4)), "RGBA")
    pages = [Image.fromarray(one) for one in (grey, noise((30, 10)))]
    pictures: tuple[tuple[str, Image.Image, str, dict[str, Any]], ...] = (
        ("16.tif", Image.fromarray(noise((9, 9), "u2", below=65536)), "TIFF", {}),
        ("float.tif", Image.fromarray(ramp(9, 9, dtype="f4")), "TIFF", {}),
        ("nan.tif", Image.fromarray(np.full((9, 9), np.nan, "f4")), "TIFF", {}),
        ("32.tif", Image.fromarray(ramp(9, 9, dtype="i4")), "TIFF", {}),
        ("cmyk.tif", Image.fromarray(noise((9, 9, 4)), "CMYK"), "TIFF", {}),
        ("cmyk.jpg", Image.fromarray(noise((9, 9, 4)), "CMYK"), "JPEG", {}),
        ("lab.tif", Image.fromarray(colour, "LAB"), "TIFF", {}),
        ("palette.tif", Image.fromarray(grey).convert("P"), "TIFF", {}),
        ("pages-differ.tif", pages[0], "TIFF", {"save_all": True, "append_images": pages[1:]}),
        ("palette.png", Image.fromarray(colour).convert("P"), "PNG", {"transparency": 3}),
        ("la.png", Image.fromarray(noise((9, 9, 2)), "LA"), "PNG", {}),
        ("bits.png", Image.fromarray(grey > 99), "PNG", {}),
        ("alpha.png", alpha, "PNG", {}),
        ("icc.png", Image.fromarray(colour), "PNG", {"icc_profile": _SRGB}),
        ("icc-broken.png", Image.fromarray(colour), "PNG", {"icc_profile": b"no profile" * 40}),
        ("icc-grey.png", Image.fromarray(grey), "PNG", {"icc_profile": _SRGB}),
        ("progressive.jpg", Image.fromarray(colour), "JPEG", {"progressive": True}),
        ("moving.webp", alpha, "WEBP", {"save_all": True, "append_images": [alpha, alpha]}),
        ("moving.png", alpha, "PNG", {"save_all": True, "append_images": [alpha]}),
        ("mpo.jpg", Image.fromarray(colour), "MPO", {"append_images": [Image.fromarray(colour)]}),
        ("rle.bmp", Image.fromarray(grey).convert("P"), "BMP", {}),
        ("bit.bmp", Image.fromarray(grey > 99), "BMP", {}),
    )
    for name, picture, form, options in pictures:
        maker.write(name, encoded(picture, form, **options), opens=True)
    for turn in range(10):
        exif = Image.Exif()
        exif[0x0112] = turn
        maker.write("turned.jpg", encoded(Image.fromarray(colour), "JPEG", exif=exif), opens=True)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"):
        picture = Image.fromarray(grey > 99) if compression == "group4" else Image.fromarray(grey)
        content = encoded(picture, "TIFF", compression=compression)
        maker.write(f"{compression}.tif", content, opens=True)
    maker.write("png.dcm", encoded(Image.fromarray(grey), "PNG"), opens=True)


def bombs(maker: Maker, sound: dict[str, bytes], *, side: int = 60_000) -> None:
    """Headers that promise gigabytes, with and without the data."""
    zeros = b"\0" * (1 << 24)
    maker.write("bomb.png", png(side, side, rows=zeros), opens=False)
    maker.write("bomb-16.png", png(13_000, 13_000, depth=16, colour=6, rows=zeros), opens=False)
    maker.write("bomb-max.png", png(0x7FFFFFFF, 0x7FFFFFFF, rows=b""), opens=False)
    maker.write("zero.png", png(0, 0), opens=False)
    big = (13_000, 13_000)
    rows = b"\0" * ((big[0] + 1) * big[1])
    maker.write("large.png", png(*big, rows=rows))
    tiff = bytearray(sound["pages.tif"])
    for width in (60_000, 0x7FFFFFFF, 0xFFFFFFFF, 0):
        maker.write("bomb.tif", _tiff_said(tiff, 256, width))
        maker.write("bomb.tif", _tiff_said(_tiff_said(tiff, 256, width), 257, width), opens=False)
    loop = bytearray(tiff)
    first = struct.unpack_from("<I", loop, 4)[0]
    count = struct.unpack_from("<H", loop, first)[0]
    loop[first + 2 + 12 * count : first + 6 + 12 * count] = struct.pack("<I", first)
    maker.write("loop.tif", bytes(loop))
    for bits in (3, 9, 64):
        maker.write("bits.tif", _tiff_said(tiff, 258, bits))
    head = bytearray(sound["grey.bmp"])
    for width, height in ((60_000, 60_000), (-5, 5), (5, -5), (0x7FFFFFFF, 1)):
        struct.pack_into("<ii", head, 18, width, height)
        maker.write("bomb.bmp", bytes(head))
    gif = bytearray(sound["moving.gif"])
    struct.pack_into("<HH", gif, 6, 65_535, 65_535)
    maker.write("bomb.gif", bytes(gif))
    jpeg = bytearray(sound["rgb.jpg"])
    at = jpeg.index(b"\xff\xc0")
    struct.pack_into(">HH", jpeg, at + 5, 65_500, 65_500)
    maker.write("bomb.jpg", bytes(jpeg), opens=False)
    webp = bytearray(sound["rgb.webp"])
    maker.write("bomb.webp", bytes(webp[:26]) + b"\xff\x3f\xff\x3f" + bytes(webp[30:]), opens=False)
    text = png(8, 8, rows=b"\0" * 72)
    maker.write("text.png", text[:-12] + b"\x00\x00\x10\x00zTXt" + b"x\0\0" * 2000 + text[-12:])


def _tiff_said(content: bytes | bytearray, tag: int, value: int) -> bytes:
    """A little endian TIFF with another value of one tag on its first page."""
    out = bytearray(content)
    first = struct.unpack_from("<I", out, 4)[0]
    for index in range(struct.unpack_from("<H", out, first)[0]):
        at = first + 2 + 12 * index
        if struct.unpack_from("<H", out, at)[0] == tag:
            struct.pack_into("<HII", out, at + 2, 4, 1, value & 0xFFFFFFFF)
    return bytes(out)

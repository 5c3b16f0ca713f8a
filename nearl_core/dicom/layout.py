"""How the pixel data of a DICOM file are laid out, DICOM PS3.3 C.7.6.3."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.dicom.source import Source
from nearl_core.dicom.tags import integer, number, text
from nearl_core.errors import ScanError

_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT")
_KNOWN = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", *_COLOUR, "YBR_RCT")
_FLOATS = {"FloatPixelData": 32, "DoubleFloat": 64}


@dataclass(frozen=True)
class Layout:
    """The Image Pixel module of one file.

    Attributes:
        allocated, stored, high: Bits allocated, bits stored, high bit.
        signed: PixelRepresentation.
        planar: Whether the samples of native pixel data stand plane after plane.
        real: Whether the pixel data are floating point.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: bool
    photometric: str
    real: bool = False

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Of the stored values, in native byte order."""
        if self.real:
            return np.dtype(f"f{self.allocated // 8}")
        size = max(8, self.allocated) // 8
        return np.dtype(f"{'i' if self.signed else 'u'}{size}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one frame: rows x columns, or rows x columns x 3."""
        size = (self.rows, self.columns)
        return size if self.samples == 1 else (*size, self.samples)

    @property
    def values(self) -> int:
        """Number of values in one frame."""
        return self.rows * self.columns * self.samples

    @property
    def subsampled(self) -> bool:
        """Whether native colour shares its chroma between two neighbours."""
        return self.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422")

    def decoded(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """The values of a lossy codec, which may overshoot the stored bits a little.

        Cutting those bits off would turn the brightest spots black.

        Args:
            values: Whole numbers as the codec gives them.
        """
        if self.signed and values.dtype.kind == "u":
            return self.cleaned(values)
        return values.astype(self.dtype, copy=False)

    def cleaned(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """The stored bits alone, with their sign; overlays in unused bits are gone.

        Args:
            values: Whole numbers of the allocated size, signed or not.
        """
        if self.real:
            return values.astype(self.dtype, copy=False)
        size = self.dtype.itemsize * 8
        plain = values.astype(f"u{size // 8}", copy=False)
        if self.allocated == 1 or self.stored == size or self._is_clean(plain):
            return plain.view(self.dtype)
        # Shifting up and down clears what stands above, and copies the sign.
        shifted: NDArray[np.generic] = np.left_shift(plain, size - 1 - self.high).view(self.dtype)
        np.right_shift(shifted, size - self.stored, out=shifted)
        return shifted

    def _is_clean(self, plain: NDArray[np.generic]) -> bool:
        """Whether unsigned values have no other bits: looking is faster than shifting twice."""
        if self.signed or self.high != self.stored - 1 or not plain.size:
            return False
        return int(plain.max()) >> self.stored == 0


def layout_of(source: Source) -> Layout:
    """Read and check the layout.

    Raises:
        ScanError: If the file holds no picture, or says something impossible of it.
    """
    dataset = source.dataset
    if source.pixels is None:
        raise ScanError(f"This DICOM file holds no picture{_what(text(dataset, 'Modality'))}.")
    rows, columns = integer(dataset, "Rows", 0), integer(dataset, "Columns", 0)
    if rows < 1 or columns < 1:
        raise ScanError("The header gives no valid size of the picture.")
    photometric = text(dataset, "PhotometricInterpretation").upper()
    samples = integer(dataset, "SamplesPerPixel", 3 if photometric in _KNOWN[3:] else 1)
    if samples not in (1, 3):
        raise ScanError(f"Pictures with {samples} samples per pixel can't be shown.")
    if photometric not in _KNOWN:
        photometric = "MONOCHROME2" if samples == 1 else "RGB"
    if (samples == 3) != (photometric not in _KNOWN[:3]):
        raise ScanError("The header contradicts itself on the colours of the picture.")
    real = source.pixels.kind != "PixelData"
    allocated = _FLOATS.get(source.pixels.kind) or integer(dataset, "BitsAllocated", 0)
    if not allocated:
        raise ScanError("The header does not say how many bits a value has.")
    if allocated not in (1, 8, 16, 32, 64):
        raise ScanError(f"Pictures with {allocated} bits allocated can't be shown.")
    stored, high = _bits(source, allocated)
    return Layout(
        rows=rows,
        columns=columns,
        frames=max(integer(dataset, "NumberOfFrames", 1), 1),
        samples=samples,
        allocated=allocated,
        stored=stored,
        high=high,
        signed=not real and allocated > 1 and integer(dataset, "PixelRepresentation", 0) == 1,
        planar=samples == 3 and integer(dataset, "PlanarConfiguration", 0) == 1,
        photometric=photometric,
        real=real,
    )


def _bits(source: Source, allocated: int) -> tuple[int, int]:
    """Bits stored and high bit; the whole cell where the header says something impossible."""
    stored = integer(source.dataset, "BitsStored", allocated)
    if not 1 <= stored <= allocated:
        return allocated, allocated - 1
    high = number(source.dataset, "HighBit")
    if high is None or not stored - 1 <= high < allocated:
        return stored, stored - 1
    return stored, int(high)


def _what(modality: str) -> str:
    known = {
        "SR": "a structured report",
        "PR": "a presentation state",
        "KO": "a key object selection",
        "RTSTRUCT": "a radiotherapy structure set",
        "RTPLAN": "a radiotherapy plan",
        "ECG": "a waveform",
        "DOC": "a document",
    }
    return f" ({known[modality]})" if modality in known else ""

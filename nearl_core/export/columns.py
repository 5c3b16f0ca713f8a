"""The columns of exported tables: what they are called, what they mean, what stands in them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nearl_core.export.rows import Row

Cell = str | int | float | bool | list[str] | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: Its header.
        meaning: One sentence for the data card.
        value: What a row says there.
    """

    name: str
    meaning: str
    value: Callable[[Row], Cell]


COLUMNS: Final = (
    Column("scan", "Pseudonym of the scan: its number in the project.", lambda r: r.scan),
    Column("image", "File of the picture in this export; empty for none.", lambda r: r.image),
    Column("split", "train, validation or test; whole patients only.", lambda r: r.split),
    Column("patient", "Pseudonym, made for this export only.", lambda r: r.patient),
    Column(
        "patient_known",
        "false where nothing told patients apart, so that the split may separate their scans.",
        lambda r: r.patient_known,
    ),
    Column("state", "labelled, none-apply or unassessable.", lambda r: r.state),
    Column(
        "label",
        "Names of the labels; in CSV with ; between, for Hugging Face and in Parquet one text or "
        "nothing where labels exclude each other.",
        lambda r: list(r.labels),
    ),
    Column("label_id", "Their stable ids, likewise.", lambda r: list(r.label_ids)),
    Column("code", "Their codes, likewise; empty for none.", lambda r: list(r.codes)),
    Column(
        "implied",
        "Names of labels that follow: the parents of those named, likewise.",
        lambda r: list(r.implied),
    ),
    Column(
        "not_asked",
        "Names of labels of which nothing is said, likewise: they were added after the decision, "
        "or in a majority half of the readers name them. They are not absent.",
        lambda r: list(r.not_asked),
    ),
    Column(
        "reader",
        "Pseudonym of who decided, or name of the source; of several brought together how many of "
        "them name these labels.",
        lambda r: r.reader,
    ),
    Column(
        "source",
        "true where a named source of labels says it, and no reader here.",
        lambda r: r.source,
    ),
    Column(
        "confidence",
        "definite, probable or possible (unsure, on the desk); of several readers the least sure.",
        lambda r: r.confidence,
    ),
    Column("flagged", "Whether the reader flagged the scan.", lambda r: r.flagged),
    Column("time", "When it was decided, UTC.", lambda r: r.time),
    Column("frames", "Number of frames of the scan.", lambda r: r.frames),
    Column("frame", "The frame that was named, from 0; empty for the whole.", lambda r: r.frame),
    Column("modality", "DICOM Modality; empty where unknown.", lambda r: r.modality),
    Column(
        "shown",
        "visible: a suggestion could be seen before deciding; blind: not; imported: from a file.",
        lambda r: r.shown,
    ),
    Column(
        "occasion",
        "single: the scan by itself; grid: accepted among others in a grid; adjudication: it "
        "settles a disagreement.",
        lambda r: r.occasion,
    ),
    Column(
        "suggestion",
        "Names of the labels that the model suggested then, with ; between; none-apply for none.",
        lambda r: ";".join(r.suggestion),
    ),
    Column(
        "suggestion_probability",
        "Its probability; of several labels that of what it was least sure of, there or absent.",
        lambda r: r.probability,
    ),
    Column("suggestion_version", "The version that made it.", lambda r: r.version),
)

_SUGGESTED: Final = ("suggestion", "suggestion_probability", "suggestion_version")


def columns_of(*, suggestions: bool) -> tuple[Column, ...]:
    """The columns, with those of the model's suggestions or without."""
    return tuple(one for one in COLUMNS if suggestions or one.name not in _SUGGESTED)

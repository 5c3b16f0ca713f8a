"""Each format, opened by the library that others open it with."""

import csv
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from nearl_core.adding import examine
from nearl_core.errors import ExportError, UsageError
from nearl_core.export.choice import Choice, Rule
from nearl_core.export.content import Pictures
from nearl_core.export.exporter import export
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import (
    Identity,
    Label,
    LabelSet,
    NewDecision,
    ScanInfo,
    Shown,
    State,
    Verdict,
)
from tests.dicom.making import dicom
from tests.export.running import run
from tests.support.projects import LABELS, MULTI, decide
from tests.support.scans import disc, write_png

NAMES = {"disc": "Disc", "stripes": "Stripes", "dots": "Dots"}


def _made(folder: Path, *, multi: bool = False) -> Project:
    """Twelve pictures of six patients: eleven labelled, one to which nothing applies."""
    project = Project.create(folder / "p", MULTI if multi else LABELS)
    for number in range(12):
        path = write_png(folder / "scans" / f"{number}.png", disc(seed=number))
        identity = Identity(f"P{number % 6}", f"study {number}")
        project.add_scans([NewScan(path, ScanInfo(32, 32, modality="CT"), identity)])
        more = ("disc",) if multi and number % 2 else ()
        labels = dict.fromkeys((LABELS.ids[number % 3], *more))
        decide(project, number + 1, *labels, shown=Shown.VISIBLE, suggestion="dots")
    project.record(NewDecision(12, "r", Verdict(State.NONE_APPLY)))
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with _made(tmp_path_factory.mktemp("exported")) as made:
        yield made


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with _made(tmp_path_factory.mktemp("several"), multi=True) as made:
        yield made


def _truth(project: Project) -> dict[str, list[str]]:
    return {
        f"scan-{one.scan_id:06d}": [NAMES[label] for label in LABELS.ids if label in verdict.labels]
        for one in project.standing()
        for verdict in [one.verdict]
    }


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture(params=["one", "several"])
def either(request: pytest.FixtureRequest, project: Project, several: Project) -> Project:
    return project if request.param == "one" else several


def test_pandas_reads_the_tables(either: Project, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas
    run(either, tmp_path / "csv", "csv")
    table = pandas.read_csv(tmp_path / "csv" / "decisions.csv", keep_default_na=False)
    labels = table["label"].astype(str).map(lambda text: text.split(";") if text else [])
    assert dict(zip(table["scan"], labels, strict=True)) == _truth(either)
    run(either, tmp_path / "jsonl", "jsonl")
    lines = pandas.read_json(tmp_path / "jsonl" / "decisions.jsonl", lines=True)
    assert dict(zip(lines["scan"], lines["label"], strict=True)) == _truth(either)


@pytest.mark.parametrize("format", ["huggingface", "parquet"])
def test_datasets_loads_pictures_with_labels(
    either: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    out = tmp_path / "out"
    report = run(either, out, format, split=(2, 1, 1))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets

        kind = "imagefolder" if format == "huggingface" else "parquet"
        files = {"data_dir": str(out if format == "huggingface" else out / "data")}
        loaded = datasets.load_dataset(kind, **files, cache_dir=str(tmp_path / "cache"))
        rows = [{**row, "split": name} for name, part in loaded.items() for row in part]
    truth: dict[str, Any] = dict(_truth(either))
    if not either.label_set().multi_label:  # as who trains a classifier takes it
        truth = {scan: names[0] if names else None for scan, names in truth.items()}
    assert {row["scan"]: row["label"] for row in rows} == truth
    assert Counter(row["split"] for row in rows) == +Counter(dict(report.splits))
    assert {row["image"].size for row in rows} == {(32, 32)}
    assert len(rows) == report.scans == 12


@pytest.mark.parametrize("format", ["huggingface", "parquet"])
def test_datasets_loads_splits_of_which_one_alone_has_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    """One stack with a named frame, one label with a parent, each in one split only."""
    out = tmp_path / "out"
    labels = LabelSet((*LABELS.labels, Label("ring", "Ring", parent="disc")))
    with Project.create(tmp_path / "p", labels) as project:
        for number in range(8):
            path = write_png(tmp_path / "scans" / f"{number}.png", disc(seed=number))
            info = ScanInfo(32, 32, frames=3 if number == 7 else 1)
            project.add_scans([NewScan(path, info, Identity(f"P{number}", f"study {number}"))])
            frame = 1 if number == 7 else None
            said = ("ring",) if number == 7 else ("dots",)
            project.record(NewDecision(number + 1, "r", Verdict(State.LABELLED, said, frame=frame)))
        report = run(project, out, format, split=(1, 1))
    assert min(dict(report.splits).values()) > 1
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets

        kind = "imagefolder" if format == "huggingface" else "parquet"
        folder = str(out if format == "huggingface" else out / "data")
        loaded = datasets.load_dataset(kind, data_dir=folder, cache_dir=str(tmp_path / "cache"))
        rows = [row for part in loaded.values() for row in part]
    assert Counter((row["frame"], tuple(row["implied"])) for row in rows) == {
        (1, ("Disc",)): 1,
        (None, ()): 7,
    }
    assert len({json.dumps(part.features.to_dict()) for part in loaded.values()}) == 1


def test_labels_have_the_same_numbers_in_every_split_of_folders(
    project: Project, tmp_path: Path
) -> None:
    """Counted as torchvision, Keras and their like do: a folder's place in the alphabet."""
    out = tmp_path / "out"
    run(project, out, "imagefolder", split=(6, 2, 2))
    numbered = {
        split.name: sorted(one.name for one in split.iterdir())
        for split in out.iterdir()
        if split.is_dir()
    }
    pictured = {path.parent for path in out.rglob("*.png")}
    assert set(map(tuple, numbered.values())) == {("Disc", "Dots", "Stripes")}
    assert any(path not in pictured for split in numbered for path in (out / split).iterdir())
    assert "allow_empty=True" in (out / "README.md").read_text()


def test_the_pictures_in_parquet_are_those_of_the_folder(project: Project, tmp_path: Path) -> None:
    import pyarrow.parquet

    run(project, tmp_path / "parquet", "parquet")
    run(project, tmp_path / "folder", "huggingface")
    held = {}
    for path in (tmp_path / "parquet" / "data").glob("*.parquet"):
        for row in pyarrow.parquet.read_table(path).to_pylist():
            held[Path(row["image"]["path"]).name] = row["image"]["bytes"]
    files = {path.name: path.read_bytes() for path in (tmp_path / "folder").rglob("*.png")}
    assert held == files
    assert not (tmp_path / "parquet" / "images").exists()


def test_monai_loads_the_datalist(either: Project, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from monai.data.decathlon_datalist import load_decathlon_datalist
    out = tmp_path / "out"
    report = run(either, out, "monai", split=(2, 1, 1))
    body = json.loads((out / "datalist.json").read_text())
    names = [body["labels"][str(number)] for number in range(3)]
    assert names == list(LABELS.names)
    found = {}
    parts = [key for key in ("training", "validation", "test") if key in body]  # few patients
    for key in parts:
        for entry in load_decathlon_datalist(
            str(out / "datalist.json"), is_segmentation=False, data_list_key=key
        ):
            assert _size(Path(entry["image"])) == (32, 32)
            label = entry["label"]
            hot = label if isinstance(label, list) else [int(label == n) for n in range(3)]
            found[entry["scan"]] = [name for name, on in zip(names, hot, strict=True) if on]
    several = either.label_set().multi_label  # that none applies is a zero for each label then
    assert found == {s: labels for s, labels in _truth(either).items() if labels or several}
    assert ("1 decided scan has no label" in " ".join(report.notices)) is not several


def test_pycocotools_reads_whole_picture_annotations(either: Project, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    out = tmp_path / "out"
    run(either, out, "coco")
    found: dict[str, list[str]] = {}
    for path in sorted((out / "annotations").glob("*.json")):
        coco = COCO(str(path))
        for image in coco.loadImgs(coco.getImgIds()):
            boxes = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            labels = coco.loadCats([box["category_id"] for box in boxes])
            found[image["scan"]] = [label["name"] for label in labels]
            assert all(box["bbox"] == [0, 0, 32, 32] for box in boxes)
            assert _size(out / image["file_name"]) == (32, 32)
        assert "by convention" in coco.dataset["info"]["description"]
    assert found == _truth(either)
    assert "By convention" in (out / "README.md").read_text()


def test_what_cannot_be_assessed_is_no_negative_in_coco(tmp_path: Path) -> None:
    with _made(tmp_path) as project:
        project.record(NewDecision(11, "r", Verdict(State.UNASSESSABLE)))
        report = run(project, tmp_path / "out", "coco")
    bodies = [json.loads(path.read_text()) for path in (tmp_path / "out").glob("annotations/*")]
    states = Counter(image["state"] for body in bodies for image in body["images"])
    assert states == {"labelled": 10, "none-apply": 1}
    assert "1 decided scan has no label (unassessable) and no place" in " ".join(report.notices)


def test_mlcroissant_reads_the_records(either: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(either, out, "croissant", split=(2, 1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlcroissant

        dataset = mlcroissant.Dataset(str(out / "croissant.json"))
        assert not dataset.metadata.ctx.issues.errors
        records = list(dataset.records("scans"))
        pictures = {
            one["pictures/image"].decode(): one["pictures/content"].size
            for one in dataset.records("pictures")
        }
    found = {}
    for record in records:
        plain = {
            key.removeprefix("scans/"): value.decode() if isinstance(value, bytes) else value
            for key, value in record.items()
        }
        label = plain["label"] if isinstance(plain["label"], str) else ""
        found[plain["scan"]] = [part for part in label.split(";") if part]
        assert pictures.pop(plain["image"]) == _size(out / plain["image"]) == (32, 32)
    assert (found, pictures) == (_truth(either), {})


def test_pydicom_reads_the_copies(either: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = run(either, out, "dicom", split=(2, 1, 1))
    copies = {path.stem: pydicom.dcmread(path) for path in out.rglob("*.dcm")}
    assert len(copies) == report.images == 12
    with (out / "decisions.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            copy = copies[row["scan"]]
            assert (copy.PatientID, copy.PatientName) == (row["patient"], row["patient"])
            scan = either.scans()[int(row["scan"][-6:]) - 1]
            with Image.open(scan.path) as picture:
                assert np.array_equal(copy.pixel_array, np.asarray(picture))
            assert row["label"] == ";".join(_truth(either)[row["scan"]])


def test_highdicom_reads_the_reports(either: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(either, out, "dicom-sr", split=(2, 1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from highdicom.sr import srread
    scan_of = {
        pydicom.dcmread(path).SOPInstanceUID: path.stem for path in (out / "images").rglob("*.dcm")
    }
    found = {}
    for path in (out / "reports").rglob("*.dcm"):
        content: Any = srread(path).content
        groups = content.get_image_measurement_groups()
        images = {group.source_images[0].referenced_sop_instance_uid for group in groups}
        (image,) = images
        said = [group.finding_type.meaning for group in groups]
        found[scan_of[image]] = [name for name in said if name in NAMES.values()]
    assert found == _truth(either)


def test_reports_hold_names_in_any_script(tmp_path: Path) -> None:
    names = LabelSet((Label("a", "Größe 癌"), Label("b", "Otro")))
    with Project.create(tmp_path / "p", names) as project:
        for number in range(2):
            path = write_png(tmp_path / f"{number}.png", disc(seed=number))
            project.add_scans([NewScan(path, ScanInfo(32, 32), Identity(f"P{number}"))])
            decide(project, number + 1, "ab"[number], reader="Ö")
        run(project, tmp_path / "out", "dicom-sr", split=(1,))
    read = [pydicom.dcmread(path) for path in (tmp_path / "out" / "reports").rglob("*.dcm")]
    told = "\n".join(map(str, read))
    assert len(read) == 2
    assert "Größe 癌" in told
    assert "Ö" in told


def test_stored_values_are_those_of_the_file(tmp_path: Path) -> None:
    import nibabel

    stack = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7) - 9
    flat = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    negative = np.arange(48, dtype=np.int16).reshape(6, 8) - 20
    colour = np.arange(6 * 8 * 3, dtype=np.uint16).reshape(6, 8, 3) * 400
    paths = [
        dicom(tmp_path / f"{number}.dcm", values, Modality="CT", samples=samples)
        for number, (values, samples) in enumerate(
            ((stack, 1), (flat, 1), (negative, 1), (colour, 3), (np.stack([colour] * 2), 3))
        )
    ]
    with Project.create(tmp_path / "p", LABELS) as project, ScanReader(workers=1) as reader:
        project.add_scans(examine(paths, reader=reader))
        for scan in project.scans():
            decide(project, scan.id, "disc")
        out = tmp_path / "out"
        done = export(
            project, out, format="csv", pictures=Pictures.STORED, split=(1,), reader=reader
        )
        assert [one.scan_id for one in done.left_out] == [5]
        assert "colours of 16 bits" in done.left_out[0].reason
        assert np.array_equal(reader.stored(out / "images/train/scan-000004.png"), colour)
    folder = out / "images" / "train"
    volume: Any = nibabel.load(folder / "scan-000001.nii.gz")
    assert np.array_equal(np.asarray(volume.dataobj).transpose(2, 1, 0), stack)
    for name, values in (("scan-000002.png", flat), ("scan-000003.tiff", negative)):
        with Image.open(folder / name) as picture:
            assert np.array_equal(np.asarray(picture), values)


def test_a_picture_of_stored_values_has_the_colours_of_the_scan(tmp_path: Path) -> None:
    ybr = np.full((4, 4, 3), (76, 85, 255), "u1")  # pure red
    path = dicom(tmp_path / "a.dcm", ybr, samples=3, PhotometricInterpretation="YBR_FULL")
    with Project.create(tmp_path / "p", LABELS) as project, ScanReader(workers=1) as reader:
        project.add_scans(examine([path], reader=reader))
        decide(project, 1, "disc")
        wanted: Any = {"pictures": Pictures.STORED, "pixels_checked": True}
        run(project, tmp_path / "out", split=(1,), reader=reader, **wanted)
    with Image.open(tmp_path / "out/images/train/scan-000001.png") as picture:
        assert np.abs(np.asarray(picture)[0, 0].astype(int) - (255, 0, 0)).max() <= 2


def test_scans_with_possible_text_wait_for_a_look(tmp_path: Path) -> None:
    values = disc().astype("u2")
    made: dict[str, dict[str, Any]] = {
        "ct": {"Modality": "CT"},
        "us": {"Modality": "US", "BurnedInAnnotation": "NO"},
        "said": {"Modality": "CT", "BurnedInAnnotation": "YES"},
        "capture": {"Modality": "CT", "ConversionType": "WSD"},
    }
    paths = [dicom(tmp_path / f"{name}.dcm", values, **tags) for name, tags in made.items()]
    with Project.create(tmp_path / "p", LABELS) as project, ScanReader(workers=1) as reader:
        project.add_scans(examine(paths, reader=reader))
        for scan in project.scans():
            decide(project, scan.id, "disc")
        held = export(project, tmp_path / "a", format="coco", split=(1,), reader=reader)
        free = export(
            project, tmp_path / "b", format="coco", split=(1,), pixels_checked=True, reader=reader
        )
    assert (held.images, len(held.left_out), free.images) == (1, 3, 4)
    reasons = {one.scan_id: one.reason for one in held.left_out}
    assert "ultrasound" in reasons[2]
    assert "the header says so" in reasons[3]
    assert "secondary capture" in reasons[4]


def test_suggestions_can_stay_at_home(project: Project, tmp_path: Path) -> None:
    run(project, tmp_path / "out", "csv", choice=Choice(suggestions=False))
    header = (tmp_path / "out" / "decisions.csv").read_text().splitlines()[0].split(",")
    assert not [name for name in header if name.startswith("suggestion")]
    assert "Dots" not in (tmp_path / "out" / "decisions.csv").read_text().splitlines()[1]


def test_what_can_not_be_is_said(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"one word only.*majority"):
        run(project, tmp_path / "out", "coco", choice=Choice(Rule.ALL))
    with pytest.raises(UsageError, match="need a reader"):
        Choice(Rule.READER)
    with pytest.raises(UsageError, match=r"can't hold stored values.*csv"):
        run(project, tmp_path / "out", "parquet", pictures=Pictures.STORED)
    with pytest.raises(ExportError, match="leaves no scan"):
        run(project, tmp_path / "out", "csv", choice=Choice(Rule.READER, "nobody"))

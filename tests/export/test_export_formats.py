"""Each format, opened by the library that others open it with."""

import csv
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from nearl_core import label_changes
from nearl_core.adding import examine
from nearl_core.errors import ExportError, UsageError
from nearl_core.export.choice import Choice, Rule
from nearl_core.export.content import Pictures
from nearl_core.export.exporter import ExportReport, export
from nearl_core.export.rows import collect
from nearl_core.labels_file import new_id
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import (
    Identity,
    Label,
    LabelSet,
    NewDecision,
    Occasion,
    ScanInfo,
    Shown,
    State,
    Verdict,
)
from tests.dicom.making import dicom
from tests.support.projects import LABELS, MULTI, PillowReader, decide
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


def _run(project: Project, out: Path, format: str, **more: Any) -> ExportReport:
    return export(project, out, format=format, reader=PillowReader(), **more)


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
    _run(either, tmp_path / "csv", "csv")
    table = pandas.read_csv(tmp_path / "csv" / "decisions.csv", keep_default_na=False)
    labels = table["label"].astype(str).map(lambda text: text.split(";") if text else [])
    assert dict(zip(table["scan"], labels, strict=True)) == _truth(either)
    _run(either, tmp_path / "jsonl", "jsonl")
    lines = pandas.read_json(tmp_path / "jsonl" / "decisions.jsonl", lines=True)
    assert dict(zip(lines["scan"], lines["label"], strict=True)) == _truth(either)


@pytest.mark.parametrize("format", ["huggingface", "parquet"])
def test_datasets_loads_pictures_with_labels(
    either: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    out = tmp_path / "out"
    report = _run(either, out, format, split=(2, 1, 1))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets

        kind = "imagefolder" if format == "huggingface" else "parquet"
        files = {"data_dir": str(out if format == "huggingface" else out / "data")}
        loaded = datasets.load_dataset(kind, **files, cache_dir=str(tmp_path / "cache"))
        rows = [{**row, "split": name} for name, part in loaded.items() for row in part]
    assert {row["scan"]: row["label"] for row in rows} == _truth(either)
    assert Counter(row["split"] for row in rows) == +Counter(dict(report.splits))
    assert {row["image"].size for row in rows} == {(32, 32)}
    assert len(rows) == report.scans == 12


def test_the_pictures_in_parquet_are_those_of_the_folder(project: Project, tmp_path: Path) -> None:
    import pyarrow.parquet

    _run(project, tmp_path / "parquet", "parquet")
    _run(project, tmp_path / "folder", "huggingface")
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
    report = _run(either, out, "monai", split=(2, 1, 1))
    body = json.loads((out / "datalist.json").read_text())
    names = [body["labels"][str(number)] for number in range(3)]
    assert names == list(LABELS.names)
    found = {}
    for key in ("training", "validation", "test"):
        for entry in load_decathlon_datalist(
            str(out / "datalist.json"), is_segmentation=False, data_list_key=key
        ):
            assert _size(Path(entry["image"])) == (32, 32)
            label = entry["label"]
            hot = label if isinstance(label, list) else [int(label == n) for n in range(3)]
            found[entry["scan"]] = [name for name, on in zip(names, hot, strict=True) if on]
    assert found == {scan: labels for scan, labels in _truth(either).items() if labels}
    assert "1 decided scan has no label" in " ".join(report.notices)


def test_pycocotools_reads_whole_picture_annotations(either: Project, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    out = tmp_path / "out"
    _run(either, out, "coco")
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


def test_mlcroissant_reads_the_records(either: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _run(either, out, "croissant", split=(2, 1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlcroissant

        dataset = mlcroissant.Dataset(str(out / "croissant.json"))
        assert not dataset.metadata.ctx.issues.errors
        records = list(dataset.records("scans"))
    found = {}
    for record in records:
        plain = {
            key.removeprefix("scans/"): value.decode() if isinstance(value, bytes) else value
            for key, value in record.items()
        }
        label = plain["label"] if isinstance(plain["label"], str) else ""
        found[plain["scan"]] = [part for part in label.split(";") if part]
        assert _size(out / plain["image"]) == (32, 32)
    assert found == _truth(either)


def test_pydicom_reads_the_copies(either: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = _run(either, out, "dicom", split=(2, 1, 1))
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
    _run(either, out, "dicom-sr", split=(2, 1, 1))
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
        _run(project, tmp_path / "out", "dicom-sr", split=(1,))
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
    _run(project, tmp_path / "out", "csv", choice=Choice(suggestions=False))
    header = (tmp_path / "out" / "decisions.csv").read_text().splitlines()[0].split(",")
    assert not [name for name in header if name.startswith("suggestion")]
    assert "Dots" not in (tmp_path / "out" / "decisions.csv").read_text().splitlines()[1]


def _votes(project: Project) -> None:
    for reader, labels in (
        ("a", ("disc", "disc", "disc", "dots")),
        ("b", ("disc", "disc", "dots", "disc")),
        ("c", ("disc", "dots", "stripes", "disc")),
    ):
        for scan_id, label in enumerate(labels, start=1):
            decide(project, scan_id, label, reader=reader)
    decide(project, 5, "dots", reader="c")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(Rule.AGREED), {1: "disc", 5: "dots"}),
        (Choice(Rule.MAJORITY), {1: "disc", 2: "disc", 4: "disc", 5: "dots"}),
        (Choice(Rule.READER, "b"), {1: "disc", 2: "disc", 3: "dots", 4: "disc"}),
        (
            Choice(Rule.ADJUDICATED, "a"),
            {1: "disc", 2: "disc", 3: "disc", 4: "dots", 5: "dots"},
        ),
    ],
)
def test_several_readers_come_to_one_word(
    tmp_path: Path, choice: Choice, expected: dict[int, str]
) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        for number in range(5):
            path = write_png(tmp_path / f"{number}.png", disc(seed=number))
            project.add_scans([NewScan(path, ScanInfo(32, 32))])
        _votes(project)
        report = _run(project, tmp_path / "out", "jsonl", choice=choice, split=(1,))
    lines = (tmp_path / "out" / "decisions.jsonl").read_text().splitlines()
    rows = {row["scan"]: row for row in map(json.loads, lines)}
    assert {int(name[-6:]): row["label_id"][0] for name, row in rows.items()} == expected
    assert len(report.left_out) == 5 - len(expected)
    if choice.rule is Rule.MAJORITY:
        assert rows["scan-000002"]["reader"] == "2 of 3 readers"
        assert rows["scan-000001"]["reader"] == "3 of 3 readers"
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| a and b | 4 | 50% | -0.33 | -1.00 to 0.60 |" in card


def test_what_was_adjudicated_comes_first_and_is_no_vote(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        for number in range(3):
            path = write_png(tmp_path / f"{number}.png", disc(seed=number))
            project.add_scans([NewScan(path, ScanInfo(32, 32))])
        for reader, label in (("a", "disc"), ("b", "dots")):
            decide(project, 1, label, reader=reader)
            decide(project, 2, label, reader=reader)
            decide(project, 3, "disc", reader=reader)
        settled = Verdict(State.LABELLED, ("stripes",))
        project.record(NewDecision(1, "b", settled, occasion=Occasion.ADJUDICATION))
        adjudicated = _chosen(project, tmp_path / "1", Choice(Rule.ADJUDICATED))
        agreed = _chosen(project, tmp_path / "2", Choice(Rule.AGREED))
        every = _chosen(project, tmp_path / "3", Choice(Rule.ALL))
    assert adjudicated == [(1, "stripes", "adjudication"), (3, "disc", "single")]
    assert agreed == [(3, "disc", "single")]
    assert [one for one in every if one[0] == 1] == [
        (1, "disc", "single"),
        (1, "dots", "single"),
        (1, "stripes", "adjudication"),
    ]
    assert "| a and b | 3 | 33%" in (tmp_path / "3" / "README.md").read_text()


def _chosen(project: Project, out: Path, choice: Choice) -> list[tuple[int, str, str]]:
    _run(project, out, "jsonl", choice=choice, split=(1,))
    lines = (out / "decisions.jsonl").read_text().splitlines()
    return [
        (int(row["scan"][-6:]), row["label_id"][0], row["occasion"])
        for row in map(json.loads, lines)
    ]


def test_a_majority_counts_each_label_by_itself(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", MULTI) as project:
        project.add_scans([NewScan(write_png(tmp_path / "x.png", disc()), ScanInfo(32, 32))])
        decide(project, 1, "disc", "dots", reader="a")
        decide(project, 1, "disc", "stripes", reader="b")
        decide(project, 1, "stripes", reader="c")
        _run(project, tmp_path / "out", "jsonl", choice=Choice(Rule.MAJORITY), split=(1,))
    row = json.loads((tmp_path / "out" / "decisions.jsonl").read_text())
    assert row["label_id"] == ["disc", "stripes"]


def test_a_label_that_came_later_is_named_as_not_asked(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", MULTI) as project:
        project.add_scans([NewScan(write_png(tmp_path / "x.png", disc()), ScanInfo(32, 32))])
        decide(project, 1, "disc", reader="a")
        project.save_label_set(replace(MULTI, labels=(*MULTI.labels, Label("ring", "Ring"))))
        for name in ("csv", "monai"):
            _run(project, tmp_path / name, name, split=(1,), choice=Choice(Rule.MAJORITY))
    with (tmp_path / "csv" / "decisions.csv").open(encoding="utf-8-sig") as file:
        assert [row["not_asked"] for row in csv.DictReader(file)] == ["Ring"]
    body = json.loads((tmp_path / "monai" / "datalist.json").read_text())
    assert [(one["label"][-1], one["not_asked"]) for one in body["training"]] == [(0, [3])]


def test_a_child_implies_its_parents_in_every_row(tmp_path: Path) -> None:
    labels = (Label("mass", "Mass"), Label("solid", "Solid mass", parent="mass"), Label("b", "B"))
    with Project.create(tmp_path / "p", LabelSet(labels, multi_label=True)) as project:
        project.add_scans([NewScan(write_png(tmp_path / "x.png", disc()), ScanInfo(32, 32))])
        decide(project, 1, "solid", "b", reader="a")
        decide(project, 1, "b", reader="b")
        for rule, name in ((Rule.ALL, "all"), (Rule.MAJORITY, "majority")):
            _run(project, tmp_path / name, "jsonl", choice=Choice(rule), split=(1,))
        for name in ("coco", "monai"):
            _run(project, tmp_path / name, name, choice=Choice(Rule.READER, "a"), split=(1,))
    lines = (tmp_path / "all" / "decisions.jsonl").read_text().splitlines()
    assert [json.loads(line)["implied"] for line in lines] == [["Mass"], []]
    (line,) = (tmp_path / "majority" / "decisions.jsonl").read_text().splitlines()
    assert (json.loads(line)["label"], json.loads(line)["implied"]) == (["B"], [])
    body = json.loads((tmp_path / "coco" / "annotations" / "train.json").read_text())
    assert [one["supercategory"] for one in body["categories"]] == ["", "Mass", ""]
    body = json.loads((tmp_path / "monai" / "datalist.json").read_text())
    assert body["training"][0]["label"] == [1, 1, 1]
    assert "| Solid mass | solid | mass |" in (tmp_path / "all" / "README.md").read_text()


def test_an_export_speaks_the_labels_of_now(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        files = [write_png(tmp_path / f"{number}.png", disc()) for number in range(3)]
        project.add_scans(NewScan(file, ScanInfo(32, 32)) for file in files)
        before = project.label_set()
        for scan_id, first, second in ((1, "disc", "dots"), (2, "stripes", "stripes")):
            decide(project, scan_id, first, reader="a", suggestion="disc")
            decide(project, scan_id, second, reader="b")
        decide(project, 3, "disc", reader="a", suggestion="dots")
        standing = project.standing()
        round_, change = label_changes.merge(before, ("disc", "dots"), "Round", new_id=new_id)
        project.save_label_set(round_, (change,))
        less, change = label_changes.retire(round_, "stripes")
        project.save_label_set(less, (change,))
        _run(project, tmp_path / "now", "jsonl", choice=Choice(Rule.AGREED), split=(1,))
        with pytest.raises(ExportError, match="changed meanwhile"):
            collect(project.scans(), standing, project.label_set())
    lines = (tmp_path / "now" / "decisions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    said = {row["scan"]: (row["label"], row["suggestion"]) for row in rows}
    assert said == {"scan-000001": (["Round"], ""), "scan-000003": (["Round"], "Round")}


def test_what_can_not_be_is_said(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"one word only.*majority"):
        _run(project, tmp_path / "out", "coco", choice=Choice(Rule.ALL))
    with pytest.raises(UsageError, match="need a reader"):
        Choice(Rule.READER)
    with pytest.raises(UsageError, match=r"can't hold stored values.*csv"):
        _run(project, tmp_path / "out", "parquet", pictures=Pictures.STORED)
    with pytest.raises(ExportError, match="leaves no scan"):
        _run(project, tmp_path / "out", "csv", choice=Choice(Rule.READER, "nobody"))

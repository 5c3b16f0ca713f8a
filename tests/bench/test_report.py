"""Results survive whatever happened to their file, and the report says what stands in them."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.bench import cells, plot
from nearl_core.bench.cells import Cell, Setting
from nearl_core.bench.draws import Protocol
from nearl_core.bench.report import Metric, Standing, summarise
from nearl_core.bench.report_text import markdown, to_record
from nearl_core.cli import main
from nearl_core.errors import NearlError
from nearl_core.types import Figures

AT_16 = Setting(Protocol.SHOTS, "chest", 16)


def _cell(
    method: str, accuracy: float, draw: int = 0, *, setting: Setting = AT_16, made: str = "1"
) -> Cell:
    return Cell(
        protocol=setting.protocol,
        task=setting.task,
        count=setting.count,
        draw=draw,
        method=method,
        revision="1.1",
        backbone="tiny",
        backbone_hash="abc",
        decisions=32,
        figures=Figures(100, accuracy, accuracy, 1 - accuracy, 0.10, None),
        calibrated_ece=0.04,
        seconds=2.0,
        made=made,
    )


def _cells(setting: Setting = AT_16, **of_method: tuple[float, ...]) -> list[Cell]:
    return [
        _cell(method.replace("_", "-"), value, draw, setting=setting)
        for method, values in of_method.items()
        for draw, value in enumerate(values)
    ]


def _standing(found: list[Cell], method: str) -> Standing:
    return summarise(found).standings[method]


# --- the file ---


@given(st.data())
def test_a_file_cut_anywhere_loses_only_its_last_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("cut") / "r.jsonl"
    written = [_cell("coop", 0.5, draw) for draw in range(3)]
    cells.append(file, written)
    whole = file.read_bytes()
    size = data.draw(st.integers(0, len(whole)))
    file.write_bytes(whole[:size])
    complete = list(cells.read([file]).cells)
    assert complete == written[: len(complete)]
    assert len(complete) >= whole[:size].count(b"\n")
    cells.append(file, written[2:])
    assert list(cells.read([file]).cells) == [*complete[:2], written[2]]


def test_files_of_several_processes_are_one_table(tmp_path: Path) -> None:
    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    cells.append(one, [_cell("coop", 0.5, 0), _cell("coop", 0.6, 1)])
    cells.append(other, [_cell("live", 0.7, 0), _cell("coop", 0.4, 0, made="2")])
    found = {(c.method, c.draw): c.figures.accuracy for c in cells.read([one, other]).cells}
    assert found == {("coop", 0): 0.4, ("coop", 1): 0.6, ("live", 0): 0.7}


def test_cells_of_another_backbone_or_an_older_recipe_are_never_mixed_in() -> None:
    old = replace(_cell("coop", 0.1, made="1"), revision="1.0")
    other = replace(_cell("coop", 0.2, 1, made="2"), backbone_hash="def")
    found = summarise([_cell("coop", 0.5, made="3"), old, other])
    assert found.left_out == 2
    assert found.means[Metric.BALANCED_ACCURACY, AT_16, "coop"].value == 0.5
    assert found.means[Metric.BALANCED_ACCURACY, AT_16, "coop"].draws == 1


# --- the summary ---


def test_means_and_standard_errors_over_draws() -> None:
    mean = summarise(_cells(coop=(0.4, 0.5, 0.6))).means[Metric.BALANCED_ACCURACY, AT_16, "coop"]
    assert mean.value == pytest.approx(0.5)
    assert mean.draws == 3
    assert mean.error == pytest.approx(0.1 / math.sqrt(3))


def test_only_draws_that_all_methods_have_are_compared() -> None:
    found = summarise(_cells(coop=(0.4, 0.9), live=(0.5,)))
    assert found.means[Metric.BALANCED_ACCURACY, AT_16, "coop"].value == 0.4
    at_1 = replace(AT_16, count=1)
    alone = summarise([*_cells(coop=(0.4,), live=(0.5,)), _cell("coop", 0.2, setting=at_1)])
    assert alone.compared == [AT_16]
    assert alone.standings["coop"].means[Metric.BALANCED_ACCURACY] == 0.4


def test_ours_are_no_rivals_of_each_other() -> None:
    found = _cells(coop=(0.6,), lp=(0.5,), instant=(0.9,), live=(0.7,))
    ranks = {m: _standing(found, m).rank for m in ("coop", "lp", "instant", "live")}
    assert ranks == {"coop": 2, "lp": 3, "instant": 1, "live": 1}
    equal = _cells(coop=(0.6,), live=(0.6,))
    assert _standing(equal, "live").rank == _standing(equal, "coop").rank == 1.5


def test_variants_of_the_ablation_are_nobodys_rivals() -> None:
    found = _cells(zero_shot=(0.5,), nearl=(0.6,), instant=(0.7,))
    varied = [*found, _cell("nearl/no-useformer", 0.9)]
    assert _standing(varied, "nearl").rank == _standing(found, "nearl").rank
    assert _standing(varied, "instant").best == 1


def test_best_or_within_one_standard_error_of_the_best() -> None:
    close = _cells(coop=(0.5, 0.7), live=(0.55, 0.55))
    assert _standing(close, "live").best == 1  # 0.6 with an error of 0.1
    assert _standing(_cells(coop=(0.5, 0.7), live=(0.49, 0.49)), "live").best == 0


def test_cells_below_zero_shot_and_the_lead_at_16_shots() -> None:
    other = replace(AT_16, task="skin")
    found = [
        *_cells(zero_shot=(0.5,), coop=(0.6,), lp=(0.4,), live=(0.66,)),
        *_cells(other, zero_shot=(0.5,), coop=(0.4,), lp=(0.5,), live=(0.54,)),
    ]
    assert _standing(found, "lp").below_zero_shot == 1
    assert _standing(found, "live").below_zero_shot == 0
    assert _standing(found, "live").lead == pytest.approx(0.6 / 0.5 - 1)
    assert _standing(found, "coop").lead == pytest.approx(0.5 / 0.6 - 1)
    at_8 = replace(AT_16, count=8)
    assert _standing(_cells(at_8, coop=(0.6,), live=(0.66,)), "live").lead is None


def test_what_exceeds_a_calibrated_model_is_told_from_32_decisions_on() -> None:
    few = replace(_cell("live", 0.5, 1), decisions=16, figures=Figures(100, 0.5, 0.5, 9, 0.9))
    standing = _standing([_cell("live", 0.5), few], "live")
    assert standing.excess_ece == pytest.approx(0.06)
    assert standing.trusted_log_loss == pytest.approx(0.5)
    assert _standing([few], "live").excess_ece is None


def test_nothing_measured_yet_is_said_so() -> None:
    with pytest.raises(NearlError, match="no results"):
        summarise([])


# --- what people see ---


def test_the_table_has_the_best_in_bold_and_the_notes_below() -> None:
    found = _cells(coop=(0.4, 0.5), live=(0.6, 0.7))
    found[0] = replace(found[0], note="cut to 50 steps")
    text = markdown(summarise(found), metric=Metric.BALANCED_ACCURACY)
    assert "| coop | 0.450 ± 0.050 |" in text
    assert "| live | **0.650 ± 0.050** |" in text
    assert "- coop: cut to 50 steps." in text
    loss = markdown(summarise(found), metric=Metric.LOG_LOSS)
    assert "| live | **0.350 ± 0.050** |" in loss  # less is better


def test_a_file_for_machines_has_no_nan() -> None:
    record = to_record(summarise(_cells(coop=(0.5,), live=(0.6,))))
    assert "NaN" not in json.dumps(record)
    assert json.loads(json.dumps(record))["methods"]["live"]["best"] == 1


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_curves_are_drawn(tmp_path: Path, ending: str) -> None:
    natural = Setting(Protocol.NATURAL, "chest", 8)
    found = [*_cells(coop=(0.4, 0.5), live=(0.6, 0.7)), *_cells(natural, coop=(0.3,), live=(0.5,))]
    path = tmp_path / f"curves.{ending}"
    plot.plot(summarise(found), path, metric=Metric.BALANCED_ACCURACY)
    assert path.read_bytes()[:5] in (b"<?xml", b"\x89PNG\r")


def test_without_matplotlib_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(NearlError) as caught:
        plot.plot(summarise(_cells(coop=(0.5,))), tmp_path / "p.svg", metric=Metric.ECE)
    assert "nearl-desk[bench]" in caught.value.remedy


def test_the_report_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.jsonl"
    cells.append(file, _cells(coop=(0.5,), live=(0.6,), lp=(0.4,)))
    with file.open("a") as out:
        out.write('{"protocol": "sho')
    out_md, out_json = tmp_path / "o" / "t.md", tmp_path / "o" / "t.json"
    argv = ["bench", "report", file, "--methods", "coop,live"]
    assert main([*map(str, argv), "--markdown", str(out_md), "--summary", str(out_json)]) == 0
    said, err = capsys.readouterr()
    assert "**0.600" in said
    assert "lp" not in said
    assert "1 lines are no results" in err
    assert out_md.read_text("utf-8").strip() == said.strip()
    assert json.loads(out_json.read_text())["methods"]["live"]["rank"] == 1
    assert main(["bench", "report", str(tmp_path / "gone.jsonl")]) == 3
    assert "no file" in capsys.readouterr().err

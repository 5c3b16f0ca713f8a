"""Label sets as files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core import labels_file
from nearl_core.errors import LabelSetError
from nearl_core.types import Label, LabelSet

_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=30).map(
    str.strip
)


def test_names_become_labels_with_ids() -> None:
    found = labels_file.from_argument("Pleural effusion, Übersicht ,肺炎,肺気腫")
    assert found.names == ("Pleural effusion", "Übersicht", "肺炎", "肺気腫")
    assert found.ids == ("pleural-effusion", "ubersicht", "label", "label-2")


def test_yaml_words_stay_words() -> None:
    found = labels_file.parse("labels: [No, Yes, 1, 1.50, null, 2020-01-01]")
    assert found.names == ("No", "Yes", "1", "1.50", "null", "2020-01-01")


def test_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.yaml"
    file.write_text(
        "title: Mine\nmulti_label: true\nlabels:\n"
        "  - name: Pneumonia\n    id: pn\n    code: SCT 233604007\n    prompts: [one, two]\n"
        "  - name: Other\n    prompts: only one\n  - Pn\n",
        encoding="utf-8-sig",
    )
    assert labels_file.from_argument(str(file)) == LabelSet(
        (
            Label("pn", "Pneumonia", ("one", "two"), "SCT 233604007"),
            Label("other", "Other", ("only one",)),
            Label("pn-2", "Pn"),
        ),
        multi_label=True,
    )


def test_a_few_lines_that_say_more_than_memory_holds_are_refused_at_once() -> None:
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(LabelSetError, match="a YAML alias"):
        labels_file.parse("\n".join([*lines, "- ? *a11", "  : y"]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no list of labels"),
        ("just words", "no list of labels"),
        ("labels: {a: 1}", "no list of labels"),
        ("[]", "no label"),
        ("[a, '']", "no name"),
        ("[a, A]", "'a' stands 2 times"),
        ("[{name: a, id: x}, {name: b, id: x}]", "id 'x' stands 2 times"),
        ("[{name: a, name: b}]", "'name' stands twice"),
        ("[{name: a, colour: red}]", "'colour', which means nothing"),
        ("[[a]]", "not text"),
        ("[{name: a, prompts: {b: c}}]", "not a list"),
        ("{multi_label: maybe, labels: [a]}", "multi_label is 'maybe'"),
        ("labels: [a\nb: }", "not valid YAML in line 2"),
        ("!!python/object/apply:os.system ['touch owned']", "a YAML tag"),
        ("[&a [b], *a]", "a YAML alias"),
        ("&a [b, *a]", "a YAML alias"),
        ('["a\\u0000b"]', "control characters"),
        ("[" * 3000, "can't be read"),
        ("['" + "x" * 501 + "']", "too long"),
        ("[{name: a, parent: b}]", "has a parent 'b' that is not there"),
        ("[{name: a, parent: a}]", "'a' comes to be its own parent"),
        ("[{name: a, parent: b}, {name: b, parent: c}, {name: c, parent: b}]", "its own parent"),
        ("[" + ",".join(map(str, range(501))) + "]", "501 labels"),
    ],
)
def test_bad_files_get_a_sentence(text: str, words: str) -> None:
    with pytest.raises(LabelSetError) as caught:
        labels_file.parse(text)
    assert words in caught.value.message
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(LabelSetError, match=r"gone\.yaml can't be read"):
        labels_file.from_argument(str(tmp_path / "gone.yaml"))
    (tmp_path / "big.yaml").write_bytes(b" " * (labels_file.MAX_BYTES + 1))
    with pytest.raises(LabelSetError, match="larger than"):
        labels_file.read(tmp_path / "big.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"- \xfcber")
    with pytest.raises(LabelSetError, match="UTF-8"):
        labels_file.read(tmp_path / "latin.yaml")
    (tmp_path / "twice.json").write_text('[{"name": "a", "name": "b"}]')
    with pytest.raises(LabelSetError, match="stands twice"):
        labels_file.read(tmp_path / "twice.json")
    (tmp_path / "broken.json").write_text("[1,\n}")
    with pytest.raises(LabelSetError, match="JSON in line 2"):
        labels_file.read(tmp_path / "broken.json")


@given(
    st.lists(
        st.tuples(_TEXT.filter(bool), st.lists(_TEXT.filter(bool), max_size=3)),
        min_size=1,
        max_size=5,
        unique_by=lambda entry: entry[0].strip().casefold(),
    ),
    st.booleans(),
    st.sampled_from(["a.yaml", "a.json"]),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[tuple[str, list[str]]],
    multi_label: bool,
    name: str,
) -> None:
    labels = tuple(
        Label(f"id{number}", text, tuple(prompts), parent=f"id{number - 1}" if number % 3 else "")
        for number, (text, prompts) in enumerate(entries)
    )
    label_set = LabelSet(labels, multi_label=multi_label)
    path = tmp_path_factory.mktemp("labels") / name
    labels_file.write(path, label_set)
    assert labels_file.read(path) == label_set


def test_a_parent_is_named_by_name_or_id_and_follows_from_its_children() -> None:
    label_set = labels_file.parse(
        "[{name: Mass, id: m}, {name: Solid mass, id: s, parent: mass}, {name: Cancer, parent: s}]"
    )
    assert [label.parent for label in label_set.labels] == ["", "m", "s"]
    assert label_set.ancestors("cancer") == ("s", "m")
    assert label_set.implied(["cancer"]) == ("m", "s")
    assert label_set.implied(["m", "cancer"]) == ("s",)
    assert label_set.implied(["m"]) == ()


def test_bi_rads_4_can_be_told_apart_or_not() -> None:
    label_set = labels_file.template("breast-ultrasound").label_set
    children = [label.id for label in label_set.labels if label.parent == "bi-rads-4"]
    assert children == ["bi-rads-4a", "bi-rads-4b", "bi-rads-4c"]
    assert label_set.implied(["bi-rads-4a"]) == ("bi-rads-4",)


def test_every_template_can_be_used() -> None:
    names = labels_file.template_names()
    assert {"chest-xray", "dermoscopy", "breast-ultrasound", "brain-tumour-mri"} < set(names)
    for name in names:
        template = labels_file.template(name)
        assert template.title
        assert template.description
        assert all(len(label.prompts) >= 1 for label in template.label_set.labels)
        assert labels_file.from_argument(name) == template.label_set
    with pytest.raises(LabelSetError, match="no template 'x'"):
        labels_file.template("x")


def test_the_codes_of_templates_have_the_check_digit_of_snomed_ct() -> None:
    codes = [
        label.code.removeprefix("SCT ")
        for name in labels_file.template_names()
        for label in labels_file.template(name).label_set.labels
        if label.code.startswith("SCT ")
    ]
    assert len(codes) > 12
    assert [code for code in codes if not _has_check_digit(code)] == []
    assert not _has_check_digit("302820009")


def _has_check_digit(code: str) -> bool:
    """By Verhoeff's scheme (SNOMED CT release file specifications, check-digit computation)."""
    found = 0
    for place, digit in enumerate(reversed(code)):
        moved = int(digit)
        for _ in range(place % 8):
            moved = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[moved]
        found = _turned(found, moved)
    return found == 0


def _turned(first: int, second: int) -> int:
    """The product in the group of a pentagon's turns (0 to 4) and flips (5 to 9)."""
    flips = (first > 4) != (second > 4)
    turn = (first - second if first > 4 else first + second) % 5
    return turn + 5 * flips

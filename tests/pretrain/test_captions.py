"""What is said of each class, and the words that this is made of."""

from nearl_core.pretrain import captions
from tests.pretrain.making import CLASSES


def test_every_class_has_phrases_and_each_phrase_its_place() -> None:
    classes = tuple(captions.PHRASES)
    found = captions.vocabulary(classes)
    assert len(set(found.phrases)) == len(found.phrases)
    for name, places in zip(classes, found.of_class, strict=True):
        assert tuple(found.phrases[p] for p in places) == captions.PHRASES[name]
        assert places
    # A shared phrase stands once, and is right for each class that has it.
    xray = found.phrases.index("X-ray")
    assert sum(xray in places for places in found.of_class) >= 7


def test_no_class_says_two_kinds_of_opposite_things() -> None:
    for name, phrases in captions.PHRASES.items():
        assert not {"normal", "abnormal"} <= set(phrases), name


def test_a_class_without_phrases_goes_by_its_folder() -> None:
    found = captions.vocabulary(CLASSES)
    assert found.phrases[found.of_class[1][0]] == "own set big disc"


def test_words_are_what_the_phrases_are_made_of() -> None:
    assert captions.words(("H&E stained slide", "X-ray, bone")) == (
        "bone",
        "h&e",
        "ray",
        "slide",
        "stained",
        "x",
    )

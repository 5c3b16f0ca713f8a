"""The student beside its teacher: what both see, and how far they are apart."""

from pathlib import Path

import torch

from nearl_core.model import backbones
from nearl_core.pretrain import starter
from nearl_core.pretrain.matching import Matching
from nearl_core.pretrain.student import Seen, Student
from nearl_core.pretrain.teacher import (
    FEATURES,
    STRIDE8_FEATURES,
    STRIDE16_FEATURES,
    Teacher,
    TeacherMaps,
)
from tests.pretrain.making import write_teacher


def test_the_teacher_pads_as_its_weights_were_trained(tmp_path: Path) -> None:
    teacher = Teacher.load(write_teacher(tmp_path / "teacher.safetensors"))
    maps = teacher(torch.rand(2, 3, 30, 32))
    # Halved and rounded up: 30 to 15 to 8 to 4, 32 to 16 to 8 to 4.
    assert maps.stride8.shape == (2, STRIDE8_FEATURES, 8, 8)
    assert maps.stride16.shape == (2, STRIDE16_FEATURES, 4, 4)
    assert maps.last.shape == (2, FEATURES, 4, 4)
    assert 0 <= float(maps.last.min()) <= float(maps.last.max()) <= 6


def test_the_student_in_training_gives_the_feature_that_it_gives_afterwards() -> None:
    torch.manual_seed(0)
    model = backbones.build(starter.MODEL).eval()
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        seen, whole = Student(model, middle_layer=6)(images), model.encode_image(images)
    assert torch.allclose(seen.feature, whole, atol=1e-5)
    assert (seen.stride8.shape[1:], seen.stride16.shape[1:]) == ((96, 28, 28), (192, 14, 14))
    assert seen.middle.shape == seen.last.shape == (2, 49, 192)


def test_distances_are_zero_for_one_who_says_the_same() -> None:
    torch.manual_seed(0)
    last = torch.rand(5, FEATURES, 2, 2)
    maps = TeacherMaps(
        torch.rand(5, STRIDE8_FEATURES, 8, 8), torch.rand(5, STRIDE16_FEATURES, 4, 4), last
    )
    seen = Seen(
        maps.stride8,
        maps.stride16,
        middle=torch.rand(5, 4, STRIDE16_FEATURES),
        last=last.flatten(2).transpose(1, 2),
        known=last.mean((2, 3)),
        feature=last.mean((2, 3)),
    )
    matching = Matching((STRIDE8_FEATURES, STRIDE16_FEATURES), FEATURES, FEATURES)
    matching.middle = torch.nn.Linear(STRIDE16_FEATURES, STRIDE16_FEATURES)
    for name in ("stride8", "stride16", "last", "summary"):
        layer = getattr(matching, name)
        torch.nn.init.eye_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    found = {name: float(value.detach()) for name, value in matching(seen, maps).items()}
    middle = found.pop("middle")
    assert all(abs(value) < 1e-4 for value in found.values()), found
    assert middle > 0.1  # random tokens say something else


def test_a_run_begins_with_the_linear_maps_that_fit_best() -> None:
    generator = torch.Generator().manual_seed(0)

    def batch() -> tuple[Seen, TeacherMaps]:
        seen = Seen(
            torch.randn(4, 8, 4, 4, generator=generator),
            torch.randn(4, 12, 2, 2, generator=generator),
            middle=torch.randn(4, 4, 16, generator=generator),
            last=torch.randn(4, 4, 16, generator=generator),
            known=torch.zeros(4, 1),
            feature=torch.randn(4, 16, generator=generator),
        )
        eight = torch.einsum("bchw,tc->bthw", seen.stride8, maps[0])
        last = torch.einsum("bnd,td->btn", seen.last, maps[2]).unflatten(2, (2, 2))
        return seen, TeacherMaps(
            eight, torch.einsum("bchw,tc->bthw", seen.stride16, maps[1]), last + 3
        )

    shapes = ((STRIDE8_FEATURES, 8), (STRIDE16_FEATURES, 12), (FEATURES, 16))
    maps = [torch.randn(shape, generator=generator) for shape in shapes]
    met = [batch() for _ in range(40)]
    matching = Matching((8, 12), 16, 16)
    at_random = matching(*met[0])
    matching.fit([seen for seen, _ in met], [taught for _, taught in met])
    found = matching(*batch())
    for name in ("stride8", "stride16", "last"):
        assert found[name] < 0.02 < at_random[name], name

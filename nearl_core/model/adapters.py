"""What a CLIP asks of its adapters; equation numbers are those of `docs/method.md`."""

from typing import Protocol

from torch import Tensor

from nearl_core.model.nearl_config import NearlConfig


class Adapters(Protocol):
    """Adapters at work: `nearl.Nearl`, or what computes the same sooner.

    Attributes:
        config: Their shape.
    """

    config: NearlConfig

    def start(self, batch: int) -> Tensor:
        """z^0: B x M x r."""

    def project(self, modality: str, f: Tensor) -> Tensor:
        """Equation 2: ... x D to ... x r."""

    def synergy(self, modality: str, layer: int, z: Tensor, h_v: Tensor, h_t: Tensor) -> Tensor:
        """Equation 3: B x M x r."""

    def share(self, image_layer: int, text_layer: int) -> bool:
        """Whether one USEformer block serves both layers."""

    def moved(self, modality: str, layer: int, f: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """Equations 4 to 6: a layer's tokens with their update, B x N x D."""

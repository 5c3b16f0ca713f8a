"""The text side that each image has of its own, where it hears the image layer by layer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from nearl_core.model.adapters import Adapters
from nearl_core.model.interaction import SummariesAlone, WholeTexts


class OwnTexts:
    """The text side of each image of a batch, in step with its layers."""

    def __init__(
        self, nearl: Adapters, run: SummariesAlone | WholeTexts, h_t: Sequence[Tensor], z: Tensor
    ) -> None:
        """Start with the projected summaries of the layers that are known, C x r, and z^0."""
        self._nearl, self._run, self._h_t = nearl, run, list(h_t)
        self._depth, self._image_depth = nearl.config.text_depth, nearl.config.image_depth
        self._z, self._heard = z, nearl.config.first(self._depth) - 1
        self._h_v = dict[int, Tensor]()

    def see(self, image_layer: int, h_v: Tensor) -> None:
        """The image's projected summary after one of its layers: B x r."""
        self._h_v[image_layer] = h_v

    def after(self, layer: int, h_v: Tensor, image_layer: int) -> Tensor:
        """The labels' projected summaries after a text layer: B x C x r, or C x r where known.

        Args:
            layer: Of the text; never so high that it would need an image layer still to come.
            h_v: B x r, the image's projected summary after `image_layer`.
            image_layer: The latest one.
        """
        self.see(image_layer, h_v)
        while len(self._h_t) <= layer:
            reached = len(self._h_t)
            self._hear(reached - 1)
            self._h_t.append(self._nearl.project("text", self._run.step(reached)))
        return self._h_t[layer]

    def synergy(self, image_layer: int, z: Tensor, h_v: Tensor, h_t: Tensor) -> Tensor:
        """Equation 3 for the image, and with it for its texts where their layer hears the same.

        Two towers of one depth have one z all the way up.
        """
        nearl, layer = self._nearl, self._heard + 1
        # What the last layer's adapter makes of the texts reaches no image.
        hears = layer < min(len(self._h_t), self._depth - 1) and self._beside(layer) == image_layer
        if not hears or not nearl.share(image_layer, layer):
            return nearl.synergy("image", image_layer, z, h_v, h_t)
        self._heard = layer
        if self._z is z:
            z = self._z = nearl.synergy("image", image_layer, z, h_v, h_t)
            return z
        labels = h_t if h_t.dim() < 3 else torch.cat([h_t, h_t])
        both = nearl.synergy(
            "image", image_layer, torch.cat([z, self._z]), torch.cat([h_v, h_v]), labels
        )
        z, self._z = both.chunk(2)
        return z

    def _hear(self, layer: int) -> None:
        """What a text layer's adapter makes of the summaries, with the image layer beside it."""
        f = self._run.summaries
        h_t = self._h_t[layer].expand(len(f), -1, -1)
        if self._heard < layer:
            h_v = self._h_v[self._beside(layer)]
            self._z, self._heard = self._nearl.synergy("text", layer, self._z, h_v, h_t), layer
        self._run.take(self._nearl.moved("text", layer, f, h_t, self._z))

    def _beside(self, layer: int) -> int:
        """The image layer that a text layer hears."""
        return beside(layer, self._depth, self._image_depth)


def beside(layer: int, depth: int, other: int) -> int:
    """The layer of a tower of another depth that stands at the same height."""
    return max(round((layer + 1) / depth * other), 1) - 1

"""A graphics card that is pretended: numbers on the CPU, and every mixture of devices refused.

A device is a property of a storage here. Storages that came to the card are remembered; whatever
is computed from them is there too. Tensors say so (`device`, `is_cuda`), and what a card would
refuse is refused: products and sums of tensors on two devices, an index on the card into a tensor
that is not there, a random source of the CPU for numbers on the card, `numpy()` of what is there,
packed weights of the CPU's library, float64 on Apple's. What a card allows is allowed: single
numbers beside tensors, indices on the CPU. Precision follows CUDA where autocast is on: norms,
softmax and sums in float32. Values are real, so whole trainings run.

It tells nothing of speed, of memory, of kernels that a card has not, or of a card's rounding.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

CPU = torch.device("cpu")
_aten = torch.ops.aten
_INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}
_BETWEEN_DEVICES = {"copy_", "_to_copy", "copy"}
_CAST = (torch.float32, torch.bfloat16, torch.float16)
_IN_FLOAT32 = {  # by CUDA's autocast
    *("layer_norm", "group_norm", "softmax", "log_softmax", "logsumexp", "cosine_similarity"),
    *("sum", "prod", "cumsum", "norm", "pow", "exp", "log", "rsqrt", "reciprocal"),
    *("cross_entropy", "nll_loss", "mse_loss", "smooth_l1_loss", "kl_div"),
    "binary_cross_entropy_with_logits",
}
_LOWERED = {  # likewise
    *("linear", "matmul", "__matmul__", "__rmatmul__", "bmm", "mm", "addmm", "baddbmm", "einsum"),
    *("conv2d", "scaled_dot_product_attention"),
}
_ALIASING = {torch.as_tensor, torch.asarray}
_COPIED = {Tensor.__deepcopy__, torch.nn.Parameter.__deepcopy__}
_READ_BY_NUMPY: set[Any] = {Tensor.numpy, Tensor.__array__}
_SAYS = {getattr(Tensor, name).__get__: name for name in ("device", "is_cuda", "is_mps", "is_cpu")}


class MixedDevicesError(RuntimeError):
    """What a card would have refused."""


class Card:
    """The pretended card.

    Attributes:
        kind: "cuda" or "mps".
        capability: As CUDA counts it; below (8, 0) a card does not compute in bfloat16.
        waits: How often it was waited for by name.
        released: How often kept memory was given back.
    """

    def __init__(self, kind: str, capability: tuple[int, int]) -> None:
        self.kind, self.capability = kind, capability
        self.device = torch.device(kind, 0)
        self.waits, self.released = 0, 0
        self._there = dict[int, StorageWeakRef]()
        self._inside: list[bool] = []
        self._forced: torch.device | None = None

    def device_of(self, tensor: Tensor) -> torch.device:
        """Where a tensor is."""
        # A weak reference keeps an address from being used again.
        return self.device if _address(tensor) in self._there else tensor.device

    def take(self, found: object, device: torch.device) -> None:
        """Let what was just made be on a device."""
        for tensor in _tensors(found):
            address = _address(tensor)
            if address is None:
                continue
            if device.type != self.kind:
                self._there.pop(address, None)
            elif address not in self._there:
                if self.kind == "mps" and tensor.dtype == torch.float64:
                    raise TypeError("MPS has no float64")
                self._there[address] = StorageWeakRef(tensor.untyped_storage())
        if len(self._there) > 10_000:
            self._there = {k: ref for k, ref in self._there.items() if not ref.expired()}

    # --- what PyTorch's operations are asked to do ---

    def computed(self, operation: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> object:
        """Run one operation of PyTorch's own, after a look at where its tensors are."""
        name = operation._schema.name.split("::")[1]
        given = _tensors((args, kwargs))
        if self._forced is not None:
            found = operation(*args, **kwargs)
            self.take(found, self._forced)
            return found
        if name in _BETWEEN_DEVICES:
            there = self._is_here(given[0])
        else:
            there = self._checked(operation, name, args, given)
        if not given:
            # Made on the way: where what it is made for is; on the card by the way back.
            there = self._inside[-1] if self._inside else True
        found = operation(*args, **kwargs)
        if there:
            self.take(found, self.device)
        return found

    def called(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        """What a caller of PyTorch gets."""
        given = _tensors((args, kwargs))
        there = any(self._is_here(tensor) for tensor in given)
        if function in _SAYS:
            device, says = self.device_of(args[0]), _SAYS[function]
            return device if says == "device" else device.type == says.removeprefix("is_")
        if function in (Tensor.to, Tensor.cpu, Tensor.cuda):
            return self._moved(function, *args, **kwargs)
        if there and function in _READ_BY_NUMPY:
            raise TypeError(f"can't convert a tensor on {self.device} to numpy; copy it first")
        wanted = kwargs.get("device")
        wanted = None if wanted is None else torch.device(wanted)
        if wanted is not None:
            kwargs = {**kwargs, "device": CPU if wanted.type == self.kind else wanted}
            there = wanted.type == self.kind
            if there and kwargs.get("generator") is not None:
                raise MixedDevicesError(f"a generator of the CPU for numbers on {self.device}")
        if there and torch.is_autocast_enabled(self.kind):
            found = self._autocast(function, args, kwargs)
        else:
            found = self._within(there, function, args, kwargs)
        if wanted is not None:
            found = found.clone() if function in _ALIASING else found
            self.take(found, wanted)
        elif there and function in _COPIED:
            self.take(found, self.device)
        return found

    def _checked(
        self, operation: Any, name: str, args: Sequence[Any], given: Sequence[Tensor]
    ) -> bool:
        """Whether the operation is the card's."""
        if name in _INDEXING:
            given = [args[0], *_tensors(args[2:])]
            indices = _tensors(args[1])
            if not self._is_here(args[0]) and any(map(self._is_here, indices)):
                raise MixedDevicesError(f"{operation}: an index on {self.device} into the CPU's")
        there = [self._is_here(tensor) for tensor in given]
        if not any(there):
            return False
        if operation.namespace == "mkldnn":
            raise MixedDevicesError(f"{operation}: packed weights belong to the CPU")
        strange = [t for t, here in zip(given, there, strict=True) if not here and t.dim()]
        if strange:
            shapes = [tuple(t.shape) for t in given]
            raise MixedDevicesError(
                f"{operation}: {self.device} and cpu, shapes {shapes}, there {there}"
            )
        return True

    def _is_here(self, tensor: Tensor) -> bool:
        return self.device_of(tensor).type == self.kind

    def _moved(self, function: Any, tensor: Tensor, *args: Any, **kwargs: Any) -> object:
        kwargs.pop("non_blocking", None)
        copy = kwargs.pop("copy", False)
        now = self.device_of(tensor)
        if function is not Tensor.to:
            device, dtype, how = torch.device(function.__name__), None, torch.preserve_format
        elif args and isinstance(args[0], Tensor):
            device, dtype, how = self.device_of(args[0]), args[0].dtype, torch.preserve_format
        else:
            device, dtype, _, how = torch._C._nn._parse_to(*args, **kwargs)
            how = how or torch.preserve_format
        device, dtype = device or now, dtype or tensor.dtype
        if device.type == now.type:
            same: dict[str, Any] = {"dtype": dtype, "copy": copy, "memory_format": how}
            return self._within(self._is_here(tensor), Tensor.to, (tensor,), same)
        before, self._forced = self._forced, device
        try:
            return tensor.to(dtype=dtype, copy=True, memory_format=how)
        finally:
            self._forced = before

    def _within(
        self, there: bool, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call: what PyTorch makes inside without a tensor is made for this device."""
        self._inside.append(there)
        try:
            return function(*args, **kwargs)
        finally:
            self._inside.pop()

    def _autocast(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call in the card's autocast, by the CPU's, which takes other things for float32."""
        dtype = torch.get_autocast_dtype(self.kind)
        name = getattr(function, "__name__", "")
        wanted = torch.float32 if name in _IN_FLOAT32 else dtype if name in _LOWERED else None

        def cast(leaf: object) -> object:
            there = isinstance(leaf, Tensor) and leaf.dtype in _CAST and self._is_here(leaf)
            return leaf.to(wanted) if there else leaf  # type: ignore[attr-defined]

        with torch.autocast("cpu", dtype, enabled=wanted is not torch.float32):
            if wanted is not None:
                args, kwargs = tree_map(cast, (args, kwargs))
            return self._within(True, function, args, kwargs)

    # --- what PyTorch says of the card ---

    def patches(self) -> Iterator[Any]:
        """What is put in the place of PyTorch's own answers."""

        def wait(_device: object = None) -> None:
            self.waits += 1

        def release() -> None:
            self.released += 1

        def at_least(_device: object = None, including_emulation: bool = True) -> bool:
            return including_emulation or self.capability >= (8, 0)

        library: Any = getattr(torch, self.kind)
        cuda = self.kind == "cuda"
        yield patch.object(torch.cuda, "is_available", lambda: cuda)
        yield patch.object(torch.backends.mps, "is_available", lambda: not cuda)
        yield patch.object(library, "synchronize", wait)
        yield patch.object(library, "empty_cache", release)
        # Optimisers ask whether a card records a graph.
        yield patch.object(torch.accelerator, "current_accelerator", lambda **_given: None)
        if cuda:
            yield patch.object(torch.cuda, "is_current_stream_capturing", lambda: False)
            yield patch.object(torch.cuda, "device_count", lambda: 1)
            yield patch.object(torch.cuda, "current_device", lambda: 0)
            yield patch.object(torch.cuda, "max_memory_allocated", lambda _device=None: 0)
            yield patch.object(torch.cuda, "is_bf16_supported", at_least)
            yield patch.object(torch.cuda, "get_device_name", lambda _=None: "Pretended")
            yield patch.object(
                torch.cuda, "get_device_capability", lambda _device=None: self.capability
            )


class _Operations(TorchDispatchMode):
    def __init__(self, card: Card) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._card = card

    def __torch_dispatch__(
        self, func: Any, types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> object:
        del types
        return self._card.computed(func, args, kwargs or {})


class _Calls(TorchFunctionMode):
    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card

    def __torch_function__(
        self, func: Any, types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> object:
        del types
        return self._card.called(func, args, kwargs or {})


@contextmanager
def pretended(kind: str = "cuda", *, capability: tuple[int, int] = (8, 0)) -> Iterator[Card]:
    """A card while this lasts, in this thread; nothing of it may be used afterwards."""
    card = Card(kind, capability)
    with ExitStack() as stack:
        for one in card.patches():
            stack.enter_context(one)
        stack.enter_context(_Calls(card))
        stack.enter_context(_Operations(card))
        yield card


def _tensors(given: object) -> list[Tensor]:
    if isinstance(given, dict):
        given = given.values()
    elif not isinstance(given, (tuple, list)):
        return [given] if isinstance(given, Tensor) else []
    found = list[Tensor]()
    for part in given:
        if isinstance(part, Tensor):
            found.append(part)
        elif isinstance(part, (tuple, list, dict)):
            found += _tensors(part)
    return found


def _address(tensor: Tensor) -> int | None:
    try:
        return int(tensor.untyped_storage()._cdata)
    except NotImplementedError:  # weights that oneDNN laid out have none
        return None

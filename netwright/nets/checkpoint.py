"""What a training leaves behind to be gone on with: weights, buffers and the optimizer's state, as safetensors.

Nothing else is needed: every random draw has the name of its epoch, and the learning rate follows from the step.
"""

from __future__ import annotations

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from netwright.errors import RunError
from netwright.nets.net import Net

__all__ = ["pack", "unpack"]


def pack(net: Net, optimizer: torch.optim.Optimizer, epochs: int) -> bytes:
    """After so many epochs."""
    kept = {f"net/{name}": tensor for name, tensor in net.tensors().items()}
    for place, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                kept[f"optimizer/{place}/{name}"] = value.detach().contiguous()
    return save(kept, {"epochs": f"{epochs}"}) if kept else b""


def unpack(blob: bytes, net: Net, optimizer: torch.optim.Optimizer) -> None:
    """Put a network and its optimizer, both new, where they were. Raises :class:`RunError` for what is no checkpoint."""
    try:
        kept = load(blob)
    except SafetensorError as error:
        raise RunError(f"a checkpoint cannot be read ({error})", todo="Its trial is trained from the start.") from error
    net.load_tensors({name.removeprefix("net/"): value for name, value in kept.items() if name.startswith("net/")})
    parameters = _parameters(optimizer)
    for name, value in kept.items():
        if name.startswith("optimizer/"):
            _, place, key = name.split("/")
            parameter = parameters[int(place)]
            like = torch.empty_like(parameter) if value.shape == parameter.shape else torch.empty_like(value)
            optimizer.state[parameter][key] = like.copy_(value)  # in the parameter's own memory format, as it was


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]

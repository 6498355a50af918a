"""Channels dealt out anew between grouped convolutions, so that groups see each other (Zhang et al. 2018, arXiv:1707.01083)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, expect

__all__ = ["LAYER"]


class ChannelShuffle(Layer):
    """Attributes: ``groups``, which must divide the channels."""

    attributes = ("groups",)

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        channels = expect(inputs[0], "a channel shuffle", 3)[0]
        if channels % attrs["groups"]:
            raise SpaceError(f"{channels} channels cannot be split into {attrs['groups']} groups")
        return inputs[0]

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return True

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        """Each channel goes where it goes in the large one."""
        (x,) = inputs
        each, few = x.large.shape[0] // large["groups"], small["groups"]
        size = x.small.shape[0] // few
        dealt = [x.kept[group * size + i] for i in range(size) for group in range(few)]
        return Cut(tuple(channel % each * large["groups"] + channel // each for channel in dealt), {})

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        channels, high, wide = inputs[0].shape
        groups = attrs["groups"]
        return f"x0.unflatten(1, ({groups}, {channels // groups})).transpose(1, 2).reshape(-1, {channels}, {high}, {wide})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        channels, high, wide = inputs[0].shape
        groups = attrs["groups"]
        split, whole = (0, groups, channels // groups, high * wide), (0, channels, high, wide)
        return [
            OnnxNode("Reshape", ("x0", "split"), ("parts",), constants={"split": split}),
            OnnxNode("Transpose", ("parts",), ("dealt",), {"perm": [0, 2, 1, 3]}),
            OnnxNode("Reshape", ("dealt", "whole"), constants={"whole": whole}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        return f"shuffle · {attrs['groups']}"


LAYER = ChannelShuffle()

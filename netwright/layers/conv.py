"""2-D convolution, unless told otherwise with padding that keeps the size. ``groups`` 0 is depthwise: one filter per channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Indices, Layer, OnnxNode, Part, Shape, centre, expect, prefix

__all__ = ["LAYER", "filters"]


def filters(kept: Indices, large: tuple[int, int, int], small: tuple[int, int, int], depthwise: bool) -> tuple[Indices, Indices]:
    """Which channels a small convolution keeps of a large one's output, and of the input of each filter.

    ``large`` and ``small``: channels in and out, and groups. A depthwise one keeps the filters of the channels ``kept``,
    any other the first ones. Raises :class:`SpaceError` for groups of channels, which are no part of larger groups.
    """
    (cin, most, groups), (own, cout, few) = large, small
    if depthwise:
        times = most // cin
        each = prefix(cout // own, times, "filters for each channel")
        return tuple(channel * times + i for channel in kept for i in each), range(1)
    if groups != few or (groups > 1 and (cin, most, range(cin)) != (own, cout, kept)):
        raise SpaceError("a convolution in groups has no elastic form but by its kernel")
    return prefix(cout, most, "channels"), kept if groups == 1 else range(cin // groups)


class Conv(Layer):
    """Attributes: ``width`` (output channels), or ``ratio`` (as a multiple of the input's; 1 for a depthwise one), ``kernel``,
    ``stride`` 1, ``groups`` 1, ``dilation`` 1, ``bias`` False, ``padding`` on every side (where it is not given,
    ``dilation · (kernel − 1) / 2``)."""

    attributes = ("width", "ratio", "kernel", "stride", "groups", "dilation", "bias", "padding")

    def read(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> tuple[int, int, int, int, int, int, bool]:
        """Channels in and out, kernel, stride, groups, dilation, bias."""
        (x,) = inputs
        cin = expect(x, "a convolution", 3)[0]
        groups = attrs.get("groups", 1) or cin
        depthwise = attrs.get("groups", 1) == 0
        cout = cin * attrs.get("ratio", 1) if depthwise or "ratio" in attrs else attrs["width"]
        kernel = attrs.get("kernel", 3)
        if cin % groups or cout % groups:
            raise SpaceError(f"{cin} → {cout} channels cannot be split into {groups} groups")
        if kernel % 2 == 0 and "padding" not in attrs:
            raise SpaceError(f"kernel {kernel} is even; padding cannot keep the size", todo="Give an odd one, or a padding.")
        return cin, cout, kernel, attrs.get("stride", 1), groups, attrs.get("dilation", 1), attrs.get("bias", False)

    def padding(self, attrs: Mapping[str, Any]) -> int:
        """Zeros on every side."""
        padding: int = attrs.get("padding", attrs.get("dilation", 1) * (attrs.get("kernel", 3) // 2))
        return padding

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        _, cout, kernel, stride, _, dilation, _ = self.read(inputs, attrs)
        spare = [size + 2 * self.padding(attrs) - dilation * (kernel - 1) - 1 for size in inputs[0].shape[1:]]
        if min(spare) < 0:
            raise SpaceError(
                f"a {kernel}×{kernel} kernel does not fit a map of {inputs[0].shape[1:]}", todo="Give it more padding."
            )
        return Tensor((cout, *(size // stride + 1 for size in spare)))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        cin, cout, kernel, _, groups, _, bias = self.read(inputs, attrs)
        return {"weight": (cout, cin // groups, kernel, kernel), **({"bias": (cout,)} if bias else {})}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        cin, cout, kernel, _, groups, *_ = self.read(inputs, attrs)
        _, high, wide = self.shape(inputs, attrs).shape
        return 2 * cout * (cin // groups) * kernel * kernel * high * wide

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        (x,) = inputs
        cin, most, widest, _, groups, *_ = self.read((x.large,), large)
        own, cout, kernel, _, few, *_ = self.read((x.small,), small)
        if kernel != widest and ("padding" in large or "padding" in small):
            raise SpaceError("a kernel whose padding does not go with it has no elastic form")
        depthwise = large.get("groups", 1) == small.get("groups", 1) == 0
        out, ins = filters(x.kept, (cin, most, groups), (own, cout, few), depthwise)
        return Cut(out, {"weight": (out, ins, *(centre(kernel, widest),) * 2), "bias": (out,)})

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return not attrs.get("bias", False)

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        cin, cout, kernel, stride, groups, dilation, bias = self.read(inputs, attrs)
        parts = [f"{cin}, {cout}, {kernel}"]
        parts += [f"stride={stride}"] * (stride != 1) + [f"padding={self.padding(attrs)}"] * (self.padding(attrs) > 0)
        parts += [f"dilation={dilation}"] * (dilation != 1) + [f"groups={groups}"] * (groups != 1) + ["bias=False"] * (not bias)
        return f"nn.Conv2d({', '.join(parts)})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        _, _, kernel, stride, groups, dilation, bias = self.read(inputs, attrs)
        settings = {
            "kernel_shape": [kernel, kernel],
            "strides": [stride, stride],
            "pads": [self.padding(attrs)] * 4,
            "dilations": [dilation, dilation],
            "group": groups,
        }
        return [OnnxNode("Conv", ("x0", "weight", *(["bias"] if bias else [])), attrs=settings)]

    def label(self, attrs: Mapping[str, Any]) -> str:
        kernel, stride = attrs.get("kernel", 3), attrs.get("stride", 1)
        what = "depthwise" if attrs.get("groups", 1) == 0 else "conv"
        width = f" · {attrs['width']}" if "width" in attrs else f" · ×{attrs['ratio']}" if attrs.get("ratio", 1) > 1 else ""
        return f"{what} {kernel}×{kernel}{width}{f' /{stride}' if stride > 1 else ''}"


LAYER = Conv()

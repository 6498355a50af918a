"""MobileNets: inverted bottlenecks in stages, with resolution, depth, kernels, expansions and squeeze-and-excitation to decide.

Three designs: once-for-all MobileNetV3 (Cai et al. 2020, arXiv:1908.09791), the seven blocks of MnasNet that Accel-NASBench
measured (Ahmad et al. 2024, arXiv:2404.08005), and the first of the two made fit for images of any size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from netwright.core.architecture import Answer, Architecture, Signature
from netwright.core.contracts import Need
from netwright.core.space import Choice, Repeat, Seq, Space, Term, Tie, op
from netwright.errors import SpaceError
from netwright.spaces._blocks import bottleneck, conv_norm, halvings

__all__ = ["DESIGNS", "needs", "offers", "row", "space", "trace"]

needs = frozenset({Need.IMAGES})
offers = frozenset({Need.FINITE})

DESIGNS = ("open", "ofa", "accel")

KERNELS, EXPANSIONS, DEPTHS = (3, 5, 7), (3, 4, 6), (2, 3, 4)
RESOLUTIONS = tuple(range(128, 225, 4))
STAGES = (
    (24, 2, "relu", False),
    (40, 2, "relu", True),
    (80, 2, "hardswish", False),
    (112, 1, "hardswish", True),
    (160, 2, "hardswish", True),
)
"""Of once-for-all: width, stride, activation, squeeze-and-excitation."""

BLOCKS = ((16, 1, 3), (24, 2, 3), (40, 2, 3), (80, 2, 3), (112, 1, 3), (192, 2, 4), (320, 1, 3))
"""Of Accel-NASBench: width, stride, most layers."""

ACCEL = {"e": (1, 4, 6), "k": (3, 5), "l": (1, 2, 3, 4), "se": (0, 1)}
"""What Accel-NASBench decides for each block: expansion, kernel, layers, squeeze-and-excitation."""


def space(signature: Signature, *, design: str = "open", width: float = 0.0) -> Space:
    """The space for images of that size. ``width`` multiplies the channels of ``ofa`` and ``open``: 1, small images 0.25."""
    if design not in DESIGNS:
        raise SpaceError(f"unknown design {design!r}", where="mobilenet", todo=f"Known: {', '.join(DESIGNS)}.")
    size = min(signature.inputs[0][1].shape[1:])
    parts = _accel() if design == "accel" else _staged(size, width or (1.0 if size >= 96 else 0.25), design == "open")
    return Space(Seq(*parts, op("linear", units=signature.outputs)), name="mobilenet", signature=signature)


# ---- once-for-all -----------------------------------------------------------------------------------------------------


def _rounded(channels: float) -> int:
    """A multiple of eight, half up, not below nine tenths."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 * (rounded < 0.9 * channels)


def _staged(size: int, times: float, free: bool) -> Iterator[Term]:
    """The network up to its last layer; ``free`` lets every layer decide on squeeze-and-excitation, and halves small maps less
    often."""
    resolutions = sorted({max(1, round(size * part / 8)) for part in (4, 5, 6, 7, 8)}) if free else RESOLUTIONS
    strides = halvings(size, (2, *(stride for _, stride, *_ in STAGES)), 4 if free else 1)
    first, middle, last = (_rounded(channels * times) for channels in (16, 960, 1280))
    yield op("resize", size=Choice(*resolutions, name="resolution"))
    yield conv_norm(first, 3, strides[0], "hardswish")
    yield bottleneck(first, 1, 3)
    excite = op("squeeze_excite", ratio=4, multiple=8, gate="hardsigmoid")
    for stage, (channels, _, kind, excited) in enumerate(STAGES):
        wide = _rounded(channels * times)
        maybe: Term | None = Choice(op("identity"), excite) if free else excite if excited else None

        expand, kernel = Choice(*EXPANSIONS), Choice(*KERNELS)
        leader = bottleneck(wide, expand, kernel, strides[stage + 1], kind=kind, excite=maybe, skip=False)
        more = bottleneck(wide, expand, kernel, kind=kind, excite=maybe)
        yield Tie(f"stage{stage}", Seq(leader, Repeat(more, Choice(*(depth - 1 for depth in DEPTHS)))))
    yield conv_norm(middle, kind="hardswish")
    yield op("global_pool")
    yield op("linear", units=last, bias=False)
    yield op("activation", kind="hardswish")


def _places() -> Iterator[tuple[int, int, str]]:
    """Stage, layer, and the path of what the layer decides."""
    for stage in range(len(STAGES)):
        for layer in range(max(DEPTHS)):
            yield stage, layer, f"stage{stage}.1.{layer - 1}.0" if layer else f"stage{stage}.0.0"


# ---- Accel-NASBench ---------------------------------------------------------------------------------------------------


def _accel() -> Iterator[Term]:
    """The network up to its last layer. All layers of a block take the same decisions."""
    yield conv_norm(32, 3, 2, "silu")
    before = 32
    for block, (width, stride, most) in enumerate(BLOCKS):

        def layer(channels: int, leads: bool, block: int = block, width: int = width, stride: int = stride) -> Term:
            kernel = Choice(*ACCEL["k"], name=f"block{block}.k")
            excite = Tie(f"block{block}.se", Choice(op("identity"), op("squeeze_excite", hidden=channels // 4)))
            step = stride if leads else 1
            kinds = (bottleneck(width, e, kernel, step, kind="silu", excite=excite, skip=not leads) for e in ACCEL["e"])
            return Tie(f"block{block}.e", Choice(*kinds))

        yield layer(before, True)
        yield Repeat(layer(width, False), Choice(*range(most), name=f"block{block}.l"))
        before = width
    yield conv_norm(1280, kind="silu")
    yield op("global_pool")


# ---- tables -----------------------------------------------------------------------------------------------------------


def trace(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The decisions of a row: of Accel-NASBench (``block0_e`` …), or of once-for-all (``resolution``, ``d`` depths of stages,
    ``ks`` and ``e`` of four layers for each stage, of which those beyond its depth mean nothing)."""
    if "block0_e" in row:
        blocks = range(len(BLOCKS))
        return {f"block{i}.{key}": ACCEL[key].index(int(row[f"block{i}_{key}"])) for i in blocks for key in ACCEL}
    found: dict[str, Answer] = {"resolution": RESOLUTIONS.index(row["resolution"])}
    found |= {f"stage{stage}.1.times": DEPTHS.index(depth) for stage, depth in enumerate(row["d"])}
    for place, (stage, layer, path) in enumerate(_places()):
        if layer < row["d"][stage]:
            found[f"{path}.0.ratio"] = EXPANSIONS.index(row["e"][place])
            found[f"{path}.3.kernel"] = KERNELS.index(row["ks"][place])
    return found


def row(architecture: Architecture) -> dict[str, Any]:
    """The row of an architecture. What layers beyond a stage's depth would have is 0."""
    decisions = architecture.decisions

    def value(options: tuple[int, ...], path: str) -> int:
        answer = decisions.get(path)
        return options[answer] if isinstance(answer, int) else 0

    if "block0.e" in decisions:
        return {
            f"block{i}_{key}": value(options, f"block{i}.{key}") for i in range(len(BLOCKS)) for key, options in ACCEL.items()
        }
    if "stage0.0.0.6" in decisions:
        raise SpaceError("a network of design 'open' has no row", where="mobilenet", todo="Tables are of 'ofa' and 'accel'.")
    return {
        "resolution": value(RESOLUTIONS, "resolution"),
        "ks": [value(KERNELS, f"{path}.3.kernel") for *_, path in _places()],
        "e": [value(EXPANSIONS, f"{path}.0.ratio") for *_, path in _places()],
        "d": [value(DEPTHS, f"stage{stage}.1.times") for stage in range(len(STAGES))],
    }

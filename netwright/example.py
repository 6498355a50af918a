"""A space that is looked at without data: by its name, over inputs that are given as shapes or are usual for its kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from netwright import compose
from netwright.core.architecture import Signature, Tensor
from netwright.core.contracts import Need
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.errors import RecipeError, SpaceError
from netwright.layers.counts import count
from netwright.recipe import Recipe

__all__ = ["EXAMPLES", "look", "signature"]


def _usual(*shape: int, outputs: int = 10, dtype: str = "float32") -> Signature:
    return Signature((("x", Tensor(shape, dtype)),), (("y", Tensor((outputs,))),))


EXAMPLES: dict[Need, Signature] = {
    Need.IMAGES: _usual(3, 32, 32),
    Need.TABLES: _usual(16, outputs=2),
    Need.SEQUENCES: _usual(64, 8),
    Need.GRAPHS: Signature((("x", Tensor((34, 16))), ("adjacency", Tensor((34, 34)))), (("y", Tensor((34, 4))),)),
    Need.SEVERAL: Signature(
        (("image", Tensor((3, 32, 32))), ("sound", Tensor((64, 16)))), (("what", Tensor((10,))), ("who", Tensor((4,))))
    ),
}
"""What a space is shown with, by what it needs: a small image, a table of 16 columns, 64 steps of 8 features and so on."""

_SHAPE = re.compile(r"(?:([A-Za-z_]\w*)=)?(\d+(?:x\d+)*)(?::(float32|int64))?")


def signature(needs: Collection[Need], inputs: Sequence[str] = (), outputs: int | None = None) -> Signature:
    """``inputs``: ``3x32x32``, with a name where there are several (``image=3x32x32``), and ``:int64`` for tokens.

    Raises :class:`RecipeError` for what is no shape.
    """
    usual = next((EXAMPLES[need] for need in EXAMPLES if need in needs), EXAMPLES[Need.IMAGES])
    found: list[tuple[str, Tensor]] = []
    for text in inputs:
        match = _SHAPE.fullmatch(text.strip())
        if match is None or 0 in (sizes := tuple(map(int, match[2].split("x")))):
            raise RecipeError(
                f"input {text!r} is no shape", todo='Write it as 3x32x32, or "image=3x32x32" where there are several.'
            )
        kind = match[3] or ("int64" if len(inputs) == 1 and usual.inputs[0][1].dtype == "int64" else "float32")
        found.append((match[1] or usual.inputs[min(len(found), len(usual.inputs) - 1)][0], Tensor(sizes, kind)))
    if len({name for name, _ in found}) < len(found):
        raise RecipeError("several inputs have one name", todo="Name them: image=3x32x32 sound=64x16.")
    heads = usual.heads
    if outputs is not None:
        heads = tuple((name, Tensor((*tensor.shape[:-1], outputs))) for name, tensor in heads)
    elif found and len(heads) == 1 and len(heads[0][1].shape) > 1:  # one output for each place
        heads = ((heads[0][0], Tensor((found[0][1].shape[0], heads[0][1].shape[-1]))),)
    return Signature(tuple(found) or usual.inputs, heads)


def look(
    name: str, inputs: Sequence[str] = (), outputs: int | None = None, settings: Mapping[str, Any] | None = None
) -> tuple[Space, Signature]:
    """A space by name (or ``file.py:name``) and the signature it is built for.

    Raises a :class:`~netwright.errors.UserError` where there is no such space, or it cannot take such inputs.
    """
    recipe = Recipe(space=name, options={"space": dict(settings)} if settings else {})
    needs = compose.space_needs(name)
    if needs or inputs:
        given = signature(needs, inputs, outputs)
        return compose.build_space(recipe, given)[0], given
    refused: SpaceError | None = None
    for kind in EXAMPLES:  # it takes whatever fits
        given = signature({kind}, inputs, outputs)
        try:
            space, _ = compose.build_space(recipe, given)
            count(sample(space, stream(0, 0, "look")), given)
        except SpaceError as error:
            refused = refused or error
        else:
            return space, given
    assert refused is not None
    raise refused

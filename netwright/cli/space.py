"""``space``: make a space around an existing network, and show any space as the expression it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netwright.cli.flags import Json, names
from netwright.cli.help import Command, Group

__all__ = ["app"]

app = typer.Typer(
    cls=Group,
    help="Make a space around a PyTorch network of yours, or show a space.",
    epilog="""
netwright space from-model resnet.py:ResNet18 --input 3x32x32
netwright space show chain --input 1x8x8
""",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command(
    "from-model",
    cls=Command,
    epilog="""
netwright space from-model resnet.py:ResNet18 --input 3x32x32
netwright space from-model my.nets:VGG --input 3x32x32 --weights vgg.safetensors
netwright space from-model resnet.py:ResNet18 --input 3x32x32 --include "layer[34]" --exclude "*.downsample"
""",
)
def from_model(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A class of networks, or a function that makes one: module:Class or file.py:Class. Its code is run.",
            show_default=False,
        ),
    ],
    given: Annotated[
        str,
        typer.Option(
            "--input", help='Shape of one example: 3x32x32, 20; "64:int64" for codes.', metavar="SHAPE", show_default=False
        ),
    ],
    weights: Annotated[
        Path | None,
        typer.Option(help="Its trained weights: a safetensors file of its state dict.", metavar="FILE", show_default=False),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(
            help="Only layers with such names may change: layer1.* (repeatable).", metavar="PATTERN", show_default=False
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Layers with such names stay as they are (repeatable).", metavar="PATTERN", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write, NAME_space.py; .json and .safetensors beside it.", metavar="FILE", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make a space around a network: widths, kernels, depth and replaceable layers become choices, its weights are kept."""
    from netwright import example, models
    from netwright.cli.style import console, print_json
    from netwright.core.size import Size

    ((_, tensor),) = example.signature(frozenset(), [given]).inputs
    told = models.space_files(model, tensor, weights=weights, include=include or [], exclude=exclude or [], out=out)
    if json:
        print_json(told)
        return
    screen = console()
    screen.print(
        f"{model}: {told['layers']} layers, {told['params']:,} parameters; rebuilt, outputs differ by {told['difference']:.1g}",
        soft_wrap=True,
    )
    screen.print(
        f"{told['holes']} decisions, {Size(told['size'], told['size_is_exact'])} architectures. Written:", soft_wrap=True
    )
    what = ("the space, to be edited", "the network itself, as one of them", "its weights")
    for file, meaning in zip(told["files"], what, strict=True):
        screen.print(f"  {file}  {meaning}", soft_wrap=True)
    space, start, tensors = told["space"], told["files"][1], told["files"][2]
    screen.print(
        f"netwright search DATA --space {space} --start-with {start} --set estimator.start={tensors}",
        soft_wrap=True,
        style="cyan",
    )


@app.command(
    cls=Command,
    epilog="""
netwright space show chain --input 1x8x8
netwright space show my_file.py:my_space --input 3x32x32 --outputs 5
""",
)
def show(
    space: Annotated[
        str,
        typer.Argument(
            metavar="SPACE", help="A name, or my_file.py:my_space.", autocompletion=names("spaces"), show_default=False
        ),
    ],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            help="Shape of one example, 3x32x32; name=shape where there are several.",
            metavar="SHAPE",
            show_default=False,
        ),
    ] = None,
    outputs: Annotated[
        int | None, typer.Option(min=1, help="Classes, or columns to predict.", metavar="N", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Show a space as the expression it is, in the words it can be written in."""
    from netwright import example
    from netwright.cli.style import console, print_json
    from netwright.core.text import statements

    found, _ = example.look(space, given or [], outputs)
    if json:
        print_json(found.to_json())
        return
    screen = console()
    rules = ((f'rules["{name}"]', rule) for name, rule in found.rules.items())
    heads = ((f"heads[{i}]", head) for i, head in enumerate(found.heads))
    for name, term in (*rules, ("body", found.body), *heads):
        screen.print(statements(term, name), soft_wrap=True)

"""A space of your own: convolutions of one width with squeeze-and-excitation, some with a skip.

python examples/own_space.py [BUDGET]
netwright search digits --space examples/own_space.py:space --budget 60s
"""

from __future__ import annotations

import sys

import netwright
from netwright.core.architecture import Signature
from netwright.core.space import Branches, Choice, Range, Repeat, Seq, Space, op


def space(signature: Signature, *, widest: int = 24) -> Space:
    """``widest``: channels at most; set it with ``--set space.widest=32``."""
    width = Choice(8, 16, widest, name="width")  # one name, one decision
    conv = Seq(op("conv", width=width, kernel=Choice(3, 5)), op("batch_norm"), op("activation", kind="relu"))
    excited = Seq(conv, op("squeeze_excite", ratio=4))
    block = Choice(conv, excited, Branches(conv, op("identity")))
    body = Seq(conv, Repeat(block, Range(0, 3)), op("global_pool"), op("linear", units=signature.outputs))
    return Space(body, name="excited", signature=signature)


def main(budget: str = "60s") -> None:
    run = netwright.search(
        "digits", space=f"{__file__}:space", options={"space": {"widest": 32}}, limits=["params<=10k"], budget=budget
    )
    for node in run.best.architecture.nodes:
        print(node.op, dict(node.attrs))
    print(run.best)


if __name__ == "__main__":
    main(*sys.argv[1:2])

"""Several inputs, several tasks: where they are joined, and that everything reaches every head."""

import pytest
import torch

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import everything, replayed, sample
from netwright.core.seeds import stream
from netwright.core.space import unfold
from netwright.errors import SpaceError
from netwright.layers.counts import count, shapes
from netwright.nets.graph import to_onnx
from netwright.nets.net import Net
from netwright.spaces.multimodal import space

torch.set_num_threads(1)
SIGNATURE = Signature(
    (("audio", Tensor((100, 5))), ("image", Tensor((3, 16, 16)))), (("speaker", Tensor((4,))), ("word", Tensor((10,))))
)
SPACE = space(SIGNATURE, width=16)


def member(join):
    return unfold(SPACE, lambda path, hole: join if path == "join" else 0)


@pytest.mark.parametrize("join", range(5))
def test_blocks_before_and_after_the_joining_point(join):
    made = member(join)
    paths = [node.weights for node in made.nodes if node.op == "attention"]
    assert len(paths) == (2 * join + (4 - join) if join < 4 else 8)
    appended = [shapes(made, SIGNATURE)[i].shape for i, node in enumerate(made.nodes) if node.op == "append"]
    assert appended == ([(50 + 64, 16)] if join < 4 else [])  # 100 steps at stride 2, 8 × 8 patches
    assert len(made.outputs) == 2


@pytest.mark.parametrize("join", [0, 2, 4])
def test_both_inputs_reach_both_heads(join):
    net = Net(member(join), SIGNATURE, seed=1).eval()
    audio, image = torch.randn(2, 100, 5), torch.randn(2, 3, 16, 16)
    given = net(audio, image)
    assert [tuple(out.shape) for out in given] == [(2, 4), (2, 10)]
    for other in (net(audio + 1, image), net(audio, image.flip(2))):
        assert not any(torch.equal(a, b) for a, b in zip(given, other, strict=True))


def test_moving_the_joining_point_keeps_the_other_decisions():
    drawn = sample(SPACE, stream(3, 0, "test"))
    early = unfold(SPACE, lambda path, hole: 1 if path == "join" else drawn.decisions.get(path, 0))
    late = unfold(SPACE, lambda path, hole: 2 if path == "join" else early.decisions.get(path, 0))
    kept = early.decisions.keys() & late.decisions.keys() - {"join"}
    assert len(kept) > 10
    assert all(early.decisions[path] == late.decisions[path] for path in kept)
    assert replayed(SPACE, late.decisions) == late


def test_it_has_a_supernet_and_an_onnx_graph():
    assert not everything(SPACE).hard
    graph = to_onnx(member(1), SIGNATURE).graph
    assert [value.name for value in graph.input] == ["audio", "image"]
    assert [value.name for value in graph.output] == ["speaker", "word"]
    assert count(member(1), SIGNATURE).params > 0


def test_an_input_of_no_known_kind_is_named():
    with pytest.raises(SpaceError, match="input 'age' is neither a map nor a sequence"):
        space(Signature((("age", Tensor((1,))), ("image", Tensor((3, 16, 16)))), SIGNATURE.heads))

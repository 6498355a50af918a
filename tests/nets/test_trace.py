"""Spaces made of real networks: the network is a member and gives what it gave, its parts become holes, members inherit."""

import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from netwright.core.architecture import Signature, Tensor
from netwright.core.picks import replayed, sample
from netwright.core.space import Choice, Graph, Let, Repeat, Seq, Space, Subset, op
from netwright.core.text import WORDS, statements
from netwright.errors import SpaceError
from netwright.layers.counts import count, shapes
from netwright.nets.inherit import Origin, read_origin
from netwright.nets.net import Net
from netwright.nets.trace import inherited, space_of, space_of_class
from netwright.testing.space import check_all

torch.set_num_threads(1)


def signed(*shape: int, outputs: int = 10, dtype: str = "float32") -> Signature:
    return Signature((("x", Tensor(shape, dtype)),), (("y", Tensor((outputs,))),))


# ---- networks as people write them ------------------------------------------------------------------------------------


class BasicBlock(nn.Module):
    def __init__(self, cin: int, cout: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet18(nn.Module):
    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(width, width), BasicBlock(width, width))
        self.layer2 = nn.Sequential(BasicBlock(width, 2 * width, 2), BasicBlock(2 * width, 2 * width))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(2 * width, 10)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(self.layer2(self.layer1(x))), 1))


class InvertedResidual(nn.Module):
    def __init__(self, cin: int, cout: int, stride: int, ratio: int) -> None:
        super().__init__()
        hidden = cin * ratio
        wide = [nn.Conv2d(cin, hidden, 1, bias=False), nn.BatchNorm2d(hidden, eps=1e-3), nn.ReLU6(inplace=True)]
        deep = [nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()]
        self.conv = nn.Sequential(
            *(wide if ratio > 1 else []), *deep, nn.Conv2d(hidden, cout, 1, bias=False), nn.BatchNorm2d(cout)
        )
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        blocks = [
            InvertedResidual(16, 8, 1, 1),
            InvertedResidual(8, 16, 2, 6),
            *(InvertedResidual(16, 16, 1, 6) for _ in range(2)),
        ]
        stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6())
        self.features = nn.Sequential(stem, *blocks)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(16, 10))

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


class VGG(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        cin = 3
        for width in (16, 16, 0, 32, 32, 32, 0):
            layers += [nn.Conv2d(cin, width, 3, padding=1), nn.ReLU(inplace=True)] if width else [nn.MaxPool2d(2, 2)]
            cin = width or cin
        self.features, self.avgpool = nn.Sequential(*layers), nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Sequential(nn.Linear(128, 64), nn.ReLU(True), nn.Dropout(), nn.Linear(64, 10))

    def forward(self, x):
        x = self.avgpool(self.features(x))
        return self.classifier(x.view(x.size(0), -1))


class MLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.norm, self.out = nn.Linear(20, 32), nn.BatchNorm1d(32), nn.Linear(32, 10)
        self.fc2, self.fc3 = nn.Linear(32, 32), nn.Linear(32, 32)

    def forward(self, x):
        assert x.shape[1] == 20, "code may ask for shapes"
        x = torch.tanh(self.norm(self.fc1(x)))
        x = F.relu(self.fc2(x))
        return self.out(F.dropout(F.relu(self.fc3(x)), 0.1, self.training))


class ViT(nn.Module):
    def __init__(self, norm_first: bool = True) -> None:
        super().__init__()
        self.patch, self.token = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.randn(1, 1, 16))
        self.position = nn.Parameter(torch.randn(1, 17, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, 0.1, "gelu", batch_first=True, norm_first=norm_first)
        self.encoder = nn.TransformerEncoder(layer, 3, nn.LayerNorm(16, eps=1e-6), enable_nested_tensor=False)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.patch(x)
        rows, channels, high, wide = x.shape
        x = x.reshape(rows, channels, high * wide).transpose(1, 2)
        x = torch.cat([self.token.expand(rows, -1, -1), x], dim=1) + self.position
        return self.head(self.encoder(x)[:, 0])


class OwnAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))

    def forward(self, x):
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(x)


class OwnTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Linear(6, 8), nn.Linear(8, 10)
        self.blocks = nn.ModuleList([OwnAttention(), OwnAttention()])

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(dim=1))


class LSTMClassifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.fc = nn.Embedding(30, 16, padding_idx=0), nn.Linear(24, 10)
        self.lstm = nn.LSTM(16, 24, num_layers=2, batch_first=True, dropout=0.2)

    def forward(self, x):
        _, (hidden, _) = self.lstm(self.embedding(x))
        return self.fc(hidden[-1])


class Conv1d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(4, 8, 5, padding=2), nn.BatchNorm1d(8), nn.ReLU(), nn.AdaptiveAvgPool1d(1))
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        return self.fc(self.body(x).squeeze(-1))


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2 = nn.Linear(256, 40), nn.Linear(40, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


class Squeezed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.pool, self.fc = nn.Conv2d(3, 16, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Linear(16, 10)
        self.reduce, self.expand, self.act = nn.Conv2d(16, 6, 1), nn.Conv2d(6, 16, 1), nn.SiLU()

    def forward(self, x):
        x = F.hardswish(self.stem(x))
        scale = F.hardsigmoid(self.expand(self.act(self.reduce(self.pool(x)))))
        return self.fc(self.pool(scale * x).flatten(1))


class Dense(nn.Module):
    """A concatenation, grouped convolutions, one module called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.c, self.fc, self.relu = nn.Conv2d(16, 8, 1), nn.Linear(8, 10), nn.ReLU()

    def forward(self, x):
        x = self.relu(self.a(x))
        x = self.c(torch.cat([x, self.relu(self.b(x))], 1))
        return self.fc(x.mean(dim=(-2, -1)))


NETWORKS = {
    "resnet": (ResNet18, signed(3, 32, 32)),
    "mobilenet": (MobileNetV2, signed(3, 32, 32)),
    "vgg": (VGG, signed(3, 16, 16)),
    "mlp": (MLP, signed(20)),
    "vit": (ViT, signed(3, 16, 16)),
    "post-norm vit": (lambda: ViT(norm_first=False), signed(3, 16, 16)),
    "attention": (OwnTransformer, signed(7, 6)),
    "lstm": (LSTMClassifier, signed(9, dtype="int64")),
    "conv1d": (Conv1d, signed(4, 12)),
    "lenet": (LeNet, signed(1, 28, 28)),
    "squeeze-excite": (Squeezed, signed(3, 8, 8)),
    "dense": (Dense, signed(3, 8, 8)),
}
each = pytest.mark.parametrize("name", NETWORKS)


def trained(name: str) -> tuple[nn.Module, Signature]:
    """With weights and statistics that are not those of a fresh network."""
    make, signature = NETWORKS[name]
    module = make()
    generator = torch.Generator().manual_seed(len(name))
    for key, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape, generator=generator)
            tensor.copy_(noise + 0.5 if "var" in key else tensor + 0.2 * noise)
    return module.eval(), signature


def inputs(signature: Signature) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    tensor = signature.inputs[0][1]
    if tensor.dtype == "int64":
        return torch.randint(0, 30, (3, *tensor.shape), generator=generator)
    return torch.randn((3, *tensor.shape), generator=generator)


def outputs(architecture, signature, tensors, x):
    net = Net(architecture, signature).eval()
    net.load_tensors({**net.tensors(), **tensors})
    with torch.no_grad():
        return net(x)


# ---- the network is a member ------------------------------------------------------------------------------------------


@each
def test_the_network_is_found_by_its_trace_and_gives_the_same(name):
    module, signature = trained(name)
    imported = space_of(module, signature)
    member = replayed(imported.space, imported.trace)
    assert member.id == imported.original.id
    assert set(imported.trace.values()) == {0}, "the first option of every hole is the network's own"
    assert count(member, signature).params == sum(p.numel() for p in module.parameters())
    x = inputs(signature)
    with torch.no_grad():
        wanted = module(x)
    found = outputs(member, signature, imported.tensors, x)
    assert wanted.std() > 1e-3
    assert (wanted - found).abs().max() <= 2e-6 * wanted.abs().max().clamp(min=1)
    assert imported.difference <= 2e-6 * max(1.0, float(wanted.abs().max()))


@each
def test_every_member_fits_runs_and_inherits(name):
    module, signature = trained(name)
    imported = space_of(module, signature)
    met = set()
    for seed in range(25):
        member = sample(imported.space, random.Random(seed))
        met.add(member.id)
        assert shapes(member, signature)[member.outputs[0]] == signature.heads[0][1]
    assert len(met) > 5
    taken = inherited(member, imported)
    own = Net(member, signature).tensors()
    assert set(taken) <= set(own)
    assert sum(own[key].numel() for key in taken) > 0.9 * sum(tensor.numel() for tensor in own.values())
    assert outputs(member, signature, taken, inputs(signature)).isfinite().all()


@each
def test_the_text_of_a_space_is_the_space(name):
    module, signature = trained(name)
    imported = space_of(module, signature)
    text = statements(imported.body, "body")
    assert "units=signature.outputs" in text
    assert max(len(line) for line in text.splitlines()) <= 130
    import netwright.core.space as words

    scope = {"signature": signature, **{word: getattr(words, word) for word in WORDS}}
    exec(text, scope)  # our own text
    assert Space(scope["body"]).digest == Space(imported.space.body).digest


@pytest.mark.parametrize("name", ["mobilenet", "lstm", "squeeze-excite"])
def test_it_is_a_space_like_any_other(name):
    module, signature = trained(name)
    check_all(space_of(module, signature).space, signature, seeds=3)


# ---- what becomes a hole ------------------------------------------------------------------------------------------------


def test_what_varies_in_a_resnet():
    module, signature = trained("resnet")
    body = space_of(module, signature).space.body
    assert isinstance(body, Graph)
    parts = {name: term for name, term, _ in body.nodes}
    assert dict(parts["conv1"].attrs)["kernel"] == Choice(7, 5, 3)
    assert dict(parts["conv1"].attrs)["width"] == Choice(16, 12, 8, name="width_conv1")
    assert parts["maxpool"] == Choice(
        op("max_pool", kernel=3, stride=2, padding=1), op("avg_pool", kernel=3, stride=2, padding=1)
    )
    assert isinstance(parts["layer1"], Repeat)
    assert parts["layer1"].times == Choice(2, 1)
    block = {name: term for name, term, _ in parts["layer1"].body.nodes}
    assert dict(block["conv1"].attrs)["width"] == Choice(16, 12, 8), "inside a block: its own"
    assert dict(block["conv2"].attrs)["width"].name == "width_conv1", "what meets in a sum is one decision"
    assert [option.attrs for option in block["relu"].options] == [
        op("activation", kind=kind).attrs for kind in ("relu", "silu", "hardswish")
    ]
    first, second = parts["layer2"].parts
    assert isinstance(first, Graph)
    assert second.times == Choice(1, 0), "the block that changes the shape stays"
    assert parts["fc"] == op("linear", units=10)


def test_what_varies_elsewhere():
    module, signature = trained("mobilenet")
    stem, _, _, repeat = next(term for name, term, _ in space_of(module, signature).space.body.nodes if name == "features").parts
    assert isinstance(stem, Seq)
    assert repeat.times == Choice(2, 1, 0)
    inner = next(term for name, term, _ in repeat.body.nodes if name == "conv").parts
    assert dict(inner[3].attrs) == {"groups": 0, "kernel": Choice(3, 5, 7)}, "a depthwise width is its input's"
    module, signature = trained("vgg")
    features = next(term for name, term, _ in space_of(module, signature).space.body.nodes if name == "features").parts
    assert [part.times for part in features if isinstance(part, Repeat)] == [Choice(1, 0), Choice(2, 1, 0)]
    module, signature = trained("vit")
    assert space_of(module, signature).trace.keys() >= {"net.encoder.layers.times", "width_patch"}
    module, signature = trained("lenet")
    assert not [path for path in space_of(module, signature).trace if path.endswith("kernel")], "its padding is no function of it"


def test_one_output_for_each_step_is_kept():
    module, signature = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), signed(5, 6)
    signature = Signature(signature.inputs, (("y", Tensor((5, 3))),))
    imported = space_of(module, signature)
    assert shapes(imported.original, signature)[-1].shape == (5, 3)
    assert 'op("linear", units=3)' in statements(imported.body, "body")


def test_layers_are_included_and_excluded_by_name():
    module, signature = trained("resnet")
    everything = set(space_of(module, signature).trace)
    only = set(space_of(module, signature, include=["layer2"]).trace)
    assert only
    assert all(path.startswith(("net.layer2", "width_layer2")) for path in only)
    but = set(space_of(module, signature, exclude=["layer2", "*.relu*"]).trace)
    assert but < everything
    assert not [path for path in but if "layer2" in path]
    assert "net.relu" in but
    assert not [path for path in but if "layer1" in path and "relu" in path]
    with pytest.raises(SpaceError, match=r"no layer is named like 'layr1'. The outermost names: conv1, bn1"):
        space_of(module, signature, exclude=["layr1"])


def test_another_number_of_classes_takes_a_new_head():
    module, _ = trained("resnet")
    other = signed(3, 32, 32, outputs=4)
    imported = space_of(module, other)
    assert shapes(imported.original, other)[-1].shape == (4,)
    assert "net.fc/weight" not in imported.tensors
    assert "net.conv1/weight" in imported.tensors


# ---- weights ------------------------------------------------------------------------------------------------------------


def test_members_inherit_what_they_share():
    module, signature = trained("resnet")
    imported = space_of(module, signature)
    same = inherited(imported.original, imported)
    assert same.keys() == imported.tensors.keys()
    assert all(torch.equal(same[key], imported.tensors[key]) for key in same)
    narrow = replayed(imported.space, {**imported.trace, "net.layer1.0.conv1.width": 2})
    taken = inherited(narrow, imported)
    whole = imported.tensors
    assert torch.equal(taken["net.layer1.0.conv1/weight"], whole["net.layer1.0.conv1/weight"][:8])
    assert torch.equal(taken["net.layer1.0.bn1/running_var"], whole["net.layer1.0.bn1/running_var"][:8])
    assert torch.equal(taken["net.layer1.0.conv2/weight"], whole["net.layer1.0.conv2/weight"][:, :8])
    small = replayed(imported.space, {**imported.trace, "net.conv1.kernel": 1})
    assert torch.equal(inherited(small, imported)["net.conv1/weight"], whole["net.conv1/weight"][:, :, 1:-1, 1:-1])


def test_a_larger_kernel_computes_the_same():
    module, signature = trained("mobilenet")
    imported = space_of(module, signature)
    large = {path: 2 if path.endswith("kernel") else 0 for path in imported.trace}
    member = replayed(imported.space, large)
    x = inputs(signature)
    with torch.no_grad():
        assert torch.allclose(outputs(member, signature, inherited(member, imported), x), module(x), atol=1e-5)


def test_weights_travel_as_a_file(tmp_path):
    module, signature = trained("mlp")
    imported = space_of(module, signature)
    imported.origin.write(tmp_path / "mlp.safetensors")
    back = read_origin(str(tmp_path / "mlp.safetensors"))
    assert back.architecture == imported.original
    assert back.pieces(imported.original, signature).keys() == imported.tensors.keys()
    other = signed(20, outputs=3)
    head = Origin(imported.original, signature, imported.tensors).pieces(space_of(module, other).original, other)
    assert "net.fc1/weight" in head
    assert "net.out/weight" not in head
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    with pytest.raises(SpaceError, match=r"no\.safetensors: no weights to start from can be read"):
        read_origin(str(tmp_path / "no.safetensors"))


# ---- what cannot be ---------------------------------------------------------------------------------------------------


class Sized(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.a, self.b = how, nn.Linear(4, 4), nn.Linear(4, 10)
        self.norm = nn.Sequential(nn.GroupNorm(2, 4))

    def forward(self, x):
        x = self.a(x)
        if self.how == "norm":
            x = self.norm(x)
        if self.how == "twice":
            x = self.a(x)
        if self.how == "numbers" and x.sum() > 0:
            x = x + x
        if self.how == "item":
            x = x + x.mean().item()
        if self.how == "softmax":
            return torch.softmax(self.b(x), 1)
        return (self.b(x), x) if self.how == "two" else self.b(x)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("norm", r"^Sized\.norm\.0: GroupNorm cannot be said in layers: no layer does that\."),
        ("twice", r"^Sized\.a: Linear cannot be said in layers: its weights are used at two places"),
        (
            "numbers",
            r'^Sized, test_trace\.py line \d+ \(if self\.how == "numbers" and x\.sum\(\) > 0:\): what happens next depends',
        ),
        ("item", r"test_trace\.py line \d+ \(x = x \+ x\.mean\(\)\.item\(\)\)"),
        ("softmax", r"^Sized: softmax cannot be said in layers"),
        ("two", r"^Sized: forward returns tuple, not one tensor"),
    ],
)
def test_what_cannot_be_said_in_layers_is_named_in_one_line(how, says):
    with pytest.raises(SpaceError, match=says) as caught:
        space_of(Sized(how), signed(4))
    assert "\n" not in str(caught.value)


def test_wrong_inputs_are_named_with_the_line():
    with pytest.raises(SpaceError, match=r"test_trace\.py line \d+ \(x = self\.a\(x\)\): it fails on inputs of shape 5: "):
        space_of(Sized(""), signed(5))
    module = Sized("").train()
    module.norm.eval()
    space_of(module, signed(4))
    assert module.training
    assert not module.norm.training


# ---- a class whose constructor takes choices ----------------------------------------------------------------------------


class Own(nn.Module):
    def __init__(self, outputs: int, width: int = 4, blocks: int = 1, kinds: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[nn.Sequential(nn.Linear(4 if i == 0 else width, width), nn.ReLU()) for i in range(blocks)])
        self.kinds, self.out = kinds, nn.Linear(width, outputs)

    def forward(self, x):
        x = self.blocks(x)
        for kind in self.kinds:
            x = getattr(torch, kind)(x)
        return self.out(x)


def test_a_class_is_a_space():
    holes = {"width": Choice(8, 16), "blocks": Choice(1, 2, 3), "kinds": Subset(("tanh", "sigmoid"))}
    space = space_of_class(Own, holes, {"outputs": 10}, signed(4))
    assert isinstance(space.body, Let)
    assert space.digest == space_of_class(Own, holes, {"outputs": 10}, signed(4)).digest
    member = replayed(space, {"net.width": 1, "net.blocks": 2, "net.kinds": (0, 1)})
    assert count(member, signed(4)).params == 4 * 16 + 16 + 2 * (16 * 16 + 16) + 16 * 10 + 10
    kinds = [dict(node.attrs)["kind"] for node in member.nodes if node.op == "activation"]
    assert kinds == ["relu", "relu", "relu", "tanh", "sigmoid"]
    for seed in range(10):
        drawn = sample(space, random.Random(seed))
        assert Net(drawn, signed(4))(torch.ones(2, 4)).shape == (2, 10)
    with pytest.raises(SpaceError, match=r"^Own\(blocks=\d, .*\): its output has shape \(7,\), the task wants \(10,\)\."):
        _ = sample(space_of_class(Own, holes, {"outputs": 7}, signed(4)), random.Random(1)).nodes
    with pytest.raises(SpaceError, match=r"^Own\(width=-1\): its constructor fails: "):
        _ = sample(space_of_class(Own, {"width": Choice(-1)}, {"outputs": 10}, signed(4)), random.Random(0)).nodes

"""What is exported runs without Netwright, agrees with what was trained, and trusts no name in the data."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.torch
import torch
from sklearn.datasets import load_wine

from netwright.core.architecture import Architecture
from netwright.core.picks import replayed
from netwright.core.space import Seq, Space, op
from netwright.core.trial import Fidelity
from netwright.devices.cpu import Cpu
from netwright.errors import DataError, NetwrightError, RunError
from netwright.export import page, verify, write
from netwright.export.predict import card, predict
from netwright.nets.net import Net
from netwright.tasks.load import load

EVIL = ('"""+__import__("os").system("touch HERE")+"""', "'); raise SystemExit #", "|<script>*a*</script>\\")


class Export(NamedTuple):
    task: Any
    architecture: Architecture
    net: Net
    folder: Path
    body: dict[str, Any]

    def again(self, folder: Path, **more: Any) -> dict[str, Any]:
        blob = safetensors.torch.save(self.net.tensors())
        return write.export_model(folder, self.architecture, self.task, blob, FACTS, Cpu(seconds=0.01), **more)


FACTS: dict[str, Any] = {
    "space": {"name": "small", "digest": "0123"},
    "recipe": {"strategy": "evolution", "seed": 3, "limits": ["params<=20k"], "budget": {"seconds": 90.0, "trials": None}},
    "spent": {"trials": 7, "search_s": 61.5},
}


def exported(task: Any, parts: list[Any], folder: Path, epochs: int = 0, **more: Any) -> Export:
    space = Space(Seq(*parts, op("linear", units=task.signature.outputs)), name="small", signature=task.signature)
    architecture = replayed(space, {})
    net = Net(architecture, task.signature, seed=1)
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    for epoch in range(epochs):
        for batch in task.batches("train", Fidelity(), epoch):
            optimiser.zero_grad()
            task.loss(net(batch.x), batch).backward()
            optimiser.step()
    made = Export(task, architecture, net.eval(), folder, {})
    return made._replace(body=made.again(folder, **more))


def conv(width: int) -> list[Any]:
    return [op("conv", width=width, kernel=3), op("batch_norm"), op("activation", kind="relu")]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Export:
    parts = [*conv(8), op("max_pool", kernel=2), *conv(16), op("flatten")]
    return exported(load("digits", seed=0), parts, tmp_path_factory.mktemp("digits") / "model", epochs=3, int8=True)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Wine, with gaps, a column of categories with awkward names, and classes that would like to be code."""
    place, wine = tmp_path_factory.mktemp("table"), load_wine()
    kinds = ('a "b" c', "x|y", "`z`")
    lines = ["alcohol;hue;<b>kind</b>;proline;class"]
    for i, (row, label) in enumerate(zip(wine.data, wine.target, strict=True)):
        hue = "" if i % 7 == 0 else f"{row[10]}"
        kind = '""' if i % 11 == 0 else '"' + kinds[int(row[4]) % 3].replace('"', '""') + '"'
        lines.append(";".join([f"{row[0]}", hue, kind, f"{row[12]}", '"' + EVIL[label].replace('"', '""') + '"']))
    (place / "wine.csv").write_text("\n".join(lines))
    parts = [op("linear", units=12), op("layer_norm"), op("activation", kind="gelu")]
    return exported(load(place / "wine.csv", target="class"), parts, place / "model")


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Export:
    parts = [op("linear", units=8), op("batch_norm"), op("activation", kind="tanh")]
    return exported(load("diabetes"), parts, tmp_path_factory.mktemp("numbers") / "model")


def alone(folder: Path, raw: np.ndarray) -> np.ndarray:
    """Outputs of model.onnx by ONNX Runtime and nothing else."""
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["input"]
    assert [o.name for o in session.get_outputs()] == ["output"]
    return session.run(None, {"input": raw})[0]


BLOCKED = """
import importlib.util, json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("netwright", "safetensors", "onnx", "onnxruntime", "sklearn"):
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
import torch

for folder in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("model", folder + "/model.py")
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    rows = torch.tensor(json.load(open(folder + "/../rows.json")))
    with torch.inference_mode():
        outputs = model.load()(rows).tolist()
    json.dump([outputs, getattr(model, "CLASSES", ())], open(folder + "/../outputs.json", "w"))
assert not any(name.startswith("netwright") for name in sys.modules)
"""


def test_model_py_needs_torch_only_and_agrees_with_onnx_runtime(digits: Export, table: Export, numbers: Export) -> None:
    rows = {}
    for made in (digits, table, numbers):
        rows[made.folder] = made.task.rows("validation")[0]
        (made.folder.parent / "rows.json").write_text(json.dumps(rows[made.folder].tolist()))  # NaN too, as Python writes it
    assert np.isnan(rows[table.folder]).any()
    place = digits.folder.parent
    command = [sys.executable, "-I", "-B", "-c", BLOCKED, *(str(folder) for folder in rows)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for made in (digits, table, numbers):
        outputs, classes = json.loads((made.folder.parent / "outputs.json").read_text())
        scale = 70 if made is numbers else 1  # the target's spread
        np.testing.assert_allclose(np.array(outputs) / scale, alone(made.folder, rows[made.folder]) / scale, atol=1e-4, rtol=0)
        assert tuple(classes) == made.task.classes
        assert not list(made.folder.parent.rglob("HERE"))


def test_the_score_can_be_recomputed_from_raw_rows(digits: Export, numbers: Export) -> None:
    raw, labels = digits.task.rows("validation")
    assert raw.max() == 16  # as stored
    accuracy = float((alone(digits.folder, raw).argmax(1) == labels).mean())
    assert accuracy > 0.8
    assert accuracy == pytest.approx(digits.task.score(digits.net, "validation")["accuracy"])
    raw, target = numbers.task.rows("validation")
    off = alone(numbers.folder, raw)[:, 0] - target
    assert np.sqrt((off**2).mean()) == pytest.approx(numbers.task.score(numbers.net, "validation")["rmse"], rel=1e-4)


def test_the_files_are_whole_and_say_what_they_are(digits: Export, table: Export) -> None:
    for made in (digits, table):
        told = card(made.folder)
        assert {path.name for path in made.folder.iterdir()} == set(made.body["files"])
        for name, entry in told["files"].items():
            data = (made.folder / name).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
        proto = onnx.load(made.folder / "model.onnx")
        onnx.checker.check_model(proto, full_check=True)
        assert json.loads({p.key: p.value for p in proto.metadata_props}["classes"]) == list(made.task.classes)
        assert b".venv" not in proto.SerializeToString()  # no path of the machine that exported it
        assert str(made.folder.parent).encode() not in proto.SerializeToString()
        assert set(told["parity"]) == {"trained_vs_net", "net_vs_model.py", "model.py_vs_model.onnx"}
        assert max(told["parity"].values()) < 1e-4
        assert told["latency"]["latency_p25"] <= told["latency"]["latency_ms"] <= told["latency"]["latency_p75"]
        assert not list(made.folder.parent.glob(".*"))
        again = Architecture.from_json(json.loads((made.folder / "architecture.json").read_text()))
        assert again.id == made.architecture.id
    assert {row["name"] for row in card(table.folder)["task"]["columns"]} == {"alcohol", "hue", "<b>kind</b>", "proline"}
    assert digits.body["folder"] == "model"
    assert json.loads(json.dumps(digits.body)) == digits.body


def test_names_from_the_data_are_shown_and_do_nothing(table: Export) -> None:
    text = (table.folder / "README.md").read_text()
    assert "<script>" not in text
    assert "<b>" not in text
    assert page.safe(EVIL[2]) in text
    assert page.safe("x|y") == r"x\|y"
    columns = [line for line in text.splitlines() if line.startswith("| 2 | &lt;b&gt;kind")]
    assert len(columns) == 1
    assert "1 = " in columns[0]
    assert page.safe("one\n# two\x00" + "x" * 100).startswith(r"one \# two xxx")
    assert "\n" not in page.safe("a\r\nb\u2028c")


def test_int8_keeps_the_score_and_says_so(digits: Export, numbers: Export, tmp_path: Path) -> None:
    int8 = digits.body["int8"]
    assert int8["bytes"] == (digits.folder / "model.int8.onnx").stat().st_size < int8["float_bytes"]
    assert int8["score"] >= int8["float_score"] - 0.02
    raw, labels = digits.task.rows("validation")
    run = verify.of_onnx(str(digits.folder / "model.int8.onnx"))
    assert float((run(raw).argmax(1) == labels).mean()) == pytest.approx(int8["score"])
    kinds = [node.op_type for node in onnx.load(digits.folder / "model.int8.onnx").graph.node]
    assert kinds.index("Sub") < kinds.index("QuantizeLinear")  # raw values are scaled as floats
    again = exported(numbers.task, [op("linear", units=8)], tmp_path / "model", epochs=2, int8=True)
    kinds = [node.op_type for node in onnx.load(again.folder / "model.int8.onnx").graph.node]
    assert kinds[-2:] == ["Mul", "Add"]  # and so is the target
    assert again.body["int8"]["score"] == pytest.approx(again.body["int8"]["float_score"], abs=0.05)
    assert "362 validation rows" in (digits.folder / "README.md").read_text()


def test_the_card_tells_the_test_score_of_the_winner_only(digits: Export) -> None:
    facts = {
        "test": {"metric": "accuracy", "score": 0.9871, "interval": [0.97, 0.994], "rows": 357},
        "control": {"winner": {"id": digits.architecture.id}},
    }
    told = card(digits.folder)
    from netwright.export.card import tested

    assert tested(digits.architecture, facts) == facts["test"]
    assert "**accuracy 0.9871** (95 % interval 0.9700 to 0.9940) on 357 test rows" in page.text({**told, "test": facts["test"]})
    facts["control"]["winner"]["id"] = "another"
    assert tested(digits.architecture, facts) is None
    assert "**not** scored" in page.text(told)


def test_predictions(digits: Export, table: Export, numbers: Export) -> None:
    raw, labels = digits.task.rows("validation")
    found = predict(digits.folder, [f"{i}.png" for i in range(len(raw))], raw)
    assert [row["input"] for row in found[:2]] == ["0.png", "1.png"]
    assert np.mean([row["prediction"] == digits.task.classes[y] for row, y in zip(found, labels, strict=True)]) > 0.8
    assert sum(found[0]["probabilities"].values()) == pytest.approx(1)
    assert max(found[0]["probabilities"], key=lambda name: found[0]["probabilities"][name]) == found[0]["prediction"]
    assert predict(table.folder, ["gaps"], np.full((1, 4), np.nan, np.float32))[0]["prediction"] in EVIL
    value = predict(numbers.folder, ["a"], numbers.task.rows("train")[0][:1])[0]
    assert set(value) == {"input", "prediction"}
    assert isinstance(value["prediction"], float)
    assert predict(numbers.folder, [], np.empty((0, 10), np.float32)) == []
    with pytest.raises(DataError, match=r"where the model takes \(1, 8, 8\)"):
        predict(digits.folder, ["a"], np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(RunError, match="no exported model"):
        predict(digits.folder / "nowhere", ["a"], raw[:1])


def test_a_loaded_model_is_the_exported_one(digits: Export) -> None:
    modules = set(sys.modules)
    model = write.loaded(digits.folder)
    raw = digits.task.rows("validation")[0]
    with torch.inference_mode():
        np.testing.assert_allclose(model(torch.from_numpy(raw)), alone(digits.folder, raw), atol=1e-4, rtol=0)
    assert not model.training
    assert set(sys.modules) == modules
    assert not (digits.folder / "__pycache__").exists()
    assert digits.folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["model.safetensors", "model.py"])
def test_a_changed_file_is_refused(digits: Export, tmp_path: Path, name: str) -> None:
    for file in digits.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    data = bytearray((tmp_path / name).read_bytes())
    data[-20] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RunError, match=f"{name} is not the file that was exported"):
        write.loaded(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(RunError, match="no exported model"):
        write.loaded(tmp_path)


def test_what_does_not_agree_is_not_kept(digits: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    digits.again(folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    honest = write.to_onnx

    def wrong(model: torch.nn.Module, *more: Any) -> bytes:
        with torch.no_grad():
            next(model.parameters()).mul_(1.01)
        made = honest(model, *more)
        with torch.no_grad():
            next(model.parameters()).div_(1.01)
        return made

    monkeypatch.setattr(write, "to_onnx", wrong)
    with pytest.raises(NetwrightError, match=r"model\.py and model\.onnx differ by"):
        digits.again(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_of_something_else_is_left_alone(digits: Export, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match="something else"):
        digits.again(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_weights_that_are_missing_are_no_random_weights(digits: Export, tmp_path: Path) -> None:
    tensors = digits.net.tensors()
    tensors.popitem()
    with pytest.raises(NetwrightError, match="no tensor of this name"):
        write.export_model(
            tmp_path / "model", digits.architecture, digits.task, safetensors.torch.save(tensors), {}, Cpu(seconds=0.01)
        )
    assert not list(tmp_path.iterdir())

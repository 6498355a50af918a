"""A finished run as a third party sees it: with ONNX Runtime, torch and the files alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import load_digits


def test_show_has_every_part_that_a_script_reads(told: dict[str, Any]) -> None:
    assert told["state"] == "finished"
    assert told["recipe"]["limits"] == ["params<=8k"]
    assert told["recipe"]["objectives"] == ["maximize accuracy", "minimize flops"]
    assert [trial["number"] for trial in told["trials"]] == list(range(6))
    for trial in told["trials"]:
        assert trial["state"] == "finished"
        assert len(trial["architecture"]) == 16
        assert {"params", "flops", "peak_kib", "accuracy"} <= set(trial["metrics"])
        assert trial["metrics"]["params"] <= 8_000
    assert told["best"]["limits_met"] is True
    assert told["best"]["trial"] in range(6)
    assert {point["trial"] for point in told["front"]} <= set(range(6))
    assert told["spent"]["trials"] == 6
    assert 0 <= told["spent"]["overhead_s"] < told["spent"]["wall_s"]


def test_the_control_arm_is_trained_with_the_same_seeds(told: dict[str, Any]) -> None:
    control = told["control"]
    assert len(control["winner"]["scores"]) == 2
    assert len(control["random"]) == 3
    assert all(arm["seeds"] == control["winner"]["seeds"] for arm in control["random"])
    assert {arm["name"] for arm in control["reference"]} == {"cnn", "linear", "boosting", "svm"}
    assert all(0.3 < score <= 1 for arm in control["reference"] for score in arm["scores"])
    low, high = control["gain_interval"]
    assert low <= control["gain"] <= high
    assert control["verdict"]


def test_anybody_can_recompute_the_test_score_with_onnx_runtime_alone(finished: Path, told: dict[str, Any]) -> None:
    splits = json.loads((finished / "splits.json").read_text())
    digits = load_digits()
    rows = splits["test"]
    session = onnxruntime.InferenceSession((finished / "model" / "model.onnx").read_bytes(), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    (logits,) = session.run(None, {given.name: digits.images[rows][:, None].astype(np.float32)})
    assert float((logits.argmax(1) == digits.target[rows]).mean()) == pytest.approx(told["test"]["score"], abs=1e-9)
    assert told["test"]["rows"] == len(rows)


def test_the_splits_are_disjoint_and_whole(finished: Path) -> None:
    splits = json.loads((finished / "splits.json").read_text())
    rows = [row for part in splits.values() for row in part]
    assert sorted(rows) == list(range(1797))
    assert {name: round(len(part) / 1797, 1) for name, part in splits.items()} == {"train": 0.6, "validation": 0.2, "test": 0.2}


def test_the_stand_alone_model_needs_torch_only(finished: Path) -> None:
    rows = json.loads((finished / "splits.json").read_text())["test"][:20]
    code = f"""
import sys
class No:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("netwright", "safetensors", "onnx", "sklearn"):
            raise ImportError(name + " is not to be needed")
sys.meta_path.insert(0, No())
sys.path.insert(0, {str(finished / "model")!r})
import json, torch, model
net = model.load()
x = torch.tensor(json.load(sys.stdin), dtype=torch.float32)
with torch.no_grad():
    print(json.dumps(net(x).tolist()))
"""
    x = load_digits().images[rows][:, None]
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        input=json.dumps(x.tolist()),
        capture_output=True,
        text=True,
        cwd=finished.parent,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    session = onnxruntime.InferenceSession((finished / "model" / "model.onnx").read_bytes(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: x.astype(np.float32)})
    np.testing.assert_allclose(np.array(json.loads(done.stdout)), logits, atol=1e-4)


def test_the_folder_holds_what_the_documentation_says(finished: Path) -> None:
    assert {"run.db", "recipe.toml", "splits.json", "model", "report.html", "vault"} <= {p.name for p in finished.iterdir()}
    assert not (finished / "data").exists()
    held = {p.name for p in (finished / "model").iterdir()}
    assert {"README.md", "architecture.json", "model.onnx", "model.py", "model.safetensors"} <= held
    report = (finished / "report.html").read_text()
    assert "http://" not in report.replace("http://www.w3.org/", "")
    assert "https://" not in report


def test_the_test_split_is_opened_once_and_after_the_winner(finished: Path) -> None:
    from netwright.api import Run

    kinds = [event.kind for event in Run(finished).events()]
    assert kinds.count("unsealed") == 1
    assert kinds.index("winner") < kinds.index("unsealed") < kinds.index("tested")
    assert max(i for i, kind in enumerate(kinds) if kind == "measured") < kinds.index("winner")


def test_a_finished_run_in_python(finished: Path) -> None:
    import torch

    from netwright.api import Run

    run = Run(finished)
    assert run.best is not None
    assert run.best.limits_met
    assert run.front
    assert run.architecture(run.best.trial) == run.best.architecture
    net = run.best.model()
    with torch.no_grad():
        assert net(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_predict_reads_images_as_they_were_trained_on(finished: Path, tmp_path: Path, netwright: Any) -> None:
    from PIL import Image

    digits = load_digits()
    rows = json.loads((finished / "splits.json").read_text())["train"][:10]
    names = []
    for row in rows:
        Image.fromarray(digits.images[row].astype(np.uint8)).save(tmp_path / f"{row}.png")
        names.append(str(tmp_path / f"{row}.png"))
    done = netwright("predict", str(finished), *names, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = [entry["prediction"] for entry in json.loads(done.stdout)]
    session = onnxruntime.InferenceSession((finished / "model" / "model.onnx").read_bytes(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: digits.images[rows][:, None].astype(np.float32)})
    assert said == [str(k) for k in logits.argmax(1)]


def test_a_finished_run_is_not_resumed_by_mistake(finished: Path, netwright: Any) -> None:
    done = netwright("resume", str(finished), cwd=finished.parent)
    assert done.returncode == 2
    assert "--budget" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_search_can_start_with_what_another_found(finished: Path, tmp_path: Path, netwright: Any) -> None:
    start = ["--start-with", str(finished / "model" / "architecture.json"), "--dry-run", "--limit", "params<=8k"]
    done = netwright("search", "digits", *start, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "runs").exists()
    wrong = netwright("search", "wine", "--start-with", str(finished / "model" / "architecture.json"), cwd=tmp_path)
    assert wrong.returncode == 2
    assert "trace" in wrong.stderr

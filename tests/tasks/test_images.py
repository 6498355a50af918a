"""Images from folders and arrays: what is read, what is resized, and what is said of bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright.errors import DataError
from netwright.tasks.load import load
from netwright.tasks.raw import encode_inputs, read_image
from netwright.testing.task import check_task

RNG = np.random.default_rng(0)


def photo(path: Path, size: tuple[int, int] = (24, 16), mode: str = "RGB", **more: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0]) + ((len(mode),) if len(mode) > 1 else ())
    Image.fromarray(RNG.integers(0, 255, shape, dtype=np.uint8)).save(path, **more)


def folder(place: Path, count: int = 6, **more: object) -> Path:
    for name in ("cats", "dogs"):
        for i in range(count):
            photo(place / name / f"{i}.png", **more)
    return place


def test_a_folder_of_photos(tmp_path: Path) -> None:
    place = folder(tmp_path / "pets", 10)
    check_task(lambda: load(place))
    task = load(str(place))
    told = task.describe()
    assert (task.name, task.classes, task.signature.input(-1).shape) == ("pets", ("cats", "dogs"), (3, 16, 24))
    assert told["rows"] == {"train": 12, "validation": 4, "test": 4}
    assert told["image"]["resized"] is False
    name = task.splits()["train"][0]
    assert (place / str(name)).exists()
    assert (task.rows("train")[0][0] == np.asarray(Image.open(place / str(name))).transpose(2, 0, 1)).all()


def test_gray_stays_one_channel_and_is_not_mirrored(tmp_path: Path) -> None:
    task = load(folder(tmp_path, mode="L"))
    assert task.signature.input(-1).shape[0] == 1
    assert task.describe()["options"]["flip"] is False


def test_mixed_sizes_and_modes(tmp_path: Path) -> None:
    folder(tmp_path, 5, size=(200, 100))
    photo(tmp_path / "cats" / "gray.jpg", (100, 50), "L")
    photo(tmp_path / "dogs" / "clear.png", (300, 150), "RGBA")
    Image.fromarray(RNG.integers(0, 255, (80, 160), dtype=np.uint8)).convert("P").save(tmp_path / "dogs" / "palette.png")
    task = load(tmp_path)
    spec = task.describe()["image"]
    assert (spec["channels"], spec["height"], spec["width"]) == (3, 32, 64)
    assert spec["method"].startswith("bilinear with antialias")
    assert "resized to 32×64" in " ".join(task.describe()["notes"])
    assert load(tmp_path, options={"size": 20}).signature.input(-1).shape == (3, 20, 20)
    assert load(tmp_path, options={"size": "10x20"}).signature.input(-1).shape == (3, 10, 20)
    with pytest.raises(DataError, match="size 'big'"):
        load(tmp_path, options={"size": "big"})


def test_transparency_lies_on_white_and_photos_stand_upright(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_image(tmp_path / "clear.png", 3, 4, 4) == 255).all()
    image = Image.fromarray(np.array([[0, 0], [0, 0], [255, 255], [255, 255]], dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    image.save(tmp_path / "turned.png", exif=exif)
    upright = read_image(tmp_path / "turned.png", 1, 2, 4)
    assert upright[0].tolist() == [[255, 255, 0, 0]] * 2


def test_sixteen_bits_are_cut_to_eight(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 256 * 7 + 3], [65535, 1]], dtype=np.uint16)).save(tmp_path / "deep.png")
    assert read_image(tmp_path / "deep.png", 1, 2, 2)[0].tolist() == [[0, 7], [255, 0]]


def test_bad_images_are_skipped_named_and_counted(tmp_path: Path) -> None:
    place = folder(tmp_path, 6)
    (place / "cats" / "broken.png").write_bytes(b"no image at all")
    whole = (place / "dogs" / "0.png").read_bytes()
    (place / "dogs" / "short.png").write_bytes(whole[: len(whole) // 2])
    (place / "dogs" / "empty.jpg").write_bytes(b"")
    photo(place / "loose.png")
    told = load(place).describe()
    assert sum(told["rows"].values()) == 12
    assert {s["file"] for s in told["skipped"]} == {"cats/broken.png", "dogs/short.png", "dogs/empty.jpg"}
    assert all(s["reason"] for s in told["skipped"])
    assert "3 of 15 images could not be read and were skipped" in told["warnings"][0]
    assert "broken.png" in told["warnings"][0]
    assert "1 images lie beside" in told["warnings"][1]


def test_a_huge_image_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder(tmp_path, 6)
    photo(place / "cats" / "huge.png", (60, 60))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert load(place).describe()["skipped"] == [{"file": "cats/huge.png", "reason": "too many pixels"}]


def test_equal_images_stand_on_one_side(tmp_path: Path) -> None:
    place = folder(tmp_path, 6)
    for i in range(5):
        (place / "cats" / f"copy{i}.png").write_bytes((place / "cats" / "0.png").read_bytes())
    task = load(place)
    sides = [
        {"0" in str(n).split("/")[1][:1] or "copy" in str(n) for n in names if "cats" in str(n)}
        for names in task.splits().values()
    ]
    assert sum(True in side for side in sides) == 1
    assert "5 of 17 rows repeat" in task.describe()["warnings"][0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p / "nowhere", "no such file or folder"),
        (lambda p: p, "an empty folder"),
        (lambda p: (photo(p / "a.png"), p)[1], "images, but no class subfolders"),
        (lambda p: (photo(p / "cats" / "a.png"), p)[1], "one class only ('cats')"),
        (lambda p: ((p / "cats").mkdir(), (p / "dogs").mkdir(), p)[2], "no images"),
        (lambda p: (folder(p), photo(p / "lone" / "a.png"), p)[2], "class 'lone' has a single example"),
        (
            lambda p: (folder(p), (p / "bad").mkdir(), (p / "bad" / "a.png").write_bytes(b"x"), p)[3],
            "no image of class 'bad' can be read",
        ),
        (lambda p: (folder(p / "train"), folder(p / "test"), p)[2], "its subfolders are test, train, not classes"),
        (lambda p: ((p / "t.csv").write_text("a,b\n1,2\n"), p)[1], "Give the file itself"),
    ],
)
def test_bad_folders_get_one_line(tmp_path: Path, make, said: str) -> None:
    with pytest.raises(DataError) as caught:
        load(make(tmp_path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_images_have_no_columns() -> None:
    with pytest.raises(DataError, match="split-by 'time': images have no columns"):
        load("digits", split_by="time")
    with pytest.raises(DataError, match="images have no column 'price'"):
        load("digits", target="price")
    with pytest.raises(DataError, match="Did you mean 'shift'"):
        load("digits", options={"shfit": 1})
    with pytest.raises(DataError, match="option batch is 1"):
        load("digits", options={"batch": 1})


def test_a_test_folder_of_ones_own(tmp_path: Path) -> None:
    place, other = folder(tmp_path / "a", 10), folder(tmp_path / "b", 4, size=(50, 30))
    (other / "cats" / "known.png").write_bytes((place / "cats" / "3.png").read_bytes())
    check_task(lambda: load(place, test=other))
    task = load(place, test=other)
    assert task.describe()["rows"] == {"train": 16, "validation": 4, "test": 9}
    assert "1 of 9 test images also stand in the data" in " ".join(task.describe()["warnings"])
    photo(other / "birds" / "1.png")
    with pytest.raises(DataError, match="class 'birds' is not in the data"):
        load(place, test=other)


def test_files_are_encoded_as_the_training_images_were(tmp_path: Path) -> None:
    place = folder(tmp_path, 6, size=(100, 100))
    task = load(place)
    file = place / str(task.splits()["train"][0])
    names, raw = encode_inputs(task.describe(), [file])
    assert names == [str(file)]
    assert raw.dtype == np.float32
    assert (raw[0] == task.rows("train")[0][0]).all()
    assert len(encode_inputs(task.describe(), [place / "cats"])[0]) == 6
    with pytest.raises(DataError, match="no such file"):
        encode_inputs(task.describe(), ["nowhere.png"])


def test_files_for_digits_are_scaled_to_their_range(tmp_path: Path) -> None:
    task = load("digits")
    x = task.rows("train")[0][0, 0]
    Image.fromarray(x.astype(np.uint8)).save(tmp_path / "as_stored.png")
    Image.fromarray((x * 255 / 16).astype(np.uint8)).save(tmp_path / "bright.png")
    _, raw = encode_inputs(task.describe(), [tmp_path / "as_stored.png", tmp_path / "bright.png"])
    assert (raw[0, 0] == x).all()
    assert np.abs(raw[1, 0] - x).max() < 0.1


def test_npz_with_its_own_test_rows(tmp_path: Path) -> None:
    x, y = RNG.integers(0, 255, (50, 8, 8, 3), dtype=np.uint8), np.arange(50, dtype=np.uint8) % 2
    np.savez(
        tmp_path / "d.npz", x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:], class_names=np.array(["no", "yes"])
    )
    check_task(lambda: load(tmp_path / "d.npz"))
    task = load(tmp_path / "d.npz")
    assert task.classes == ("no", "yes")
    assert task.describe()["rows"] == {"train": 32, "validation": 8, "test": 10}
    assert task.splits()["test"] == list(range(10))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.array([{}], dtype=object), "y": np.zeros(1)}, "never unpickled"),
        ({"a": np.zeros(3)}, "no arrays x and y among a"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(4)}, "x has shape (3, 2) and y (4,)"),
        ({"x": np.zeros((3, 2, 2, 2, 2)), "y": np.zeros(3)}, "x has shape"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, "no rows"),
    ],
)
def test_bad_npz(tmp_path: Path, arrays: dict, said: str) -> None:
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "d.npz")
    assert said in str(caught.value)


def test_a_broken_npz(tmp_path: Path) -> None:
    (tmp_path / "d.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(DataError, match=r"not a readable \.npz"):
        load(tmp_path / "d.npz")

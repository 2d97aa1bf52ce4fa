"""Small copies of the data sets of pictures, in the layouts they are distributed in."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.datasets.colorectal import CLASS_FOLDERS, TILES, ColorectalHistology
from bench.datasets.pictures import PictureFormat
from bench.datasets.skin_cancer import METADATA, SkinCancer

PER_CLASS = 10


class Tissue(ColorectalHistology):
    """Ten tiles a class."""

    per_class = PER_CLASS


class Skin(SkinCancer):
    """Twenty pictures of 60x45."""

    images = 20
    picture_format = PictureFormat("JPEG", frozenset({".jpg"}), (60, 45))


def hmnist_bytes(images: NDArray[Any], labels: NDArray[Any]) -> bytes:
    """A table as Kaggle has them: ``pixel0000,…,label``."""
    flat = images.reshape(len(images), -1)
    header = ",".join([*(f"pixel{number:04}" for number in range(flat.shape[1])), "label"])
    lines = [",".join(map(str, [*row, label])) for row, label in zip(flat.tolist(), labels.tolist(), strict=True)]
    return "\n".join([header, *lines, ""]).encode()


def noise(shape: tuple[int, ...], seed: int) -> NDArray[np.uint8]:
    """Random bytes."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def picture_bytes(pixels: NDArray[np.uint8], kind: str) -> bytes:
    """A picture file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def tile_name(class_id: int, number: int, *, slide: bool = True) -> str:
    """A tile's path below the folder of tiles; slides 01 to 05 in turn."""
    named = f"CRC-Prim-HE-{number % 5 + 1:02}_0{class_id}.tif" if slide else "unknown.tif"
    return f"{CLASS_FOLDERS[class_id]}/1A{number:02X}_{named}_Row_1_Col_{number}.tif"


def write_tiles(folder: Path, *, slide: bool = True) -> dict[str, NDArray[np.uint8]]:
    """Ten tiles a class below ``folder``; the pixels by path."""
    made = {}
    for class_id in range(len(CLASS_FOLDERS)):
        for number in range(PER_CLASS):
            path = tile_name(class_id, number, slide=slide)
            made[path] = noise((150, 150, 3), class_id * PER_CLASS + number)
            file = folder / TILES / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture_bytes(made[path], "TIFF"))
    return made


# Twenty rows: two pictures of a lesion follow each other; classes in runs, as in the published file
DIAGNOSES = ["bkl"] * 4 + ["nv"] * 8 + ["df"] * 4 + ["mel"] * 4
STORED = {"akiec": 0, "bcc": 1, "bkl": 2, "df": 3, "nv": 4, "vasc": 5, "mel": 6}


def metadata_text() -> str:
    """The metadata of ``Skin``."""
    lines = ["lesion_id,image_id,dx,dx_type,age,sex,localization"]
    for row, diagnosis in enumerate(DIAGNOSES):
        lines.append(f"HAM_{row // 2:07},ISIC_{100 - row:07},{diagnosis},histo,80.0,male,scalp")
    return "\n".join([*lines, ""])


def write_skin(folder: Path, side: int = 28, channels: int = 3) -> NDArray[np.uint8]:
    """The metadata and a table of ``Skin``."""
    images = noise((20, side, side, channels), 7)
    mode = "RGB" if channels == 3 else "L"
    labels = np.array([STORED[diagnosis] for diagnosis in DIAGNOSES])
    (folder / METADATA).write_text(metadata_text())
    (folder / f"hmnist_{side}_{side}_{mode}.csv").write_bytes(hmnist_bytes(images, labels))
    return images

"""Hostile pictures: tiles of tissue and photographs of skin, in folders and zips, and a folder of the user's own."""

import io
import random
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from bench.datasets.colorectal import CLASS_FOLDERS, TILES, ColorectalHistology
from bench.datasets.dataset import Dataset
from bench.datasets.image_folder import read_image_folder
from bench.datasets.parts import assemble
from bench.datasets.skin_cancer import METADATA
from bench.errors import BenchError
from tests.datasets.hostile_bytes import hostile_zip, zip_bomb, zipped
from tests.datasets.hostile_format import Files, Format, found
from tests.datasets.hostile_jpeg import mutated_jpeg
from tests.datasets.hostile_png import chunks_of, mutated_png, png
from tests.datasets.hostile_tiff import mutated_tiff
from tests.datasets.small_pictures import Skin, metadata_text, tile_name


def smooth(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """An RGB picture with smooth values, as in photographs."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([(rows * 2 + columns + seed * 9 + step * 40) % 256 for step in range(3)], axis=-1).astype(np.uint8)


class Pictures(Format):
    """Base of pictures in folders and zips. The last stage begins once a picture's header is understood."""

    last = frozenset({"_pixels", "assemble", "_common_size_and_mode", "_check_counts"})

    def reached_last(self, error: BenchError) -> bool:
        return super().reached_last(error) and not isinstance(error.__cause__, UnidentifiedImageError)


class TiffFolder(Pictures):
    """Eight tiles, packed as the published ones are."""

    name = "TIFF folder"
    packed: ClassVar[bool] = False

    def tiles(self) -> Files:
        """Tiles by path."""
        made = {}
        for class_id in range(len(CLASS_FOLDERS)):
            target = io.BytesIO()
            Image.fromarray(smooth(150, 150, class_id)).save(target, "TIFF", compression="packbits")
            made[f"{TILES}/{tile_name(class_id, class_id)}"] = target.getvalue()
        return made

    def honest(self) -> Files:
        return {f"{TILES}.zip": zipped([*self.tiles().items()])} if self.packed else self.tiles()

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        tiles = self.tiles() if self.packed else files
        name = chance.choice(sorted(tiles))
        drawn = chance.random()
        if self.packed and drawn < 0.2:
            return "a trick of the zip", {f"{TILES}.zip": hostile_zip([*tiles.items()], chance)}
        if self.packed and drawn < 0.25:
            return "a bomb", {f"{TILES}.zip": zip_bomb([*tiles.items()], name, tiles[name])}
        how, mutated = mutated_tiff(smooth(150, 150, 3), chance)
        if self.packed:
            return how, {f"{TILES}.zip": zipped([*(tiles | {name: mutated}).items()])}
        return how, {name: mutated}

    def read(self, folder: Path) -> Dataset:
        return found(_Tissue(), folder)


class _Tissue(ColorectalHistology):
    per_class = 1


class TiffZip(TiffFolder):
    """The same tiles in a zip."""

    name = "TIFF in a zip"
    packed = True


class JpegFolder(Pictures):
    """Twenty photographs of 60x45 and the metadata."""

    name = "JPEG folder"
    packed: ClassVar[bool] = False

    def pictures(self) -> Files:
        """JPEGs by path."""
        made = {}
        for row in range(20):
            target = io.BytesIO()
            Image.fromarray(smooth(45, 60, row)).save(target, "JPEG")
            made[f"HAM10000_images_part_1/ISIC_{100 - row:07}.jpg"] = target.getvalue()
        return made

    def honest(self) -> Files:
        pictures = self.pictures()
        held = {"HAM10000_images_part_1.zip": zipped([*pictures.items()])} if self.packed else pictures
        return held | {METADATA: metadata_text().encode()}

    def raw(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        return super().raw({name: content for name, content in files.items() if name != METADATA}, chance)

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        pictures = self.pictures() if self.packed else {name: files[name] for name in files if name != METADATA}
        name = chance.choice(sorted(pictures))
        packed = "HAM10000_images_part_1.zip"
        drawn = chance.random()
        if self.packed and drawn < 0.2:
            return "a trick of the zip", {packed: hostile_zip([*pictures.items()], chance)}
        if self.packed and drawn < 0.25:
            return "a bomb", {packed: zip_bomb([*pictures.items()], name, pictures[name])}
        how, mutated = mutated_jpeg(smooth(45, 60, 5), chance)
        return how, {packed: zipped([*(pictures | {name: mutated}).items()])} if self.packed else {name: mutated}

    def read(self, folder: Path) -> Dataset:
        return found(Skin(), folder)


class JpegZip(JpegFolder):
    """The same photographs in a zip."""

    name = "JPEG in a zip"
    packed = True


class PngFolder(Pictures):
    """Pictures of 8x8 in folders of classes, grey and in colour."""

    name = "PNG image folder"

    def honest(self) -> Files:
        made = {}
        for part, rows in (("train", 4), ("test", 2)):
            for group in ("a", "b"):
                for row in range(rows):
                    pixels = smooth(8, 8, row * 7 + (group == "b"))
                    made[f"own/{part}/{group}/{row}.png"] = png(chunks_of(pixels if row % 2 else pixels[..., 0].copy()))
        return made

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        pixels = smooth(8, 8, 3)
        how, mutated = mutated_png(chance.choice([pixels, pixels[..., 0].copy()]), chance)
        if how == "huge dimensions" and chance.random() < 0.5:
            return "all of huge dimensions", {name: mutated for name in files}
        return how, {chance.choice(sorted(files)): mutated}

    def read(self, folder: Path) -> Dataset:
        return assemble("own", "own", folder / "own", read_image_folder(folder / "own"))

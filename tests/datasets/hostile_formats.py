"""Every format that is read, with its hostile files."""

from tests.datasets.hostile_arff import OpenmlArff
from tests.datasets.hostile_csv import Hmnist, Metadata, OwnCsv, PixelTable, PixelTableGz, PixelTableZip
from tests.datasets.hostile_format import Format
from tests.datasets.hostile_hdf5 import Clouds, Vectors
from tests.datasets.hostile_idx import EmnistZip, Idx, IdxGz, QmnistIdx
from tests.datasets.hostile_npz import Npz, NpzDeflated, OwnNpz
from tests.datasets.hostile_pictures import JpegFolder, JpegZip, PngFolder, TiffFolder, TiffZip

FORMATS: tuple[Format, ...] = (
    *(Idx(), IdxGz(), QmnistIdx(), EmnistZip()),
    *(Npz(), NpzDeflated(), OwnNpz()),
    *(PixelTable(), PixelTableGz(), PixelTableZip(), Hmnist(), Metadata(), OwnCsv(), OpenmlArff()),
    *(TiffFolder(), TiffZip(), JpegFolder(), JpegZip(), PngFolder()),
    *(Vectors(), Clouds()),
)

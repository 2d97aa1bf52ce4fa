"""The definition of a data set: its name and facts, where its files may lie, and how they are decoded.

Another package adds a data set with a subclass of ``DatasetDefinition`` behind an entry point of the
group ``bench.datasets``, named like the data set. Four facts and ``read`` are enough, with ``bundled`` for data that
come with the package (or are computed by it: the source is then the module's own file)::

    class Stripes(DatasetDefinition):
        name = "stripes"
        title = "Stripes"
        licence = "MIT"
        class_names = ("upright", "level")

        def bundled(self):
            return Source((Path(__file__),), "computed")

        def read(self, source):
            ...
            return self.dataset(train=(images, labels), test=(test_images, test_labels), scale=255)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.datasets.dataset import Dataset, Split
from bench.datasets.download import Bundle
from bench.datasets.source import Source
from bench.manifest import OFFICIAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

MADE = "generated"
"""The format of a source that is another data set."""


class DatasetDefinition(ABC):
    """One data set. Importing its module imports no numpy; only ``read`` computes."""

    name: ClassVar[str]
    """As on the command line: lower case, words joined by hyphens."""
    title: ClassVar[str]
    licence: ClassVar[str]
    class_names: ClassVar[tuple[str, ...]]
    citation: ClassVar[str] = ""
    restricted: ClassVar[bool] = False
    """True if the licence restricts use: it must be acknowledged once, before anything is fetched."""
    rows: ClassVar[tuple[int, int] | None] = None
    """Train and test rows, if known beforehand."""
    published_split: ClassVar[str] = OFFICIAL
    """Name of the published split, used if all of its rows are here."""
    ungrouped: ClassVar[str] = ""
    """Caveat of the harness's own split if no groups are known: ``one writer's digits may be in both parts: the file
    names no writers``."""
    fingerprints: ClassVar[frozenset[str]] = frozenset()
    """Published fingerprints (``bench.datasets.fingerprint``); if empty, only file hashes can verify."""
    known_formats: ClassVar[frozenset[str] | None] = None
    """Formats whose fingerprint is in ``fingerprints``; None means all. Data in other formats (a data set in several
    sizes, of which only one is known) are treated as if no fingerprint were known."""
    folders: ClassVar[tuple[str, ...]] = ()
    """Names of the folders it commonly lies in; default: its own name."""
    downloads: ClassVar[tuple[Bundle, ...]] = ()
    """Downloads, each of the whole data set; the first one available is taken."""
    made_from: ClassVar[str] = ""
    """Name of the data set it can be made from if its own files are unavailable: ``read`` then gets a Source of the
    format ``MADE``, whose files lie in the folder of that data set's cached arrays (``bench.datasets.cache.load``)."""
    advice: ClassVar[str] = ""
    """Advice for when it cannot be fetched."""
    reader: ClassVar[int] = 1
    """Version, raised when ``read`` decodes the same files differently, to invalidate the cache."""

    def is_known(self, source: str) -> bool:
        """True if the fingerprint of the published data is known for the format of ``source``.

        ``source`` is a source's format, alone or as in ``DatasetInfo.source``: followed by a comma and a place.
        """
        formats = self.known_formats
        return bool(self.fingerprints) and (
            formats is None or any(f"{source},".startswith(f"{one},") for one in formats)
        )

    def rank(self, source: str) -> int:
        """Rank of ``source`` (as in ``is_known``) among the forms of the data; the lowest is preferred."""
        return 0

    def bundled(self) -> Source | None:
        """The source bundled with an installed package, if any."""
        return None

    def find(self, folder: Path) -> Iterator[Source]:
        """The sources in ``folder`` itself, preferred first. Raises BrokenFile for an incomplete data set."""
        yield from ()

    @abstractmethod
    def read(self, source: Source) -> Dataset:
        """Decode a source from ``bundled`` or ``find``. Raises BrokenFile."""

    def dataset(
        self,
        *,
        train: tuple[NDArray[Any], NDArray[Any]],
        test: tuple[NDArray[Any], NDArray[Any]],
        scale: float,
        split: str = "",
        groups: tuple[NDArray[Any], NDArray[Any]] | tuple[None, None] = (None, None),
    ) -> Dataset:
        """The data set of images ``(n, *spatial, channels)`` and int64 labels; ``scale`` is the value meaning 1.0.

        ``split`` is the name of the split (default: ``split_of``). ``groups`` gives the group of each train and each
        test row: int64 ``(n,)``, numbered alike in both.
        """
        classes = len(self.class_names)
        split = split or self.split_of(len(train[1]), len(test[1]))
        parts = [
            Split(images, labels, float(scale), classes, rows)
            for (images, labels), rows in zip((train, test), groups, strict=True)
        ]
        return Dataset(self.name, self.title, parts[0], parts[1], self.class_names, split)

    def split_of(self, train_rows: int, test_rows: int) -> str:
        """Name of the split of published files of which this many rows are here."""
        held = (train_rows, test_rows)
        if self.rows is None or held == self.rows:
            return self.published_split
        called = self.published_split
        whole = called if "split" in called else f"the {called} split"
        if any(have > published for have, published in zip(held, self.rows, strict=True)):
            return f"another than {whole} of {self.rows[0]:,} and {self.rows[1]:,} rows"
        shares = (f"{have:,} of {published:,}" for have, published in zip(held, self.rows, strict=True))
        return f"rows of {whole}: {' and '.join(shares)}"

"""Looking for a catalogued data set: the user's folder, its package, the cache, common places, then the mirrors.

Sources are recognised by what they decode to. In a folder the user named, data with an unknown fingerprint are taken
as unverified and a broken file is an error; anywhere else both are passed over.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.datasets.cache import CachedDataset, Shelf, cache_root
from bench.datasets.dataset import Dataset, DatasetInfo
from bench.datasets.definition import MADE, DatasetDefinition
from bench.datasets.download import Bundle, DownloadFailed, fetch
from bench.datasets.places import Place, common_places, named_places
from bench.datasets.source import BrokenFile, DatasetUnavailable, Say, Source
from bench.errors import BenchError


@dataclass
class Search:
    """One look for one data set. ``foreign`` holds the fingerprints of other data sets, which are never taken."""

    definition: DatasetDefinition
    data_dir: Path | None
    offline: bool
    say: Say
    foreign: frozenset[str] = frozenset()
    refused: list[str] = field(default_factory=list)
    """Why sources outside the user's folder were passed over; for the message at the end."""

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.definition.name)

    def run(self) -> CachedDataset:
        """The data set, cached. Raises BenchError for a broken file, DatasetUnavailable where there is none."""
        found = self._named() or self._bundled() or self.cached() or self._common()
        return found or self._made() or self._fetched()

    def cached(self) -> CachedDataset | None:
        """What the cache holds of the data as published."""
        found = (self.shelf.find(fingerprint) for fingerprint in sorted(self._published))
        return next((self._refreshed(cached) for cached in found if cached), None)

    def seen(self) -> Iterator[tuple[Source, Place]]:
        """Where files with the right names lie, without opening them."""
        source = self.definition.bundled()
        if source:
            yield source, Place(source.files[0].parent, "bundled")
        for place in (*self._named_places(), *self._common_places()):
            try:
                yield from ((source, place) for source in self.definition.find(place.folder))
            except BrokenFile:  # half a data set is not one; a run says so
                continue
        yield from self._seen_of_base()

    def _seen_of_base(self) -> Iterator[tuple[Source, Place]]:
        if not self.definition.made_from:
            return
        from bench.datasets.catalog import search_for

        base = search_for(self.definition.made_from, data_dir=self.data_dir, offline=True)
        for source, place in base.seen():
            yield Source(source.files, MADE), Place(place.folder, f"{base.definition.name} in {place.label}")

    @property
    def _published(self) -> frozenset[str]:
        """Fingerprints of the data as published: those known, and what files with the published hashes held here."""
        keys = (self._key_of(bundle.key) for bundle in self.definition.downloads)
        held = (self.shelf.fingerprint_of(key) for key in keys)
        return self.definition.fingerprints | {fingerprint for fingerprint in held if fingerprint}

    def _is_known(self, source: Source) -> bool:
        """Whether the fingerprint is known that published data of this source's format have."""
        formats = self.definition.known_formats
        return bool(self.definition.fingerprints) and (formats is None or source.format in formats)

    def _key_of(self, content: str) -> str:
        return f"{self.definition.name} {self.definition.reader} {content}"

    @property
    def _downloads(self) -> Path:
        return cache_root() / "downloads" / (self.definition.download_folder or self.definition.name)

    @property
    def _folders(self) -> tuple[str, ...]:
        return self.definition.folders or (self.definition.name,)

    def _named_places(self) -> Iterator[Place]:
        if self.data_dir is not None:
            yield from named_places(self.data_dir, self._folders)

    def _common_places(self) -> Iterator[Place]:
        if self.definition.download_folder:  # what was fetched for another data set may hold this one
            yield Place(self._downloads, "fetched before")
        yield from common_places(self._folders)

    def _named(self) -> CachedDataset | None:
        if self.data_dir is not None and not self.data_dir.is_dir():
            raise BenchError(
                f"the data folder {self.data_dir.name!r} is not there.",
                "Mend --data-dir or BENCH_DATA_DIR, or leave it out.",
            )
        for place in self._named_places():
            try:
                for source in self.definition.find(place.folder):
                    if cached := self._take(source, place.label, trusted=True):
                        return cached
            except BrokenFile as error:
                advice = error.advice or f"Delete it and run: bench data fetch {self.definition.name}"
                raise BenchError(f"{self.definition.name}: {error.message}", advice) from error
        return None

    def _bundled(self) -> CachedDataset | None:
        source = self.definition.bundled()
        return self._take(source, "bundled", trusted=True) if source else None

    def _common(self) -> CachedDataset | None:
        for place in self._common_places():
            try:
                for source in self.definition.find(place.folder):
                    if cached := self._take(source, place.label, trusted=not self._is_known(source)):
                        return cached
                    self.refused.append(f"{place.label}: other data than published")
            except BrokenFile as error:
                self.refused.append(f"{place.label}: {error.message}")
        return None

    def _made(self) -> CachedDataset | None:
        """Made from another data set, wherever that one is found or fetched; None where it is not to be had."""
        if not self.definition.made_from:
            return None
        from bench.datasets.catalog import resolve

        try:
            base = resolve(self.definition.made_from, data_dir=self.data_dir, offline=self.offline, say=self.say)
        except DatasetUnavailable:
            self.refused.append(f"nor is {self.definition.made_from}, from which it could be made")
            return None
        source = Source(tuple(sorted(base.folder.glob("*.npy"))), MADE)
        label = f"from {base.info.name}" if base.info.verified else f"from unverified {base.info.name}"
        return self._take(source, label, trusted=True)

    def _fetched(self) -> CachedDataset:
        if self.offline and self.definition.downloads:
            raise self._unavailable(["offline: no mirror was asked"])
        failures: list[str] = []
        with Shelf(self._downloads.name).lock("download"):
            if cached := self.cached():  # another process was quicker
                return cached
            for bundle in self.definition.downloads:
                try:
                    return self._take_bundle(bundle, self._downloads)
                except DownloadFailed as error:
                    failures += error.failures
        raise self._unavailable(failures)

    def _take_bundle(self, bundle: Bundle, folder: Path) -> CachedDataset:
        hosts = fetch(bundle, folder, self.say)
        for source in self.definition.find(folder):
            if cached := self._take(source, f"fetched from {hosts}", trusted=not self._is_known(source)):
                if not self.definition.download_folder:
                    shutil.rmtree(folder, ignore_errors=True)  # the decoded arrays are kept
                return cached
        raise DownloadFailed([f"{hosts}: other data than published"])

    def _take(self, source: Source, label: str, *, trusted: bool) -> CachedDataset | None:
        """The source, cached; None where its data are not this data set. Decodes only what is not known yet."""
        key = source.key(f"{self.definition.name} {self.definition.reader}")
        fingerprint = self.shelf.fingerprint_of(key)
        dataset: Dataset | None = None
        if fingerprint is None:
            dataset, fingerprint = self._decode(source)
            self._remember(source, key, fingerprint)
        known = self._published
        if fingerprint in self.foreign - known or not (trusted or fingerprint in known):
            return None
        if cached := self.shelf.find(fingerprint):
            return self._refreshed(cached)
        if dataset is None:
            dataset, fingerprint = self._decode(source)
        described = f"{source.format}, {label}"
        return self.shelf.store(
            dataset, describe(dataset, fingerprint, verified=fingerprint in known, source=described)
        )

    def _remember(self, source: Source, key: str, fingerprint: str) -> None:
        self.shelf.remember(key, fingerprint)
        if not self._is_known(source):  # the files' own hashes must tell
            for bundle in self.definition.downloads:
                if bundle.is_held_in(source.files):
                    self.shelf.remember(self._key_of(bundle.key), fingerprint)

    def _decode(self, source: Source) -> tuple[Dataset, str]:
        from bench.datasets.fingerprint import fingerprint

        self.say(f"decoding {self.definition.name} ({source.format})")
        try:
            dataset = self.definition.read(source)
            problem = dataset.problem()
        except BenchError:
            raise
        except Exception as error:  # read may be another package's
            raise BenchError(
                f"data set {self.definition.name!r} cannot be read: {type(error).__name__}: {error}",
                f"The fault lies in {type(self.definition).__module__}, or in its files.",
            ) from error
        if problem:
            raise BenchError(
                f"data set {self.definition.name!r}, as {type(self.definition).__module__} reads it, {problem}."
            )
        return dataset, fingerprint(dataset)

    def _refreshed(self, cached: CachedDataset) -> CachedDataset:
        """With the verdict of today's definition, which may know more fingerprints than when it was cached."""
        verified = cached.info.fingerprint in self._published
        return CachedDataset(dataclasses.replace(cached.info, verified=verified), cached.folder)

    def _unavailable(self, failures: list[str]) -> DatasetUnavailable:
        name = self.definition.name
        reasons = "; ".join(dict.fromkeys([*self.refused, *failures]))
        ways = [self.definition.advice] if self.definition.advice else []
        if self.definition.downloads:
            first = self.definition.downloads[0].urls[0].rpartition("/")[0]
            ways.append(
                f"With a network: bench data fetch {name}   or put the files of {first}/ into DIR/{name}"
                " and add: --data-dir DIR"
            )
        message = f"data set {name!r} is not on this machine" + (f" ({reasons})." if reasons else ".")
        return DatasetUnavailable(message, "\n    ".join(ways))


def describe(dataset: Dataset, fingerprint: str, *, verified: bool, source: str) -> DatasetInfo:
    """What is known of a decoded data set."""
    return DatasetInfo(
        name=dataset.name,
        title=dataset.title,
        fingerprint=fingerprint,
        verified=verified,
        shape=dataset.train.shape,
        scale=dataset.train.scale,
        class_names=dataset.class_names,
        train_rows=len(dataset.train),
        test_rows=len(dataset.test),
        split=dataset.split,
        source=source,
    )

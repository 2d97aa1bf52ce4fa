"""Search for a catalogued data set: the user's folder, its package, the cache, common places, then the mirrors.

If none of these has it, it may be made from another data set.

Sources are recognised by their decoded data. In a folder the user named, unknown fingerprints are taken as unverified
and a broken file is an error; elsewhere both are skipped, the former only in formats whose fingerprint is known.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.datasets.cache import CachedDataset, Shelf, cache_root
from bench.datasets.dataset import Dataset, DatasetInfo
from bench.datasets.decoding import decoded
from bench.datasets.definition import MADE, DatasetDefinition
from bench.datasets.download import Bundle, page_of
from bench.datasets.fetch import DownloadFailed, fetch
from bench.datasets.licences import notice, require_accepted
from bench.datasets.places import NAMED, Place, check_named, common_places, named_folders, named_places
from bench.datasets.source import BrokenDataset, BrokenFile, DatasetUnavailable, Say, Source
from bench.datasets.transfer import Watch

DAMAGED = "the cache: damaged arrays"


@dataclass
class Search:
    """One search for a data set. ``foreign`` holds the fingerprints of other data sets, which are never taken."""

    definition: DatasetDefinition
    data_dir: Path | None
    """As in ``places.named_folders``."""
    offline: bool
    say: Say
    foreign: frozenset[str] = frozenset()
    watch: Watch | None = None
    """Shows a download's progress; without it ``say`` gets a line now and then."""
    refused: list[str] = field(default_factory=list)
    """Why sources were skipped, for the message at the end."""
    failures: list[str] = field(default_factory=list)
    """Why each mirror failed, for the message at the end."""

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.definition.name)
        self.named = named_folders(self.data_dir)
        self._notice = notice(self.definition)

    def run(self) -> CachedDataset:
        """The data set, cached. Raises BenchError for a broken file, DatasetUnavailable if there is none."""
        found = self._named() or self._bundled() or self.cached() or self._common() or self._fetched() or self._made()
        if found is None:
            raise self._unavailable()
        return found

    def cached(self) -> CachedDataset | None:
        """The data as published, or as fetched, if the cache holds them."""
        found = (self._found(cached.info.fingerprint) for cached in self._glimpsed())
        return next((self._refreshed(cached) for cached in found if cached), None)

    def _glimpsed(self) -> list[CachedDataset]:
        """All such data sets, arrays unchecked, the preferred form first."""
        fetched = (self.shelf.fingerprint_of(self._fetched_key(bundle)) for bundle in self.definition.downloads)
        known = [*sorted(self._published), *(fingerprint for fingerprint in fetched if fingerprint)]
        held = (self.shelf.glimpse(fingerprint) for fingerprint in dict.fromkeys(known))
        return sorted((one for one in held if one), key=lambda cached: self.definition.rank(cached.info.source))

    def _found(self, fingerprint: str) -> CachedDataset | None:
        held = self.shelf.glimpse(fingerprint)
        found = self.shelf.find(fingerprint, None if DAMAGED in self.refused else self.say)
        if held and not found:
            self.refused.append(DAMAGED)
        return found

    def seen(self) -> Iterator[tuple[Source, Place]]:
        """Sources with the right file names and their places, unopened."""
        source = self.definition.bundled()
        if source:
            yield source, Place(source.files[0].parent, "bundled")
        for place in (*self._named_places(), *self._common_places()):
            try:
                yield from ((source, place) for source in self.definition.find(place.folder))
            except BrokenFile:  # half a data set is not one; a run says so
                continue
        yield from self._seen_of_base()

    def ready(self) -> CachedDataset | None:
        """The decoded data set that a run without a network would take; None if it would have to decode."""
        source, place = next(self.seen(), (None, None))
        if place is not None and place.label == NAMED:
            return self._decoded(source)
        if glimpsed := self._glimpsed():
            return self._refreshed(glimpsed[0])
        if source is not None and source.format == MADE:
            base = self._base().ready()
            source = _arrays_of(base) if base else None
        return self._decoded(source)

    def _decoded(self, source: Source | None) -> CachedDataset | None:
        fingerprint = self.shelf.fingerprint_of(self._key(source)) if source else None
        return self.shelf.glimpse(fingerprint) if fingerprint else None

    def _base(self) -> Search:
        from bench.datasets.catalog import search_for

        return search_for(self.definition.made_from, data_dir=self.data_dir, offline=True)

    def _seen_of_base(self) -> Iterator[tuple[Source, Place]]:
        if not self.definition.made_from:
            return
        base = self._base()
        for source, place in base.seen():
            yield Source(source.files, MADE), Place(place.folder, f"{base.definition.name} in {place.label}")
        for cached in base._glimpsed()[:1]:
            yield _arrays_of(cached), Place(cached.folder, f"{base.definition.name} in the cache")

    @property
    def _published(self) -> frozenset[str]:
        """Fingerprints of the published data: those known, and those of files here with the published hashes."""
        keys = (self._key_of(bundle.key) for bundle in self.definition.downloads)
        held = (self.shelf.fingerprint_of(key) for key in keys)
        return self.definition.fingerprints | {fingerprint for fingerprint in held if fingerprint}

    def _key(self, source: Source) -> str:
        return source.key(f"{self.definition.name} {self.definition.reader}")

    def _key_of(self, content: str) -> str:
        return f"{self.definition.name} {self.definition.reader} {content}"

    def _fetched_key(self, bundle: Bundle) -> str:
        return self._key_of(f"fetched {bundle.key}")

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders it commonly lies in."""
        return self.definition.folders or (self.definition.name,)

    def _named_places(self) -> Iterator[Place]:
        yield from named_places(self.named, self.folders)

    def _common_places(self) -> Iterator[Place]:
        for shared in dict.fromkeys(bundle.shared for bundle in self.definition.downloads if bundle.shared):
            yield Place(_downloads(shared), "fetched before")  # maybe for another data set
        yield from common_places(self.folders)

    def _named(self) -> CachedDataset | None:
        check_named(self.named)
        for place in self._named_places():
            try:
                for source in self.definition.find(place.folder):
                    if cached := self._take(source, place.label, trusted=True):
                        return cached
                    self.refused.append(f"{place.label}: the files of another data set")
            except BrokenFile as error:
                advice = error.advice or f"Delete it and run: bench data fetch {self.definition.name}"
                raise BrokenDataset(
                    f"{self.definition.name}: {error.message}", f"{advice}   (in {place.folder})"
                ) from error
        return None

    def _bundled(self) -> CachedDataset | None:
        source = self.definition.bundled()
        return self._take(source, "bundled", trusted=True) if source else None

    def _common(self) -> CachedDataset | None:
        for place in self._common_places():
            try:
                for source in self.definition.find(place.folder):
                    if cached := self._take(source, place.label, trusted=not self.definition.is_known(source.format)):
                        return cached
                    self.refused.append(f"{place.label}: other data than published")
            except BrokenFile as error:
                self.refused.append(f"{place.label}: {error.message.removesuffix('.')}")
                self.say(f"passed over in {place.folder}: {error.message}")
        return None

    def _made(self) -> CachedDataset | None:
        """The data set made from another one, which is found or fetched; None if that is unavailable."""
        if not self.definition.made_from:
            return None
        from bench.datasets.catalog import resolve

        try:
            base = resolve(
                self.definition.made_from,
                data_dir=self.data_dir,
                offline=self.offline,
                say=self.say,
                watch=self.watch,
            )
        except BrokenDataset:
            raise
        except DatasetUnavailable:
            self.refused.append(f"nor is {self.definition.made_from}, from which it could be made")
            return None
        source = _arrays_of(base)
        label = f"from {base.info.name}" if base.info.verified else f"from unverified {base.info.name}"
        return self._take(source, label, trusted=True)

    def _fetched(self) -> CachedDataset | None:
        """Raises LicenceNotAccepted, before anything is fetched."""
        if not self.definition.downloads:
            return None
        if self.offline:
            self.failures.append("offline: no mirror was asked")
            return None
        require_accepted(self.definition)
        for bundle in self.definition.downloads:
            name = bundle.shared or self.definition.name
            with Shelf(name).lock("download", partial(self.say, f"waiting for another process that fetches {name}")):
                if cached := self.cached():  # that one was quicker
                    return cached
                try:
                    return self._fetched_bundle(bundle, _downloads(name))
                except DownloadFailed as error:
                    self.failures += error.failures
        return None

    def _fetched_bundle(self, bundle: Bundle, folder: Path) -> CachedDataset:
        hosts = fetch(bundle, folder, self._tell, self.watch)
        problem = "other data than published"
        try:
            for source in self.definition.find(folder):
                label = f"fetched from {hosts}" if hosts else "fetched before"
                if cached := self._take(source, label, trusted=not self.definition.is_known(source.format)):
                    self.shelf.remember(self._fetched_key(bundle), cached.info.fingerprint)
                    if not bundle.shared:
                        shutil.rmtree(folder, ignore_errors=True)  # the decoded arrays are kept
                    return cached
        except BrokenFile as error:
            problem = error.message.removesuffix(".")
        for file in bundle.files:
            if not file.is_checked:
                (folder / file.name).unlink(missing_ok=True)  # or it would be taken for finished the next time
        failure = f"{hosts or 'fetched before'}: {problem}"
        self.say(failure)
        raise DownloadFailed([failure])

    def _tell(self, line: str) -> None:
        """Say a line of a download, the licence before the first."""
        for one in (*self._notice, line):
            self.say(one)
        self._notice = ()

    def _take(self, source: Source, label: str, *, trusted: bool) -> CachedDataset | None:
        """The source, cached; None if its data are not this data set. Decodes only what is not known yet."""
        key = self._key(source)
        fingerprint = self.shelf.fingerprint_of(key)
        dataset: Dataset | None = None
        if fingerprint is None:
            dataset, fingerprint = decoded(self.definition, source, self.say)
            self._remember(source, key, fingerprint)
        known = self._published
        if fingerprint in self.foreign - known or not (trusted or fingerprint in known):
            return None
        if cached := self._found(fingerprint):
            return self._refreshed(cached)
        if dataset is None:
            dataset, fingerprint = decoded(self.definition, source, self.say)
        described = f"{source.format}, {label}"
        info = DatasetInfo.of(dataset, fingerprint, verified=fingerprint in known, source=described)
        return self.shelf.store(dataset, info)

    def _remember(self, source: Source, key: str, fingerprint: str) -> None:
        self.shelf.remember(key, fingerprint)
        if not self.definition.is_known(source.format):  # the files' own hashes decide
            for bundle in self.definition.downloads:
                if bundle.is_published(source.files):
                    self.shelf.remember(self._key_of(bundle.key), fingerprint)

    def _refreshed(self, cached: CachedDataset) -> CachedDataset:
        """``cached``, updated from the current definition, which may know more fingerprints, or rows, by now."""
        info = cached.info
        if info.split == self.definition.published_split:
            info = dataclasses.replace(info, split=self.definition.split_of(info.train_rows, info.test_rows))
        verified = info.fingerprint in self._published
        return CachedDataset(dataclasses.replace(info, verified=verified), cached.folder)

    def _unavailable(self) -> DatasetUnavailable:
        name = self.definition.name
        given = any(version.info.source.endswith(f", {NAMED}") for version in self.shelf.versions())
        if given and DAMAGED not in self.refused:
            self.refused.append("decoded before from a folder you named: name it again with --data-dir")
        reasons = "; ".join(dict.fromkeys([*self.refused, *self.failures]))
        ways = [self.definition.advice] if self.definition.advice else []
        if self.definition.downloads:
            first = page_of(self.definition.downloads[0].urls[0])
            ways.append(
                f"With a network: bench data fetch {name}   or put the files of {first} into DIR/{name}"
                " and add: --data-dir DIR"
            )
        message = f"data set {name!r} is not on this machine" + (f" ({reasons})." if reasons else ".")
        return DatasetUnavailable(message, "\n    ".join(ways))


def _downloads(name: str) -> Path:
    return cache_root() / "downloads" / name


def _arrays_of(base: CachedDataset) -> Source:
    """The cached arrays of one data set as the source of another."""
    return Source(tuple(sorted(base.folder.glob("*.npy"))), MADE)

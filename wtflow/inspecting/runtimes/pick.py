"""The runtime of one inspection: asked for, or measured to pay off here; the same from the first image to
the last. Imports torch.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final

import numpy as np

from wtflow.detector.record import OpenedDetector
from wtflow.errors import BackboneError, ExportError, MissingPackageError, SettingsError, WTFlowError
from wtflow.export.onnx.check import N_IMAGES, images_to_check
from wtflow.export.onnx.graph import refuse_unexportable
from wtflow.export.onnx.inner import found_by
from wtflow.export.onnx.write import inner_graph
from wtflow.features.extract import threads_for
from wtflow.inspecting.runtimes.decide import (
    FEWEST_CHECKED,
    LEAST_GAIN,
    best_of,
    costs,
    earns_back,
    why_torch,
    words_of,
)
from wtflow.inspecting.runtimes.installed import computer_key, graph_versions, installed, require, version_of
from wtflow.inspecting.runtimes.measure import PORTIONS_EACH, REPEATS, Candidate, Network, measure, torch_of
from wtflow.inspecting.runtimes.sessions import open_graph
from wtflow.inspecting.session import Preparing, Session
from wtflow.inspecting.sources import Item
from wtflow.machine.processor import load, processor_name
from wtflow.numbers import count, duration
from wtflow.records.runtimes import BUSY, TITLES, Measured, Runtime, RuntimeUsed, measured_from_json
from wtflow.results import open_results
from wtflow.store import inspections, layout
from wtflow.store.graphs import GraphCache, KeptGraph

MAKING_S: Final = 12.0
"""That making a graph takes: measured on two cores, `resnet18` at 256 px."""
ON_GPU: Final = "the network computes on a graphics card here, other runtimes would on the processor"


def settle_runtime(session: Session, items: Sequence[Item]) -> None:
    """Give the session's scorer the runtime of its inspection, and keep with the inspection which it is and why.

    items: images to score; where the inspection watches, those that came first. An inspection that has scored images
    goes on by the runtime that it began with, or says that it does not. Raises MissingPackageError, SettingsError and
    ExportError where a runtime was asked for that cannot be used, StopRequestedError.
    """
    choice = _Choice(session, items)
    wish = session.inspection.settings.runtime
    if session.known:
        used, network = choice.again()
    elif wish == "torch":
        used, network = choice.torch(), None
    elif wish == "auto":
        used, network = choice.automatic()
    else:
        used, network = choice.asked_for(wish)
    session.stage, session.preparing = "score", Preparing()
    session.scorer = replace(session.scorer, network=network)
    session.inspection = replace(session.inspection, runtime=used)
    inspections.write_plan(session.store, session.inspection)


def refuse_runtime(opened: OpenedDetector, runtime: Runtime) -> None:
    """Raise MissingPackageError, SettingsError or ExportError where a detector cannot be computed so here."""
    require(runtime)
    if runtime == "torch":
        return
    if opened.backbone.device.type != "cpu":
        raise SettingsError(f"{TITLES[runtime]} is not used here: {ON_GPU}.", fix="Inspect with --runtime torch.")
    refuse_unexportable(opened.settings)


class _Choice:
    def __init__(self, session: Session, items: Sequence[Item]) -> None:
        self.session, self.items = session, items
        self.opened = session.scorer.opened
        self.n_threads = threads_for(None)
        self.cache = GraphCache(session.store.home)

    def torch(self, words: str = "", measured: Sequence[Measured] = ()) -> RuntimeUsed:
        return RuntimeUsed("torch", version_of("torch"), words, tuple(measured))

    def asked_for(self, runtime: Runtime) -> tuple[RuntimeUsed, Network]:
        """A runtime that is used at any speed, if it agrees with torch."""
        refuse_runtime(self.opened, runtime)
        graph = self._graph()
        candidate = self._candidate(runtime, graph)
        [measured] = self._measured(graph, {runtime: candidate})
        if not measured.is_equal:
            raise ExportError(words_of(measured), fix="Inspect with --runtime torch.")
        return RuntimeUsed(runtime, measured.version, words_of(measured), (measured,)), candidate.network

    def automatic(self) -> tuple[RuntimeUsed, Network | None]:
        """The fastest that pays off, else torch."""
        try:
            return self._automatic()
        except (BackboneError, ExportError, MissingPackageError, SettingsError) as error:
            return self.torch(f"torch: {error.message}"), None

    def again(self) -> tuple[RuntimeUsed, Network | None]:
        """What the inspection began with."""
        begun = self.session.inspection.runtime or self.torch()
        n_done = len(self.session.known)
        wish = self.session.inspection.settings.runtime
        if wish not in (begun.name, "auto"):
            said = f"It began by {TITLES[begun.name]} and goes on by it: one table, one runtime."
            begun = _saying(begun, said)
        if begun.name == "torch":
            return begun, None
        try:
            used, network = self.asked_for(begun.name)
        except WTFlowError as error:
            mixed = f"The first {count(n_done, 'image')} were scored by {begun.title}, the others by torch:"
            return self.torch(_saying(begun, f"{mixed} {error.message}").words, begun.measured), None
        if used.version != begun.version:
            mixed = f"The first {count(n_done, 'image')} were scored by {begun.title}, the others by {used.title}."
            return _saying(replace(begun, version=used.version), mixed), network
        return begun, network

    # -- inside --------------------------------------------------------------------------------------------------------

    def _automatic(self) -> tuple[RuntimeUsed, Network | None]:
        n_images = None if self.session.inspection.settings.watch else len(self.items)
        there = installed()
        refuse_runtime(self.opened, "onnx")  # what keeps one away keeps all
        graph = self.cache.find(self.opened.fingerprint, graph_versions())
        known = {} if graph is None else self._known(graph)
        if any(name not in known for name in there):
            if n_images is not None and (why := self._too_few(n_images, there, graph)):
                return self.torch(why), None
            graph = graph or self._graph()
            candidates = {name: self._candidate(name, graph) for name in there}
            measured = self._measured(graph, candidates)
            best = best_of(measured)
            if best is None:
                return self.torch(why_torch(measured), measured), None
            network = candidates[best.runtime].network
        else:
            measured = [known[name] for name in there]
            best = best_of(measured)
            if best is None or graph is None:
                return self.torch(why_torch(measured), measured), None
            least = earns_back(best.opening_s, best.torch_per_second, best.gain)
            if n_images is not None and n_images < least:
                few = f"torch: {count(n_images, 'image')} do not earn back the {best.opening_s:.1f} s of opening"
                return self.torch(f"{few} {best.title}, which is {best.gain:.2f} times as fast.", measured), None
            network = self._candidate(best.runtime, graph).network
        return RuntimeUsed(best.runtime, best.version, words_of(best), tuple(measured)), network

    def _too_few(self, n_images: int, there: Sequence[Runtime], graph: KeptGraph | None) -> str:
        """Why so few images are not worth choosing a runtime; empty where they are."""
        n_checked = min(N_IMAGES, n_images)
        few = f"torch: {count(n_images, 'image')} do not earn back what choosing another runtime takes"
        if n_images <= n_checked:
            return f"{few}."
        n_each = self.session.scorer.n_each
        part = np.zeros((n_each, *self.opened.shape, 3), np.float32)
        network = torch_of(self.opened)
        network(part)
        began = time.perf_counter()
        network(part)
        rate = self.n_threads * n_each / (time.perf_counter() - began)
        n_timed = PORTIONS_EACH * self.n_threads * n_each * (REPEATS + 1)
        seconds = costs(0.0 if graph else MAKING_S, rate, self.n_threads, n_checked, n_timed, len(there))
        least = earns_back(seconds, rate, LEAST_GAIN)
        if n_images >= least:
            return ""
        return f"{few}: about {duration(seconds)}. From about {round(least, -2):,.0f} images on it is tried."

    def _graph(self) -> KeptGraph:
        """Raises ExportError for a detector that cannot be exported."""
        found = self.cache.find(self.opened.fingerprint, graph_versions())
        if found is not None:
            return found
        self.session.prepare("Writing the detector as a graph, once for this detector: some ten seconds.")
        began = time.perf_counter()
        content = inner_graph(self.opened)
        return self.cache.keep(self.opened.fingerprint, graph_versions(), content, time.perf_counter() - began)

    def _candidate(self, runtime: Runtime, graph: KeptGraph) -> Candidate:
        began = time.perf_counter()
        call = open_graph(runtime, graph.path, self.n_threads)
        return Candidate(lambda images: found_by(self.opened, *call(images)), time.perf_counter() - began)

    def _known(self, graph: KeptGraph) -> dict[Runtime, Measured]:
        """What was measured on this computer by the versions that are installed. What was measured while it was busy
        does not count once it is quiet.
        """
        try:
            values = graph.measured(computer_key(self.n_threads)).get("measured", ())
            found = [measured_from_json(one) for one in values]
        except TypeError:
            return {}
        is_quiet = load() <= BUSY
        return {
            one.runtime: one
            for one in found
            if one.version == version_of(one.runtime) and not (is_quiet and one.was_busy)
        }

    def _measured(self, graph: KeptGraph, candidates: dict[Runtime, Candidate]) -> list[Measured]:
        """Each candidate compared with torch, now or before on this computer."""
        known = self._known(graph)
        fresh = {name: one for name, one in candidates.items() if name not in known}
        if fresh:
            names, images = self._images()
            titles = " and ".join(TITLES[name] for name in fresh)
            said = f"Checking and timing {titles} against torch, once on this computer."

            def progress(done: int, total: int) -> None:
                self.session.prepare(said, 100 * done / total)

            n_each = self.session.scorer.n_each
            found = measure(self.opened, fresh, names, images, n_each, self.n_threads, progress)
            if len(images) >= FEWEST_CHECKED:
                known |= {one.runtime: one for one in found}
                facts = {"processor": processor_name(), "threads": self.n_threads, "torch": version_of("torch")}
                kept = facts | {"measured": [asdict(one) for one in known.values()]}
                graph.keep_measured(computer_key(self.n_threads), kept)
            known |= {one.runtime: one for one in found}
        return [known[name] for name in candidates]

    def _images(self) -> tuple[list[str], np.ndarray]:
        """Images to check on, with their names: test images of the run, else the first ones to be inspected. Raises
        ExportError where none can be read.
        """
        detector = self.session.inspection.detector
        if layout.is_run_id(detector):
            try:
                chosen, images = images_to_check(open_results(self.session.store, detector))
                return [one.sample_id for one in chosen], np.stack(images)
            except ExportError:
                pass  # they were moved: new ones do as well
        rows, images, _ = self.session.scorer.read(self.items[:N_IMAGES])
        if not len(images):
            raise ExportError("There is no image to check another runtime on.", fix="Inspect with --runtime torch.")
        return [row.image for row in rows if not row.problem], images


def _saying(used: RuntimeUsed, sentence: str) -> RuntimeUsed:
    before = used.words or f"{used.title}."
    return used if sentence in before else replace(used, words=f"{before} {sentence}")

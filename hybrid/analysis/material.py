"""The decoded clips that trained models may be asked about, each data set once."""

from __future__ import annotations

from pathlib import Path

from hybrid.analysis.footage import Footage, footage_in, footage_of_dataset
from hybrid.analysis.sources import Source
from hybrid.data.clip import ClipSpec
from hybrid.errors import UserError
from hybrid.experiment.trained_on import dataset_of, fingerprint_of


class Material:
    """data: a data set or a folder of videos, None for each experiment's own clips. cache: for decoded videos.

    notices: what is to be said of them.
    """

    def __init__(self, data: Path | None, cache: Path):
        self.data, self.cache = data, cache
        self.known: dict[tuple[Path, ClipSpec], Footage] = {}
        self.notices: list[str] = []

    def footage(self, source: Source, spec: ClipSpec) -> Footage:
        """The clips for this trained model, decoded as it wants them."""
        place = self.data or source.experiment.path
        if (place, spec) not in self.known:
            self.known[place, spec] = self._load(source, spec)
        return self.known[place, spec]

    def allowed(self, source: Source, footage: Footage) -> frozenset[str] | None:
        """Clips that the model has not been trained on; None: all, for nothing says."""
        if self.data is None:
            return source.held_out
        if source.of_experiment and footage.fingerprint and footage.fingerprint == fingerprint_of(source.experiment):
            return source.held_out
        notice = f"{footage.root}: whether {source.label} was trained on some of these clips is not known"
        if notice not in self.notices:
            self.notices.append(notice)
        return None

    def _load(self, source: Source, spec: ClipSpec) -> Footage:
        if self.data is not None:
            return footage_in(self.data, spec, self.cache)
        if not source.of_experiment:
            raise UserError(f"{source.checkpoint}: lies in no run's folder; name a folder of clips with --data")
        dataset, why = dataset_of(source.experiment, source.folder)
        if dataset is None:
            raise UserError(f"{source.experiment.path}: {why}; name a folder of clips with --data")
        return footage_of_dataset(dataset)

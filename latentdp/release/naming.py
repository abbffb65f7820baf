"""What an output is called: its pseudonyms, and its place in the release folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from latentdp.core.system import folded
from latentdp.data.dicom.profile import Profile
from latentdp.data.dicom.pseudonyms import Pseudonyms
from latentdp.data.dicom.retention import MAX_DAYS
from latentdp.data.radiograph import Identity
from latentdp.release.inputs import Input
from latentdp.reports.layout import Layout, class_folder, mirrored

__all__ = ["Naming"]


class Naming:
    """The names of one release, under one key.

    Args:
        key: Of the vault.
        profile: What is retained of headers.
        layout: How the images lie in the release folder.
        inputs: The names of all inputs, so that none takes another's name in a mirror.
    """

    def __init__(
        self, key: bytes, profile: Profile, layout: Layout, inputs: Sequence[str]
    ) -> None:
        self._names, self._profile, self._layout = Pseudonyms(key), profile, layout
        self._wanted = Counter(folded(mirrored(name, "")) for name in inputs)

    def identity(self, item: Input, said: Identity, ordinal: int) -> Identity:
        """The pseudonyms of an output.

        Args:
            item: Its input, which stands in for what the source does not state.
            said: What the source states.
            ordinal: Number of releases that the input had before.
        """
        names, patient = self._names, said.patient or item.alone
        # A study of nobody is not joined: it would make two people, or none, of its files.
        study, series = (said.study, said.series) if said.patient else ("", "")
        # The key is that of content and recipe: two files that claim one UID stay two.
        which = [item.key, str(ordinal)] if ordinal else [item.key]
        return Identity(
            patient=names.patient(patient),
            # With the patient: a study of two, by the sources' mistake, is told apart.
            study=names.uid("study", study or item.alone, patient),
            series=names.uid("series", series or item.alone, patient),
            instance=names.uid("instance", said.instance or item.alone, *which),
            days=names.days(patient, MAX_DAYS) if self._profile.shift_dates else 0,
        )

    def place(self, item: Input, output: str, identity: Identity, label: str = "") -> str:
        """Where an output is to lie below the images folder, if nothing else does.

        Args:
            item: Its input.
            output: The output's random name.
            identity: The output's pseudonyms.
            label: The released one; empty for none, or while none is drawn.
        """
        if self._layout == Layout.CLASS:
            return f"{class_folder(label)}/{output}"
        if self._layout == Layout.STUDY:
            return f"{identity.patient}/{identity.study}/{identity.series}/{output}"
        if self._layout == Layout.MIRROR:
            path, suffix = mirrored(item.name, ""), PurePosixPath(output).suffix
            if self._wanted[folded(path)] > 1 and path + suffix != item.name:
                path += f"-{output[:8]}"
            return path + suffix
        return output

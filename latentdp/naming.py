"""What an output is called: its pseudonyms, and its place in the release folder."""

from __future__ import annotations

from pathlib import PurePosixPath

from latentdp.dicom.pseudonyms import Pseudonyms
from latentdp.files import Identity
from latentdp.inputs import Input
from latentdp.layout import Layout, mirrored

__all__ = ["Naming"]


class Naming:
    """The names that one recipe gives under one key.

    Args:
        key: Of the vault.
        recipe: Digest of the recipe.
        layout: How the images lie in the release folder.
    """

    def __init__(self, key: bytes, recipe: str, layout: Layout) -> None:
        self._names, self._recipe, self._layout = Pseudonyms(key), recipe, layout

    def identity(self, item: Input, said: Identity, output: str) -> Identity:
        """The pseudonyms of an output.

        Args:
            item: Its input, which stands in for what the source does not state.
            said: What the source states.
            output: The output's random name.
        """
        names, recipe = self._names, self._recipe
        return Identity(
            patient=names.patient(said.patient or item.alone),
            study=names.uid("study", said.study or item.alone),
            series=names.uid("series", said.series or item.alone, recipe),
            # The output's random name makes two files that claim one UID two instances.
            instance=names.uid("instance", said.instance or item.alone, recipe, output),
        )

    def place(self, item: Input, output: str, identity: Identity) -> str:
        """Where an output is to lie below the images folder, if nothing else does.

        Args:
            item: Its input.
            output: The output's random name.
            identity: The output's pseudonyms.
        """
        if self._layout == Layout.STUDY:
            return f"{identity.patient}/{identity.study}/{identity.series}/{output}"
        if self._layout == Layout.MIRROR:
            return mirrored(item.name, PurePosixPath(output).suffix)
        return output

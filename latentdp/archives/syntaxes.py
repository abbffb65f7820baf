"""Transfer syntaxes and storage classes that are agreed on in an association."""

from __future__ import annotations

from pynetdicom.presentation import PresentationContext, build_context

__all__ = [
    "FIND",
    "GET",
    "MOVE",
    "RADIOGRAPHS",
    "SYNTAXES",
    "VERIFICATION",
    "radiograph_contexts",
    "sending_context",
]

VERIFICATION = "1.2.840.10008.1.1"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"  # Study Root Query/Retrieve, likewise the others
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
GET = "1.2.840.10008.5.1.4.1.2.2.3"

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
PLAIN = (EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")

_COMPRESSED = (
    "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.57",  # JPEG lossless
    "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",  # JPEG extended
    "1.2.840.10008.1.2.4.201",  # HTJ2K lossless
    "1.2.840.10008.1.2.4.203",  # HTJ2K
    "1.2.840.10008.1.2.5",  # RLE
)
SYNTAXES = (*PLAIN, *_COMPRESSED)

RADIOGRAPHS = (  # PS3.4 B.5
    "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
    "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # and for processing
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.2",  # with several frames: of bytes
    "1.2.840.10008.5.1.4.1.1.7.3",  # of words
    "1.2.840.10008.5.1.4.1.1.7.4",  # in colour
)


def radiograph_contexts() -> list[PresentationContext]:
    """What we can be sent on an association that we open, at most 128 (PS3.8 9.3.2.2).

    One for each compression, so that whoever sends takes that in which it has the image.
    """
    contexts = []
    for storage in RADIOGRAPHS:
        contexts.append(build_context(storage, list(PLAIN)))
        contexts += [build_context(storage, syntax) for syntax in _COMPRESSED]
    return contexts


def sending_context(sop_class: str, syntax: str) -> PresentationContext:
    """What we propose to send: as it is, or if it is not compressed in implicit form, too."""
    return build_context(sop_class, [EXPLICIT, IMPLICIT] if syntax == EXPLICIT else syntax)

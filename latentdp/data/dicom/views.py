"""Whether a file says that it is a frontal view.

What describes the image itself comes first: the code of its view, told by scheme and value, and
View Position. Where these are silent descriptions are read, those of the series before those of
the study. The orientation of rows and columns counts in any case.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from latentdp.data.dicom.elements import Code, codes, text
from latentdp.data.dicom.vocabulary import Said, Vocabulary, listed, words
from latentdp.errors import UnsupportedInstance

__all__ = ["check_view", "orientation", "projection"]

# Values in SNOMED CT and, of older files, SNOMED RT; PS3.16 CID 4010.
_FRONTAL_CODES = listed(
    # frontal, antero-posterior, postero-anterior
    "399033003 R-10202 399348003 R-10206 272479007 R-10214 R-40888"
)
_AP_CODES, _PA_CODES = listed("399348003 R-10206"), listed("272479007 R-10214 R-40888")
_OTHER_CODES = listed(
    # lateral
    "399067008 R-102CD 399198007 R-10232 399173006 R-10236 399352003 R-10228 399260004 R-10224 "
    "30730003 G-A145 "
    # oblique
    "399182000 R-102C1 399236003 R-10234 399184004 R-10238 399160007 R-10204 399312000 R-10208 "
    "399038007 R-10210 399006002 R-10212 399059000 R-10216 399356000 R-10218 R-40985 399135007 "
    "R-10220 260426006 R-40782 260427002 R-40783 399368009 R-10226 399099002 R-10230 399004004 "
    "R-10246 399288005 R-10248 399225005 R-10250 399132005 R-10252 399325008 R-10254 "
    # from above, below or along
    "399061009 R-10241 399110001 R-102C2 399162004 R-10242 399196006 R-10244 399255003 R-10256 "
    "399360002 R-10257"
)

_FRONTAL = Vocabulary.of(
    "AP PA FRONT FACE FRENTE DV VD VA AV VOORACHTERWAARTS ACHTERVOORWAARTS",
    "FRONTA ANTEROP POSTEROA ANTERO POSTERO DORSOVENTR VENTRODORS",
)
_AP = Vocabulary.of("AP VD", "ANTEROP VENTRODORS VOORACHTER")
_PA = Vocabulary.of("PA DV", "POSTEROA DORSOVENTR ACHTERVOOR")
_NOT_FRONTAL = Vocabulary.of(
    "LL RL LAT LATS LLAT RLAT LLD RLD LLO RLO LAO RAO LPO RPO OBL SIDE SIDA SIDO DWARS "
    "DWARSE AXIAL LATL XTABLE CROSSTABLE YAN BOK BOCZNE BOCZNA BOCNI PROFIL PROFILS PROFILO "
    "PROFIEL",
    # English and Latin, German, French, Spanish, Italian, Portuguese, Dutch
    "LATERA LATERO MEDIOLAT OBLIQ OBLIC DECUB TANGENT SWIMMER TRANSTHOR SEITL SEITEN "
    "SEITAUFN SCHRAG SCHRAEG LINKSANL RECHTSANL PERFIL ZIJDEL ZIJAAN ZIJOPN ZIJWAART "
    "SCHUIN SKRA",
)
# How the patient was placed, and the like: this says nothing of the view.
_NEUTRAL = Vocabulary.of(
    "UNKNOWN UNSPECIFIED UNDEFINED NONE NA ERECT UPRIGHT STANDING SUPINE PRONE SITTING SEATED "
    "SEMI PORTABLE PORT MOBILE BED BEDSIDE ICU INSP EXP INSPIRATION EXPIRATION WE IM BETT DEBOUT "
    "COUCHE ASSIS LIT AU DE EN PIE SENTADO SUPINO PRONO IN PIEDI SEDUTO LETTO STAAND LIGGEND "
    "ZITTEND",
    "STEHEN LIEGEN SITZEN BIPEDEST ACOSTAD ORTOSTA CHEST THORA TORAX TORAC INSPIR EXSPIR ESPIR "
    "SEMIE",
)


def check_view(dataset: Dataset, *, all_frontal: bool) -> None:
    """Refuses what is said to be another view than a frontal one.

    Args:
        dataset: Of a file.
        all_frontal: Whether a person says that it is frontal, where a term is not understood.

    Raises:
        UnsupportedInstance: "not-frontal".
    """
    terms = {_verdict(code) for code in codes(dataset, "ViewCodeSequence") if any(code)}
    terms.add(_term(text(dataset, "ViewPosition")))
    # In a frontal view rows run to a side; in a lateral one to the front or the back.
    row, column = orientation(dataset)
    sideways = row + column not in ("", "LF", "RF", "LH", "RH")
    if Said.YES not in terms:
        terms.add(_described(dataset))
    if sideways or Said.NO in terms:
        raise UnsupportedInstance(
            "not-frontal",
            "expected a frontal view by View Code (0054,0220), View Position (0018,5101) or, "
            "where these are empty, the descriptions of the series (0008,103E), (0018,1400), "
            "(0018,1030), (0040,0254) or study (0008,1030), (0032,1060), and by Patient "
            "Orientation (0020,0020), got another",
        )
    if Said.UNKNOWN in terms and Said.YES not in terms and not all_frontal:
        raise UnsupportedInstance(
            "not-frontal",
            "expected a term for a frontal view in View Position (0018,5101) or View Code "
            "(0054,0220), got one that is not known; if all inputs are frontal, give "
            "--all-frontal",
        )


def orientation(dataset: Dataset) -> tuple[str, str]:
    """Returns whither rows and columns run, Patient Orientation (0020,0020), PS3.3 C.7.6.1.1.1.

    Of each direction the first letter (L, R, A, P, H, F), or two empty texts when not both are
    stated.
    """
    letters = [direction[:1] for direction in text(dataset, "PatientOrientation").split()]
    return (letters[0], letters[1]) if len(letters) == 2 else ("", "")


def projection(dataset: Dataset) -> str:
    """Returns "AP" or "PA" where view code, view position or series description says so, or ""."""
    for code in codes(dataset, "ViewCodeSequence"):
        if code.is_among(_AP_CODES | _PA_CODES):
            return "AP" if code.value in _AP_CODES else "PA"
    for keyword in ("ViewPosition", "SeriesDescription"):
        said = words(text(dataset, keyword))
        ap, pa = _AP.among(said), _PA.among(said)
        if bool(ap) != bool(pa):
            return "AP" if ap else "PA"
    return ""


def _verdict(code: Code) -> Said:
    if code.is_among(_FRONTAL_CODES):
        return Said.YES
    if code.is_among(_OTHER_CODES):
        return Said.NO
    return _term(code.meaning) if words(code.meaning) else Said.UNKNOWN


def _term(term: str) -> Said:
    """What a term says by itself; "antero-posterior oblique" is not frontal."""
    said = words(term)
    if _NOT_FRONTAL.among(_placed(said)):
        return Said.NO
    if _FRONTAL.among(said):
        return Said.YES
    return Said.NOTHING if all(word in _NEUTRAL for word in said) else Said.UNKNOWN


def _described(dataset: Dataset) -> Said:
    """What the series says or, where it says nothing, the study.

    "PA and lateral" may stand with either of two images and says nothing.
    """
    series = (
        "SeriesDescription", "AcquisitionDeviceProcessingDescription", "ProtocolName",
        "PerformedProcedureStepDescription",
    )  # fmt: skip
    for keywords in (series, ("StudyDescription", "RequestedProcedureDescription")):
        said = words(*(text(dataset, keyword) for keyword in keywords))
        if _FRONTAL.among(said):
            return Said.NOTHING
        if _NOT_FRONTAL.among(_placed(said)):
            return Said.NO
    return Said.NOTHING


def _placed(said: frozenset[str]) -> frozenset[str]:
    """Without the decubitus of who lies on the back, "decubito supino"."""
    on_back = any(word.startswith("SUPIN") for word in said)
    return frozenset(word for word in said if not (on_back and word.startswith("DECUB")))

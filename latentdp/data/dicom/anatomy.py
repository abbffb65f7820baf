"""Whether a file says that it shows a chest.

What describes the image itself comes first: the code of its region, told by scheme and value, and
Body Part Examined. Where these are silent descriptions are read, those of the series before those
of the study, which may hold a pelvis too.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from latentdp.data.dicom.elements import Code, codes, text
from latentdp.data.dicom.vocabulary import Said, Vocabulary, listed, words
from latentdp.errors import UnsupportedInstance

__all__ = ["check_part"]

# Values in SNOMED CT and, of older files, SNOMED RT; PS3.16 CID 4009.
_CHEST_CODES = listed(
    # chest, thoracic structure, thoracic cavity, chest wall, lung, apex of lung, rib, heart,
    # mediastinum
    "816094009 51185008 T-D3000 43799004 T-D3200 78904004 T-D3050 39607008 T-28000 86598002 "
    "T-280A0 113197003 T-11300 80891009 T-32000 72410000 T-D3300"
)
_OTHER_CODES = listed(
    # spine: all, cervical, thoracic, lumbar, sacral and between; sternum, clavicle, scapula
    "421060004 T-D04FF T-11500 122494005 T-11501 122495006 T-11502 122496007 T-11503 1217253001 "
    "1217254007 1217256009 1217257000 110517009 T-11011 54735007 T-11AD0 64688005 T-11BF0 "
    "56873002 T-11210 51299004 T-12310 79601000 T-12280 7844006 T-15610 85856004 T-15420 "
    # head and neck
    "69536005 T-D1100 89546000 T-11100 91398007 91397008 T-11196 2095001 T-22000 91609006 "
    "T-11180 661005 T-D1213 70925003 T-11170 74386004 T-11149 45048000 T-D1600 774007 T-D1000 "
    "371398005 T-D0801 363654007 T-D14AE 4596009 T-24100 "
    # abdomen, pelvis, the whole body, a phantom
    "818981001 818983003 T-D4000 113345001 816092008 12921003 T-D6000 818982008 39723000 T-15680 "
    "22356005 T-12340 38266002 T-D0010 706342009 R-FE0C7 76752008 T-04000 89837001 T-74000 "
    "69695003 T-57000 32849002 T-56000 "
    # chest with other parts
    "416550000 R-FAB55 416775004 R-FAB56 416319003 R-FAB54 416152001 R-FAB53 417437006 R-FAB52 "
    # upper limb
    "53120007 T-D8000 66019005 T-D0300 16982005 T-D2220 40983000 T-D8200 85050009 T-12410 "
    "16953009 T-15430 14975008 T-D8500 74670003 T-15460 85562004 T-D8700 7569003 T-D8800 "
    "76505004 T-D8810 "
    # lower limb
    "61685007 T-D9000 29836001 T-D2500 24136001 T-15710 68367000 T-D9100 71341001 T-12710 "
    "72696002 T-D9200 64234005 T-12730 30021000 T-D9400 12611008 87342007 T-12750 70258002 "
    "T-15750 56459004 T-D9700 80144004 T-12770 29707007 T-D9800 1231522001"
)

_CHEST = Vocabulary.of(
    "TH THX CXR CHST LUNG LUNGS RIB RIBS RIBCAGE HEART HERZ HART COEUR CORAZON CUORE CORACAO "
    "POLMONE POLMONI LONGEN POITRINE PECHO PETTO PEITO BORST BROST BRUST PULMAO PULMOES "
    "COTES COSTE COSTELAS RIPPEN RIBBEN KLATKA HRUDNIK PLUCA PLIC GOGUS AKCIGER",
    "CHEST THORA TORAX TORAC TORAK TORAS LUNGE PULMO PULMON POUMON COSTAL COSTILL COSTAE GRILL "
    "PARRILLA PIERSIOW MEDIAST BRUSTKORB BRUSTBILD BORSTKAS HEMITHORA CARDIOTHORA HJERTE",
)
# These are told first: a spine may be thoracic, in any language, and a chest a part of more.
_NEVER = Vocabulary.of(
    "BWS HWS LWS BWK HWK LWK BWZ CWK LWZ TWK CWZ TWZ CSPINE TSPINE LSPINE DWS",
    "VERTEBR RACHIS RACHID RAQUIS COLUMNA COLONNA COLUNA LUMB SACR CERVIC DORSOLUMB SPONDYL",
    "SPINE SPINAL WIRBEL WERVEL ACOLUMB ACOLOMB DORSOLOMB CHESTABD THORACOABD TORACOABD TORACOADD",
)
_ELSEWHERE = Vocabulary.of(
    # English, and abbreviations of Body Part Examined
    "TOOTH TEETH DENTAL SKULL HEAD NECK FACIAL HAND HANDS WRIST HIP HIPS LEG LEGS ARM ARMS FOOT "
    "FEET TOE TOES HEEL JAW ORBIT NOSE SINUS ELBOW PELVIS ABD KUB BREAST SSPINE BODY WHOLEBODY "
    # German, French, Spanish, Italian, Portuguese, Dutch
    "KOPF HALS ARM BEIN FUSS HUFTE KNIE ZAHN ZAHNE ZEH ZEHE OSG USG ISG "
    "TETE CRANE COU BRAS MAIN MAINS JAMBE PIED PIEDS GENOU GENOUX HANCHE BASSIN DENT DENTS COUDE "
    "CABEZA CUELLO BRAZO MANO MANOS PIERNA CADERA DIENTE CODO TESTA CAPO COLLO BRACCIO "
    "MANI GAMBA PIEDE ANCA BACINO DENTE DENTI GOMITO CABECA PESCOCO BRACO MAO MAOS PERNA "
    "QUADRIL BACIA DENTES COTOVELO HOOFD NEK BEEN VOET HEUP BEKKEN TAND TANDEN POLS",
    "SKULL CRANI CRANE SHOULDER SCAPUL CLAVIC FOREARM HUMER FEMUR FEMOR TIBIA FIBUL PATELL ANKLE "
    "CALCAN FINGER THUMB ABDOM PELVI EXTREMI MANDIB MAXILL STERN ELBOW KNEE WRIST MAMMO "
    "SCHADEL SCHAEDEL SCHULTER OBERARM UNTERARM ELLENBO ELLBOGEN HANDGELENK DAUMEN BECKEN HUEFT "
    "HUFTG OBERSCHENK UNTERSCHENK KNIEGEL SPRUNGGEL SCHLUSSELB SCHLUESSELB BAUCH VORFUSS "
    "EPAULE POIGNET CHEVILLE ROTULE JAMBE CUISSE AVANTBRAS VENTRE DOIGT POUCE ORTEIL "
    "HOMBRO MUNECA RODILLA TOBILLO MUSLO ANTEBRAZO VIENTRE DEDO PULGAR "
    "SPALLA POLSO GINOCCH CAVIGLIA COSCIA AVAMBRACC ADDOM DITO POLLICE "
    "OMBRO PUNHO JOELHO TORNOZELO COXA ANTEBRACO POLEGAR "
    "SCHEDEL SCHOUDER ELLEBOOG ONDERARM BOVENARM BOVENBEEN ONDERBEEN ENKEL BUIK DUIM VINGER TENEN",
)
_UNSAID = Vocabulary.of("UNKNOWN UNSPECIFIED UNDEFINED NONE NA UNBEKANNT")


def check_part(dataset: Dataset, *, all_chests: bool) -> None:
    """Refuses what is said to be another part of the body.

    Args:
        dataset: Of a file.
        all_chests: Whether a person says that it is a chest, where a term is not understood.

    Raises:
        UnsupportedInstance: "not-chest".
    """
    terms = {_region(code) for code in codes(dataset, "AnatomicRegionSequence") if any(code)}
    terms.add(_term(text(dataset, "BodyPartExamined")))
    says = next((s for s in (Said.NO, Said.YES, Said.UNKNOWN) if s in terms), Said.NOTHING)
    if says is Said.UNKNOWN and not all_chests:
        raise UnsupportedInstance(
            "not-chest",
            "expected a term for the chest in Body Part Examined (0018,0015) or Anatomic Region "
            "(0008,2218), got one that is not known; if all inputs are chests, give --all-chests",
        )
    if says is Said.NOTHING:
        says = _described(dataset)
    if says is Said.NO:
        raise UnsupportedInstance(
            "not-chest",
            "expected a chest by Anatomic Region (0008,2218), Body Part Examined (0018,0015) or, "
            "where these are empty, the descriptions of the series (0008,103E), (0018,1030), "
            "(0040,0254), (0040,0260) or study (0008,1030), (0008,1032), (0032,1060), got another "
            "part",
        )


def _region(code: Code) -> Said:
    if code.is_among(_CHEST_CODES):
        return Said.YES
    if code.is_among(_OTHER_CODES):
        return Said.NO
    says = _spoken(code.meaning)
    return Said.UNKNOWN if says is Said.NOTHING else says


def _term(term: str) -> Said:
    if all(word in _UNSAID for word in words(term)):
        return Said.NOTHING
    says = _spoken(term)
    return Said.UNKNOWN if says is Said.NOTHING else says


def _described(dataset: Dataset) -> Said:
    """What the series says or, where it says nothing, the study."""
    for keywords, sequence in (
        (
            ("SeriesDescription", "ProtocolName", "PerformedProcedureStepDescription"),
            "PerformedProtocolCodeSequence",
        ),
        (("StudyDescription", "RequestedProcedureDescription"), "ProcedureCodeSequence"),
    ):
        meanings = [code.meaning for code in codes(dataset, sequence)]
        says = _spoken(*(text(dataset, keyword) for keyword in keywords), *meanings)
        if says is not Said.NOTHING:
            return says
    return Said.NOTHING


def _spoken(*texts: str) -> Said:
    said = words(*texts)
    if _NEVER.among(said):
        return Said.NO
    if _CHEST.among(said):
        return Said.YES
    return Said.NO if _ELSEWHERE.among(said) else Said.NOTHING

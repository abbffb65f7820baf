"""Makers of X-ray devices, and their product lines: all that Retain Device Identity lets through.

Manufacturer (0008,0070) and Manufacturer's Model Name (0008,1090) are free text; real files hold
part numbers, rooms and names there. What is written is therefore never the source's text but a
name from this list, if the source's text begins with one: nothing else can leak.
"""

from __future__ import annotations

import re

__all__ = ["device"]

# What is written; how a source's Manufacturer begins, in capitals; product lines of that maker.
_MAKERS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Agfa", ("AGFA",),
     ("ADC", "CR 10", "CR 12", "CR 15", "CR 25", "CR 30", "CR 35", "CR 75", "CR 85", "DR 100",
      "DR 14", "DR 400", "DR 600", "DR 800", "DX-D")),
    ("Canon", ("CANON",), ("CXDI", "OMNERA", "RADREX", "SOLTUS")),
    ("Carestream", ("CARESTREAM",),
     ("CLASSIC CR", "CR 850", "CR 950", "CR 975", "DIRECTVIEW", "DRX", "ELITE CR", "MAX CR",
      "VITA")),
    ("Del Medical", ("DEL MEDICAL",), ()),
    ("DRTECH", ("DRTECH",), ("EVS", "FLAATZ")),
    ("Fujifilm", ("FUJI",),
     ("5000", "5501", "9000", "CAPSULA", "CR-IR", "FCR", "FDR", "PRIMA", "PROFECT", "VELOCITY")),
    ("GE Healthcare", ("GE HEALTHCARE", "GE MEDICAL SYSTEMS"),
     ("AMX", "DEFINIUM", "DISCOVERY XR", "OPTIMA XR", "PROTEUS", "REVOLUTION XR",
      "THUNDER PLATFORM")),
    ("Hologic", ("HOLOGIC",), ("EPEX", "RADEX")),
    ("Imaging Dynamics", ("IMAGING DYNAMICS",), ()),
    ("iRay", ("IRAY",), ()),
    ("Kodak", ("KODAK", "EASTMAN KODAK"),
     ("CR 500", "CR 800", "CR 850", "CR 900", "CR 950", "CR 975", "DIRECTVIEW", "DR 3000",
      "DR 7500")),
    ("Konica Minolta", ("KONICA",), ("AERODR", "CS-2", "CS-3", "CS-7", "REGIUS")),
    ("Mindray", ("MINDRAY",), ("DIGIEYE", "MOBIEYE")),
    ("Philips", ("PHILIPS",),
     ("DIGITAL DIAGNOST", "DIGITALDIAGNOST", "ESSENTA", "MOBILEDIAGNOST", "PCR ELEVA", "PROGRADE",
      "THORAVISION")),
    ("Rayence", ("RAYENCE",), ()),
    ("Samsung", ("SAMSUNG",),
     ("GC70", "GC80", "GC85", "GM60", "GM85", "GR40", "GU60", "XGEO")),
    ("Shimadzu", ("SHIMADZU",), ("MOBILEDART", "RADSPEED", "SONIALVISION")),
    ("Siemens", ("SIEMENS",),
     ("AXIOM", "FD-X", "FLUOROSPOT", "LUMINOS", "MOBILETT", "MULTITOM", "MULTIX", "THORAX FD",
      "VERTIX", "YSIO")),
    ("Swissray", ("SWISSRAY",), ("DDR",)),
    ("Toshiba", ("TOSHIBA",), ("RADREX",)),
    ("United Imaging", ("UNITED IMAGING",), ("UDR",)),
    ("Vieworks", ("VIEWORKS",), ("VIVIX",)),
)  # fmt: skip


def device(maker: str, model: str) -> tuple[str, str]:
    """Returns maker and product line as listed here, "" for what is not.

    Args:
        maker: Manufacturer (0008,0070) of a source.
        model: Its Manufacturer's Model Name (0008,1090).
    """
    for name, beginnings, lines in _MAKERS:
        if any(_begins(maker, beginning) for beginning in beginnings):
            return name, next((line for line in lines if _begins(model, line)), "")
    return "", ""


def _begins(text: str, listed: str) -> bool:
    words = re.sub(r"[ _]+", " ", text.upper()).strip()
    # "CR 10" is not what "CR 1000" begins with: a number goes to its end.
    return words.startswith(listed) and not (
        listed[-1].isdigit() and words[len(listed) : len(listed) + 1].isdigit()
    )

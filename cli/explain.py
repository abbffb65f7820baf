"""``latentdp explain``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp import UnsupportedInstance
from latentdp.data.dicom.profile import SYNTAXES
from latentdp.privacy.randomized_response import Unlabelled

from ._options import (
    AllChestsOption,
    AllFrontalOption,
    BurnedInOption,
    CandidatesOption,
    CharacteristicsOption,
    DeviceOption,
    EpsilonOption,
    IdentityOption,
    JsonOption,
    KeepOption,
    LabelMapOption,
    LabelReleaseOption,
    LabelsOption,
    MechanismOption,
    NoDetailOption,
    PerElementOption,
    PresetOption,
    ShiftDatesOption,
    SizeOption,
    SyntaxOption,
    UidsOption,
    UnlabelledOption,
    WeightsOption,
    make_recipe,
)
from ._render import guarantee_table, print_json, progress, table

if TYPE_CHECKING:
    from latentdp import Privatizer
    from latentdp.data.dicom.profile import Profile


def explain(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Folder or file.")],
    preset: PresetOption = "balanced",
    epsilon: EpsilonOption = None,
    epsilon_per_element: PerElementOption = None,
    mechanism: MechanismOption = None,
    weights: WeightsOption = "cxr-adult",
    labels: LabelsOption = None,
    label_map: LabelMapOption = None,
    unlabelled: UnlabelledOption = Unlabelled.REFUSE,
    label_release: LabelReleaseOption = None,
    keep_label_dims: KeepOption = None,
    resample_identity: IdentityOption = None,
    shift_dates: ShiftDatesOption = False,
    retain_characteristics: CharacteristicsOption = False,
    retain_device: DeviceOption = False,
    retain_uids: UidsOption = False,
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    size: SizeOption = None,
    no_detail: NoDetailOption = False,
    candidates: CandidatesOption = None,
    transfer_syntax: SyntaxOption = SYNTAXES[0],
    json: JsonOption = False,
) -> int:
    """Show what would be kept, replaced and removed, and the guarantee. Writes nothing."""
    from latentdp.data.dicom.attributes import attributes
    from latentdp.release.preview import preview_release
    from latentdp.release.request import ReleaseRequest
    from latentdp.reports.card_guarantee import ImageGuarantee, PatientGuarantee
    from latentdp.reports.guarantee_words import NOT_COVERED, sentences, warnings

    request = ReleaseRequest(
        source=source,
        labels=labels,
        label_map=label_map,
        unlabelled=unlabelled,
        recipe=make_recipe(
            preset=preset,
            epsilon=epsilon,
            epsilon_per_element=epsilon_per_element,
            mechanism=mechanism,
            weights=weights,
            label_release=label_release,
            keep_label_dims=keep_label_dims,
            resample_identity=resample_identity,
            shift_dates=shift_dates,
            retain_characteristics=retain_characteristics,
            retain_device=retain_device,
            retain_uids=retain_uids,
            accept_burned_in=accept_burned_in,
            all_chests=all_chests,
            all_frontal=all_frontal,
            size=size,
            no_detail=no_detail,
            candidates=candidates,
            transfer_syntax=transfer_syntax,
        ),
    )
    privatizer = request.load()
    image = privatizer.guarantee
    profile = privatizer.recipe.profile
    header = attributes(profile)
    facts: dict[str, object] = {
        "guarantee": ImageGuarantee.of(image),
        "plan": privatizer.plan.describe(),
        "not_covered": list(NOT_COVERED),
        "output_header": dict(header),
        "claims": [asdict(claim) for claim in profile.claims],
        "size": privatizer.size,
        "detail_drawn_at": list(privatizer.octaves),
    }
    code = 0
    if source.is_file():
        patient = image.for_patient(1)
        stated = PatientGuarantee.of(patient, images=1, images_in_this_release=1)
        refusal = _refusal(source, privatizer)
        elements = [] if refusal else _elements(source, profile)
        facts["usable"] = not refusal
        facts["refusal"] = refusal
        facts["elements"] = [
            {"tag": tag, "keyword": keyword, "action": action} for tag, keyword, action in elements
        ]
        rows = [
            ("file", f"would be quarantined: {refusal}" if refusal else "usable"),
            *guarantee_table(privatizer, image, patient),
        ]
        rows += [(action, f"{tag} {keyword}") for tag, keyword, action in elements]
        code = 1 if refusal else 0
    else:
        with progress("reading", shown=not json) as advance:
            summary, refused = preview_release(request, privatizer, advance)
        patient, stated = summary.patient, summary.stated_patient
        facts["counts"] = summary.counts()
        facts["refused"] = [{"file": name, "reason": reason} for name, reason in refused]
        rows = [
            ("usable", f"{summary.released} of {summary.inputs} files"),
            *(("would be quarantined", f"{name}: {reason}") for name, reason in refused),
            *guarantee_table(privatizer, image, patient),
        ]
        for holds in sorted(set(header.values())):
            held = ", ".join(keyword for keyword in header if header[keyword] == holds)
            rows.append((f"header: {holds}", held))
        rows.append(("header: removed", "every attribute that is not named above"))
        code = summary.exit_code
    rows += [("not covered", line) for line in NOT_COVERED]
    if json:
        facts |= {
            "patient_guarantee": stated,
            "statement": sentences(image, patient),
            "warnings": warnings(image, patient),
        }
        print_json(facts)
    else:
        table("what a release would be", rows)
    return code


def _elements(path: Path, profile: Profile) -> list[tuple[str, str, str]]:
    """What becomes of each element; empty for a picture and for what has no output."""
    from latentdp.data.dicom.instance import inventory

    try:
        return inventory(path, profile)
    except UnsupportedInstance:
        return []


def _refusal(path: Path, privatizer: Privatizer) -> str:
    from latentdp.data.radiograph import read

    try:
        read(path, privatizer.flow.shape, privatizer.recipe.profile)
    except UnsupportedInstance as error:
        return f"{error.reason}: {error}"
    return ""


command = explain

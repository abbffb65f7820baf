"""``latentdp explain``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp import InputError, UnsupportedInstance
from latentdp.privacy.randomized_response import Unlabelled

from ._config import configurable
from ._given_recipe import GivenRecipe, takes_recipe
from ._options import JsonOption
from ._release_rows import fit_values, forecast_rows
from ._render import guarantee_table, print_json, progress, table

if TYPE_CHECKING:
    from latentdp import Privatizer
    from latentdp.data.dicom.profile import Profile


def explain(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Folder or file.")],
    *,
    given: GivenRecipe,
    json: JsonOption = False,
) -> int:
    """Show what would become of every input, of headers and of each patient. Writes nothing.

    Exit codes: 0 all usable, 1 some files would be quarantined, 2 wrong usage, nothing usable, or
    inputs without a label that would be refused.
    """
    from latentdp.data.dicom.attributes import attributes
    from latentdp.release.option_costs import COST, option_costs
    from latentdp.release.preview import foresee_release
    from latentdp.release.request import ReleaseRequest
    from latentdp.reports.card_guarantee import ImageGuarantee, PatientGuarantee
    from latentdp.reports.guarantee_words import not_covered, sentences
    from latentdp.reports.warning_words import warnings

    request = ReleaseRequest(
        source=source,
        labels=given.labels,
        label_map=given.label_map,
        unlabelled=given.unlabelled,
        recipe=given.recipe,
    )
    privatizer = request.load()
    image = privatizer.guarantee
    profile = privatizer.recipe.profile
    header = attributes(profile)
    uncovered = not_covered(refuse_odd=privatizer.recipe.refuse_odd)
    facts: dict[str, object] = {
        "guarantee": ImageGuarantee.of(image),
        "plan": privatizer.plan.describe(),
        "not_covered": list(uncovered),
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
            forecast = foresee_release(request, privatizer, advance, thorough=True)
        summary, refused = forecast.summary, forecast.refused
        patient, stated = summary.patient, summary.stated_patient
        facts["counts"] = summary.counts()
        facts["refused"] = [{"file": name, "reason": reason} for name, reason in refused]
        facts["odd"] = forecast.odd
        facts["fit"] = fit_values(summary.fit)
        facts["without_label"] = forecast.unlabelled
        facts["patients"] = summary.patients
        facts["images_per_patient"] = {str(n): p for n, p in forecast.images_per_patient.items()}
        rows = [
            ("usable", f"{summary.released} of {summary.inputs} files"),
            *(("would be quarantined", f"{name}: {reason}") for name, reason in refused),
            *forecast_rows(forecast, request.unlabelled),
            *guarantee_table(privatizer, image, patient),
        ]
        for holds in sorted(set(header.values())):
            held = ", ".join(keyword for keyword in header if header[keyword] == holds)
            rows.append((f"header: {holds}", held))
        rows.append(("header: removed", "every attribute that is not named above"))
        code = summary.exit_code
        if summary.unlabelled and request.unlabelled is Unlabelled.REFUSE:
            code = InputError.exit_code
    costs = option_costs(
        privatizer.recipe,
        labelled=request.labelled,
        several=not privatizer.label_space.has_classes,
    )
    facts["options"] = [asdict(cost) for cost in costs]
    rows += [(cost.option, cost.words) for cost in costs] + [("options cost", COST)]
    rows += [("not covered", line) for line in uncovered]
    if json:
        facts |= {
            "patient_guarantee": stated,
            "statement": sentences(image, patient),
            "warnings": warnings(image, patient, more=privatizer.warnings),
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


command = configurable(takes_recipe(explain))

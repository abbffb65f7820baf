"""Evaluations and comparisons with invented numbers, in the form that the commands write."""

import math
from collections.abc import Sequence

import numpy as np

from latentdp.core.documents import to_json
from latentdp.metrics.metric import named
from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.evaluation_parts import MethodGuarantee
from latentdp.reports.results import Measure, Outcome

METHODS = (
    # name, title, group, epsilon, adaptive max, frozen, own image first, p/o
    ("raw", "Raw images", "control", math.inf, 0.977, 0.972, 1.0, 0.946),
    ("prior-sample", "Prior sample, same label", "control", 1.0, 0.514, 0.49, 0.002, 0.861),
    ("label-mean", "Mean picture of the label", "control", 1.0, 0.521, 0.47, 0.0, 0.865),
    ("noise-only", "Noise only", "control", 0.0, 0.508, 0.5, 0.001, 0.5),
    ("dp-pix-4-1", "DP-Pix b=4, eps 1", "rival", 65536.0, 0.926, 0.848, 1.0, 0.911),
    ("dp-pix-8-0.1", "DP-Pix b=8, eps 0.1", "rival", 1638.4, 0.791, 0.602, 0.51, 0.867),
    ("dp-pix-4-0.1", "DP-Pix b=4, eps 0.1", "rival", 6553.6, 0.736, 0.538, 0.25, 0.860),
    ("gaussian-100", "Gaussian pixel noise, sd 100", "rival", math.inf, 0.919, 0.841, 1.0, 0.914),
    ("blur-5", "Blur, 5 px", "rival", math.inf, 0.952, 0.823, 0.99, 0.807),
    ("warp-5", "Random smooth warp, 5 px", "rival", math.inf, 0.897, 0.759, 0.53, 0.912),
    ("deformation", "PriCheXy-Net, border corrected", "rival", math.inf, 0.871, 0.70, 0.48, 0.909),
    ("cadp", "CADP as published", "rival", 32768.0, 0.533, 0.51, 0.003, 0.858),
    ("dp-glow", "DP-GLOW, eps 0.1 an element", "rival", 409.6, 0.541, 0.52, 0.004, 0.852),
    ("strict", "latentdp strict", "ours", 1.0, 0.516, 0.49, 0.002, 0.863),
    ("balanced", "latentdp balanced", "ours", 7.99854, 0.548, 0.52, 0.006, 0.888),
    ("high-content", "latentdp high-content", "ours", 50.0, 0.703, 0.58, 0.11, 0.917),
)


def method(name: str, title: str, epsilon: float | None, *, covers: bool = True) -> dict:
    guarantee = None
    if epsilon is not None:
        whole = Guarantee(epsilon=epsilon).beside(*() if covers else ("the label",))
        guarantee = to_json(MethodGuarantee.of(whole))
    return {
        "name": name,
        "title": title,
        "source": "Fan 2018, equation 3" if name.startswith("dp-pix") else "",
        "claim": "",
        "guarantee": guarantee,
        "protects_all": covers and epsilon is not None and math.isfinite(epsilon),
    }


def roc(auc: float) -> dict:
    """The curve of two normal scores with this AUC."""
    from scipy.stats import norm

    x = np.linspace(0, 1, 60)
    shift = math.sqrt(2) * norm.ppf(min(auc, 0.9995))

    def curve(by: float) -> list[float]:
        return np.clip(norm.cdf(norm.ppf(x) + by), 0, 1).tolist()

    return {
        "fpr": x.tolist(), "tpr": curve(shift), "low": curve(shift - 0.15),
        "high": curve(shift + 0.15),
    }  # fmt: skip


def cmc(first: float, gallery: int = 954) -> dict:
    ranks = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 954]
    rate = np.array([max(r / gallery, 1 - (1 - first) * (1 - r / gallery) ** 3) for r in ranks])
    return {
        "ranks": ranks, "rate": rate.tolist(), "low": np.clip(rate - 0.04, 0, 1).tolist(),
        "high": np.clip(rate + 0.04, 0, 1).tolist(), "gallery": gallery,
    }  # fmt: skip


def outcomes(
    adaptive: float, frozen: float, first: float, guarantee: Guarantee | None
) -> list[dict]:
    ceiling = None if guarantee is None else guarantee.verification_ceiling()
    top = None if guarantee is None else guarantee.gallery_ceiling(954)
    restarts = [round(adaptive - 0.004 * (i * 7 % 10), 4) for i in range(10)]

    def made(attack, setting, metric, value, spread, **more) -> dict:
        limits = {"low": max(0.0, value - spread), "high": min(1.0, value + spread)}
        base = {"n": 4210, "patients": 318, "chance": 0.5, "ceiling": None, "headline": False}
        return Outcome(
            attack=attack, setting=setting, metric=named(metric), value=value, **limits,
            **base | more,
        ).to_json()  # fmt: skip

    hard = "private against real, impostors of the same sex and view"
    return [
        made("frozen", "private against real", "auc", frozen, 0.03, ceiling=ceiling,
             headline=True, detail={"roc": roc(frozen)}),
        made("frozen", "private against real", "eer", 1 - frozen, 0.03),
        made("adaptive", "private against real", "auc (mean)", adaptive - 0.018, 0.027,
             ceiling=ceiling, headline=True, detail={"restarts": restarts}),
        made("adaptive", "private against real", "auc (max)", adaptive, 0.027, ceiling=ceiling,
             headline=True, detail={"restarts": restarts, "roc": roc(adaptive)}),
        made("adaptive", hard, "auc (max)", adaptive - 0.01, 0.03, ceiling=ceiling,
             detail={"restarts": [r - 0.01 for r in restarts]}),
        made("adaptive", "private against private", "auc (max)", adaptive - 0.02, 0.03,
             detail={"restarts": [r - 0.02 for r in restarts]}),
        made("retrieval", "private probe, real gallery", "rank-1", first / 2, 0.02,
             chance=1 / 954, headline=True, n=318, detail={"cmc": cmc(first / 2)}),
        made("retrieval", "private probe, real gallery", "rank-10", first / 2 + 0.05, 0.02,
             chance=10 / 954, n=318, detail={"gallery": 954}),
        made("retrieval", "private probe, real gallery", "map@r", first / 3, 0.02, n=318,
             chance=None),
        made("linkage", "own image first", "rank-1", first, 0.01, chance=1 / 954, ceiling=top,
             headline=True, n=954, detail={"cmc": cmc(first)}),
        made("likelihood", "source among 954", "auc", min(1, adaptive + 0.01), 0.02,
             ceiling=ceiling, headline=True, n=954),
        made("averaging", "16 releases", "auc", min(1, adaptive + 0.12), 0.02, n=954,
             detail={"note": "the ceiling for one release does not bound sixteen"}),
        made("attributes", "sex from the private image", "auc", 0.61, 0.03),
        made("attributes", "sex from the label alone", "auc", 0.52, 0.03),
        made("reconstruction", "regressed from private images", "ssim", 0.41, 0.02, chance=None),
    ]  # fmt: skip


def utility(po: float) -> list[dict]:
    found = []

    def add(setting, subject, metric, value, spread, *, headline=False) -> None:
        found.append(
            Measure(
                utility="classifier" if metric in ("auc", "gap") else "likeness",
                setting=setting, subject=subject, metric=named(metric), value=value,
                low=value - spread, high=value + spread, n=624, patients=390, headline=headline,
                detail={"seeds": [value, value, value]} if metric == "auc" else {},
            ).to_json()
        )  # fmt: skip

    for setting, value in (("o/o", 0.946), ("o/p", po - 0.08), ("p/o", po), ("p/p", po - 0.05)):
        add(setting, "pneumonia", "auc", value, 0.018)
        add(setting, "finding", "auc", value - 0.25, 0.04)
        add(setting, "mean", "auc", value - 0.1, 0.02, headline=True)
    for group, value in (
        ("sex F", 0.87),
        ("sex M", 0.85),
        ("age under 40", 0.88),
        ("view PA", 0.83),
    ):
        add("p/o", group, "auc", value, 0.04)
    add("p/o", "sex", "gap", 0.02, 0.03)
    add("o to p", "all", "ssim", 0.52, 0.01, headline=True)
    add("o to p", "all", "psnr", 17.3, 0.4)
    return found


def evaluation(index: int = 14, *, refuted: bool = False, controls: bool = True) -> dict:
    """An evaluation of one of `METHODS`."""
    name, title, _, epsilon, adaptive, frozen, first, po = METHODS[index]
    guarantee = Guarantee(epsilon=0.1 if refuted else epsilon) if math.isfinite(epsilon) else None
    if guarantee is not None and not refuted and guarantee.verification_ceiling() >= 1:
        guarantee = None
    found = outcomes(adaptive, frozen, first, guarantee)
    made = {
        "kind": "evaluation", "format": 1, "version": "0.1.0", "seed": 7, "quick": False,
        "effort": {"restarts": 10, "steps": 150, "resamples": 500, "seeds": 3},
        "method": method(name, title, 0.1 if refuted else epsilon),
        "cohort": {"images": 954, "patients": 318, "patients_with_several": 204, "size": [64, 64]},
        "practice": {
            "images": 2100, "patients": 700, "patients_with_several": 420,
            "where": "public training split",
        },
        "outcomes": found, "utility": utility(po),
        "unable": [{"name": "membership", "why": "the weights name no training set"}],
        "controls": [], "seconds": 1043.2,
        "verdict": {
            "lines": [
                "The best of 10 adaptive attackers links pairs with AUC "
                f"{adaptive:.3f} (guessing 0.5).",
                f"A classifier trained on the release reaches AUC {po:.3f} on originals.",
            ],
            "refuted": refuted,
            "claims": [
                {"claim": "patients are not found by their images", "holds": adaptive < 0.6,
                 "within": adaptive < 0.6,
                 "threshold": "adaptive AUC, largest of 10, at most 0.6",
                 "measured": f"{adaptive:.3f}"},
            ],
        },
    }  # fmt: skip
    if controls:
        made["controls"] = [
            {
                "method": method(n, t, e, covers=False),
                "outcomes": outcomes(a, f, o, None),
                "utility": utility(p),
            }
            for n, t, _, e, a, f, o, p in METHODS[:4]
        ]
    return made


def comparison(chosen: Sequence[int] = range(len(METHODS))) -> dict:
    """A comparison of some of `METHODS`."""
    rows, columns = [], {}
    for i in chosen:
        name, title, group, _, adaptive, frozen, first, po = METHODS[i]
        made = evaluation(i, controls=False)
        rows.append(
            {"name": name, "title": title, "group": group, "evaluation": made,
             "utility": made["utility"], "seconds": 61.5 + i}
        )  # fmt: skip
        columns[name] = {
            key: {"value": value, "low": max(0.0, value - 0.02), "high": min(1.0, value + 0.02)}
            for key, value in {
                "against_anyone": min(1.0, adaptive + 0.01),
                "against_alike": adaptive,
                "frozen": frozen,
                "adaptive_mean": adaptive - 0.015,
                "adaptive_max": adaptive,
                "own_image_first": first,
                "o/p": po - 0.08,
                "p/o": po,
                "p/p": po - 0.05,
                "ssim": 0.3 + first / 2,
            }.items()
        }
        box = {"value": first, "low": max(0.0, first - 0.01), "high": min(1.0, first + 0.01)}
        columns[name]["white_box"] = None if group == "rival" else box
    return {
        "kind": "comparison", "format": 1, "version": "0.1.0", "seed": 7, "quick": False,
        "cohorts": [
            {"name": "nih", "purpose": "re-identification", "images": 954, "patients": 318,
             "size": 64},
            {"name": "kermany", "purpose": "utility", "images": 624, "patients": 390, "size": 64},
        ],
        "rows": rows, "columns": columns,
        "notes": ["On kermany a patient has one diagnosis: the label alone links with AUC 0.73."],
    }  # fmt: skip

"""What attacks and numbers mean, in the words of a person who must decide about a release."""

from __future__ import annotations

import re

__all__ = ["GROUPS", "SETTINGS", "attack_words", "is_labels_only", "metric_words"]

GROUPS = {"ours": "latentdp", "rival": "Rival methods", "control": "Controls"}

SETTINGS = {
    "o/o": "learnt and tested on originals",
    "o/p": "learnt on originals, tested on private images",
    "p/o": "learnt on private images, tested on originals",
    "p/p": "learnt and tested on private images",
}

_METRICS: tuple[tuple[str, str, str], ...] = (
    (
        r"auc",
        "AUC",
        "how often a true case is rated above a false one: 0.5 is guessing, 1 is never wrong",
    ),
    (
        r"auc \(max\)",
        "AUC, best restart",
        "the AUC of the best of several attempts to learn, which an adversary keeps",
    ),
    (
        r"auc \(mean\)",
        "AUC, mean of restarts",
        "the AUC of an attempt to learn on average: what bad luck alone would leave",
    ),
    (
        r"explained",
        "explained",
        "share of the original's variation that was rebuilt, beyond what the label tells: 0 is "
        "nothing, 1 is all",
    ),
    (
        r"eer",
        "equal error rate",
        "share of wrong answers where misses and false alarms are equally frequent: 50 % is "
        "guessing, 0 % is never wrong, so that smaller is more dangerous",
    ),
    (r"rank-1", "named first", "how often the right one is named first in the gallery"),
    (r"rank-(\d+)", "among the first {}", "how often the right one is among the first {} named"),
    (r"p@1", "P@1", "how often the nearest image in the gallery shows the same patient"),
    (r"p@(\d+)", "P@{}", "share of the same patient among the {} nearest images"),
    (
        r"map@r",
        "mAP@R",
        "how purely a patient's other images lead the list of the nearest ones: 1 is all of them, "
        "in front of everybody else's",
    ),
    (r"error|mae|rmse|mse", "{0}", "mean error of the attacker: smaller is more dangerous"),
    (r"accuracy", "accuracy", "share of right answers"),
    (
        r"balanced accuracy",
        "balanced accuracy",
        "share of right answers, each group counting alike",
    ),
    (r"tpr@.*", "{0}", "share of true cases found at that rate of false alarms"),
    (r"advantage", "advantage", "right answers beyond guessing: 0 is none, 1 is all"),
    (r"correlation", "correlation", "of what the attacker rebuilt with the original: 1 is equal"),
    (r"r2", "R\N{SUPERSCRIPT TWO}", "share of the original's variation that was rebuilt"),
    (r"ssim", "SSIM", "structural similarity to the original: 1 is equal; it measures looks only"),
    (r"psnr", "PSNR", "likeness to the original in decibel: larger is more alike; looks only"),
    (
        r"distance",
        "feature distance",
        "how far private images lie from real ones, as a network sees them: 0 is not at all",
    ),
    (
        r"told apart",
        "told from originals, AUC",
        "of a reader that asks whether an image is private or original: 0.5 it cannot tell, 1 "
        "always",
    ),
    (
        r"nearest",
        "nearest image",
        "how near private images come to one that somebody trained on: 1 as near as originals of "
        "new patients, 0 copies",
    ),
    (r"bits", "bits per pixel more", "how much less likely a flow finds them than originals"),
    (r"gap", "gap", "largest difference between subgroups: 0 is none"),
)

_ATTACKS: tuple[tuple[str, str], ...] = (
    (
        "frozen",
        "A network that recognises patients on real radiographs compares images. It has never "
        "seen a private one; alone it calls private what a better attacker links.",
    ),
    (
        "adaptive",
        "The same network goes on learning from private images of other patients, made by the "
        "same method: what an adversary who has the software would do. Each restart is another "
        "attempt; an adversary keeps the best.",
    ),
    (
        "retriev",
        "The attacker searches a gallery of real radiographs for the patient of a private image.",
    ),
    (
        "link|same|own",
        "The attacker has the very source image and looks for what was made of it.",
    ),
    (
        "likelihood|white",
        "The attacker knows the network, the mechanism and every setting, and computes how likely "
        "each real image is as the source.",
    ),
    (
        "averag|repeat",
        "The attacker averages several releases of the same image to remove the noise.",
    ),
    (
        "attribute",
        "The attacker guesses sex, age or view from a private image, and from its label alone.",
    ),
    ("member", "The attacker guesses whether a patient was in the flow's training set."),
    ("reconstruct", "The attacker learns to rebuild the original from the private image."),
    (
        "feature",
        "The attacker compares what general image features, never taught on people, show.",
    ),
    (
        "side",
        "The attacker looks at the files alone: order, names, sizes, times and headers.",
    ),
    ("correlat", "The attacker compares pixels directly, without any network."),
)


def metric_words(name: str) -> tuple[str, str]:
    """What a metric is called, and what it means; its own name and nothing if it is unknown."""
    for pattern, title, meaning in _METRICS:
        match = re.fullmatch(pattern, name.lower())
        if match:
            parts = match.groups() or (name,)
            return title.format(*parts), meaning.format(*parts)
    return name, ""


def attack_words(name: str) -> str:
    """What an attacker does; empty for an unknown one."""
    for pattern, meaning in _ATTACKS:
        if re.search(pattern, name.lower()):
            return meaning
    return ""


def is_labels_only(name: str) -> bool:
    """Whether a method releases nothing but labels: what every other one has to beat."""
    return re.search(r"label\w*[\W_]+(only|mean)", name.lower()) is not None

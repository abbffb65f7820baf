"""How like are private images to originals, to radiographs, and to what somebody trained on?"""

from __future__ import annotations

from latentdp.metrics.metric import Goal, Metric

__all__ = ["BITS", "DISTANCE", "LOOKS", "NEAREST", "PSNR", "SSIM", "TOLD_APART", "metrics"]

SSIM = Metric(
    "ssim", "SSIM", "structural similarity to the original: 1 is equal; it measures looks only"
)
PSNR = Metric(
    "psnr",
    "PSNR",
    "likeness to the original in decibel: larger is more alike; looks only",
)
DISTANCE = Metric(
    "distance",
    "feature distance",
    "how far private images lie from real ones, as a network sees them: 0 is not at all",
    goal=Goal.LOWER,
)
TOLD_APART = Metric(
    "told apart",
    "told from originals, AUC",
    "of a classifier that asks whether an image is private or original: 0.5 is guessing, 1 always",
    goal=Goal.LOWER,
)
NEAREST = Metric(
    "nearest",
    "nearest image",
    "how near private images come to one that somebody trained on: 1 as near as originals of new "
    "patients, 0 copies",
)
BITS = Metric(
    "bits",
    "bits per pixel more",
    "how much less likely a flow finds them than originals",
    goal=Goal.LOWER,
)

LOOKS = (TOLD_APART, BITS, NEAREST, DISTANCE)  # of private images as a whole

metrics = (SSIM, PSNR, DISTANCE, TOLD_APART, NEAREST, BITS)

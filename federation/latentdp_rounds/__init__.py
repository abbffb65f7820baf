"""Carries questions and answers of ``latentdp federate`` between hospitals over NVIDIA FLARE.

It runs in FLARE's environment, knows nothing of images, budgets or noise, and holds no secret of
either: latentdp reads each file and refuses what is wrong with it.
"""

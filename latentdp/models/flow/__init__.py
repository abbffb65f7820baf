"""Invertible networks between images and Gaussian latents. Only this package imports normflows."""

"""Shipped weights: safetensors files, ``manifest.toml`` with their digests, a card each."""

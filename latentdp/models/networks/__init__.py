"""Networks that judge images: who is on them, what is on them. Torch lives here and in flows."""

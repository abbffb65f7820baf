"""Networks that judge images, of who and of what is on them, and networks that anonymize them."""

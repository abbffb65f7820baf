"""Attacks on what a site shares, a file each: each is a plug-in."""

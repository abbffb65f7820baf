"""Attacks on the mechanisms themselves: is epsilon at least what they say?"""

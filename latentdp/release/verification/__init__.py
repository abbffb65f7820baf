"""Each claim of a release card, judged by what it must follow from or agree with."""

"""A private cohort in, a labelled synthetic data set and the generator that draws it out."""

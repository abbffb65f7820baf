"""Networks: the only room that imports torch. Numpy in, numpy out at its doors."""

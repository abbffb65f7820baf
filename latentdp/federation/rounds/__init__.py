"""A head that hospitals train over several rounds, by files that anything may carry.

ask (coordinator) -> question -> answer (each site) -> answers -> ask -> ... -> classifier
"""

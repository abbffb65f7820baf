"""How well people are recognised: verification (one to one) and identification (one to many)."""

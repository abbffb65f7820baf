"""An evaluation under the vault's key: whoever claims something by it knows it is unchanged."""

from __future__ import annotations

import hashlib
import hmac
import json

from msgspec import UNSET, structs

from latentdp.reports.evaluation import Evaluation
from latentdp.vault.keys import Keys

__all__ = ["is_signed", "signed"]

PURPOSE = "evaluation signature"  # of the subkey, which signs nothing else


def signed(evaluation: Evaluation, keys: Keys) -> Evaluation:
    """The same with its signature: HMAC-SHA256 of all its values but that.

    Args:
        evaluation: Complete, with its verdict.
        keys: Of the vault whose release it is of.
    """
    return structs.replace(evaluation, signature=_signature(evaluation, keys))


def is_signed(evaluation: Evaluation, keys: Keys) -> bool:
    """Whether it has the signature of this vault, and every value is as it was signed."""
    signature = evaluation.signature
    if signature is UNSET:
        return False
    return hmac.compare_digest(signature.encode(), _signature(evaluation, keys).encode())


def _signature(evaluation: Evaluation, keys: Keys) -> str:
    values = structs.replace(evaluation, signature=UNSET).to_json()
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
    subkey = bytes.fromhex(keys.token(PURPOSE))
    return hmac.new(subkey, text.encode(), hashlib.sha256).hexdigest()

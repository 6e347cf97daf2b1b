"""Probability distributions."""

from .multinomial import Multinomial

__all__ = ["Multinomial"]

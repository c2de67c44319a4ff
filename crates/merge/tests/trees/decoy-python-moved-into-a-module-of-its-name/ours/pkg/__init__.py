"""Prices."""

from .price import price

"""Prices."""

price = 3

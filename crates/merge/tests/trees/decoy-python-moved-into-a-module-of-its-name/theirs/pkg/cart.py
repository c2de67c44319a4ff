from . import price


def total(count):
    return count * price

from shop import cost


def total(items):
    return sum(cost(item) for item in items)

from shop import price


def total(item):
    count = item.count
    return count * price(item, [])

def total(items, price):
    return sum(price(item) for item in items)

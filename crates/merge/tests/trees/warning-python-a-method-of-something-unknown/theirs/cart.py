def total(shop, items):
    return sum(shop.price(item) for item in items)

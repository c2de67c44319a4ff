def price(item, currency="EUR"):
    return item.price * item.count


def name(item):
    return item.name.title()

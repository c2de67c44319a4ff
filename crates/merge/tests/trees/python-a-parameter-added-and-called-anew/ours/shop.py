def price(item, currency):
    return item.price * item.count


def name(item):
    return item.name.title()

def price(item):
    return item.price * item.count


def name(item):
    return item.name.title()


def first(items):
    return items[0]


def label(item):
    return f"{name(item)} {price(item)}"

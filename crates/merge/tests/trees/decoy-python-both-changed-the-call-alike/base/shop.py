def price(item, extra=()) -> int:
    return item.price + len(extra)

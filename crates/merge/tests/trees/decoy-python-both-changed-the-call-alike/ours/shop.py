def price(item, extra=()) -> float:
    return item.price + len(extra)

async def price(item, extra=()):
    return item.price + len(extra)

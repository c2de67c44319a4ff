def price(item):
    return deferred(item.price)


async def price_async(item, tax):
    return item.price + tax

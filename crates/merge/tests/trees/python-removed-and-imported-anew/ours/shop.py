def name(item):
    return item.name.title()

def total(items, rate):
    count = len(items)
    print(count)
    return count + tax

def total(items, rate):
    tax = rate * 2
    count = len(items)
    print(count)
    return count

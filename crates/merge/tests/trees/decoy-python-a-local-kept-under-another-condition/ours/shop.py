def total(items, rate):
    tax = rate * 3
    count = len(items)
    print(count)
    return count

last = 1

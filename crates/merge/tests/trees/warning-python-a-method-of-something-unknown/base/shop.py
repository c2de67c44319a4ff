class Shop:
    def price(self, item):
        return item.price * item.count

class Shop:
    def cost(self, item):
        return item.price * item.count

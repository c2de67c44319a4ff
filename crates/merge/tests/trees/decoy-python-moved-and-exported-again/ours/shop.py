from store import name, price

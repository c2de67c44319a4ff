package shop;

public class Cart {
    private int count = 2;

    public int count() {
        return count;
    }

    public int total() {
        return Prices.price(count, 3);
    }
}

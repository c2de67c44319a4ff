package shop;

public class Prices {
    public static int price(int count, int each) {
        return count * each;
    }

    public static int price(int count) {
        return price(count, 3);
    }
}

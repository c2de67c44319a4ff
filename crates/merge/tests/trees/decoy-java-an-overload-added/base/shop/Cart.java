package shop;

public class Cart {
    private int count = 2;

    public int count() {
        return count;
    }
}

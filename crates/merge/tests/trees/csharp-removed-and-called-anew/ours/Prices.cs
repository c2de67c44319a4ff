namespace App
{
    public static class Prices
    {
        public static int Price(int count)
        {
            return count * 3;
        }
    }
}

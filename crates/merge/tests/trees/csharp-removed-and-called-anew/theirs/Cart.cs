namespace App
{
    public class Cart
    {
        public int Total()
        {
            return Prices.Rate();
        }
    }
}

use crate::shop::Shop;

pub fn first(shop: &Shop) -> u32 {
    shop.count
}

use crate::shop::Shop;

pub fn first(shop: &Shop) -> u32 {
    shop.count
}

pub fn total(shop: &Shop) -> u32 {
    shop.cost() + 1
}

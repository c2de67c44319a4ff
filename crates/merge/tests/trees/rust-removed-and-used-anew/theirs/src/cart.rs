use crate::shop::{Shop, rate};

pub fn first(shop: &Shop) -> u32 {
    shop.count * rate()
}

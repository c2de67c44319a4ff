pub mod shop;
pub mod cart;

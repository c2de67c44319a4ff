use crate::a::{b, c as d, self, e::*};
pub use super::x::Y;
use std::fmt;
mod m;
#[derive(Debug)]
/// doc
pub(crate) struct S<T> { pub a: Vec<T>, b: x::Y }
pub struct Tup(pub u8, String);
pub enum E { A, B(u8), C { x: i32 } }
pub trait Tr: Sup + 'static { const K: u8; type Out; fn req(&self, x: u8) -> u8; fn def(&mut self) {} }
impl<T: Tr> fmt::Display for S<T> where T: Clone { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.a.len(foo(1)))?; Ok(()) } }
impl S<u8> { pub async fn new(mut a: &'a str, (x, y): (u8, u8), _: u8) -> Result<Self, Error> { let s = S { a: vec![], b, ..d }; let q: Foo = Foo::new(1)?; if let Some(z) = q { z.go() } match x { E::A => 1, E::B(k) if k > 1 => 2, E::C { x, .. } => 3 }; let c = |a, b: u8| a.f::<u8>(); self.a; Self::make(); for i in 0..3 {} <S as Tr>::req(); s.a.b.c().await?; m::f(1); } }
const K: u8 = 1; static ST: u8 = 2; type Al = u8;
macro_rules! mac { () => {} }
mod inner { use super::*; pub fn g() {} }
#[test] fn t() { assert_eq!(foo(1), bar.baz(2)); }

pub struct Shop {
    pub count: u32,
}

impl Shop {
    pub fn price(&self) -> u32 {
        let each = 3;
        self.count * each
    }
}

//! Aligned columns.

use crate::output::clean;

/// Between two columns.
const GAP: &str = "  ";

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| clean(heading).into_owned()).collect()] }
    }

    /// A row; an empty cell shows as `-`.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let show = |cell: String| if cell.is_empty() { "-".to_owned() } else { clean(&cell).into_owned() };
        self.rows.push(cells.into_iter().map(show).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The headings, then the rows, without blanks at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let width =
            |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..self.rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
            cells.join(GAP).trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["ID", "STATUS", "TASK"]);
        assert!(table.is_empty());
        table.row(["dev-agent".into(), "busy".into(), "umläute\n".into()]);
        table.row(["q".into(), String::new(), String::new()]);
        assert_eq!(table.lines(), ["ID         STATUS  TASK", "dev-agent  busy    umläute\\n", "q          -       -"]);
    }
}

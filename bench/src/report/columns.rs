//! Tables of several columns.

use std::fmt::Write as _;

/// Lines up rows under their heads, to the right, below a title.
pub fn columns(title: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<_> = heads
        .iter()
        .enumerate()
        .map(|(at, head)| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells.map(String::len).fold(head.len(), usize::max)
        })
        .collect();
    let mut text = format!("\n{title}\n");
    push(&mut text, &widths, heads.iter().copied());
    for row in rows {
        push(&mut text, &widths, row.iter().map(String::as_str));
    }
    text
}

fn push<'a>(text: &mut String, widths: &[usize], cells: impl Iterator<Item = &'a str>) {
    for (cell, width) in cells.zip(widths) {
        // Writing to a string cannot fail.
        let _ = write!(text, "  {cell:>width$}");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1", "long"], ["1000", "x"]].map(|row| row.map(str::to_owned).to_vec());
        let text = columns("Title", &["a", "bb"], &rows);
        assert_eq!(text, "\nTitle\n     a    bb\n     1  long\n  1000     x\n");
    }
}

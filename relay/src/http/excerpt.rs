//! What strangers send, where it is repeated: in a log line, or in an answer.

/// Characters that are kept.
const KEPT: usize = 120;

/// The beginning of a text, without anything that could end a line or move a cursor.
pub(super) fn excerpt(text: &str) -> String {
    let mut excerpt: String = text
        .chars()
        .take(KEPT)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(KEPT).is_some() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_and_what_is_no_text_is_escaped() {
        assert_eq!(excerpt("/main/whip"), "/main/whip");
        assert_eq!(excerpt("a\r\nb\u{1b}[2J"), "a\\r\\nb\\u{1b}[2J");
        let long = excerpt(&"x".repeat(64 << 10));
        assert_eq!(long.chars().count(), KEPT + 1);
    }
}

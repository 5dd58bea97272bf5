//! What strangers send, where it is repeated: in a log line, or in an answer.

use std::fmt::Display;

/// Characters that are kept.
const KEPT: usize = 120;

/// The beginning of a text, without anything that could end a line or move a cursor.
pub(crate) fn excerpt(text: &str) -> String {
    let mut excerpt = String::new();
    for letter in text.chars().take(KEPT) {
        match letter {
            // They end nothing, and errors name things in them.
            '"' | '\'' => excerpt.push(letter),
            _ => excerpt.extend(letter.escape_debug()),
        }
    }
    if text.chars().nth(KEPT).is_some() {
        excerpt.push('…');
    }
    excerpt
}

/// The same of what a program has to say of what a stranger sent, such as an error.
pub(crate) fn excerpt_of(what: &impl Display) -> String {
    excerpt(&what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_and_what_is_no_text_is_escaped() {
        assert_eq!(excerpt("/main/whip"), "/main/whip");
        assert_eq!(excerpt("a\r\nb\u{1b}[2J"), "a\\r\\nb\\u{1b}[2J");
        assert_eq!(excerpt("\u{202e}\u{9b}2J"), "\\u{202e}\\u{9b}2J");
        assert_eq!(excerpt(r#"an "x" isn't \n"#), r#"an "x" isn't \\n"#);
        let long = excerpt(&"x".repeat(64 << 10));
        assert_eq!(long.chars().count(), KEPT + 1);
    }
}

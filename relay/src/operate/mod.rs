//! The program as an operator's tool: it asks a running relay over its API.

mod client;
mod command;
mod key_pair;
mod keying;
mod link_key;
pub mod pages;
mod show;

use serde_json::Value;

pub use client::{Asked, OperateError};
pub use command::{Operation, commands, operation};
pub use key_pair::key_pair;
use keying::Keying;

/// Does it, and gives what is to be printed.
///
/// # Errors
/// [`OperateError`].
pub fn operate(operation: Operation) -> Result<String, OperateError> {
    let Operation {
        relay,
        request,
        keying,
        json,
    } = operation;
    let known = keying.before(&relay)?;
    let mut answer = client::ask(&relay, &request)?;
    let completion = known.map_or_else(|| Keying::after(&relay, &answer), Ok)?;
    completion.of(&mut answer);
    // Lists come in pages, which go on behind the last of each.
    while let Some(next) = answer["next"].as_str() {
        let more = client::ask(&relay, &request.after(next))?;
        join(&mut answer, more);
    }
    Ok(match json {
        true => format!("{answer:#}\n"),
        false => show::text(&request.shown, &answer) + completion.note,
    })
}

/// Puts a page behind those before it.
fn join(answer: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    if let Value::Object(answer) = answer {
        answer.remove("next");
    }
    for (name, value) in more {
        match (&mut answer[&name], value) {
            (Value::Array(known), Value::Array(more)) => known.extend(more),
            (known, value) => *known = value,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_become_one_list() {
        let mut answer = json!({ "broadcasts": [1, 2], "next": "b" });
        join(&mut answer, json!({ "broadcasts": [3], "next": "c" }));
        assert_eq!(answer, json!({ "broadcasts": [1, 2, 3], "next": "c" }));
        join(&mut answer, json!({ "broadcasts": [] }));
        assert_eq!(answer, json!({ "broadcasts": [1, 2, 3] }));
    }
}

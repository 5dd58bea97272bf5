//! The program as an operator's tool: it asks a running relay over its API.

mod client;
mod command;
mod show;

pub use client::{Asked, OperateError};
pub use command::{Operation, commands, operation};

/// Does it, and gives what is to be printed.
///
/// # Errors
/// [`OperateError`].
pub fn operate(operation: Operation) -> Result<String, OperateError> {
    let Operation {
        relay,
        request,
        json,
    } = operation;
    let answer = client::ask(&relay, &request)?;
    Ok(match json {
        true => format!("{answer:#}\n"),
        false => show::text(&request.shown, &answer),
    })
}

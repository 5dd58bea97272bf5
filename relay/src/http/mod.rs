//! HTTP: the pages and the API (PROTOCOL 7), on the same port number as the sessions.

mod access_log;
mod api;
mod body;
mod broadcasts;
mod caller;
mod coding;
mod events;
mod forwarded;
mod headers;
mod links;
mod listener;
mod pages;
mod policy;
mod problem;
mod routes;
mod server;
mod session;
mod several;
mod site;
mod unread;
mod viewers;
mod webrtc;

pub(crate) use access_log::ACCESS;
pub use broadcasts::{CreateError, KeepError, Made, NewBroadcast, Tokens};
pub(crate) use coding::{gzip, text};
pub use forwarded::Proxies;
pub use links::Links;
pub(crate) use links::{to_page, token_in};
pub use listener::{Bounds, Listener, Peer};
pub(crate) use pages::{PageFile, page_files};
pub use problem::Problem;
pub use routes::router;
pub use server::serve;
pub use site::{Rules, Site};
pub use viewers::ViewersTokens;

#[cfg(test)]
mod tests;

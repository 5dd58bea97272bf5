//! Players on bad paths, on virtual time.
mod beginnings;
mod quic;
mod table;
mod tcp;
mod world;

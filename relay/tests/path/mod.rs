//! Players on bad paths, on virtual time.
mod quic;
mod tcp;
mod world;
mod table;

//! Players on bad paths, on virtual time.
mod quic;
mod table;
mod tcp;
mod world;

//! Scenarios over the real relay: every client is a real session over UDP, or over TCP where that is what it plays.

mod access;
mod authority;
mod bad_input;
mod cluster;
mod continuity;
mod cut_through;
mod directory;
mod disk;
mod events;
mod issuers;
mod joins;
mod leaving;
mod memory;
mod privacy;
mod records;
mod renditions;
mod shards;
mod slow_players;
mod sound;
mod strangers;
mod tokens;
mod versions;
mod webrtc;
mod websocket;
mod widths;

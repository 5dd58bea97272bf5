//! What a WebRTC player has of paths that it could have.

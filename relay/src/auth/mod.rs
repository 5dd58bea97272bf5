//! Who may do what: the admin key, tokens for publishers and players, and web origins.

mod admin_key;
mod hmac_provider;
mod origin;
mod public_url;
mod random;
mod token;

pub use admin_key::{AdminKey, AdminKeyError};
pub use origin::{Origin, OriginError, Origins};
pub use public_url::{PublicUrl, PublicUrlError};
pub use random::{RandomError, random, random_text};
pub use token::{Claims, EARLIEST, Token, TokenError, TokenSigner};

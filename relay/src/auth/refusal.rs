//! Why somebody may not.

use steadycast_codec_glue::wire::Code;

/// Why a token, or its holder, is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Signed by nobody that this relay trusts, or not a token at all.
    #[error("the token is missing, forged, or from another relay")]
    Invalid,
    /// It was good once.
    #[error("the token has expired; ask for a new link")]
    Expired,
    /// It has ended, if the relay's clock was right when it was made and is now.
    #[error(
        "the token has expired, or the relay's clock was wrong when it was made or is wrong now; \
         ask for a new link"
    )]
    OddClock,
    /// It is good later.
    #[error("the token is not valid yet")]
    NotYet,
    /// It was good, and was taken back.
    #[error("this link was taken back; ask for a new one")]
    Revoked,
    /// It is good for another role.
    #[error("the token is for another role")]
    Role,
    /// It is good for another broadcast.
    #[error("the token is for another broadcast")]
    Broadcast,
    /// The outside authority does not allow it.
    #[error("this is not allowed")]
    Forbidden,
    /// The outside authority does not answer.
    #[error("whoever says who may do this does not answer; try again")]
    Unavailable,
    /// It is good for several broadcasts, and none of them was named.
    #[error("the token is for more than one broadcast: the session has to name one")]
    Unnamed,
}

impl Refusal {
    /// The code of PROTOCOL 5.
    pub fn code(self) -> Code {
        match self {
            Self::Invalid | Self::NotYet | Self::Broadcast | Self::Unnamed | Self::Forbidden => {
                Code::Unauthorized
            }
            Self::Unavailable => Code::Internal,
            Self::Expired | Self::OddClock => Code::TokenExpired,
            Self::Revoked => Code::Revoked,
            Self::Role => Code::WrongRole,
        }
    }

    /// Whether the token is good, and only what it was shown for is not.
    pub fn is_of_a_good_token(self) -> bool {
        matches!(
            self,
            Self::Role | Self::Broadcast | Self::Unnamed | Self::Forbidden
        )
    }
}

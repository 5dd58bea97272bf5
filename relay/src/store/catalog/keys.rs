//! The keys that all relays share: sealed, so that who reads the engine cannot make tokens.

use serde::{Deserialize, Serialize};

use super::super::token_keys::KeyRing;
use super::follow::Here;
use super::record::KEYS;
use super::{Catalog, CatalogError, TRIES};
use crate::directory::engine::{Bucket, EngineError, WriteError};

/// The keys that all relays share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    /// Those that sign tokens.
    pub(crate) tokens: KeyRing,
    /// The admin key; `None`: each relay's settings have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) admin: Option<AdminText>,
}

/// An admin key as it is written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct AdminText(pub(crate) String);

/// Never shown, so that it is in no log.
impl std::fmt::Debug for AdminText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminText(..)")
    }
}

/// What the engine has, and as which revision.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    document: Document,
    revision: u64,
}

impl Catalog {
    /// Changes the keys of all relays; gives what they are then.
    ///
    /// # Errors
    /// [`CatalogError`].
    pub(crate) async fn change_keys(
        &self,
        change: impl Fn(&Document) -> Result<Document, CatalogError>,
    ) -> Result<Document, CatalogError> {
        let bucket = self.bucket()?;
        for _ in 0..TRIES {
            let known = self.known.lock().keys.clone();
            let Keys { document, revision } = known.ok_or(EngineError::Unreached)?;
            let next = change(&document)?;
            if next == document {
                return Ok(next);
            }
            match self.put_keys(&bucket, &next, revision).await? {
                Some(()) => return Ok(next),
                None => {
                    let found = bucket.read(KEYS).await?;
                    let bytes = found.bytes.ok_or(EngineError::Unreached)?;
                    self.open_keys(&bytes, found.revision)?;
                }
            }
        }
        Err(CatalogError::Contended)
    }

    /// `None`: there are others by now.
    async fn put_keys(
        &self,
        bucket: &Bucket,
        document: &Document,
        over: u64,
    ) -> Result<Option<()>, CatalogError> {
        // It has nothing that JSON does not.
        let text = serde_json::to_string(document).unwrap_or_default();
        let sealed = self.secret.seal(&text)?;
        match bucket.put(KEYS, sealed, over, None).await {
            Ok(revision) => {
                let document = document.clone();
                self.known.lock().keys = Some(Keys { document, revision });
                Ok(Some(()))
            }
            Err(WriteError::Stale) => Ok(None),
            Err(WriteError::Engine(error)) => Err(error.into()),
        }
    }

    /// Reads keys that the engine has; `None`: they are known, or older than those that are.
    fn open_keys(&self, sealed: &[u8], revision: u64) -> Result<Option<Document>, EngineError> {
        let known = self.known.lock().keys.as_ref().map(|keys| keys.revision);
        if known.is_some_and(|known| known >= revision) {
            return Ok(None);
        }
        let refused = |why: String| EngineError::Refused(why.into());
        let text = self.secret.open(sealed);
        let text = text.map_err(|error| refused(error.to_string()))?;
        let document = serde_json::from_str::<Document>(&text);
        let document = document.map_err(|_| refused("its keys make no sense".to_owned()))?;
        self.known.lock().keys = Some(Keys {
            document: document.clone(),
            revision,
        });
        Ok(Some(document))
    }

    /// Takes the keys that the engine has, or has it have this relay's. Those of a relay that comes `new` are known to
    /// all from now on, so that its links stay good.
    pub(super) async fn settle_keys(
        &self,
        bucket: &Bucket,
        found: Option<(&[u8], u64)>,
        is_new: bool,
        here: &impl Here,
    ) -> Result<(), CatalogError> {
        // What was known is from before the engine was lost.
        self.known.lock().keys = None;
        if let Some((sealed, revision)) = found {
            self.open_keys(sealed, revision)?;
        }
        let theirs = self.known.lock().keys.clone();
        let document = theirs.as_ref().map(|keys| &keys.document);
        let next = here.next_keys(document, is_new);
        if document != Some(&next) {
            let over = theirs.as_ref().map_or(0, |keys| keys.revision);
            let put = self.put_keys(bucket, &next, over).await?;
            // Another relay comes at the same time.
            put.ok_or(CatalogError::Contended)?;
        }
        self.adopt(next, here).await
    }

    /// The engine has other keys.
    pub(super) async fn hear_keys(
        &self,
        sealed: &[u8],
        revision: u64,
        here: &impl Here,
    ) -> Result<(), CatalogError> {
        match self.open_keys(sealed, revision)? {
            Some(document) => self.adopt(document, here).await,
            None => Ok(()),
        }
    }

    async fn adopt(&self, document: Document, here: &impl Here) -> Result<(), CatalogError> {
        match here.adopt(document).await {
            true => Ok(()),
            false => Err(EngineError::Refused("keys cannot be kept here".into()).into()),
        }
    }

    /// Has the keys of all relays be good for what this one's settings say.
    pub(super) async fn tell_keys(&self, here: &impl Here) -> Result<(), CatalogError> {
        let next = |document: &Document| Ok(here.next_keys(Some(document), false));
        let before = self.known.lock().keys.as_ref().map(|keys| keys.revision);
        let document = self.change_keys(next).await?;
        let after = self.known.lock().keys.as_ref().map(|keys| keys.revision);
        match before == after {
            true => Ok(()),
            false => self.adopt(document, here).await,
        }
    }
}

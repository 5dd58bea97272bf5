use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use crate::broadcast::BroadcastId;

/// Whose turn it is, for each broadcast by itself: one after the other decides where it is.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<BroadcastId, Weak<Row>>>);

type Row = tokio::sync::Mutex<()>;

impl Turns {
    /// Waits for a turn, which lasts until it is dropped.
    pub(super) async fn of(&self, id: &BroadcastId) -> OwnedMutexGuard<()> {
        let row = self.row(id);
        row.lock_owned().await
    }

    fn row(&self, id: &BroadcastId) -> Arc<Row> {
        let mut rows = self.0.lock();
        if let Some(row) = rows.get(id).and_then(Weak::upgrade) {
            return row;
        }
        rows.retain(|_, row| row.strong_count() > 0);
        let row = Arc::default();
        rows.insert(id.clone(), Arc::downgrade(&row));
        row
    }
}

//! The memory for pictures: one budget for what is coming in, what is kept, and what is still on its
//! way to players that are slow to take it.
//!
//! Every buffer that holds a picture carries its own charge and gives it back when the last who
//! needs the buffer lets go of it, wherever that is. So nothing is outside the budget, and nobody has
//! to keep count of who still needs what.

use std::collections::TryReserveError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};
use parking_lot::Mutex;

/// What a buffer costs beside its bytes: its place in the cache, its charge, the allocator's part.
const OVERHEAD: usize = 128;
/// Nobody is asked to make way for others more often than this.
const ASKED_AGAIN: Duration = Duration::from_millis(20);

/// The memory that all broadcasts share.
#[derive(Debug)]
pub(super) struct Memory {
    limit: usize,
    /// What a broadcast may hold however much the others hold.
    guaranteed: usize,
    used: AtomicUsize,
    accounts: Mutex<Vec<Weak<Account>>>,
}

/// Who can let go of pictures where memory is short.
pub(super) trait MakesWay: std::fmt::Debug + Send + Sync {
    /// Lets go of what others need more: all but `keep` bytes, if that can be.
    fn make_way(&self, keep: usize);
}

/// What one broadcast holds of the memory for pictures.
#[derive(Debug)]
pub struct Account {
    memory: Arc<Memory>,
    used: AtomicUsize,
    holder: Weak<dyn MakesWay>,
    /// When it was last asked to make way for another.
    asked: Mutex<Option<Instant>>,
}

/// Why a buffer cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// Memory for pictures is used up, and this broadcast has more than its share of it.
    #[error("the broadcast has more than its share of the memory for pictures")]
    Full,
    /// The system gives none.
    #[error("the system gives no memory: {0}")]
    System(#[from] TryReserveError),
}

impl Memory {
    /// A budget of `limit` bytes, of which each broadcast may have `guaranteed` in any case, or an
    /// equal part where that is less.
    pub(super) fn new(limit: usize, guaranteed: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            guaranteed,
            used: AtomicUsize::new(0),
            accounts: Mutex::default(),
        })
    }

    /// Opens the account of a broadcast.
    pub(super) fn open(self: &Arc<Self>, holder: Weak<dyn MakesWay>) -> Arc<Account> {
        let account = Arc::new(Account {
            memory: self.clone(),
            used: AtomicUsize::new(0),
            holder,
            asked: Mutex::default(),
        });
        self.accounts.lock().push(Arc::downgrade(&account));
        account
    }

    /// Bytes that nobody has taken.
    fn room(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// The accounts that hold anything.
    fn in_use(&self) -> Vec<Arc<Account>> {
        let mut accounts = self.accounts.lock();
        // One without an owner that still holds something is a slow player's.
        accounts.retain(|account| account.strong_count() > 0);
        let accounts = accounts.iter().filter_map(Weak::upgrade);
        accounts.filter(|account| account.used() > 0).collect()
    }

    /// What each broadcast may hold in any case.
    fn share(&self, holders: usize) -> usize {
        self.guaranteed.min(self.limit / holders.max(1))
    }

    /// Lets those make way who hold more than their share, the greatest first, until there is room; not
    /// those who hold less than the one that asks. Returns what the share is.
    fn make_room(&self, wanted: usize, asker: usize) -> usize {
        let mut holders = self.in_use();
        let share = self.share(holders.len());
        holders.sort_by_key(|account| std::cmp::Reverse(account.used()));
        for account in holders {
            let used = account.used();
            if self.room() >= wanted || used <= share || used < asker {
                break;
            }
            account.make_way(share, Instant::now());
        }
        share
    }
}

impl Account {
    /// Bytes that the broadcast holds: coming in, kept, and on their way to players.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether memory is short and this broadcast has more of it than its share: what its players
    /// need of old pictures is to go.
    pub(crate) fn is_to_make_way(&self) -> bool {
        let memory = &self.memory;
        memory.room() < memory.limit / 8 && self.used() > memory.share(memory.in_use().len())
    }

    /// Makes way for another, unless it has been asked a moment ago: what its players hold takes a
    /// moment to come back, and asking again would only cost others time.
    fn make_way(&self, keep: usize, now: Instant) {
        let recent = |at: Instant| now.duration_since(at) < ASKED_AGAIN;
        if self.asked.lock().is_some_and(recent) {
            return;
        }
        *self.asked.lock() = Some(now);
        if let Some(holder) = self.holder.upgrade() {
            holder.make_way(keep);
        }
    }

    /// A buffer with room for `capacity` bytes.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn buffer(self: &Arc<Self>, capacity: usize) -> Result<Buffer, MemoryError> {
        let mut charge = self.count(0);
        charge.resize(capacity + OVERHEAD)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(capacity)?;
        Ok(Buffer { bytes, charge })
    }

    /// Counts what is already there, however much that is.
    pub fn count(self: &Arc<Self>, bytes: usize) -> Charge {
        self.add(bytes);
        Charge {
            account: self.clone(),
            bytes,
        }
    }

    fn take(&self, bytes: usize) -> Result<(), MemoryError> {
        if self.memory.room() < bytes {
            let share = self.memory.make_room(bytes, self.used());
            if self.memory.room() < bytes
                && self.used() + bytes > share
                && let Some(holder) = self.holder.upgrade()
            {
                // Its own older pictures are worth less than this one.
                holder.make_way(share.saturating_sub(bytes));
            }
            // Who has less than its share is let in: the others are making way.
            if self.memory.room() < bytes && self.used() + bytes > share {
                return Err(MemoryError::Full);
            }
        }
        self.add(bytes);
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.memory.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        self.memory.used.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A part of the memory, given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    account: Arc<Account>,
    bytes: usize,
}

impl Charge {
    /// How much it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes it a part of another size.
    ///
    /// # Errors
    /// [`MemoryError::Full`]; it is as it was.
    pub fn resize(&mut self, bytes: usize) -> Result<(), MemoryError> {
        match bytes.checked_sub(self.bytes) {
            Some(growth) => self.account.take(growth)?,
            None => self.account.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.give_back(self.bytes);
    }
}

/// Bytes that are coming in. It never has more room than was asked for.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    charge: Charge,
}

impl Buffer {
    /// Makes room for `more` bytes than there are.
    ///
    /// # Errors
    /// [`MemoryError`]; the buffer is as it was.
    pub fn reserve(&mut self, more: usize) -> Result<(), MemoryError> {
        let Some(growth) = more.checked_sub(self.room()).filter(|growth| *growth > 0) else {
            return Ok(());
        };
        self.charge.resize(self.charge.bytes + growth)?;
        Ok(self.bytes.try_reserve_exact(more)?)
    }

    /// Bytes for which there is room.
    pub fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    /// Bytes that are there.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Where bytes are written, as many as there is room for.
    pub fn spare(&mut self) -> impl BufMut {
        let room = self.room();
        (&mut self.bytes).limit(room)
    }

    /// What is there, to be shared; its part of the memory is given back with its last reader.
    pub fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Memory that nothing is short of.
#[cfg(test)]
pub(crate) fn plenty() -> Arc<Account> {
    Memory::new(usize::MAX / 2, usize::MAX / 2).open(Weak::<super::Broadcast>::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds buffers, and lets go of the oldest.
    #[derive(Debug, Default)]
    struct Shelf {
        account: std::sync::OnceLock<Arc<Account>>,
        buffers: Mutex<Vec<Bytes>>,
    }

    impl MakesWay for Shelf {
        fn make_way(&self, keep: usize) {
            let mut buffers = self.buffers.lock();
            while self.account.get().unwrap().used() > keep && !buffers.is_empty() {
                buffers.remove(0);
            }
        }
    }

    fn shelf(memory: &Arc<Memory>) -> Arc<Shelf> {
        let shelf = Arc::new(Shelf::default());
        let holder: Weak<dyn MakesWay> = Arc::downgrade(&(shelf.clone() as Arc<dyn MakesWay>));
        shelf.account.set(memory.open(holder)).unwrap();
        shelf
    }

    impl Shelf {
        fn account(&self) -> &Arc<Account> {
            self.account.get().unwrap()
        }

        fn put(&self, len: usize) -> Result<(), MemoryError> {
            let mut buffer = self.account().buffer(len)?;
            buffer.spare().put_bytes(1, len);
            self.buffers.lock().push(buffer.freeze());
            Ok(())
        }
    }

    #[test]
    fn what_is_still_read_somewhere_is_counted_and_then_given_back() {
        let memory = Memory::new(100_000, 10_000);
        let shelf = shelf(&memory);
        shelf.put(5_000).unwrap();
        let read = shelf.buffers.lock()[0].slice(10..20);
        shelf.buffers.lock().clear();
        assert_eq!(shelf.account().used(), 5_000 + OVERHEAD);
        drop(read);
        assert_eq!(memory.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn who_has_more_than_its_share_makes_way_and_the_greatest_first() {
        let memory = Memory::new(100_000, 20_000);
        let [most, more, few] = [(); 3].map(|()| shelf(&memory));
        for _ in 0..6 {
            most.put(9_000).unwrap();
        }
        for _ in 0..3 {
            more.put(9_000).unwrap();
        }
        few.put(19_000).unwrap();
        assert!(most.account().used() <= 20_000);
        assert_eq!(more.buffers.lock().len(), 3, "there was room by then");
        assert!(memory.used.load(Ordering::Relaxed) <= 100_000);
    }

    #[test]
    fn who_has_less_than_its_share_is_let_in_and_who_has_more_is_not() {
        let memory = Memory::new(100_000, 20_000);
        let (greedy, modest) = (shelf(&memory), shelf(&memory));
        for _ in 0..10 {
            greedy.put(9_500).unwrap();
        }
        // What is on its way to players that take nothing cannot be let go of at once.
        let pinned = std::mem::take(&mut *greedy.buffers.lock());
        modest.put(15_000).unwrap();
        let read = std::mem::take(&mut *modest.buffers.lock());
        assert!(matches!(modest.put(15_000), Err(MemoryError::Full)));
        assert!(matches!(greedy.put(9_500), Err(MemoryError::Full)));
        drop(read);
        modest.put(15_000).unwrap();
        drop(pinned);
        greedy.put(9_500).unwrap();
    }

    #[test]
    fn who_holds_more_takes_nothing_from_who_holds_less() {
        let memory = Memory::new(100_000, 20_000);
        let (less, more) = (shelf(&memory), shelf(&memory));
        for _ in 0..3 {
            less.put(9_000).unwrap();
        }
        for _ in 0..20 {
            more.put(9_000).unwrap();
        }
        assert_eq!(less.buffers.lock().len(), 3);
    }

    #[test]
    fn what_fits_exactly_costs_nobody_anything() {
        let memory = Memory::new(10_000, 1_000);
        let (greedy, other) = (shelf(&memory), shelf(&memory));
        greedy.put(6_000 - OVERHEAD).unwrap();
        let mut charge = other.account().count(0);
        charge.resize(4_000).unwrap();
        assert_eq!((memory.room(), greedy.buffers.lock().len()), (0, 1));
    }

    #[test]
    fn players_of_who_has_more_than_its_share_let_go_once_an_eighth_is_left() {
        let memory = Memory::new(80_000, 20_000);
        let (greedy, modest) = (shelf(&memory), shelf(&memory));
        let is_to_make_way = |shelf: &Shelf| shelf.account().is_to_make_way();
        let _modest = modest.account().count(20_000);
        let _greedy = greedy.account().count(50_000);
        assert!(!is_to_make_way(&greedy));
        let _more = greedy.account().count(1);
        assert!(is_to_make_way(&greedy));
        assert!(!is_to_make_way(&modest), "it has its share, and no more");
    }

    #[test]
    fn who_has_just_been_asked_to_make_way_is_not_asked_again_at_once() {
        let memory = Memory::new(100_000, 1_000);
        let shelf = shelf(&memory);
        let now = Instant::now();
        let left = |after: Duration| {
            shelf.put(1_000).unwrap();
            shelf.account().make_way(0, now + after);
            shelf.buffers.lock().len()
        };
        let times = [Duration::ZERO, ASKED_AGAIN / 2, ASKED_AGAIN];
        assert_eq!(times.map(left), [0, 1, 0]);
    }

    #[test]
    fn who_holds_nothing_leaves_the_others_their_shares() {
        let memory = Memory::new(100_000, 50_000);
        let [greedy, modest, idle @ ..] = [(); 10].map(|()| shelf(&memory));
        for _ in 0..9 {
            greedy.put(10_000).unwrap();
        }
        let _pinned = std::mem::take(&mut *greedy.buffers.lock());
        modest.put(40_000).unwrap();
        assert!(idle.iter().all(|idle| idle.account().used() == 0));
    }

    #[test]
    fn where_shares_are_more_than_there_is_each_has_an_equal_part() {
        let memory = Memory::new(100_000, 50_000);
        let shelves = [(); 10].map(|()| shelf(&memory));
        for _ in 0..5 {
            for shelf in &shelves {
                shelf.put(9_000).unwrap();
            }
        }
        let used = memory.used.load(Ordering::Relaxed);
        assert!(used <= 100_000, "{used}");
        let kept = shelves.iter().map(|shelf| shelf.buffers.lock().len());
        assert_eq!(kept.collect::<Vec<_>>(), [1; 10], "the newest of each");
    }

    #[test]
    fn a_buffer_grows_within_the_budget_and_not_beyond() {
        let memory = Memory::new(10_000, 1_000);
        let shelf = shelf(&memory);
        let mut buffer = shelf.account().buffer(100).unwrap();
        buffer.reserve(8_000).unwrap();
        assert!(buffer.room() >= 8_000);
        assert!(matches!(buffer.reserve(20_000), Err(MemoryError::Full)));
        assert_eq!(memory.used.load(Ordering::Relaxed), 8_000 + OVERHEAD);
        drop(buffer);
        assert_eq!(shelf.account().used(), 0);
    }

    #[test]
    fn a_charge_is_as_large_as_it_was_last_made_and_counts_for_no_more() {
        let memory = Memory::new(10_000, 1_000);
        let shelf = shelf(&memory);
        let mut charge = shelf.account().count(4_000);
        charge.resize(9_000).unwrap();
        assert!(charge.resize(10_001).is_err());
        assert_eq!((charge.bytes(), shelf.account().used()), (9_000, 9_000));
        charge.resize(2_500).unwrap();
        assert_eq!((charge.bytes(), shelf.account().used()), (2_500, 2_500));
        assert_eq!(memory.room(), 7_500);
    }

    #[test]
    fn a_buffer_says_what_is_in_it_and_how_much_more_there_is_room_for() {
        let mut buffer = plenty().buffer(100).unwrap();
        assert!(buffer.is_empty() && buffer.room() >= 100);
        let room = buffer.room();
        buffer.spare().put_bytes(7, 40);
        assert_eq!((buffer.len(), buffer.room()), (40, room - 40));
        assert!(!buffer.is_empty());
        // Room that is there already costs nothing.
        let charged = buffer.charge.bytes();
        buffer.reserve(room - 40).unwrap();
        assert_eq!(buffer.charge.bytes(), charged);
        assert_eq!(buffer.freeze(), vec![7; 40]);
    }

    #[test]
    fn a_share_can_be_had_to_its_last_byte_and_no_more_where_others_hold_the_rest() {
        let memory = Memory::new(10_000, 1_000);
        let greedy = shelf(&memory).account().count(9_500);
        let modest = shelf(&memory);
        let mut charge = modest.account().count(0);
        charge.resize(1_000).unwrap();
        assert!(charge.resize(1_001).is_err());
        drop(greedy);
        charge.resize(1_001).unwrap();
    }

    #[test]
    fn memory_that_the_system_does_not_give_is_an_error_and_costs_nothing() {
        let memory = Memory::new(usize::MAX / 2, 1_000);
        let shelf = shelf(&memory);
        let error = shelf.account().buffer(isize::MAX as usize / 2).unwrap_err();
        assert!(matches!(error, MemoryError::System(_)));
        assert_eq!(shelf.account().used(), 0);
    }
}

//! How many files the process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are not connections: sockets of shards, the store's, the log's, certificates.
pub(crate) const RESERVE: u64 = 128;

/// Takes as many files as the system lets this process have. Gives how many of `wanted` connections
/// there is room for, and says so where that is fewer.
pub(crate) fn room_for(wanted: usize) -> usize {
    let room = (raise().saturating_sub(RESERVE)).max(1);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            connections = room,
            "the system lets this process have fewer files than limits.sessions has connections \
             (see ulimit -n)"
        );
    }
    room.min(wanted)
}

/// Raises the soft limit to the hard one; gives what it is then.
fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        // It goes on with what it has.
        Err(_) => current,
    };
    limit.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_no_more_than_files() {
        assert_eq!(room_for(1), 1);
        let files = getrlimit(Resource::Nofile);
        assert_eq!(files.current, files.maximum, "the soft limit was raised");
        let most = files.current.map_or(usize::MAX, |files| files as usize);
        assert!(room_for(usize::MAX) <= most);
    }
}

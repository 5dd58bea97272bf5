//! Which UDP ports a process has, by which it is known to those that it comes to.

use std::fs;

use anyhow::{Context, Result};

/// The ports of a process.
pub(super) fn of_process(pid: u32) -> Result<Vec<u16>> {
    let mut own = Vec::new();
    for file in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // It may be closed by now.
        let Ok(to) = fs::read_link(file?.path()) else {
            continue;
        };
        let name = to.to_string_lossy();
        let inode = name.strip_prefix("socket:[");
        own.extend(inode.and_then(|inode| inode.strip_suffix(']')?.parse::<u64>().ok()));
    }
    let mut ports = Vec::new();
    for table in ["udp", "udp6"] {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{table}"))?;
        for line in table.lines().skip(1) {
            let (port, inode) = socket(line).with_context(|| format!("no socket: {line}"))?;
            if own.contains(&inode) {
                ports.push(port);
            }
        }
    }
    Ok(ports)
}

/// Port and inode of a line of the kernel's table.
fn socket(line: &str) -> Option<(u16, u64)> {
    let mut fields = line.split_whitespace();
    let (_, port) = fields.nth(1)?.rsplit_once(':')?;
    let inode = fields.nth(7)?.parse().ok()?;
    Some((u16::from_str_radix(port, 16).ok()?, inode))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};

    use super::*;

    #[test]
    fn a_process_has_the_ports_of_its_sockets() -> Result<()> {
        let four = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut expected = vec![four.local_addr()?.port()];
        // A host may have no IPv6.
        let six = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0));
        expected.extend(
            six.as_ref()
                .ok()
                .and_then(|six| Some(six.local_addr().ok()?.port())),
        );
        let ports = of_process(std::process::id())?;
        assert!(
            expected.iter().all(|port| ports.contains(port)),
            "{ports:?}"
        );
        Ok(())
    }
}

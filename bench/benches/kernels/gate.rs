//! Who may come in: what a session costs the relay before it is let in.

use std::hint::black_box;
use std::time::Duration;

use steadycast_codec_glue::wire::Role;
use steadycast_relay::auth::{
    Gate, Generation, Minted, Order, Power, Revocation, TokenSigner, Transport, Visit,
};
use steadycast_relay::broadcast::{BroadcastId, RelayTime};

use super::{Kernel, Work};

pub(super) const KERNELS: [Kernel; 2] = [
    Kernel {
        name: "a link is looked at, with 10,000 of each taken back",
        prepare: look,
    },
    Kernel {
        name: "a session is let in and leaves, with 1,000 there",
        prepare: enter,
    },
];

/// Of each kind.
const TAKEN_BACK: u64 = 10_000;
const NOW: RelayTime = RelayTime::from_micros(1_800_000_000_000_000);

fn gate() -> Gate {
    let key = "a-key-of-the-benchmark".parse().unwrap();
    let gate = Gate::new(TokenSigner::new(&[7; 32]), key, None);
    for number in 0..TAKEN_BACK {
        gate.remember(Revocation::Token {
            id: format!("token-{number}").into(),
            until: u64::MAX,
        });
        gate.remember(Revocation::Subject {
            subject: format!("subject-{number}").into(),
            made_by: 0,
        });
        gate.remember(Revocation::Broadcast {
            broadcast: format!("broadcast-{number}").parse().unwrap(),
            generation: Generation::default().next(&[Power::Play], 0),
        });
    }
    gate
}

fn link(gate: &Gate) -> Minted {
    let id: BroadcastId = "broadcast-77".parse().unwrap();
    let generation = gate.generation(&id).current;
    let order = Order::link(&id, Power::Play, Duration::from_secs(60), generation);
    gate.mint(&order, NOW).unwrap()
}

fn visit(gate: &Gate) -> Visit {
    Visit {
        number: gate.number(),
        transport: Transport::WebTransport,
        from: "192.0.2.1".parse().unwrap(),
        since: NOW,
    }
}

fn look() -> Work {
    let gate = gate();
    let link = link(&gate);
    Box::new(move || {
        black_box(gate.recognise(link.token.as_str(), NOW).unwrap());
    })
}

fn enter() -> Work {
    let gate = gate();
    let link = link(&gate);
    let admit = move |gate: &Gate| {
        let grant = gate.recognise(link.token.as_str(), NOW).unwrap();
        let broadcast = grant.broadcasts.one().unwrap().clone();
        let pass = gate.enter(grant, Role::Player, &broadcast, visit(gate));
        pass.unwrap()
    };
    let there: Vec<_> = (0..1_000).map(|_| admit(&gate)).collect();
    Box::new(move || {
        black_box(&there);
        black_box(admit(&gate));
    })
}

//! The network lab on this machine: what is set is what packets meet, and a player gets its
//! frames. Where there can be no lab, the tests say why and do nothing.

#![allow(clippy::print_stderr, reason = "a test that is skipped says why")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench::lab::{self, Emulator, Record, World};
use bench::load::Picture;
use bench::network::{Outcome, Trial, trial};
use bench::transport::Way;
use steadycast_lab::{Loss, Rate, Shape, Ways, conditions};

const MS: Duration = Duration::from_millis(1);

/// Says why there can be no lab, if so.
fn is_skipped(test: &str) -> bool {
    let obstacle = lab::obstacle();
    if let Some(obstacle) = &obstacle {
        eprintln!("{test} is skipped: {obstacle}");
    }
    obstacle.is_some()
}

/// A world with one player behind such a path, and an address for both to meet at.
fn world(ways: &Ways) -> Result<(World, Emulator, SocketAddr)> {
    let world = World::create(1)?;
    let emulator = Emulator::start(&world, std::slice::from_ref(ways), 1)?;
    emulator.begin();
    let address = SocketAddr::from((World::relay_address(), 7_000));
    Ok((world, emulator, address))
}

/// A run on a busy machine says that it is void; one on a quiet machine must not.
fn report(record: &Record) {
    let down = &record.paths[0].down;
    eprintln!(
        "late {:?}, void {:?}, {} packets down, {} lost",
        record.lateness,
        record.void(),
        down.offered,
        down.lost()
    );
}

#[test]
fn datagrams_take_their_delay_and_are_lost_as_set() -> Result<()> {
    if is_skipped("datagrams") {
        return Ok(());
    }
    let lossy = Shape::delay_ms(20).lossy(Loss::random(0.1));
    let (world, emulator, address) = world(&Ways::of(lossy, Shape::delay_ms(30)))?;
    let echo = world.relay().within(|| Ok(UdpSocket::bind(address)?))?;
    let player = world.players()[0].within(|| Ok(UdpSocket::bind("0.0.0.0:0")?))?;
    player.connect(address)?;
    player.set_read_timeout(Some(200 * MS))?;
    let count = 1_000_u32;
    let echoing = thread::spawn(move || -> Result<()> {
        let mut buffer = [0; 100];
        for _ in 0..count {
            let (len, from) = echo.recv_from(&mut buffer)?;
            echo.send_to(&buffer[..len], from)?;
        }
        Ok(())
    });
    let started = Instant::now();
    let asking = player.try_clone()?;
    thread::spawn(move || {
        for number in 0..count {
            let sent = started.elapsed().as_micros() as u64;
            // What cannot be sent does not come back either.
            let _ = asking.send(&[&number.to_be_bytes()[..], &sent.to_be_bytes()].concat());
            thread::sleep(MS / 2);
        }
    });
    let (mut buffer, mut times) = ([0; 100], Vec::new());
    while let Ok(len) = player.recv(&mut buffer) {
        let sent = u64::from_be_bytes(buffer[4..len].try_into()?);
        times.push(started.elapsed() - Duration::from_micros(sent));
    }
    echoing.join().map_err(|_| anyhow::anyhow!("no echo"))??;
    let record = emulator.stop(&world)?;
    report(&record);
    assert_eq!(times.len() as u64, record.paths[0].down.delivered);
    assert!(
        (850..950).contains(&times.len()),
        "{} came back",
        times.len()
    );
    assert!(times.iter().all(|time| *time >= 50 * MS));
    times.sort();
    assert!(
        times[times.len() / 2] < 53 * MS,
        "{:?}",
        times[times.len() / 2]
    );
    Ok(())
}

#[test]
fn twenty_megabits_a_second_are_carried() -> Result<()> {
    if is_skipped("twenty megabits") {
        return Ok(());
    }
    let rate = Rate::kbit(20_000);
    let narrow = Shape::delay_ms(20).narrow(rate, 100);
    let (world, emulator, address) = world(&Ways::of(narrow, Shape::delay_ms(20)))?;
    let relay = world.relay().within(|| Ok(UdpSocket::bind(address)?))?;
    let player = (World::player_address(0), address.port());
    let sink = world.players()[0].within(|| Ok(UdpSocket::bind(player)?))?;
    let took = Duration::from_secs(2);
    let started = Instant::now();
    // More than the path carries, so that it is never idle.
    while started.elapsed() < took {
        for _ in 0..4 {
            relay.send_to(&[0; 1_172], player)?;
        }
        thread::sleep(MS);
    }
    thread::sleep(200 * MS);
    let record = emulator.stop(&world)?;
    report(&record);
    drop(sink);
    let delivered = record.paths[0].down.delivered_bytes as usize;
    let could = rate.carries(took + 100 * MS);
    assert!(delivered <= could + 3_000, "{delivered} of {could}");
    assert!(delivered * 100 > rate.carries(took) * 97, "{delivered}");
    Ok(())
}

#[test]
fn tcp_gets_the_rate_and_queues() -> Result<()> {
    if is_skipped("tcp") {
        return Ok(());
    }
    let narrow = Shape::delay_ms(10).narrow(Rate::kbit(4_000), 100);
    let (world, emulator, address) = world(&Ways::of(narrow, Shape::delay_ms(10)))?;
    let listener = world.relay().within(|| Ok(TcpListener::bind(address)?))?;
    let sending = thread::spawn(move || -> Result<()> {
        let (mut stream, _) = listener.accept()?;
        // 1.5 MB: 3 s at 4 Mbit/s.
        stream.write_all(&vec![0; 1_500_000])?;
        Ok(())
    });
    let mut stream = world.players()[0].within(|| Ok(TcpStream::connect(address)?))?;
    let started = Instant::now();
    let mut came = Vec::new();
    stream.read_to_end(&mut came)?;
    let took = started.elapsed().as_secs_f64();
    sending.join().map_err(|_| anyhow::anyhow!("not sent"))??;
    let record = emulator.stop(&world)?;
    report(&record);
    let rate = came.len() as f64 * 8.0 / took;
    assert!(
        (3.3e6..3.95e6).contains(&rate),
        "{rate} bit/s, headers aside"
    );
    let down = &record.paths[0].down;
    assert!(down.longest_wait() > 10 * MS, "TCP queues");
    assert!(down.longest_wait() <= 100 * MS, "{:?}", down.longest_wait());
    assert!(record.paths[0].tcp_bytes > 1_500_000);
    Ok(())
}

/// Five seconds of a moving picture with sound behind 1 % loss.
fn behind_loss(way: Way) -> Result<Outcome> {
    let condition = conditions::named("loss-1").context("no such path")?;
    let trial = Trial {
        condition,
        way,
        seed: 1,
        duration: Duration::from_secs(5),
        beside: 0,
        picture: Picture {
            fps: 30,
            delta_bytes: 4_000,
            key_bytes: 40_000,
            group: 60,
            input: None,
        },
        sound: Some(64),
        program: PathBuf::from(env!("CARGO_BIN_EXE_bench")),
        flags: Vec::new(),
    };
    let mut outcomes = trial::run(&trial)?;
    outcomes.pop().context("no outcome")
}

#[test]
fn a_player_behind_loss_gets_its_frames_by_either_transport() -> Result<()> {
    if is_skipped("a player behind loss") {
        return Ok(());
    }
    for way in [Way::WebTransport, Way::WebRtc] {
        let outcome = behind_loss(way)?;
        let figures = &outcome.figures;
        eprintln!("{way:?}: {:.1}/s, {figures:?}", figures.delivered_fps);
        assert_eq!((outcome.sessions_lost, outcome.bad), (0, 0));
        assert!(outcome.traffic.lost_packets > 0, "the path did lose some");
        assert!(figures.delivered_fps > 20.0, "{way:?}");
        assert!(figures.p50_ms >= 50.0, "a frame takes the path's delay");
        assert!(figures.first_picture_ms.is_some_and(|ms| ms < 2_000.0));
        let sound = outcome.sound.context("nothing was heard")?;
        eprintln!("{way:?}: {sound:?}");
        assert!(sound.there_ms > 3_000.0, "{way:?}: {sound:?}");
        // One in a hundred is lost, until the relay repeats it.
        assert!(sound.missing < 0.05, "{way:?}: {sound:?}");
        assert!(
            sound.p50_ms.is_some_and(|ms| ms >= 50.0),
            "{way:?}: {sound:?}"
        );
    }
    Ok(())
}

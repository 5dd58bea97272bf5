//! The load client as it is run, against a relay of its own.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What a run reports, in which every player was given every frame that was meant for it.
fn fanout(load: &str) -> Result<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg("fanout")
        .args(load.split(' '))
        .args(["--no-pin", "--json"])
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).context("no report")?;
    let closed = (&report["bad"], &report["closed"]);
    assert_eq!(closed, (&0.into(), &0.into()), "{report}");
    assert_eq!(report["frames"], report["expected"], "{report}");
    Ok(report)
}

#[test]
fn a_player_behind_a_narrow_path_is_sent_what_fits_and_the_others_everything() -> Result<()> {
    // Two Mbit/s for all, one of whom has half of that.
    let report = fanout("--players 3 --narrow 1 --narrow-kbit 1000 --seconds 12")?;
    eprintln!("{report}");
    let narrow = &report["narrow"];
    assert_eq!(narrow["players"], 1);
    assert!(narrow["renditions"].as_u64() >= Some(1));
    let fps = narrow["frames_per_second"].as_f64().unwrap_or_default();
    assert!(fps > 5.0, "{fps} frames a second");
    Ok(())
}

#[test]
fn players_hear_all_of_a_publisher_s_sound_and_miss_no_picture_for_it() -> Result<()> {
    let report = fanout("--players 5 --sound --seconds 4")?;
    eprintln!("{report}");
    let sound = &report["sound"];
    assert_eq!((&sound["kbit"], &sound["gaps"]), (&64.into(), &0.into()));
    assert_eq!(sound["frames"], sound["expected"]);
    // Fifty a second for each of them.
    let frames = sound["frames"].as_u64().unwrap_or_default();
    assert!((900..=1_100).contains(&frames), "{frames}");
    assert!(sound["cpu_us"].is_number());
    Ok(())
}

#[test]
fn players_by_webrtc_hear_it_as_well() -> Result<()> {
    let report = fanout("--players 4 --sound --transport both --seconds 4")?;
    eprintln!("{report}");
    let sound = &report["sound"];
    assert_eq!(sound["gaps"], 0);
    let count = |key: &str| sound[key].as_u64().unwrap_or_default();
    // Times in RTP are rounded, so that one at the window's edge may be on its other side.
    assert!(count("frames").abs_diff(count("expected")) <= 4, "{sound}");
    assert!((700..=900).contains(&count("frames")), "{sound}");
    assert!(
        count("p50_us") > 0 && count("p95_us") < 1_000_000,
        "{sound}"
    );
    Ok(())
}

//! Nobody unauthorised publishes, watches or takes over.

use anyhow::Result;
use steadycast_codec_glue::wire::Role;
use steadycast_tests::client::{Player, Publisher, connect};
use steadycast_tests::relay::TestRelay;

async fn refusal(relay: &TestRelay, role: Role, token: &str) -> Option<String> {
    let error = match role {
        Role::Publisher => Publisher::join(relay.target(), token, None).await.err(),
        Role::Player => Player::join(relay.target(), token).await.err(),
    };
    error.map(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tokens_are_refused_with_their_reason() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    for role in [Role::Publisher, Role::Player] {
        let good = broadcast.token(role);
        let forged = format!("{}x", &good[..good.len() - 1]);
        for (token, code) in [
            ("", "unauthorized"),
            ("rubbish", "unauthorized"),
            (&forged, "unauthorized"),
            (&broadcast.expired_token(role), "token_expired"),
        ] {
            assert_eq!(refusal(&relay, role, token).await.as_deref(), Some(code));
        }
    }
    let records = broadcast.records()?;
    assert_eq!(
        records.totals.publishers_joined + records.totals.players_joined,
        0
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_one_role_is_none_for_the_other() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (publish, play) = (
        broadcast.token(Role::Publisher),
        broadcast.token(Role::Player),
    );
    assert_eq!(
        refusal(&relay, Role::Publisher, &play).await.as_deref(),
        Some("wrong_role")
    );
    assert_eq!(
        refusal(&relay, Role::Player, &publish).await.as_deref(),
        Some("wrong_role")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_another_relay_is_refused() -> Result<()> {
    let (relay, other) = (TestRelay::start().await?, TestRelay::start().await?);
    let foreign = other.broadcast().await?.token(Role::Player);
    assert_eq!(
        refusal(&relay, Role::Player, &foreign).await.as_deref(),
        Some("unauthorized")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_pages_of_allowed_origins_open_sessions() -> Result<()> {
    let relay = TestRelay::start().await?;
    let own = format!("https://localhost:{}", relay.address().port());
    connect(relay.target(), "/session", Some(&own)).await?;
    let evil = connect(relay.target(), "/session", Some("https://evil.example")).await;
    assert!(evil.is_err());
    let elsewhere = connect(relay.target(), "/elsewhere", Some(&own)).await;
    assert!(elsewhere.is_err());
    Ok(())
}

steadycast_tests::over_websocket! {
    wrong_tokens_are_refused_with_their_reason,
    a_token_for_one_role_is_none_for_the_other,
    a_token_of_another_relay_is_refused,
    only_pages_of_allowed_origins_open_sessions,
}

//! An engine that is reached over TLS and lets in nobody without credentials.

use steadycast_tests::nats::{Papers, Server};

use super::*;

fn settings(server: &Server, papers: &Papers) -> Result<Settings> {
    Ok(Settings {
        credentials: Some(papers.credentials.clone()),
        authority: Some(papers.authority.clone()),
        ..settings_of(&[server.url()], 1)?
    })
}

#[tokio::test]
async fn relays_with_credentials_meet_over_tls_and_those_of_others_stay_out() -> Result<()> {
    let (server, papers) = Server::secured().await?;
    assert!(server.url().starts_with("tls://"));
    let good = settings(&server, &papers)?;
    let mut one = Relay::with("r1", good.clone())?;
    one.becomes(State::Joined).await?;
    let mut two = Relay::with("r2", good.clone())?;
    two.becomes(State::Joined).await?;
    one.claim(&id("a")?, newcomer(1)).await?;
    two.finds(&id("a")?, "r1").await?;
    // Whom the engine does not know, and by whom the engine is not known.
    let strange = Settings {
        credentials: Some(papers.strange.clone()),
        ..good.clone()
    };
    let bare = Settings {
        credentials: None,
        ..good.clone()
    };
    let wary = Settings {
        authority: None,
        ..good
    };
    let mut out = Vec::new();
    for (name, settings) in [("r3", strange), ("r4", bare), ("r5", wary)] {
        out.push(Relay::with(name, settings)?);
    }
    // They had as long as another one needs.
    let mut six = Relay::with("r6", settings(&server, &papers)?)?;
    six.becomes(State::Joined).await?;
    six.finds(&id("a")?, "r1").await?;
    for relay in &out {
        assert_eq!(relay.state(), State::Joining, "{}", relay.own());
        let refused = relay.claim(&id("b")?, newcomer(1)).await;
        assert!(refused.is_err(), "{refused:?}");
    }
    if six.census().relays != 3 {
        let known = six.directory.clone();
        six.hears("the others", |_| known.census().relays == 3)
            .await?;
    }
    assert_eq!(six.census().relays, 3);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_not_there_is_said_before_anything_else() -> Result<()> {
    let missing = Some(std::path::PathBuf::from("/nowhere/authority.pem"));
    let settings = Settings {
        authority: missing,
        ..settings_of(&["tls://127.0.0.1:1".to_owned()], 1)?
    };
    let refused = Relay::with("r1", settings).err().context("it begins")?;
    let why = refused.to_string();
    assert!(
        why.contains("cluster.nats_authority: /nowhere/authority.pem"),
        "{why}"
    );
    Ok(())
}

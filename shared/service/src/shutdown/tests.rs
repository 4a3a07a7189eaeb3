//! The first signal.

use std::process::Command;

use super::*;

#[tokio::test]
async fn the_first_sigterm_cancels_the_token_and_does_not_exit() {
    let token = on_signals().unwrap();
    assert!(!token.is_cancelled());
    let pid = std::process::id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    token.cancelled().await;
}

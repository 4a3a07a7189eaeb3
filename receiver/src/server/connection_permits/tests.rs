use super::*;
use crate::client::{Client, Visit};

fn address(last: u8) -> IpAddr {
    IpAddr::from([127, 0, 0, last])
}

fn permit(permits: &Arc<ConnectionPermits>, last: u8) -> Option<ConnectionPermit> {
    permits.try_take(address(last), true, &CancellationToken::new()).ok()
}

fn make_known(permit: &ConnectionPermit) {
    let client = Client::new(permit.address, None);
    permit.set_client(&client);
    Visit::begin(&client).client().set_known();
}

#[tokio::test]
async fn the_oldest_unauthenticated_connection_gives_way() {
    let permits = ConnectionPermits::new(3, 3);
    let known = permit(&permits, 1).unwrap();
    make_known(&known);
    let (oldest, younger) = (permit(&permits, 2).unwrap(), permit(&permits, 3).unwrap());
    let next = tokio::spawn({
        let permits = Arc::clone(&permits);
        async move { permits.take(address(4), true, &CancellationToken::new()).await }
    });
    oldest.give_way().await;
    assert!(!known.give_way.is_cancelled() && !younger.give_way.is_cancelled() && !next.is_finished());
    drop(oldest);
    assert!(next.await.unwrap().is_some());
}

#[test]
fn an_address_keeps_to_its_share_and_its_own_strangers_give_way() {
    let permits = ConnectionPermits::new(10, 2);
    let (first, second) = (permit(&permits, 1).unwrap(), permit(&permits, 1).unwrap());
    assert!(matches!(permits.try_take(address(1), true, &CancellationToken::new()), Err(NoPermit::Full)));
    assert!(first.give_way.is_cancelled() && !second.give_way.is_cancelled());
    drop(first);
    let third = permit(&permits, 1).unwrap();
    [&second, &third].into_iter().for_each(make_known);
    assert!(matches!(permits.try_take(address(1), true, &CancellationToken::new()), Err(NoPermit::TooMany)));
    assert!(permit(&permits, 2).is_some(), "another address has its own share");
    drop((second, third));
    let state = permits.lock();
    assert_eq!((state.taken, state.by_address.len(), state.strangers.len()), (0, 0, 0));
}

#[test]
fn addresses_of_one_ipv6_network_count_as_one() {
    let of = |text: &str| network(text.parse().unwrap());
    assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
    assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
}

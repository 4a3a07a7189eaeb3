use super::*;

fn address(last: u8) -> IpAddr {
    IpAddr::from([127, 0, 0, last])
}

fn gone(waiters: &[Waiter<'_>]) -> Vec<usize> {
    let numbered = waiters.iter().enumerate();
    numbered.filter(|(_, waiter)| waiter.give_way.is_cancelled()).map(|(number, _)| number).collect()
}

/// Many times, since the order of what is kept is another one each time.
#[test]
fn the_oldest_request_of_the_busiest_address_gives_way() {
    for _ in 0..50 {
        let anteroom = Anteroom::new(6, 100);
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let mut waiters = vec![anteroom.enter(&other, address(1)), anteroom.enter(&one, address(2))];
        waiters.extend((0..4).map(|_| anteroom.enter(&one, address(1))));
        assert_eq!(gone(&waiters), [0; 0]);
        waiters.push(anteroom.enter(&other, address(1)));
        assert_eq!(gone(&waiters), [2], "the oldest of the address that has the most, of the source that has the most");
        waiters.push(anteroom.enter(&other, address(3)));
        assert_eq!(gone(&waiters), [2, 3]);
        drop(waiters);
        assert_eq!(anteroom.lock().waiting, 0);
        assert!(anteroom.lock().sources.values().all(|source| source.waiting == 0 && source.addresses.is_empty()));
    }
}

/// One sender usually has all addresses of such a network.
#[test]
fn the_addresses_of_an_ipv6_network_count_as_one() {
    let (anteroom, source): (_, Arc<str>) = (Anteroom::new(6, 100), "one".into());
    let mut waiters = vec![anteroom.enter(&source, address(1)), anteroom.enter(&source, address(1))];
    waiters.extend((1..=4_u16).map(|last| anteroom.enter(&source, [0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into())));
    let _honest = anteroom.enter(&source, address(2));
    assert_eq!(gone(&waiters), [2]);
}

#[tokio::test]
async fn a_request_that_needs_bytes_waits_until_another_has_left() {
    let anteroom = Anteroom::new(6, 100);
    let source: Arc<str> = "one".into();
    let idle = anteroom.enter(&source, address(1));
    let next = anteroom.enter(&source, address(1));
    let making = async { next.make_room().await };
    let leaving = async {
        idle.gives_way().await;
        drop(idle);
    };
    let ((), ()) = futures::join!(making, leaving);
    assert!(!next.give_way.is_cancelled());
}

use std::convert::Infallible;
use std::pin::pin;

use axum::body::Bytes;
use futures::{poll, stream};

use super::*;

/// Anybody can send plausible signatures, and bodies that never end.
#[tokio::test]
async fn a_stranger_that_holds_all_bytes_gives_way_to_the_next() {
    let config = crate::config::Receiver {
        max_in_flight_bytes: bytesize::ByteSize::mib(1),
        ..crate::config::Receiver::default()
    };
    let admission = Admission::new(&config, 0);
    let (head, _) = axum::http::Request::new(()).into_parts();
    let (source, now) = (Arc::from("signed"), Instant::now());
    let deadline = now + Duration::from_secs(3_600);
    // Of one address, the oldest gives way.
    let room = || admission.waiting_room(&head, &source, IpAddr::from([192, 0, 2, 1]));
    for room_for_a_head in [false, true] {
        let (mut hog, mut honest, mut others) = (room(), room(), room());
        hog.budget.grow(1024).unwrap();
        let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let mut hog = pin!(async move {
            let refused = hog.read_body(endless, 1024, now, deadline).await.err();
            drop(hog);
            refused
        });
        assert!(poll!(hog.as_mut()).is_pending());
        while others.budget.grow(1).is_ok() {}
        if room_for_a_head {
            others.budget.shrink(head_bytes(&head));
        }
        let (refused, read) = tokio::join!(hog, honest.read_body(Body::from("body"), 1024, now, deadline));
        assert!(matches!(refused, Some(Rejection::Overloaded)), "{refused:?}");
        assert_eq!(read.unwrap().body(), b"body");
    }
}

use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the pieces that are read of `body`.
async fn pieces(mut body: Body) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        pieces.push(frame.unwrap().into_data().unwrap());
    }
    pieces
}

/// Returns how many streams there are, and of how many connections.
fn counted(all: &Unread) -> (usize, usize) {
    let state = all.lock();
    (state.streams, state.connections.len())
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_answer_is_not_read_in_time_ends() {
    let streams = Unread::new(100).connection();
    let (first, second) = (streams.begin(), streams.begin());
    let stalled = tokio::time::timeout(Duration::from_secs(3_600), streams.stall(TIMEOUT)).await;
    assert!(stalled.is_err(), "a request that is not answered yet is no answer that is not read");
    let begin = Instant::now();
    let _kept = first.answer(Body::from("answer"));
    tokio::time::advance(TIMEOUT / 2).await;
    // Others that are read meanwhile change nothing.
    assert_eq!(pieces(second.answer(Body::from("answer"))).await, ["answe", "r"]);
    streams.stall(TIMEOUT).await;
    assert!(begin.elapsed() >= TIMEOUT && begin.elapsed() < TIMEOUT * 2, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_read_is_forgotten() {
    let all = Unread::new(100);
    let streams = all.connection();
    for text in ["", "a", "ab"] {
        let body = streams.begin().answer(Body::from(text));
        assert_eq!(body.size_hint().exact(), Some(text.len() as u64));
        assert_eq!(pieces(body).await.concat(), text.as_bytes());
    }
    drop(streams.begin());
    assert_eq!(counted(&all), (0, 0));
    assert!(tokio::time::timeout(TIMEOUT * 10, streams.stall(TIMEOUT)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_the_connection_with_most_unread_is_closed() {
    let all = Unread::new(10);
    let (greedy, honest) = (all.connection(), all.connection());
    let held: Vec<Stream> = (0..9).map(|_| greedy.begin()).collect();
    let _one = honest.begin();
    assert!(!greedy.give_way.is_cancelled());
    let _two = honest.begin();
    greedy.stall(TIMEOUT).await;
    assert!(!honest.give_way.is_cancelled());
    assert_eq!(counted(&all), (2, 1));
    // What it still has, and begins, counts for nothing.
    drop((held, greedy.begin()));
    assert_eq!(counted(&all), (2, 1));
}

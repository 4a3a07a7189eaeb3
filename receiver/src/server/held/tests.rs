use super::*;

const HEADERS: u8 = 1;
const DATA: u8 = 0;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, len: usize) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(len).unwrap().to_be_bytes();
    [vec![high, middle, low, kind, flags, 0, 0, 0, 1], vec![0; len]].concat()
}

/// Passes `bytes` on in pieces of every length. Returns what is held at the end.
fn held(bytes: &[u8], is_answering: bool) -> usize {
    let mut held: Vec<usize> = Vec::new();
    for len in 1..40 {
        let mut connection = Held::new();
        held.push(bytes.chunks(len).map(|piece| connection.arrived(piece, is_answering)).last().unwrap_or_default());
    }
    held.dedup();
    assert_eq!(held.len(), 1, "{held:?}");
    held[0]
}

#[test]
fn a_head_over_http2_is_held_until_its_last_frame() {
    let begin = [PREFACE.to_vec(), frame(4, 0, 18)].concat();
    let with = |frames: &[Vec<u8>]| [begin.clone(), frames.concat()].concat();
    let open = frame(HEADERS, 0, 100);
    assert_eq!(held(&begin, false), 0);
    for is_answering in [false, true] {
        assert_eq!(held(&with(std::slice::from_ref(&open)), is_answering), 200);
        assert_eq!(held(&with(&[open.clone(), frame(CONTINUATION, 0, 50)]), is_answering), 300);
        assert_eq!(held(&with(&[open.clone(), frame(CONTINUATION, END_HEADERS, 50)]), is_answering), 0);
        assert_eq!(held(&with(&[frame(HEADERS, END_HEADERS, 100), frame(DATA, 0, 1_000)]), is_answering), 0);
    }
    let cut_off = with(&[frame(DATA, 0, 1_000)]);
    assert_eq!((held(&cut_off[..cut_off.len() - 1], false), held(&cut_off[..cut_off.len() - 1], true)), (999, 0));
}

#[test]
fn what_the_receiver_writes_over_http2_is_no_answer() {
    let mut connection = Held::new();
    let head = [PREFACE.to_vec(), frame(HEADERS, 0, 100)].concat();
    assert_eq!(connection.arrived(&head, false), 200);
    assert!(!connection.written());
    assert_eq!(connection.arrived(b"", false), 200);
}

#[test]
fn a_head_over_http1_is_held_until_it_is_answered() {
    let mut connection = Held::new();
    // The beginning of a method is also that of HTTP/2.
    assert_eq!(connection.arrived(b"P", false), 1);
    assert_eq!(connection.arrived(b"OST /", false), 6);
    assert_eq!(connection.arrived(b" HTTP/1.1\r\n\r\n", true), 0);
    assert_eq!(connection.arrived(b"GET", false), 3);
    assert!(connection.written());
    assert_eq!(connection.arrived(b"GET", false), 3);
}

use super::*;

fn queue(items: impl IntoIterator<Item = usize>) -> Queue {
    Queue::new(items.into_iter().collect())
}

fn take(queue: &mut Queue, most: usize) -> Vec<usize> {
    queue.take(|items| items.len().min(most))
}

#[test]
fn halves_of_a_chunk_go_first_and_each_alone() {
    let mut queue = queue(0..6);
    let chunk = take(&mut queue, 4);
    assert_eq!(queue.cut(chunk), None);
    assert_eq!(queue.len(), 6);
    assert_eq!(take(&mut queue, 9), [0, 1]);
    assert_eq!(take(&mut queue, 1), [2], "there was no room for all of the half");
    assert_eq!(take(&mut queue, 9), [3]);
    assert_eq!(take(&mut queue, 9), [4, 5]);
    assert!(queue.is_empty() && take(&mut queue, 9).is_empty());
}

#[test]
fn a_single_document_is_not_halved() {
    assert_eq!(queue([]).cut(vec![7]), Some(7));
}

#[test]
fn documents_of_one_index_are_gathered_unless_a_part_waits() {
    let mut queue = queue(0..5);
    assert_eq!(queue.gather(|item| item % 2), 3);
    assert_eq!(take(&mut queue, 3), [0, 2, 4]);
    queue.put_first(vec![vec![8, 9]]);
    assert_eq!(queue.gather(|item| item), usize::MAX, "a part is a request of its own");
    assert_eq!(take(&mut queue, 9), [8, 9]);
    assert_eq!(take(&mut queue, 9), [1, 3]);
}

#[test]
fn diverted_documents_leave_the_queue() {
    let mut queue = queue(0..4);
    queue.put_first(vec![vec![6]]);
    assert_eq!(queue.divert(|item| item % 2 == 0), [0, 2]);
    assert!(queue.divert(|item| item > 3).is_empty(), "but for a part");
    assert_eq!((take(&mut queue, 9), take(&mut queue, 9)), (vec![6], vec![1, 3]));
}

use super::*;

#[test]
fn only_long_heads_count_and_only_while_incomplete() {
    let all = MemoryBudget::new(MOST);
    let mut heads = [Head::new(&all, FREE), Head::new(&all, FREE)];
    assert!(heads[0].grow(FREE).is_ok());
    assert_eq!(all.bytes(), 0);
    assert!(heads[0].grow(MOST * 2).is_ok());
    assert_eq!(all.bytes(), MOST - FREE, "no head becomes longer");
    assert!(heads[1].grow(FREE).is_ok(), "a short one always has room");
    assert!(heads[1].grow(FREE * 2).is_err());
    assert!(heads[0].hold(0).is_ok());
    assert!(heads[1].grow(FREE * 2).is_ok());
    drop(heads);
    assert_eq!(all.bytes(), 0);
}

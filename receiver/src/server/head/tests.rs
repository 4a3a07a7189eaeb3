use super::*;

#[test]
fn only_long_heads_count_and_only_while_incomplete() {
    let all = MemoryBudget::new(MAX_HEAD);
    let mut heads = [Head::new(&all), Head::new(&all)];
    assert!(heads[0].grow(FREE).is_ok());
    assert_eq!(all.bytes(), 0);
    assert!(heads[0].grow(MAX_HEAD * 2).is_ok());
    assert_eq!(all.bytes(), MAX_HEAD - FREE, "no head becomes longer");
    assert!(heads[1].grow(FREE).is_ok(), "a short one always has room");
    assert!(heads[1].grow(FREE * 2).is_err());
    heads[0].clear();
    assert!(heads[1].grow(FREE * 2).is_ok());
    drop(heads);
    assert_eq!(all.bytes(), 0);
}

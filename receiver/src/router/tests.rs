use super::*;

#[test]
fn equivalent_spellings_of_a_path_are_equal() {
    for (left, right) in [
        ("/a/b-c.d_e~f", "/%61/b%2Dc%2ed%5fe%7E%66"),
        ("/webhook/\u{fc}", "/webhook/%c3%bc"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%", "/a%"),
        ("/a%4", "/a%4"),
        ("/%zz", "/%zz"),
    ] {
        assert_eq!(normal(left), normal(right));
    }
    for (left, right) in [("/a/b", "/a%2Fb"), ("/a", "/A"), ("/a", "//a"), ("/a", "/a/"), ("/a/../b", "/b")] {
        assert_ne!(normal(left), normal(right));
    }
}

use super::*;

fn with(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())])
}

#[test]
fn a_valid_id_from_the_sender_is_kept() {
    for id in ["a", "7f1e-42", "with space", &"x".repeat(128)] {
        assert_eq!(RequestId::of(&with("x-request-id", id)).as_str(), id);
    }
}

#[test]
fn any_other_id_is_replaced_by_a_uuid() {
    let odd = [with("x-request-id", ""), with("x-request-id", &"x".repeat(129)), with("x-request-id", "é")];
    for headers in odd.iter().chain([&HeaderMap::new()]) {
        let id = RequestId::of(headers);
        assert_eq!(Uuid::parse_str(id.as_str()).unwrap().get_version_num(), 4);
    }
}

#[test]
fn a_well_formed_traceparent_is_kept() {
    for value in [
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be",
    ] {
        assert_eq!(traceparent(&with("traceparent", value)), Some(value.as_bytes()));
    }
}

#[test]
fn any_other_traceparent_is_dropped() {
    for value in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        assert_eq!(traceparent(&with("traceparent", value)), None, "{value}");
    }
}

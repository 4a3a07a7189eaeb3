//! Each function registers its metric once.

use super::*;

#[test]
fn each_function_registers_its_metric() {
    let registry = Registry::new();
    counter(&registry, "a_total", "A.").unwrap();
    counters(&registry, "b_total", "B.", &["l"]).unwrap().with_label_values(&["x"]).inc();
    gauge(&registry, "c", "C.").unwrap();
    float_gauge(&registry, "d", "D.").unwrap();
    gauges(&registry, "e", "E.", &["l"]).unwrap().with_label_values(&["x"]).set(1);
    histogram(&registry, "f_seconds", "F.", &[0.1, 1.0]).unwrap().observe(0.5);
    histograms(&registry, "g_seconds", "G.", &["l"], &[0.1]).unwrap().with_label_values(&["x"]).observe(0.5);
    let names: Vec<String> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
    assert_eq!(names, ["a_total", "b_total", "c", "d", "e", "f_seconds", "g_seconds"]);
}

#[test]
fn a_registered_metric_is_declared_even_without_a_sample() {
    let registry = Registry::new();
    counters(&registry, "b_total", "B.", &["z", "a"]).unwrap();
    float_gauge(&registry, "a", "A.").unwrap();
    assert!(registry.gather().iter().all(|family| family.name() != "b_total"));
    let [a, b] = registry.declared().try_into().unwrap();
    assert_eq!((a.name.as_str(), a.kind, a.labels.len()), ("a", Kind::Gauge, 0));
    let (kind, labels) = (Kind::Counter, vec!["a".to_owned(), "z".to_owned()]);
    assert_eq!(b, Declaration { name: "b_total".to_owned(), kind, labels, help: "B.".to_owned() });
}

#[test]
fn a_taken_or_invalid_name_is_an_error() {
    let registry = Registry::new();
    counter(&registry, "a_total", "A.").unwrap();
    counter(&registry, "a_total", "A.").unwrap_err();
    gauge(&registry, "not valid", "A.").unwrap_err();
}

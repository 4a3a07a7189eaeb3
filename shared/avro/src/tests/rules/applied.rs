//! A property: a document with rules equals the document without rules after the rules are applied to its JSON.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use super::super::judge::{Case, case, tape};
use super::*;

/// Returns the rule that applies to the field at `path`, by comparing it with each.
fn winner<'r>(given: &'r BTreeMap<String, FieldRule>, path: &[String]) -> Option<&'r FieldRule> {
    let fits = |pattern: &[&str]| {
        pattern.len() == path.len() && pattern.iter().zip(path).all(|(part, name)| *part == "*" || part == name)
    };
    let patterns = given.iter().map(|(pattern, rule)| (pattern.split('.').collect::<Vec<_>>(), rule));
    let exact = |pattern: &[&str]| pattern.iter().map(|part| *part == "*").collect::<Vec<_>>();
    patterns.filter(|(pattern, _)| fits(pattern)).min_by_key(|(pattern, _)| exact(pattern)).map(|(_, rule)| rule)
}

/// Applies the rules to JSON that was written without rules.
fn apply(given: &BTreeMap<String, FieldRule>, path: &mut Vec<String>, raw: &str) -> Json {
    if let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(raw) {
        return items.iter().map(|item| apply(given, path, item.get())).collect();
    }
    let Ok(members) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(raw) else {
        return serde_json::from_str(raw).unwrap();
    };
    let is_duration = members.keys().eq(["days", "milliseconds", "months"]);
    let mut made = Map::new();
    for (name, value) in members {
        path.push(name.clone());
        let rule = winner(given, path).filter(|_| !is_duration);
        let (name, value) = match rule {
            Some(FieldRule::Drop) => {
                path.pop();
                continue;
            }
            Some(FieldRule::Rename(new)) => (new.clone(), apply(given, path, value.get())),
            None | Some(FieldRule::Keep) if is_duration => (name, serde_json::from_str(value.get()).unwrap()),
            None | Some(FieldRule::Keep) => (name, apply(given, path, value.get())),
            Some(hidden) => (name, hide(hidden, value.get())),
        };
        path.pop();
        made.insert(name, value);
    }
    Json::Object(made)
}

fn hide(rule: &FieldRule, raw: &str) -> Json {
    if raw == "null" {
        return Json::Null;
    }
    if let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(raw) {
        return items.iter().map(|item| hide(rule, item.get())).collect();
    }
    let text = serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
    let characters: Vec<char> = text.chars().collect();
    match rule {
        FieldRule::Hash => json!(hmac(&text)),
        FieldRule::KeepLast(count) if !raw.starts_with('{') && characters.len() >= 2 * usize::from(*count) => {
            json!(format!("***{}", characters[characters.len() - usize::from(*count)..].iter().collect::<String>()))
        }
        _ => json!("***"),
    }
}

fn some_rules() -> impl Strategy<Value = BTreeMap<String, FieldRule>> {
    let name = prop::sample::select(vec!["f0", "f1", "f2", "f3", "f4", "f5", "*", "value", "0", "1"]);
    let path = prop::collection::vec(name, 1..4).prop_map(|names| names.join("."));
    let rule = prop_oneof![
        Just(FieldRule::Drop),
        Just(FieldRule::Mask),
        Just(FieldRule::Hash),
        Just(FieldRule::Keep),
        (1_u8..6).prop_map(FieldRule::KeepLast),
        Just(FieldRule::Rename("new".to_owned())),
    ];
    prop::collection::btree_map(path, rule, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn writing_with_rules_equals_applying_them_to_the_document(tape in tape(), given in some_rules()) {
        let Case { ours, datum, .. } = case(&tape);
        let Ok(rules) = FieldRules::new(&given, Some(SECRET)) else { return Ok(()) };
        let Ok(Ruled { schema: ruled, .. }) = ours.with_rules(&rules) else { return Ok(()) };
        let plain = written(&ours, &datum, LIMITS).unwrap();
        let mut out = Vec::new();
        write_members(&ruled, &datum, LIMITS, &mut out).unwrap();
        let members = String::from_utf8(out).unwrap();
        let expected = apply(&given, &mut Vec::new(), &format!("{{{plain}}}"));
        prop_assert_eq!(document(&members), expected, "{:?}", given);
        prop_assert_eq!(validate(&ruled, &datum, LIMITS, None), validate(&ours, &datum, LIMITS, None));
    }

    #[test]
    fn rules_do_not_change_which_data_are_refused(tape in tape(), given in some_rules(), cut in 0_usize..200) {
        let Case { ours, datum, .. } = case(&tape);
        let Ok(rules) = FieldRules::new(&given, Some(SECRET)) else { return Ok(()) };
        let Ok(Ruled { schema: ruled, .. }) = ours.with_rules(&rules) else { return Ok(()) };
        let cut = &datum[..cut.min(datum.len())];
        let outcome = |schema: &Schema| {
            let mut out = b"before".to_vec();
            let outcome = write_members(schema, cut, LIMITS, &mut out).map_err(|error| (error.kind, error.offset));
            (outcome.is_err() && out != b"before", outcome)
        };
        prop_assert_eq!(outcome(&ruled), outcome(&ours));
    }
}

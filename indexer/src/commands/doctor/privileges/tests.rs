use super::super::finding::Grade;
use super::*;

#[test]
fn each_missing_privilege_is_a_separate_finding() {
    let (cluster, index) = needed(&Config::default());
    let all = |has: bool, needed: &[Needed]| {
        needed.iter().map(|(name, _)| ((*name).to_owned(), Value::Bool(has))).collect::<serde_json::Map<_, _>>()
    };
    let answer =
        json!({"cluster": all(true, &cluster), "index": {"e": all(true, &index), "e-000001": all(true, &index)}});
    assert_eq!(judge("s", &answer, &cluster, &index)[0].grade, Grade::Ok);
    let mut lacking = answer;
    lacking["cluster"]["monitor"] = json!(false);
    lacking["index"]["e-000001"]["read"] = json!(false);
    let findings = judge("s", &lacking, &cluster, &index);
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.grade == Grade::Fail && finding.todo.is_some()), "{findings:?}");
    assert!(findings[1].found.contains("index privilege read"), "{findings:?}");
}

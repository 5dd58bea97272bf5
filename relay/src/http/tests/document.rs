//! The document of the API says what the relay answers.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::{Method, StatusCode};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::super::api::DOCUMENT;
use super::{ADMIN, Relay, Reply};

/// What a route answers: by path, method, status and type.
struct Answers {
    document: Value,
    validators: HashMap<(String, String, String, String), Validator>,
}

static ANSWERS: LazyLock<Answers> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(&DOCUMENT).unwrap();
    closed(&mut document);
    let mut validators = HashMap::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let contents = response["content"].as_object();
                for (kind, content) in contents.into_iter().flatten() {
                    let mut schema = content["schema"].clone();
                    schema["components"] = document["components"].clone();
                    let key = [path, method, status, kind].map(Clone::clone);
                    let validator = jsonschema::validator_for(&schema).unwrap();
                    validators.insert(key.into(), validator);
                }
            }
        }
    }
    Answers {
        document,
        validators,
    }
});

/// Objects have what stands there and nothing else; parts of other objects are seen with those.
fn closed(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    let mut parts = Vec::new();
    for schema in schemas.values() {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            parts.extend(part["$ref"].as_str().map(str::to_owned));
        }
    }
    for (name, schema) in schemas.iter_mut() {
        let is_part = parts.contains(&format!("#/components/schemas/{name}"));
        let is_object = schema["type"] == "object" || schema["allOf"].is_array();
        if is_object && !is_part {
            schema["unevaluatedProperties"] = json!(false);
        }
    }
}

fn is_of(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    let (template, path): (Vec<_>, Vec<_>) = (template.collect(), path.collect());
    let alike = |(own, other): (&&str, &&str)| own == other || own.starts_with('{');
    template.len() == path.len() && template.iter().zip(&path).all(alike)
}

/// Passes an answer that the document knows; what is no route of it is none of its business.
pub(super) fn documented(method: &Method, path: &str, reply: &Reply) {
    let paths = ANSWERS.document["paths"].as_object().unwrap();
    let exact = paths.keys().find(|template| *template == path);
    let Some(template) = exact.or_else(|| paths.keys().find(|template| is_of(template, path)))
    else {
        return;
    };
    let method = method.as_str().to_lowercase();
    let operation = &paths[template][&method];
    if operation.is_null() {
        return;
    }
    let status = reply.status.as_u16().to_string();
    let what = format!("{method} {path}: {status} {}", reply.header("content-type"));
    let status = match operation["responses"][&status].is_null() {
        // Only what is refused may be anything.
        true if reply.status.as_u16() >= 400 => "default".to_owned(),
        true => panic!("{what}"),
        false => status,
    };
    if operation["responses"][&status]["content"].is_null() {
        assert!(reply.body.is_empty(), "{what}");
        return;
    }
    let kind = reply.header("content-type").to_owned();
    let is_json = kind.ends_with("json");
    let key = (template.clone(), method, status, kind);
    let validator = ANSWERS.validators.get(&key).expect(&what);
    if is_json {
        let json = reply.json();
        let wrong = validator.iter_errors(&json).map(|e| e.to_string());
        assert_eq!(
            wrong.collect::<Vec<_>>(),
            [""; 0],
            "{what}: {}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn the_document_is_served_and_knows_every_route() {
    let relay = Relay::new();
    let reply = relay.get("/api/openapi.json", "").await;
    assert_eq!(reply.status, StatusCode::OK);
    let document = reply.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|item| item.as_object().unwrap().values());
    let mut ids: Vec<_> = operations
        .map(|operation| {
            assert!(operation["summary"].is_string(), "{operation}");
            operation["operationId"].as_str().unwrap()
        })
        .collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), all), (20, 20), "{ids:?}");
    // Its answers are seen to by all tests of this room; this one sees that they are.
    let made = relay.post("/api/broadcasts", ADMIN, "").await;
    let path = "/api/broadcasts".to_owned();
    let key = (path, "post".into(), "201".into(), "application/json".into());
    let validator = &ANSWERS.validators[&key];
    assert!(validator.is_valid(&made.json()));
    let mut odd = made.json();
    odd["odd"] = json!(1);
    assert!(!validator.is_valid(&odd));
    odd = made.json();
    odd.as_object_mut().unwrap().remove("id");
    assert!(!validator.is_valid(&odd));
}

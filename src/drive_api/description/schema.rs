//! Schemas of the document as people read them: a kind in a few words, or the fields in a table.

use std::fmt::Write as _;

use serde_json::Value;

use super::page::code_spans;
use crate::drive_api::html::escaped;

/// In a few words, with links.
pub fn kind(schema: &Value) -> String {
    if let Some(name) = name(schema) {
        return link(name);
    }
    for (key, word) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if schema.get(key).is_some() {
            return list(&schema[key]).map(kind).collect::<Vec<_>>().join(word);
        }
    }
    let allowed: Vec<String> = list(&schema["enum"]).map(|value| format!("<code>{}</code>", shown(value))).collect();
    if !allowed.is_empty() {
        return allowed.join(", ");
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect(),
        one => vec![text(one)],
    };
    let kinds = kinds.into_iter().map(|kind| match (kind, text(&schema["format"])) {
        ("array", _) => format!("list of {}", self::kind(&schema["items"])),
        ("string", "date-time") => "time".to_owned(),
        ("", _) => "anything".to_owned(),
        (kind, _) => escaped(kind),
    });
    kinds.collect::<Vec<_>>().join(" or ")
}

/// All of it.
pub fn shape(schema: &Value) -> String {
    if schema.get("properties").is_some() {
        return fields(schema);
    }
    if schema.get("allOf").is_some() {
        return list(&schema["allOf"]).map(part).collect();
    }
    if schema.get("oneOf").is_some() {
        let each: String = list(&schema["oneOf"]).map(|one| format!("<li>{}</li>", part(one))).collect();
        return format!("<p>One of:</p><ul class=\"shapes\">{each}</ul>");
    }
    format!("<p>{}</p>", if is_empty(schema) { "No fields.".to_owned() } else { kind(schema) })
}

fn part(schema: &Value) -> String {
    let said = code_spans(text(&schema["description"]));
    let said = if said.is_empty() { said } else { format!("<p>{said}</p>") };
    match name(schema) {
        Some(name) => format!("{said}<p>What {} has.</p>", link(name)),
        None => said + &shape(schema),
    }
}

fn fields(schema: &Value) -> String {
    let mut rows = String::new();
    for (name, field) in object(&schema["properties"]) {
        let is_needed = list(&schema["required"]).any(|needed| text(needed) == name);
        let default = field.get("default").filter(|default| !default.is_null());
        let default = default.map(|value| format!(" Default: <code>{}</code>.", shown(value))).unwrap_or_default();
        let _ = write!(
            rows,
            "<tr><th scope=\"row\"><code>{}</code>{}</th><td>{}</td><td>{}{default}</td></tr>",
            escaped(name),
            if is_needed { "" } else { " <small>optional</small>" },
            kind(field),
            code_spans(text(&field["description"])),
        );
    }
    format!("<table>{rows}</table>")
}

fn is_empty(schema: &Value) -> bool {
    schema["type"] == "object" && schema.get("additionalProperties").is_none()
}

fn name(schema: &Value) -> Option<&str> {
    text(&schema["$ref"]).strip_prefix("#/components/schemas/")
}

pub fn link(name: &str) -> String {
    let name = escaped(name);
    format!("<a href=\"#schema-{name}\">{name}</a>")
}

/// A string without its quotes.
fn shown(value: &Value) -> String {
    escaped(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// What is not there reads as nothing.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

pub fn list(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    value.as_array().into_iter().flatten()
}

pub fn object(value: &Value) -> impl Iterator<Item = (&str, &Value)> + Clone {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds() {
        let of = |schema: Value| kind(&schema);
        assert_eq!(
            of(json!({ "type": "array", "items": { "$ref": "#/components/schemas/A" } })),
            format!("list of {}", link("A"))
        );
        assert_eq!(of(json!({ "type": ["string", "null"], "format": "date-time" })), "time or null");
        assert_eq!(of(json!({ "oneOf": [{ "type": "null" }, { "type": "integer" }] })), "null or integer");
        assert_eq!(of(json!({ "type": "string", "enum": ["a", "<"] })), "<code>a</code>, <code>&lt;</code>");
        assert_eq!(of(json!({})), "anything");
    }
}

//! The page of `/docs`: the document, for people to read. It works without scripts.
//! Owns: its order. Does not own: how a schema reads (`schema`), what the page may do (`html`).

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::{self, list, object, text};
use crate::drive_api::html::escaped;

pub const STYLE: &str = include_str!("page.css");
/// In the order in which people look for them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// An operation, where it stands in the document.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    said: &'a Value,
}

/// The body of the page.
pub fn body(document: &Value) -> String {
    let operations: Vec<Operation<'_>> = object(&document["paths"])
        .flat_map(|(path, item)| METHODS.into_iter().map(move |method| Operation { method, path, said: &item[method] }))
        .filter(|operation| !operation.said.is_null())
        .collect();
    let groups: Vec<(&Value, Vec<&Operation<'_>>)> = list(&document["tags"])
        .map(|group| (group, operations.iter().filter(|operation| operation.is_of(text(&group["name"]))).collect()))
        .collect();
    format!(
        "<a class=\"skip\" href=\"#content\">To the content</a>{}<main id=\"content\">{}{}{}{}</main>",
        contents(&groups),
        introduction(document),
        groups.iter().map(|(group, operations)| section(group, operations)).collect::<String>(),
        proofs(&document["components"]["securitySchemes"]),
        schemas(&document["components"]["schemas"]),
    )
}

fn contents(groups: &[(&Value, Vec<&Operation<'_>>)]) -> String {
    let mut out = String::from("<nav aria-label=\"Contents\"><ul>");
    for (group, operations) in groups {
        let name = escaped(text(&group["name"]));
        let _ = write!(out, "<li><a href=\"#group-{name}\">{name}</a><ul>");
        for operation in operations {
            let _ = write!(out, "<li><a href=\"#{}\">{}</a></li>", operation.id(), operation.summary());
        }
        out.push_str("</ul></li>");
    }
    out + "<li><a href=\"#proofs\">who asks</a></li><li><a href=\"#schemas\">schemas</a></li></ul></nav>"
}

fn introduction(document: &Value) -> String {
    let info = &document["info"];
    format!(
        "<h1>{}</h1><p>Version {}. For programs: <a href=\"/docs/openapi.json\">openapi.json</a>, OpenAPI {}.</p>{}",
        escaped(text(&info["title"])),
        escaped(text(&info["version"])),
        escaped(text(&document["openapi"])),
        prose(text(&info["description"])),
    )
}

fn section(group: &Value, operations: &[&Operation<'_>]) -> String {
    let name = escaped(text(&group["name"]));
    let all: String = operations.iter().map(|operation| operation.shown()).collect();
    format!("<section><h2 id=\"group-{name}\">{name}</h2>{}{all}</section>", prose(text(&group["description"])))
}

impl Operation<'_> {
    fn is_of(&self, group: &str) -> bool {
        list(&self.said["tags"]).any(|tag| text(tag) == group)
    }

    fn id(&self) -> String {
        escaped(text(&self.said["operationId"]))
    }

    fn summary(&self) -> String {
        code_spans(text(&self.said["summary"]))
    }

    fn shown(&self) -> String {
        let mut out = format!(
            "<article aria-labelledby=\"{id}\"><h3 id=\"{id}\">{}</h3>\
             <p class=\"address\"><b>{}</b> <code>{}</code></p>{}",
            self.summary(),
            self.method.to_uppercase(),
            escaped(self.path),
            prose(text(&self.said["description"])),
            id = self.id(),
        );
        if let Some(ways) = self.said.get("security") {
            let _ = write!(out, "<p>Who asks: {}.</p>", ways_in(ways));
        }
        out += &self.parameters();
        let body = &self.said["requestBody"]["content"];
        if !body.is_null() {
            let _ = write!(out, "<h4>Body</h4>{}", media(body));
        }
        out + &self.answers() + "</article>"
    }

    fn parameters(&self) -> String {
        let rows: String = list(&self.said["parameters"])
            .map(|parameter| {
                let is_needed = parameter["required"] == true;
                format!(
                    "<tr><th scope=\"row\"><code>{}</code>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                    escaped(text(&parameter["name"])),
                    if is_needed { "" } else { " <small>optional</small>" },
                    escaped(text(&parameter["in"])),
                    schema::kind(&parameter["schema"]),
                    code_spans(text(&parameter["description"])),
                )
            })
            .collect();
        if rows.is_empty() { rows } else { format!("<h4>Parameters</h4><table>{rows}</table>") }
    }

    fn answers(&self) -> String {
        let mut rows = String::new();
        for (status, answer) in object(&self.said["responses"]) {
            let status = if status == "default" { "else" } else { status };
            let is_error = answer.get("$ref").is_some();
            let (description, body) = if is_error {
                ("It was not done.", schema::link("ErrorJson"))
            } else {
                (text(&answer["description"]), media(&answer["content"]))
            };
            let _ = write!(rows, "<tr><th scope=\"row\">{}</th><td>{}", escaped(status), code_spans(description));
            for (name, header) in object(&answer["headers"]) {
                let said = code_spans(text(&header["description"]));
                let _ = write!(rows, "<br><code>{}</code>: {said}", escaped(name));
            }
            let _ = write!(rows, "</td><td>{body}</td></tr>");
        }
        format!("<h4>Answers</h4><table class=\"answers\">{rows}</table>")
    }
}

/// Any of them: alternatives, each of one proof or more.
fn ways_in(ways: &Value) -> String {
    let way = |way: &Value| {
        let names: Vec<String> = object(way).map(|(name, _)| proof_link(name)).collect();
        if names.is_empty() { "anybody".to_owned() } else { names.join(" with ") }
    };
    list(ways).map(way).collect::<Vec<_>>().join(", or ")
}

fn proof_link(name: &str) -> String {
    let name = escaped(name);
    format!("<a href=\"#proof-{name}\">{name}</a>")
}

fn proofs(schemes: &Value) -> String {
    let mut rows = String::new();
    for (name, scheme) in object(schemes) {
        let name = escaped(name);
        let place = match text(&scheme["type"]) {
            "http" => format!("<code>Authorization: {}</code>", escaped(text(&scheme["scheme"]))),
            _ => format!("{} <code>{}</code>", escaped(text(&scheme["in"])), escaped(text(&scheme["name"]))),
        };
        let said = code_spans(text(&scheme["description"]));
        let _ =
            write!(rows, "<tr><th scope=\"row\" id=\"proof-{name}\">{name}</th><td>{place}</td><td>{said}</td></tr>");
    }
    format!(
        "<section><h2 id=\"proofs\">Who asks</h2>\
         <p>Unless an operation says otherwise: {}, or {}, or {} with {}.</p><table>{rows}</table></section>",
        proof_link("token"),
        proof_link("app_password"),
        proof_link("console"),
        proof_link("csrf"),
    )
}

fn schemas(schemas: &Value) -> String {
    let mut out = String::from("<section><h2 id=\"schemas\">Schemas</h2>");
    for (name, said) in object(schemas) {
        let name = escaped(name);
        let _ = write!(
            out,
            "<article aria-labelledby=\"schema-{name}\"><h3 id=\"schema-{name}\">{name}</h3>{}{}</article>",
            prose(text(&said["description"])),
            schema::shape(said),
        );
    }
    out + "</section>"
}

/// Of a body: an item for each type that it may have.
fn media(content: &Value) -> String {
    let items: String = object(content)
        .map(|(media_type, said)| {
            let is_json = media_type == "application/json";
            match (said.get("schema"), is_json) {
                (Some(schema), true) => format!("<li>{}</li>", schema::kind(schema)),
                (Some(schema), false) => {
                    format!("<li><code>{}</code>: {}</li>", escaped(media_type), schema::kind(schema))
                }
                (None, _) => format!("<li><code>{}</code></li>", escaped(media_type)),
            }
        })
        .collect();
    if items.is_empty() { items } else { format!("<ul>{items}</ul>") }
}

/// Paragraphs, with what stands in backticks as code.
fn prose(markdown: &str) -> String {
    let paragraphs = markdown.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>", code_spans(paragraph))).collect()
}

pub fn code_spans(markdown: &str) -> String {
    let mut out = String::new();
    for (at, piece) in markdown.split('`').enumerate() {
        let piece = escaped(piece);
        let _ = if at % 2 == 1 { write!(out, "<code>{piece}</code>") } else { write!(out, "{piece}") };
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn one_operation() {
        let said = json!({
            "tags": ["entries"],
            "operationId": "rename",
            "summary": "Rename, by `path`",
            "security": [{}, { "token": [], "csrf": [] }],
            "parameters": [
                { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } },
                { "name": "n", "in": "query", "description": "<b>", "schema": { "type": ["integer", "null"] } },
            ],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Rename" } } } },
            "responses": { "204": { "description": "Done." }, "default": { "$ref": "#/components/responses/Error" } },
        });
        let operation = Operation { method: "post", path: "/rename/{id}", said: &said };
        let shown = operation.shown().replace("><", ">\n<");
        expect![[r##"
            <article aria-labelledby="rename">
            <h3 id="rename">Rename, by <code>path</code>
            </h3>
            <p class="address">
            <b>POST</b> <code>/rename/{id}</code>
            </p>
            <p>Who asks: anybody, or <a href="#proof-csrf">csrf</a> with <a href="#proof-token">token</a>.</p>
            <h4>Parameters</h4>
            <table>
            <tr>
            <th scope="row">
            <code>id</code>
            </th>
            <td>path</td>
            <td>string</td>
            <td>
            </td>
            </tr>
            <tr>
            <th scope="row">
            <code>n</code> <small>optional</small>
            </th>
            <td>query</td>
            <td>integer or null</td>
            <td>&lt;b&gt;</td>
            </tr>
            </table>
            <h4>Body</h4>
            <ul>
            <li>
            <a href="#schema-Rename">Rename</a>
            </li>
            </ul>
            <h4>Answers</h4>
            <table class="answers">
            <tr>
            <th scope="row">204</th>
            <td>Done.</td>
            <td>
            </td>
            </tr>
            <tr>
            <th scope="row">else</th>
            <td>It was not done.</td>
            <td>
            <a href="#schema-ErrorJson">ErrorJson</a>
            </td>
            </tr>
            </table>
            </article>"##]]
        .assert_eq(&shown);
    }
}

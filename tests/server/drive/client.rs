//! Client: one user's program on the web port of a node.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::http::send;
use crate::node::Node;

pub const PASSWORD: &str = "a password of the drive's tests";

pub struct Client<'n> {
    pub node: &'n Node,
    /// Empty: nobody.
    pub token: String,
}

pub struct Answer {
    pub status: StatusCode,
    head: Response<()>,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.body))
    }

    /// The JSON of what must have gone well.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.body);
        self.json()
    }

    /// Status and code of what must have been refused.
    pub fn error(&self) -> (u16, String) {
        let code = self.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("{:?}", self.body)).to_owned();
        (self.status.as_u16(), code)
    }

    pub fn header(&self, name: &str) -> &str {
        self.head.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl<'n> Client<'n> {
    /// A new user, signed in.
    pub async fn of(node: &'n Node, user: &str) -> Self {
        node.admin_with_input(&["user", "create", user, "--password-stdin"], PASSWORD);
        let mut client = Self { node, token: String::new() };
        let form = format!("grant_type=password&username={user}&password={}&device=laptop", PASSWORD.replace(' ', "+"));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = client.send(Method::POST, "/oauth2/token", &headers, form.into()).await;
        client.token = answer.ok()["access_token"].as_str().unwrap().to_owned();
        client
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let url = if path.starts_with('/') { format!("{}{path}", self.node.web) } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(url);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // Hyper leaves it out for an empty body.
        request = request.header("content-length", body.len());
        let response = send(&[&self.node.authority()], request.body(Full::new(body)).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        Answer { status: head.status, head: Response::from_parts(head, ()), body }
    }

    pub async fn call(&self, path: &str, document: Value) -> Answer {
        self.send(Method::POST, path, &[], document.to_string().into()).await
    }

    /// `more` of the query: `&mode=overwrite`.
    pub async fn put(&self, path: &str, more: &str, body: &[u8]) -> Answer {
        let url = format!("/files/upload?uploadType=media&path={path}{more}");
        self.send(Method::POST, &url, &[], Bytes::copy_from_slice(body)).await
    }

    /// Of `kind` `resumable` or `parallel`, of so many bytes; `argument` names the path. Where its pieces go.
    pub async fn begin_upload(&self, kind: &str, bytes: usize, argument: Value) -> String {
        let headers = [("x-upload-content-length", &*bytes.to_string())];
        let url = format!("/files/upload?uploadType={kind}");
        let begun = self.send(Method::POST, &url, &headers, argument.to_string().into()).await;
        assert_eq!((begun.status.as_u16(), begun.body.len()), (200, 0));
        begun.header("location").to_owned()
    }

    /// The bytes from `first` to `end`, of an upload that has `bytes` in the end.
    pub async fn put_piece(&self, session: &str, bytes: &[u8], first: usize, end: usize) -> Answer {
        let range = format!("bytes {first}-{}/{}", end - 1, bytes.len());
        self.send(Method::PUT, session, &[("content-range", &range)], Bytes::copy_from_slice(&bytes[first..end])).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("/files/download", json!({ "path": path })).await
    }

    /// Of a folder, all entries in one page: paths, a slash behind those of folders.
    pub async fn paths(&self, folder: &str) -> Vec<String> {
        let page = self.call("/files/list", json!({ "path": folder, "recursive": true })).await.ok();
        assert_eq!(page["has_more"], false);
        page["entries"].as_array().unwrap().iter().map(path_of).collect()
    }
}

pub fn path_of(entry: &Value) -> String {
    let slash = if entry["type"] == "folder" { "/" } else { "" };
    format!("{}{slash}", entry["path"].as_str().unwrap())
}

/// Where the session is whichever node is asked, of the address that one of them gave.
pub fn at_any_node(session: &str) -> String {
    format!("/files/upload/{}", session.rsplit_once('/').unwrap().1)
}

//! Web: one user's programs on the web port of a node.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;

use crate::http::send;
use crate::node::Node;

pub const PASSWORD: &str = "canary-password-7f3a";

/// What a program shows of itself.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    None,
    Bearer(&'a str),
    Basic(&'a str, &'a str),
    /// Cookie, and the header.
    Page(&'a str, Option<&'a str>),
}

pub struct Answer {
    pub status: StatusCode,
    pub head: Response<()>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.status, self.text))
    }

    pub fn text_of(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text)).to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.head.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The session's cookie as it was set.
    pub fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").strip_prefix("__Host-onggi=").unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

pub fn create_user(node: &Node, name: &str) {
    node.admin_with_input(&["user", "create", name, "--password-stdin"], PASSWORD);
}

pub async fn form(node: &Node, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request =
        Request::post(format!("{}{path}", node.web)).header("content-type", "application/x-www-form-urlencoded");
    exchange(node, request, body).await
}

pub async fn call(node: &Node, proof: Proof<'_>, method: Method, path: &str, body: Option<Value>) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("{}{path}", node.web));
    match proof {
        Proof::None => {}
        Proof::Bearer(token) => request = request.header("authorization", format!("Bearer {token}")),
        Proof::Basic(user, password) => {
            use base64::Engine;
            let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            request = request.header("authorization", format!("Basic {encoded}"));
        }
        Proof::Page(cookie, csrf) => {
            request = request.header("cookie", format!("a=b; __Host-onggi={cookie}"));
            if let Some(csrf) = csrf {
                request = request.header("x-onggi-csrf", csrf);
            }
        }
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    exchange(node, request, body.map(|body| body.to_string()).unwrap_or_default()).await
}

pub async fn get(node: &Node, proof: Proof<'_>, path: &str) -> Answer {
    call(node, proof, Method::GET, path, None).await
}

/// Whether a proof still lets in.
pub async fn is_in(node: &Node, proof: Proof<'_>) -> bool {
    match get(node, proof, "/account/sessions").await.status {
        // An app password is known, and may not do this.
        StatusCode::OK | StatusCode::FORBIDDEN => true,
        StatusCode::UNAUTHORIZED => false,
        other => panic!("{other}"),
    }
}

pub async fn sign_in(node: &Node, user: &str, password: &str) -> Answer {
    let fields = [("grant_type", "password"), ("username", user), ("password", password), ("device", "laptop")];
    form(node, "/oauth2/token", &fields).await
}

pub async fn refresh(node: &Node, token: &str) -> Answer {
    form(node, "/oauth2/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

async fn exchange(node: &Node, request: http::request::Builder, body: String) -> Answer {
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let (head, body) = send(&[&node.authority()], request).await.unwrap().into_parts();
    let text = String::from_utf8(body.to_vec()).unwrap();
    Answer { status: head.status, head: Response::from_parts(head, ()), text }
}

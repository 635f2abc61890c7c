//! Letting a client in: the page, the code, and what a client that is not the one cannot do with it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::web::{Answer, PASSWORD, Proof, call, create_user, form, get, is_in, refresh};
use crate::node::Node;

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0";
const REDIRECT: &str = "http://127.0.0.1:5000/back?x=1";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// What the page sends; `more` replaces and adds.
async fn submit(node: &Node, more: &[(&str, &str)]) -> Answer {
    let challenge = challenge();
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", "app"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("username", "ana"),
        ("password", PASSWORD),
    ];
    fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    fields.extend(more);
    form(node, "/oauth2/authorize", &fields).await
}

/// A code that a person would copy.
pub async fn code(node: &Node, user: &str, more: &[(&str, &str)]) -> String {
    let page = submit(node, &[&[("username", user)], more].concat()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let from = page.text.find("onc_").unwrap();
    page.text[from..from + 68].to_owned()
}

async fn redeem(node: &Node, code: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields =
        vec![("grant_type", "authorization_code"), ("code", code), ("client_id", "app"), ("code_verifier", VERIFIER)];
    fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    fields.extend(more);
    form(node, "/oauth2/token", &fields).await
}

#[tokio::test]
async fn a_code_is_good_once_for_who_asked_for_it() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    let wrong_verifier = "b-verifier-of-at-least-forty-three-characters-0";
    let code = code(&node, "ana", &[("state", "s")]).await;
    for wrong in
        [[("code_verifier", wrong_verifier)].as_slice(), &[("client_id", "another")], &[("redirect_uri", REDIRECT)]]
    {
        let refused = redeem(&node, &code, wrong).await;
        assert_eq!((refused.status, refused.text_of("error")), (StatusCode::BAD_REQUEST, "invalid_grant".into()));
    }
    let tokens = redeem(&node, &code, &[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);
    let access = tokens.text_of("access_token");
    assert!(is_in(&node, Proof::Bearer(&access)).await);
    assert!(refresh(&node, &tokens.text_of("refresh_token")).await.json()["refresh_token"].is_string(), "it rotates");
    assert_eq!(redeem(&node, &code, &[]).await.status, StatusCode::BAD_REQUEST);
    assert!(!is_in(&node, Proof::Bearer(&access)).await, "a code that comes twice ends what came of it");
}

#[tokio::test]
async fn a_browser_is_sent_back_to_the_client() {
    let node = Node::start(&["--set", "web.redirect_uris=https://app.example/back"]);
    create_user(&node, "ana");
    let to = |uri: &'static str| [("redirect_uri", uri), ("state", "a&b")];
    let sent = submit(&node, &to(REDIRECT)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let location = sent.header("location").to_owned();
    let code = location.strip_prefix("http://127.0.0.1:5000/back?x=1&code=").unwrap();
    let (code, state) = code.split_once("&state=").unwrap();
    assert_eq!(state, "a%26b");
    assert_eq!(redeem(&node, code, &[]).await.status, StatusCode::BAD_REQUEST, "without the redirect URI");
    assert_eq!(redeem(&node, code, &[("redirect_uri", REDIRECT)]).await.status, StatusCode::OK);
    let sent = submit(&node, &to("https://app.example/back")).await;
    assert!(sent.header("location").starts_with("https://app.example/back?code=onc_"), "{}", sent.header("location"));

    let unknown = submit(&node, &to("https://evil.example/back")).await;
    assert_eq!((unknown.status, unknown.header("location")), (StatusCode::BAD_REQUEST, ""));
    let wrong = submit(&node, &[&to(REDIRECT)[..], &[("password", "wrong")]].concat()).await;
    assert_eq!((wrong.status, wrong.header("location")), (StatusCode::UNAUTHORIZED, ""));
    assert!(!wrong.text.contains("value=\"wrong\""), "the page never repeats a password");
    for no_pkce in [("code_challenge_method", "plain"), ("code_challenge", "x"), ("response_type", "token")] {
        let refused = submit(&node, &[&to(REDIRECT)[..], &[no_pkce]].concat()).await;
        let location = refused.header("location");
        assert!(location.contains("error=invalid_request") && location.contains("state=a%26b"), "{location}");
    }
}

#[tokio::test]
async fn the_page_is_still() {
    let node = Node::start(&[]);
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", "<script>alert(1)</script>"),
            ("redirect_uri", "http://localhost:5000/\"onload="),
            ("code_challenge", &challenge()),
            ("code_challenge_method", "S256"),
        ])
        .finish();
    let refused = get(&node, Proof::None, &format!("/oauth2/authorize?{query}")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
    let query = query.replace("%22onload%3D", "");
    let page = get(&node, Proof::None, &format!("/oauth2/authorize?{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(!page.text.contains("<script") && page.text.contains("&lt;script&gt;"), "{}", page.text);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' http://localhost:5000;"), "{policy}");
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("DENY", "no-store"));
}

/// As Dropbox's SDKs ask: the refresh token is the one for good.
#[tokio::test]
async fn a_client_that_asks_offline_keeps_its_refresh_token() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    let offline = code(&node, "ana", &[("token_access_type", "offline")]).await;
    let tokens = redeem(&node, &offline, &[]).await;
    let token = tokens.text_of("refresh_token");
    for _ in 0..3 {
        let renewed = refresh(&node, &token).await;
        assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.text);
        assert!(
            renewed.json()["refresh_token"].is_null()
                && is_in(&node, Proof::Bearer(&renewed.text_of("access_token"))).await
        );
    }
    let online = code(&node, "ana", &[("token_access_type", "online")]).await;
    let tokens = redeem(&node, &online, &[]).await;
    assert!(tokens.json()["refresh_token"].is_null());
    assert!(is_in(&node, Proof::Bearer(&tokens.text_of("access_token"))).await);
    let sessions =
        call(&node, Proof::Bearer(&tokens.text_of("access_token")), Method::GET, "/account/sessions", None).await;
    assert_eq!(sessions.json()["sessions"].as_array().unwrap().len(), 2, "{}", sessions.text);
}
